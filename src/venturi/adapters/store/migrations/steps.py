"""The steps that migrations are made of; each looks first at what is there, so that a migration that was interrupted can run again.

Owns that on every database. SQLite and PostgreSQL undo a migration that fails; MariaDB commits each change of a table at once, so there the
next run meets what the last one made. What is done to rows must come out the same when it is done twice.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from venturi.adapters.store.migrations.frozen_columns import TABLE_OPTIONS
from venturi.core.domain.errors import SchemaError

ROWS_AT_ONCE = 200_000
"""About how many rows a migration that rewrites many does at a time."""


def rows_at_once() -> int:
    """Give about how many rows are rewritten at a time."""
    return ROWS_AT_ONCE


def create_table(name: str, *elements: Any, key: Sequence[str], options: Mapping[str, Any] = TABLE_OPTIONS) -> None:  # noqa: ANN401 - columns and constraints
    """Make a table with the primary key ``key``, unless it is there; raises ``SchemaError`` if one of other columns has its name."""
    if not has_table(name):
        op.create_table(name, *elements, sa.PrimaryKeyConstraint(*key, name=f"pk_{name}"), **options)
        return
    wanted = {element.name for element in elements if isinstance(element, sa.Column)}
    if _columns_of(name) != wanted:
        message = f"the database has a table {name} that venturi did not make: give venturi a database of its own"
        raise SchemaError(message)


def add_column(table: str, column: sa.Column[Any]) -> None:
    """Add a column to a table, unless it is there; one that may not be null needs a ``server_default`` where the table has rows."""
    if not has_column(table, column.name):
        op.add_column(table, column)


def create_index(name: str, table: str, columns: Sequence[str]) -> None:
    """Make an index, unless the table has one of this name."""
    if not has_index(table, name):
        op.create_index(name, table, list(columns))


def replace_unique(table: str, name: str, columns: Sequence[str]) -> None:
    """Have the unique constraint of this name, which a table has or had, hold for other columns; not for SQLite, which cannot."""
    found = next((each for each in sa.inspect(op.get_bind()).get_unique_constraints(table) if each["name"] == name), None)
    if found is not None and list(found["column_names"]) == list(columns):
        return
    if found is not None:
        op.drop_constraint(name, table, type_="unique")
    op.create_unique_constraint(name, table, list(columns))


def insert_missing(table: str, rows: Sequence[Mapping[str, Any]], key: str = "id") -> None:
    """Add each row whose ``key`` no row of the table has."""
    connection = op.get_bind()
    for row in rows:
        target = sa.table(table, *(sa.column(name) for name in row))
        same = sa.select(target.c[key]).where(target.c[key] == row[key])
        if connection.execute(same).first() is None:
            connection.execute(target.insert().values(dict(row)))


def create_trigger(name: str, definition: str) -> None:
    """Make a trigger, unless it is there: ``definition`` is what follows its name in ``CREATE TRIGGER``."""
    creating = "CREATE OR REPLACE TRIGGER" if op.get_bind().dialect.name == "postgresql" else "CREATE TRIGGER IF NOT EXISTS"
    op.get_bind().exec_driver_sql(f"{creating} {name} {definition}")


def has_table(name: str) -> bool:
    """Tell whether the database has a table."""
    return sa.inspect(op.get_bind()).has_table(name)


def has_column(table: str, name: str) -> bool:
    """Tell whether a table has a column."""
    return name in _columns_of(table)


def has_index(table: str, name: str) -> bool:
    """Tell whether a table has an index."""
    return any(index["name"] == name for index in sa.inspect(op.get_bind()).get_indexes(table))


def _columns_of(table: str) -> set[str]:
    return {column["name"] for column in sa.inspect(op.get_bind()).get_columns(table)}
