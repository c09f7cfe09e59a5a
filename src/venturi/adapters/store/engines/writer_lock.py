"""The lock by which one process at a time writes to an embedded database.

Owns the file beside the database that is locked. The kernel lets go of it when the process ends, however it ends.
"""

import fcntl
import os
from contextlib import ExitStack, suppress
from pathlib import Path

from venturi.core.domain.errors import StoreError, StoreInUseError

_PRIVATE = 0o600
_LONGEST_NUMBER = 20


class WriterLock:
    """Holds the right to write to the database in the file ``database``."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._descriptor: int | None = None
        self._identity: tuple[int, int] | None = None

    def start(self) -> None:
        """Take the lock; raises ``StoreInUseError`` while another holds it, ``StoreError`` where no file can be made."""
        path = self._database.with_name(f"{self._database.name}.lock")
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _PRIVATE)
        except OSError as error:
            message = f"the database {self._database} cannot be opened: {error.strerror}"
            raise StoreError(message) from error
        with ExitStack() as undoing:
            undoing.callback(os.close, descriptor)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                holder = _read_holder(descriptor)
                message = f"another process{holder} writes to the database {self._database}: stop that server first, or use its API"
                raise StoreInUseError(message) from error
            _note_holder(descriptor)
            self._identity = self._identify()
            self._descriptor = descriptor
            undoing.pop_all()

    def require_file(self) -> None:
        """Raise ``StoreError`` if the file was removed or replaced: what is written to it now would be lost."""
        if self._identify() != self._identity:
            message = f"the database {self._database} was removed or replaced while the server ran; start the server anew"
            raise StoreError(message)

    def _identify(self) -> tuple[int, int] | None:
        try:
            found = self._database.stat()
        except FileNotFoundError:
            return None
        return found.st_dev, found.st_ino

    def stop(self) -> None:
        """Let go of the lock."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _note_holder(descriptor: int) -> None:
    """Write into the locked file who holds it; without room on the disk nobody is told."""
    with suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)


def _read_holder(descriptor: int) -> str:
    """Say which process holds the lock; an older version of venturi does not tell."""
    told = os.pread(descriptor, _LONGEST_NUMBER, 0).decode("ascii", "replace").strip()
    return f" (pid {told})" if told.isdecimal() else ""
