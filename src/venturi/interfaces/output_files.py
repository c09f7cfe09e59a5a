"""Files that commands write for people: each appears whole or not at all.

Owns their making. What stands in them is for the renderers.
"""

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import TextIO

from venturi.core.domain.errors import UnreadableFileError


def check_folders(*paths: str | None) -> None:
    """Refuse, before any work is done, files in folders that are not there with ``UnreadableFileError``."""
    for path in paths:
        if path is not None and not Path(path).absolute().parent.is_dir():
            message = f"{path}: cannot be written: there is no folder {Path(path).absolute().parent}"
            raise UnreadableFileError(message)


def write_text_file(path: str, write: Callable[[TextIO], None]) -> None:
    """Let ``write`` write a text, and make it the content of a file; raises ``UnreadableFileError``."""
    text = StringIO()
    write(text)
    with whole_file(path) as temporary:
        temporary.write_text(text.getvalue(), encoding="utf-8")


@contextlib.contextmanager
def whole_file(path: str) -> Iterator[Path]:
    """Give a temporary file beside ``path`` that takes its place at the end; what is no regular file is written in place."""
    target = Path(path)
    try:
        if target.exists() and not target.is_file():
            yield target
            return
        handle, name = tempfile.mkstemp(dir=target.absolute().parent, prefix=f".{target.name}.")
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            temporary.chmod(0o666 & ~_current_umask())
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        message = f"{path}: cannot be written: {error.strerror}"
        raise UnreadableFileError(message) from error


def _current_umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
