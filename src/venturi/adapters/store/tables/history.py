"""Moving what a table no longer holds into its history.

Owns when a row of history is written: a state that began in the very revision that ends it was never to be seen.
"""

from sqlalchemy import ColumnElement, Connection, Table, delete, insert, literal, select
from sqlalchemy.types import BigInteger


def close_rows(connection: Connection, live: Table, history: Table, condition: ColumnElement[bool], revision: int) -> None:
    """Note in ``history`` that the rows of ``live`` that meet ``condition`` hold until ``revision``."""
    names = [column.name for column in history.c if column.name != "valid_to"]
    ended = select(*(live.c[name] for name in names), literal(revision, BigInteger)).where(condition, live.c.valid_from < revision)
    connection.execute(insert(history).from_select([*names, "valid_to"], ended))


def delete_rows(connection: Connection, live: Table, history: Table, condition: ColumnElement[bool], revision: int) -> int:
    """Move the rows of ``live`` that meet ``condition`` into ``history``; give their number."""
    close_rows(connection, live, history, condition, revision)
    return connection.execute(delete(live).where(condition)).rowcount
