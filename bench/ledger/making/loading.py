"""Loading columns of numbers into tables, as fast as each database takes them.

Owns the ways: PostgreSQL copies its binary form, others take rows. What the rows are is for ``filling``.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from sqlalchemy import BigInteger, Connection, Integer, SmallInteger, Table, inspect

from venturi.adapters.store.engines.locations import POSTGRESQL
from venturi.adapters.store.ledger.bulk import insert_rows
from venturi.adapters.store.schema.columns import BinStart
from venturi.core.ledger.bins import BIN

Columns: TypeAlias = Mapping[str, npt.NDArray[np.int64] | int]
"""Columns by name: one-dimensional arrays of int64, all of one length, or the number that all rows have."""

_SIZES: Mapping[type, int] = {SmallInteger: 2, Integer: 4, BinStart: 4, BigInteger: 8}
_ROWS_AT_ONCE = 100_000
_SORTING_MEMORY = "512MB"
_NO_HEADER_FLAGS = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END = b"\xff\xff"


def load(connection: Connection, table: Table, columns: Columns) -> int:
    """Insert rows of numbers, which have exactly the columns of the table; give how many."""
    unlike = {column.name for column in table.c} ^ columns.keys()
    if unlike:
        message = f"{table.name}: these columns are in the table or in its rows alone: {', '.join(sorted(unlike))}"
        raise ValueError(message)
    count = max(len(column) for column in columns.values() if isinstance(column, np.ndarray))
    if connection.dialect.name == POSTGRESQL:
        _copy(connection, table, columns, count)
        return count
    for place in range(0, count, _ROWS_AT_ONCE):
        some = slice(place, min(place + _ROWS_AT_ONCE, count))
        insert_rows(connection, table, rows_of(table, columns, some))
    return count


@contextmanager
def keys_made_last(connection: Connection, tables: Sequence[Table]) -> Iterator[None]:
    """Have empty tables without their keys within the block, where making those at once is faster than row by row: on PostgreSQL."""
    if connection.dialect.name != POSTGRESQL:
        yield
        return
    kept = inspect(connection)
    keys = {table.name: kept.get_pk_constraint(table.name) for table in tables}
    keys = {name: key for name, key in keys.items() if key["constrained_columns"]}
    for name, key in keys.items():
        connection.exec_driver_sql(f"ALTER TABLE {name} DROP CONSTRAINT {key['name']}")
    yield
    connection.exec_driver_sql(f"SET LOCAL maintenance_work_mem = '{_SORTING_MEMORY}'")
    for name, key in keys.items():
        columns = ", ".join(key["constrained_columns"])
        connection.exec_driver_sql(f"ALTER TABLE {name} ADD CONSTRAINT {key['name']} PRIMARY KEY ({columns})")


def rows_of(table: Table, columns: Columns, some: slice) -> list[tuple[Any, ...]]:
    """Give rows of a table."""
    count = some.stop - some.start
    lists = [[given] * count if isinstance(given, int) else given[some].tolist() for given in (columns[column.name] for column in table.c)]
    return list(zip(*lists, strict=True))


def _copy(connection: Connection, table: Table, columns: Columns, count: int) -> None:
    """Copy rows in PostgreSQL's binary form: before each its number of columns, before each value its length, all big-endian."""
    fields: list[tuple[str, str]] = [("columns", ">i2")]
    for column in table.c:
        fields += [(f"length of {column.name}", ">i4"), (column.name, f">i{_size(column.type)}")]
    rows = np.empty(count, dtype=fields)
    rows["columns"] = len(table.c)
    for column in table.c:
        rows[f"length of {column.name}"] = _size(column.type)
        rows[column.name] = columns[column.name] // BIN if isinstance(column.type, BinStart) else columns[column.name]
    names = ", ".join(column.name for column in table.c)
    driver: Any = connection.connection.dbapi_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({names}) FROM STDIN (FORMAT binary)") as copy:
        copy.write(_NO_HEADER_FLAGS)
        for place in range(0, count, _ROWS_AT_ONCE):
            copy.write(rows[place : place + _ROWS_AT_ONCE].tobytes())
        copy.write(_END)


def _size(kind: object) -> int:
    return _SIZES[type(kind)]
