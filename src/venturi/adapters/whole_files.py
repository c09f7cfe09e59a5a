"""Files that are replaced whole: a reader, or a crash, finds the content before or the content after.

Owns the order of writing. What the content means is for its owner.
"""

import os
from pathlib import Path

from venturi.core.domain.errors import UnreadableFileError

_PRIVATE = 0o600


def write_whole(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Replace the content of a file that only its owner may read; raises ``OSError``.

    Where it is ``durable``, a loss of power does not undo it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _PRIVATE)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        if durable:
            stream.flush()
            os.fsync(stream.fileno())
    beside.replace(path)


def read_whole(path: Path) -> bytes | None:
    """Give the content of a file, None where there is none; raises ``UnreadableFileError``."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        message = f"cannot read {path}: {error.strerror}"
        raise UnreadableFileError(message) from error
