"""A plan in a file, which may be replaced while it is followed.

Owns noticing that. What the plan says is for the agent.
"""

import hashlib
import time
from pathlib import Path

from venturi.adapters.edges import FILES_EDGE
from venturi.adapters.whole_files import read_whole
from venturi.core.domain.errors import UnreadableFileError

_LOOK_SECONDS = 1.0


@FILES_EDGE.adapter
class PlanFile:
    """The file of a plan, as a source of plans."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self.name = str(path)

    def ask(self, known: str, wait: int) -> tuple[str, bytes] | None:
        """Give digest and content of the file, unless the digest is still ``known`` after ``wait`` seconds: then None.

        Raises ``UnreadableFileError`` where there is no file.
        """
        for _ in range(wait):
            seen = self._look()
            if seen != self._seen:
                document = read_whole(self._path) or b""
                self._seen = seen
                digest = hashlib.sha256(document).hexdigest()
                if digest != known:
                    return digest, document
            time.sleep(_LOOK_SECONDS)
        return None

    def _look(self) -> tuple[int, int, int]:
        try:
            status = self._path.stat()
        except OSError as error:
            message = f"cannot read {self._path}: {error.strerror}"
            raise UnreadableFileError(message) from error
        return status.st_ino, status.st_size, status.st_mtime_ns
