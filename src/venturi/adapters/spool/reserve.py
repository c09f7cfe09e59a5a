"""Room on the disk that is set aside for the time when there is none.

Owns the file that takes it up. What the room is used for is for ``room``.
"""

import os
from pathlib import Path

_PRIVATE = 0o600


class Reserve:
    """Takes up ``octets`` beside the file of a spool, and gives them back when they are needed."""

    def __init__(self, spool: Path, octets: int) -> None:
        self._path = spool.with_name(f"{spool.name}.reserve")
        self._octets = octets

    def take(self) -> bool:
        """Set the room aside, and tell whether the disk has it."""
        try:
            if self._path.exists() and self._path.stat().st_size == self._octets:
                return True
            self._allocate()
        except OSError:
            self.give_back()
            return False
        return True

    def _allocate(self) -> None:
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, _PRIVATE)
        try:
            os.posix_fallocate(descriptor, 0, self._octets)
        finally:
            os.close(descriptor)

    def give_back(self) -> None:
        """Let the room be used."""
        self._path.unlink(missing_ok=True)
