"""The SQLite file of a spool: one process that holds it, transactions that a crash undoes whole, errors as venturi's.

Owns settings and life cycle of the connection. What the tables hold is for the modules of the tables.

The log is written ahead (WAL): a commit is one write to its end and one fsync, and the pages that it overwrites later are safe in it. Held
exclusively, it needs no shared memory beside it. Two connections never write at once, so no older release of SQLite is at fault here.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from pysqlite3 import dbapi2

from venturi.adapters.spool.tables.schema import APPLICATION_ID, LAYOUT, TABLES
from venturi.core.domain.errors import SpoolError, SpoolFullError, SpoolInUseError

_SETTINGS = (
    "PRAGMA locking_mode = EXCLUSIVE",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA wal_autocheckpoint = 256",
    "PRAGMA foreign_keys = ON",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA trusted_schema = OFF",
)
_PRIVATE = 0o600
_PRIMARY_CODE = 0xFF
_BUSY, _FULL, _NO_DATABASE = 5, 13, 26


class Database:
    """Holds the file ``path``; used by one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: dbapi2.Connection | None = None

    def start(self) -> None:
        """Open the file, make it where there is none, and hold it.

        Raises ``SpoolInUseError`` while another process holds it, ``SpoolError`` for a file that is no spool or of a later layout.
        """
        self._make_file()
        with ExitStack() as undoing:
            undoing.callback(self.stop)
            with self._errors():
                self._connection = dbapi2.connect(str(self._path), timeout=0, isolation_level=None, check_same_thread=False)
                for setting in _SETTINGS:
                    self._connection.execute(setting).fetchall()
            with self.transaction() as connection:
                self._lay_out(connection)
            undoing.pop_all()

    def stop(self) -> None:
        """Close the file, so that another process may hold it."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            with self._errors():
                connection.close()

    @contextmanager
    def transaction(self) -> Iterator[dbapi2.Connection]:
        """Do all that is done inside, durably, or nothing of it; raises ``SpoolFullError`` where there is no room, else ``SpoolError``."""
        if self._connection is None:
            message = f"the spool {self._path} is closed"
            raise SpoolError(message)
        with self._errors():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    def empty_log(self) -> None:
        """Write what is in the log to its place in the file, so that the log is written from its beginning again."""
        with self._errors():
            if self._connection is not None:
                self._connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()

    def octets(self) -> int:
        """Tell how much of the file is in use, in octets."""
        with self.transaction() as connection:
            (octets,) = connection.execute(
                "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size"
            ).fetchone()
        return int(octets)

    def _make_file(self) -> None:
        """Make an empty file that only its owner may read, in a folder that remembers it after a loss of power."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # An existing file is left alone: to close a descriptor of it would let go of the locks that this process may have on it.
            if not self._path.exists():
                os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _PRIVATE))
            folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            message = f"the spool {self._path} cannot be opened: {error.strerror}"
            raise SpoolError(message) from error

    def _lay_out(self, connection: dbapi2.Connection) -> None:
        (application,), (layout,) = (connection.execute(f"PRAGMA {name}").fetchone() for name in ("application_id", "user_version"))
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        if application == APPLICATION_ID and layout == LAYOUT:
            return
        if application == APPLICATION_ID:
            message = (
                f"the spool {self._path} has layout {layout}, which this version of venturi does not know; run the version that made it"
            )
            raise SpoolError(message)
        if tables:
            message = f"{self._path} is a database, but no spool"
            raise SpoolError(message)
        for statement in (*TABLES, f"PRAGMA application_id = {APPLICATION_ID}", f"PRAGMA user_version = {LAYOUT}"):
            connection.execute(statement)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except dbapi2.Error as error:
            raise self._translate(error) from error

    def _translate(self, error: dbapi2.Error) -> SpoolError:
        code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY_CODE
        if code == _BUSY:
            return SpoolInUseError(f"another process meters with the spool {self._path}; stop it first, or name another file")
        if code == _FULL:
            return SpoolFullError(f"there is no room for the spool {self._path}: make some on its disk")
        if code == _NO_DATABASE:
            return SpoolError(f"{self._path} is no spool")
        return SpoolError(f"the spool {self._path} cannot be used: {error}")
