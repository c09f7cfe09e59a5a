"""Opening a database for maintenance, whatever its schema.

Owns that an embedded database is written by nobody else meanwhile, and is not made by looking at it.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection
from sqlalchemy.engine import URL

from venturi.adapters.store.engines.engines import build_engines
from venturi.adapters.store.engines.failures import database_errors
from venturi.adapters.store.engines.locations import file_of, is_embedded, read_location
from venturi.adapters.store.engines.versions import require_supported_server
from venturi.adapters.store.engines.writer_lock import WriterLock
from venturi.core.domain.errors import StoreError


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
    location = read_location(url)
    engines = build_engines(location, 1)
    lock = WriterLock(file_of(location)) if is_embedded(location) else None
    try:
        if lock is not None:
            lock.start()
        with database_errors(), engines.writers.begin() as connection:
            require_supported_server(connection)
            yield connection
    finally:
        engines.dispose()
        if lock is not None:
            lock.stop()


def _require_file(location: URL) -> None:
    if is_embedded(location) and not file_of(location).is_file():
        message = f"there is no database {file_of(location)}"
        raise StoreError(message)
