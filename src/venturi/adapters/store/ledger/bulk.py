"""Writing many rows at once, as fast as each database takes them.

Owns the statements for that on the three databases. What the rows are is for whoever writes them.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table

from venturi.adapters.store.engines.locations import POSTGRESQL, SQLITE
from venturi.adapters.store.schema.columns import BinStart, bin_number

Rows = Sequence[tuple[Any, ...]]
"""Rows with all columns of their table, in its order."""

_AT_ONCE = 50_000


def insert_rows(connection: Connection, table: Table, rows: Rows) -> None:
    """Insert rows that are not there yet."""
    rows = _as_kept(table, rows)
    if rows and connection.dialect.name == POSTGRESQL and _only_numbers(table):
        _copy(connection, table, rows)
    elif rows:
        connection.exec_driver_sql(_insertion(table, _marker(connection)), list(rows))


def _as_kept(table: Table, rows: Rows) -> Rows:
    """Give rows as the database keeps them: starts of bins by their numbers."""
    starts = _starts_of(table)
    if starts is None:
        return rows
    return [(*row[:starts], bin_number(row[starts]), *row[starts + 1 :]) for row in rows]


@cache
def _starts_of(table: Table) -> int | None:
    """Give the place of the column that has the starts of bins, None if there is none."""
    return next((place for place, column in enumerate(table.c) if isinstance(column.type, BinStart)), None)


@cache
def _only_numbers(table: Table) -> bool:
    return all(column.type.python_type is int for column in table.c)


def _marker(connection: Connection) -> str:
    return "?" if connection.dialect.name == SQLITE else "%s"


@cache
def _insertion(table: Table, marker: str) -> str:
    names = [column.name for column in table.c]
    return f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({', '.join([marker] * len(names))})"  # noqa: S608 - names of our own


def _copy(connection: Connection, table: Table, rows: Rows) -> None:
    """Copy rows of numbers by PostgreSQL's own means for many."""
    names = ", ".join(column.name for column in table.c)
    line = "\t".join(["%d"] * len(table.c))
    driver: Any = connection.connection.dbapi_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
        for first in range(0, len(rows), _AT_ONCE):
            copy.write("\n".join([line % row for row in rows[first : first + _AT_ONCE]]) + "\n")
