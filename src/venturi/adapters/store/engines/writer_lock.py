"""The lock by which one process at a time writes to an embedded database.

Owns the file beside the database that is locked. The kernel lets go of it when the process ends, however it ends.
"""

import fcntl
import os
from pathlib import Path

from venturi.core.domain.errors import StoreError, StoreInUseError

_PRIVATE = 0o600


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
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            message = f"another process writes to the database {self._database}; use the API of the server that runs on it"
            raise StoreInUseError(message) from error
        self._descriptor = descriptor
        self._identity = self._identify()

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
