"""Writing many rows at once, as fast as each database takes them.

Owns the statements for that on the three databases. What the rows are is for whoever writes them.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table

from venturi.adapters.store.engines.locations import POSTGRESQL, SQLITE

Rows = Sequence[tuple[Any, ...]]
"""Rows with all columns of their table, in its order."""

_AT_ONCE = 50_000


def insert_rows(connection: Connection, table: Table, rows: Rows) -> None:
    """Insert rows that are not there yet."""
    if rows and connection.dialect.name == POSTGRESQL and _only_numbers(table):
        _copy(connection, table, rows)
    elif rows:
        connection.exec_driver_sql(_insertion(table, _marker(connection)), list(rows))


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
