"""The ledger as a file, and back: all of it, with the same numbers, seals and chains, from a database of any kind into any other.

Owns that nothing is mixed: a ledger is imported where there is none. One of an earlier schema is upgraded on the way.
"""

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import Connection, delete, insert, select

from venturi.adapters.edges import STORE_EDGE
from venturi.adapters.store.maintenance.backup import create_private_file
from venturi.adapters.store.maintenance.dump_format import LEDGER_FORMAT, DumpReader, TableRows, tell_rows, write_dump
from venturi.adapters.store.maintenance.opening import open_for_reading, open_for_writing
from venturi.adapters.store.maintenance.restoring import insert_backup
from venturi.adapters.store.migrations.running import head_schema, known_schemas, require_head, upgrade_schema
from venturi.adapters.store.schema.all_tables import COUNTERS
from venturi.adapters.store.schema.ledger_tables import LEDGER_ROLLER, LEDGER_STATE, LEDGER_TABLES
from venturi.core.domain.errors import SchemaError, StoreError
from venturi.core.domain.progress import UNHEARD, Progress

_AT_ONCE = 2000
_TABLES = {table.name: table for table in LEDGER_TABLES}
_PREFIX = "ledger_"
"""How the names of all tables of a ledger begin, in every schema."""


@STORE_EDGE.function
def export_ledger(url: str, path: Path, progress: Progress = UNHEARD) -> int:
    """Write the ledger into a file that does not exist yet, and give the number of its rows; raises ``StoreError``."""
    with open_for_reading(url) as connection:
        require_head(connection)
        stream = create_private_file(path)
        try:
            with stream:
                count = write_dump(stream, head_schema(), tell_rows(_read_ledger(connection), progress, "exporting"), LEDGER_FORMAT)
                stream.flush()
                os.fsync(stream.fileno())
        except BaseException:
            path.unlink()
            raise
    return count


@STORE_EDGE.function
def import_ledger(url: str, path: Path, progress: Progress = UNHEARD) -> int:
    """Put the ledger of a file into a database whose ledger is empty, and give the number of rows; raises ``StoreError``.

    The file may be of an older version: columns that it lacks get the values that mean what was so before there were any.
    """
    try:
        with path.open("rb") as stream, _open_rows(stream, path) as rows, open_for_writing(url) as connection:
            progress.begin("preparing the database", None)
            upgrade_schema(connection)
            _require_empty(connection)
            return _insert(connection, tell_rows(rows, progress, "importing"))
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}"
        raise StoreError(message) from error


@contextmanager
def _open_rows(stream: BinaryIO, path: Path) -> Iterator[Iterable[TableRows]]:
    """Give the rows of a file in this version's schema; raises ``SchemaError`` for one of a newer version."""
    dump = DumpReader(stream, str(path), LEDGER_FORMAT)
    if dump.schema not in known_schemas():
        message = f"{path} has the schema {dump.schema}, which this venturi does not know: it was made by a newer one"
        raise SchemaError(message)
    if dump.schema == head_schema():
        yield _ledger_rows(dump)
        return
    with tempfile.TemporaryDirectory(prefix="venturi-") as folder:
        beside = f"sqlite:///{folder}/ledger.db"
        with open_for_writing(beside) as connection:
            upgrade_schema(connection, dump.schema)
            insert_backup(connection, _ledger_rows(dump))
            upgrade_schema(connection)
        with open_for_reading(beside) as connection:
            yield _read_ledger(connection)


def _ledger_rows(dump: DumpReader) -> Iterator[TableRows]:
    """Give the rows of a dump; raises ``StoreError`` for those of a table that no ledger has."""
    for some in dump.rows():
        if some.table not in _TABLES and (dump.schema == head_schema() or not some.table.startswith(_PREFIX)):
            message = f"the file holds a table {some.table}, which a ledger does not have"
            raise StoreError(message)
        yield some


def _read_ledger(connection: Connection) -> Iterator[TableRows]:
    for table in LEDGER_TABLES:
        names = [str(column.name) for column in table.c]
        rows = connection.execute(select(table).order_by(*table.primary_key).execution_options(yield_per=_AT_ONCE))
        for some in rows.partitions():
            yield TableRows(str(table.name), names, some)


def _require_empty(connection: Connection) -> None:
    posted = connection.execute(select(LEDGER_STATE.c.posting).with_for_update()).scalar_one()
    if posted or any(connection.execute(select(1).select_from(table).limit(1)).first() for table in LEDGER_TABLES if table not in COUNTERS):
        message = "the database has a ledger that is not empty; a ledger is imported where there is none"
        raise StoreError(message)
    for table in (LEDGER_STATE, LEDGER_ROLLER):
        connection.execute(delete(table))


def _insert(connection: Connection, rows: Iterable[TableRows]) -> int:
    count = 0
    for some in rows:
        connection.execute(insert(_TABLES[some.table]), [dict(zip(some.columns, row, strict=True)) for row in some.rows])
        count += len(some.rows)
    return count
