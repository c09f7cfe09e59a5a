"""SQLite as the store needs it: the library that venturi brings, a log written ahead, and nothing acknowledged that a crash could lose.

Owns versions and settings of the embedded database. Who may write is for ``writer_lock``.
"""

from pysqlite3 import dbapi2
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection

from venturi.core.domain.errors import StoreError

OLDEST_LIBRARY = (3, 51, 3)
"""The first release of SQLite without the fault that could damage a database whose log is reset (WAL reset)."""

_SETTINGS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA busy_timeout = 10000",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA trusted_schema = OFF",
)


def check_library(version: tuple[int, ...]) -> None:
    """Refuse a library older than ``OLDEST_LIBRARY`` with ``StoreError``."""
    if version < OLDEST_LIBRARY:
        found, needed = (".".join(map(str, numbers)) for numbers in (version, OLDEST_LIBRARY))
        message = f"SQLite {found} may damage a database; venturi needs {needed} or later, which pysqlite3 0.6.1 or later brings"
        raise StoreError(message)


def build_sqlite_engine(location: URL, pool_size: int, *, begin: str) -> Engine:
    """Make an engine whose transactions begin by the statement ``begin``."""
    check_library(tuple(dbapi2.sqlite_version_info))
    engine = create_engine(
        location, module=dbapi2, pool_size=pool_size, max_overflow=0, connect_args={"isolation_level": None, "timeout": 10.0}
    )

    def set_up(connection: DBAPIConnection, _record: object) -> None:
        cursor = connection.cursor()
        for setting in _SETTINGS:
            cursor.execute(setting)
        cursor.close()

    def begin_transaction(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine, "connect", set_up)
    event.listen(engine, "begin", begin_transaction)
    return engine
