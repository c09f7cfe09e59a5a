"""How much of an agent's is held is known without asking for all of it, and without anybody who waits for the ledger having to wait."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection

from tests.support.batches import SpoolOfTests, make_batch_point, make_interval, send_form
from tests.support.control_values import OPERATOR
from tests.support.databases import open_store
from tests.support.ledgers import LedgerOfTests
from venturi.adapters.store.ledger import held_counts
from venturi.adapters.store.ledger.held import HeldSelection
from venturi.adapters.store.ledger.held_counts import HeldCounts
from venturi.adapters.store.ledger.postings import LedgerWriter
from venturi.adapters.store.store import Store
from venturi.core.domain.errors import EntryNotFoundError
from venturi.core.ledger.batch import Envelope
from venturi.services.ledger.posting import BatchPosting

USAGE = [(0, 0, 10, 1000), (0, 1, 4, 400)]
ENTRIES = 5
"""Of an interval: itself, and a total and a row of usage for each direction."""


def held_of(store: Store, *agents: str) -> list[int]:
    """Give how many entries of agents a store says are held."""
    with store.posting() as writer:
        return [writer.count_held(agent) for agent in agents]


def forge(ledger: LedgerOfTests, *spools: SpoolOfTests) -> None:
    """Post, from each spool, an interval that overlaps the first of the ledger."""
    ledger.post(*(spool.seal(make_interval(0, usage=USAGE)) for spool in spools))


def begin(ledger: LedgerOfTests) -> tuple[SpoolOfTests, SpoolOfTests]:
    """Post an interval that counts, and give the spools of two other agents."""
    points = [make_batch_point()]
    honest, second, third = (SpoolOfTests(points=points, agent_id=name) for name in ("agent-1", "agent-2", "agent-3"))
    forge(ledger, honest)
    return second, third


def test_what_is_remembered_is_what_is_held(ledger: LedgerOfTests) -> None:
    """What one server remembers while it posts and decides, another one finds when it begins."""
    agents = ("agent-1", "agent-2", "agent-3")
    second, third = begin(ledger)
    assert held_of(ledger.store, *agents) == [0, 0, 0]
    forge(ledger, second, third, second)
    assert held_of(ledger.store, *agents) == [0, 2 * ENTRIES, ENTRIES]
    forge(ledger, third)
    ledger.held.reject(OPERATOR, "forged", HeldSelection(positions=[(2, 0)]))
    ledger.held.reject(OPERATOR, "forged", HeldSelection(agent_ids=["agent-3"]))
    assert held_of(ledger.store, *agents) == [0, ENTRIES, 0]
    with fresh_counts(ledger.store):
        assert held_of(ledger.store, *agents) == [0, ENTRIES, 0]


@contextmanager
def fresh_counts(store: Store) -> Iterator[None]:
    """Have a store remember no counts, as that of a server which begins."""
    kept, store._held_counts = store._held_counts, HeldCounts()
    yield
    store._held_counts = kept


def test_what_is_not_committed_is_counted_and_not_remembered(ledger: LedgerOfTests) -> None:
    second, _ = begin(ledger)
    batches = ledger.batches
    sealed = [second.seal(make_interval(0, usage=USAGE)) for _ in range(2)]

    def post_and_undo() -> None:
        with ledger.store.posting() as writer:
            for place, envelope in enumerate(sealed):
                assert writer.count_held("agent-2") == place * ENTRIES
                enter(batches, writer, envelope)
            raise UndoneError

    for _ in range(2):
        with pytest.raises(UndoneError):
            post_and_undo()
        assert held_of(ledger.store, "agent-2") == [0]


class UndoneError(Exception):
    """Undoes a transaction."""


def enter(batches: BatchPosting, writer: LedgerWriter, envelope: Envelope) -> None:
    """Enter a batch in a transaction."""
    batches._enter(writer, batches.prepare(OPERATOR, send_form(envelope)), [])


def test_another_history_is_counted_from_its_beginning(ledger: LedgerOfTests, tmp_path_factory: pytest.TempPathFactory) -> None:
    second, _ = begin(ledger)
    forge(ledger, second, second)
    counts = HeldCounts()
    with ledger.store.reading() as reader:
        counts.learn(reader.connection, 3)
        assert counts.count(reader.connection, "agent-2", 3) == 2 * ENTRIES
    with open_store(f"sqlite:///{tmp_path_factory.mktemp('other') / 'other.db'}") as other:
        elsewhere = LedgerOfTests(other)
        mine, _ = begin(elsewhere)
        forge(elsewhere, mine)
        with other.reading() as reader:
            assert counts.count(reader.connection, "agent-2", 2) == ENTRIES
        forge(elsewhere, mine, mine)
        with other.reading() as reader:
            assert counts.count(reader.connection, "agent-2", 4) == 3 * ENTRIES


def test_a_server_counts_what_is_held_before_anybody_posts(ledger: LedgerOfTests, monkeypatch: pytest.MonkeyPatch) -> None:
    second, _ = begin(ledger)
    forge(ledger, second, second, second)
    with fresh_counts(ledger.store):
        batches = ledger.batches
        batches.start()
        asked: list[tuple[int, ...]] = []
        count = held_counts._count

        def noting(connection: Connection, *span: int) -> Counter[str]:
            asked.append(span)
            return count(connection, *span)

        monkeypatch.setattr(held_counts, "_count", noting)
        forge(ledger, second)
        assert asked == [(4, 4), (4,)]
        assert held_of(ledger.store, "agent-2") == [4 * ENTRIES]


@pytest.mark.parametrize("mine", [["agent-2"], ["agent-2", "agent-3"]])
def test_what_somebody_else_decides_meanwhile_is_left_out(ledger: LedgerOfTests, monkeypatch: pytest.MonkeyPatch, mine: list[str]) -> None:
    forge(ledger, *begin(ledger))
    posting = ledger.store.posting

    @contextmanager
    def meanwhile() -> Iterator[LedgerWriter]:
        monkeypatch.setattr(ledger.store, "posting", posting)
        ledger.held.reject(OPERATOR, "mine", HeldSelection(agent_ids=mine))
        with posting() as writer:
            yield writer

    monkeypatch.setattr(ledger.store, "posting", meanwhile)
    if len(mine) > 1:
        with pytest.raises(EntryNotFoundError, match="nothing is held that is as you ask"):
            ledger.held.reject(OPERATOR, "all", HeldSelection())
    else:
        decided = ledger.held.reject(OPERATOR, "all", HeldSelection())
        assert (decided.intervals, decided.remaining) == (1, 0)
