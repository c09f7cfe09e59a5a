"""Backups: a whole database in one file, as it was at one moment, while servers go on.

Owns which form it has: an embedded database stays one, the others become a dump. No file is ever overwritten.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from pysqlite3 import dbapi2
from sqlalchemy import Connection, MetaData, select

from venturi.adapters.edges import STORE_EDGE
from venturi.adapters.store.engines.locations import SQLITE
from venturi.adapters.store.maintenance.dump_format import TableRows, tell_rows, write_dump
from venturi.adapters.store.maintenance.opening import open_for_reading
from venturi.adapters.store.migrations.running import current_schema
from venturi.adapters.store.schema.all_tables import METADATA
from venturi.core.domain.errors import SchemaError, StoreError
from venturi.core.domain.progress import UNHEARD, Progress

_PRIVATE = 0o600
_AT_ONCE = 2000
_PAGES_AT_ONCE = 4096


@STORE_EDGE.function
def back_up(url: str, path: Path, progress: Progress = UNHEARD) -> int:
    """Write a backup into a file that does not exist yet; give its size in octets. Raises ``StoreError``.

    Tells ``progress`` of pages of an embedded database, of rows of others.
    """
    with open_for_reading(url) as connection:
        schema = current_schema(connection)
        if schema is None:
            message = "the database has no tables, so there is nothing to back up"
            raise SchemaError(message)
        stream = create_private_file(path)
        try:
            with stream:
                if connection.dialect.name == SQLITE:
                    _copy_file(connection, path, progress)
                else:
                    write_dump(stream, schema, tell_rows(read_tables(connection), progress, "backing up"))
                    stream.flush()
                os.fsync(stream.fileno())
        except BaseException:
            path.unlink()
            raise
    return path.stat().st_size


def read_tables(connection: Connection) -> Iterator[TableRows]:
    """Read the rows of every table of the store that the database has, each before those that refer to it."""
    found = MetaData()
    found.reflect(connection, only=lambda name, _: name in METADATA.tables)
    for table in found.sorted_tables:
        names = [str(column.name) for column in table.c]
        rows = connection.execute(select(table).order_by(*table.primary_key).execution_options(yield_per=_AT_ONCE))
        for some in rows.partitions():
            yield TableRows(str(table.name), names, some)


def create_private_file(path: Path) -> BinaryIO:
    """Create a file for its owner's eyes only; raises ``StoreError`` if it exists or cannot be written."""
    try:
        return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _PRIVATE), "wb")
    except FileExistsError as error:
        message = f"{path} exists already; a backup overwrites nothing"
        raise StoreError(message) from error
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror}"
        raise StoreError(message) from error


def _copy_file(connection: Connection, path: Path, progress: Progress) -> None:
    """Copy an embedded database page by page, by SQLite's own means for one that is in use; the transaction sees one state all along."""

    def tell(_status: int, remaining: int, whole: int) -> None:
        if remaining + _PAGES_AT_ONCE >= whole:
            progress.begin("backing up", whole)
        progress.update(whole - remaining)

    source = connection.connection.dbapi_connection
    target = dbapi2.connect(str(path))
    try:
        source.backup(target, pages=_PAGES_AT_ONCE, progress=tell)  # type: ignore[union-attr] # the connection is pysqlite3's
    except dbapi2.Error as error:
        message = f"{path} cannot be written: {error}"
        raise StoreError(message) from error
    finally:
        target.close()
