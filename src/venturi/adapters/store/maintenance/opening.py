"""Opening a database for maintenance, whatever its schema.

Owns that an embedded database is written by nobody else meanwhile, and is not made by looking at it.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

from sqlalchemy import Connection
from sqlalchemy.engine import URL

from venturi.adapters.store.engines.engines import build_engines
from venturi.adapters.store.engines.failures import database_errors
from venturi.adapters.store.engines.locations import MARIADB, POSTGRESQL, file_of, is_embedded, read_location
from venturi.adapters.store.engines.versions import require_supported_server
from venturi.adapters.store.engines.writer_lock import WriterLock
from venturi.core.domain.errors import StoreError, StoreInUseError


@contextmanager
def open_for_reading(url: str) -> Iterator[Connection]:
    """Open a transaction that reads, beside whoever writes; raises ``StoreError``, also if an embedded database does not exist."""
    location = read_location(url)
    _require_file(location)
    engines = build_engines(location, 1)
    try:
        with database_errors(), engines.readers.connect() as connection:
            yield connection
    finally:
        engines.dispose()


@contextmanager
def open_for_writing(url: str) -> Iterator[Connection]:
    """Open a transaction that writes; raises ``StoreInUseError`` while another process writes to an embedded database."""
    with writing_by_pieces(url) as begin, begin() as connection:
        require_supported_server(connection)
        yield connection


@contextmanager
def writing_by_pieces(url: str) -> Iterator[Callable[[], AbstractContextManager[Connection]]]:
    """Give what opens transactions that write, one after the other; raises as ``open_for_writing`` does."""
    location = read_location(url)
    with ExitStack() as opened:
        if is_embedded(location):
            lock = WriterLock(file_of(location))
            lock.start()
            opened.callback(lock.stop)
        engines = build_engines(location, 1)
        opened.callback(engines.dispose)
        with database_errors():
            yield engines.writers.begin


_OTHERS = {
    POSTGRESQL: "SELECT coalesce(host(client_addr), 'this machine') FROM pg_stat_activity"
    " WHERE datname = current_database() AND application_name = 'venturi' AND pid <> pg_backend_pid()",
    MARIADB: "SELECT host FROM information_schema.processlist"
    " WHERE db = database() AND user = substring_index(user(), '@', 1) AND id <> connection_id()",
}
"""The hosts of those who use the database of a server besides this connection: a server of venturi keeps connections open all the time."""


def require_alone(connection: Connection) -> None:
    """Raise ``StoreInUseError`` while other programs of venturi use the database of a server; the lock of an embedded one sees to that."""
    question = _OTHERS.get(connection.dialect.name)
    hosts = [] if question is None else [str(row[0]) for row in connection.exec_driver_sql(question)]
    if hosts:
        where = ", ".join(sorted({host.rpartition(":")[0] or host for host in hosts}))
        message = f"{len(hosts)} other connections use the database, from {where}: stop the servers that run on it first"
        raise StoreInUseError(message)


def _require_file(location: URL) -> None:
    if is_embedded(location) and not file_of(location).is_file():
        message = f"there is no database {file_of(location)}"
        raise StoreError(message)
