"""The database itself lets nothing that was posted be changed or removed, whoever asks, until retention allows it."""

import pytest
from sqlalchemy import delete, text, update
from sqlalchemy.exc import DBAPIError

from tests.support.batches import SpoolOfTests, make_batch_point, make_interval, part_usage
from tests.support.databases import POSTGRESQL, writing_connection
from tests.support.ledgers import LedgerOfTests
from venturi.adapters.store.schema.ledger_tables import ENTRY_TABLES, LEDGER_STATE, VERSION_TABLES

KEPT = [*ENTRY_TABLES, *VERSION_TABLES]


@pytest.fixture
def posted(ledger: LedgerOfTests) -> LedgerOfTests:
    """A ledger with entries of every kind."""
    points = [make_batch_point()]
    for minute in range(2):
        spool = SpoolOfTests(points=points)
        ledger.post(spool.seal(part_usage(make_interval(minute // 2, usage=[(0, 0, 10, 1000)]), spool.labels)))
    ledger.correct((1, 2, (-1, -100)))
    return ledger


def test_nothing_is_changed_or_removed(posted: LedgerOfTests, database: str) -> None:
    before = [posted.rows(table.select()) for table in KEPT]
    assert all(before)
    for table in KEPT:
        column = next(iter(table.primary_key))
        for statement in (update(table).values({column: column + 1}), delete(table)):
            with pytest.raises(DBAPIError, match="the ledger is append-only"), writing_connection(database) as connection:
                connection.execute(statement)
    assert [posted.rows(table.select()) for table in KEPT] == before


def test_tables_are_not_emptied_past_the_rows(posted: LedgerOfTests, database: str, database_kind: str) -> None:
    if database_kind == POSTGRESQL:
        for table in KEPT:
            with pytest.raises(DBAPIError, match="the ledger is append-only"), writing_connection(database) as connection:
                connection.execute(text(f"TRUNCATE {table.name}"))
    assert posted.counts_of_rows() == [3, 2, 2, 2, 1, 1, 2]


def test_retention_removes_whole_postings_and_changes_none(posted: LedgerOfTests, database: str) -> None:
    with writing_connection(database) as connection:
        connection.execute(update(LEDGER_STATE).values(removable=1))
    for table in ENTRY_TABLES:
        with pytest.raises(DBAPIError, match="the ledger is append-only"), writing_connection(database) as connection:
            connection.execute(update(table).values({table.c.posting: table.c.posting}))
        with writing_connection(database) as connection:
            connection.execute(delete(table).where(table.c.posting <= 1))
        with pytest.raises(DBAPIError, match="the ledger is append-only"), writing_connection(database) as connection:
            connection.execute(delete(ENTRY_TABLES[0]).where(ENTRY_TABLES[0].c.posting == 2))
    assert posted.counts_of_rows() == [2, 1, 1, 1, 1, 1, 1]
