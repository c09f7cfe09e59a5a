"""The ledger that these tests post to."""

import pytest

from tests.support.ledgers import LedgerOfTests
from venturi.adapters.store.store import Store


@pytest.fixture
def ledger(store: Store) -> LedgerOfTests:
    """An empty ledger on each kind of database."""
    return LedgerOfTests(store)


@pytest.fixture
def sqlite_ledger(sqlite_store: Store) -> LedgerOfTests:
    """An empty ledger on SQLite, where one database is enough."""
    return LedgerOfTests(sqlite_store)
