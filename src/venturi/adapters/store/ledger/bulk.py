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


def add_rows(connection: Connection, table: Table, rows: Rows) -> None:
    """Insert rows of a roll-up, or add their sums to those of the rows that are there; rows come in the order of their keys."""
    if not rows:
        return
    if connection.dialect.name == POSTGRESQL and _only_numbers(table):
        for first in range(0, len(rows), _AT_ONCE):
            columns = zip(*rows[first : first + _AT_ONCE], strict=True)
            connection.exec_driver_sql(_array_addition(table), tuple(f"{{{','.join(map(str, column))}}}" for column in columns))
    else:
        addition = _duplicate_addition if connection.dialect.name not in {POSTGRESQL, SQLITE} else _addition
        connection.exec_driver_sql(addition(table, _marker(connection)), list(rows))


@cache
def _only_numbers(table: Table) -> bool:
    return all(column.type.python_type is int for column in table.c)


def _marker(connection: Connection) -> str:
    return "?" if connection.dialect.name == SQLITE else "%s"


@cache
def _insertion(table: Table, marker: str) -> str:
    names = [column.name for column in table.c]
    return f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({', '.join([marker] * len(names))})"  # noqa: S608 - names of our own


@cache
def _addition(table: Table, marker: str) -> str:
    return f"{_insertion(table, marker)} {_on_conflict(table)}"


@cache
def _duplicate_addition(table: Table, marker: str) -> str:
    sums = ", ".join(f"{name} = {name} + VALUES({name})" for name in _sums(table))
    return f"{_insertion(table, marker)} ON DUPLICATE KEY UPDATE {sums}"


@cache
def _array_addition(table: Table) -> str:
    """Give the statement that adds rows which come as an array for each column."""
    kinds = {"SMALLINT": "int2", "INTEGER": "int4", "BIGINT": "int8"}
    arrays = ", ".join(f"%s::{kinds[str(column.type)]}[]" for column in table.c)
    names = ", ".join(column.name for column in table.c)
    return f"INSERT INTO {table.name} ({names}) SELECT * FROM unnest({arrays}) {_on_conflict(table)}"  # noqa: S608 - names of our own


def _on_conflict(table: Table) -> str:
    keys = ", ".join(column.name for column in table.primary_key)
    sums = ", ".join(f"{name} = {table.name}.{name} + excluded.{name}" for name in _sums(table))
    return f"ON CONFLICT ({keys}) DO UPDATE SET {sums}"


def _sums(table: Table) -> list[str]:
    return [column.name for column in table.c if not column.primary_key]


def _copy(connection: Connection, table: Table, rows: Rows) -> None:
    """Copy rows of numbers by PostgreSQL's own means for many."""
    names = ", ".join(column.name for column in table.c)
    line = "\t".join(["%d"] * len(table.c))
    driver: Any = connection.connection.dbapi_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
        for first in range(0, len(rows), _AT_ONCE):
            copy.write("\n".join([line % row for row in rows[first : first + _AT_ONCE]]) + "\n")
