"""The pools of connections of a store: many that read, and those that write.

Owns isolation and time limits on every database. Writers of one kind take turns in a process, so one connection is enough for them. On the
database of a server each kind has its own: postings, changes of what is to be metered, and roll-ups do not wait for each other.
"""

import os
import stat
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import URL
from sqlalchemy.exc import NoSuchModuleError

from venturi.adapters.store.engines.locations import POSTGRESQL, file_of, is_embedded
from venturi.adapters.store.engines.sqlite import build_sqlite_engine
from venturi.core.domain.errors import MissingExtraError, StoreError

_PRIVATE = 0o600
_PRIVATE_FOLDER = 0o700
_LOCK_SECONDS = 30
_IDLE_SECONDS = 120
_CONNECT_SECONDS = 10
_SILENT_SECONDS = 120
_STRICT = "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', innodb_lock_wait_timeout = 30"


@dataclass(frozen=True)
class Engines:
    """The engines of one database: a transaction of ``readers`` sees one state, those of the others the latest of each row.

    On an embedded database, where one transaction writes at a time, the others are one.
    """

    readers: Engine
    writers: Engine
    posters: Engine
    rollers: Engine

    def dispose(self) -> None:
        """Close all connections."""
        for engine in (self.readers, self.writers, self.posters, self.rollers):
            engine.dispose()


def build_engines(location: URL, pool_size: int) -> Engines:
    """Make the engines of a database; raises ``MissingExtraError`` without its driver, ``StoreError`` where its file cannot be made."""
    if is_embedded(location):
        make_file(location)
        readers = build_sqlite_engine(location, pool_size, begin="BEGIN")
        writers = build_sqlite_engine(location, 1, begin="BEGIN IMMEDIATE")
        return Engines(readers, writers, writers, writers)
    try:
        return Engines(
            _build_server_engine(location, pool_size, "REPEATABLE READ"),
            *(_build_server_engine(location, 1, "READ COMMITTED") for _ in range(3)),
        )
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        extra = location.get_backend_name()
        purpose = f"a database of {extra}"
        raise MissingExtraError(purpose, extra) from error


def make_file(location: URL) -> None:
    """Make the file of an embedded database, for its owner's eyes only, unless it exists.

    Raises ``StoreError`` where that cannot be, and for a file that everybody on this machine may write.
    """
    path = file_of(location)
    try:
        path.parent.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _PRIVATE)
        try:
            mode = os.fstat(descriptor).st_mode
        finally:
            os.close(descriptor)
    except OSError as error:
        message = f"the database {path} cannot be opened: {error.strerror}"
        raise StoreError(message) from error
    if mode & stat.S_IWOTH:
        message = f"every user of this machine may write the database {path}: take that right away, as by `chmod o-w {path}`"
        raise StoreError(message)


def _build_server_engine(location: URL, pool_size: int, isolation: str) -> Engine:
    return create_engine(
        location,
        pool_size=pool_size,
        max_overflow=0,
        pool_pre_ping=True,
        pool_recycle=3600,
        isolation_level=isolation,
        connect_args=_postgresql_arguments() if location.get_backend_name() == POSTGRESQL else _mariadb_arguments(),
    )


def _postgresql_arguments() -> dict[str, Any]:
    # What is acknowledged waits for the disk, whatever the server does by default.
    # Compiling a query takes longer than any query here.
    limits = f"-c jit=off -c synchronous_commit=on -c lock_timeout={_LOCK_SECONDS}s -c idle_in_transaction_session_timeout={_IDLE_SECONDS}s"
    keepalives = {"keepalives": 1, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 30_000}
    return {"connect_timeout": _CONNECT_SECONDS, "options": limits, "application_name": "venturi", **keepalives}


def _mariadb_arguments() -> dict[str, Any]:
    silence = {"read_timeout": _SILENT_SECONDS, "write_timeout": _SILENT_SECONDS}
    return {"connect_timeout": _CONNECT_SECONDS, "charset": "utf8mb4", "init_command": _STRICT, **silence}
