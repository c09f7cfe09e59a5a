"""Whatever is done to the ledger behind its back, ``venturi ledger verify`` names it."""

from collections.abc import Callable

import pytest
from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, text, update

from tests.support.batches import SpoolOfTests, make_batch_point, make_interval
from tests.support.control_values import OPERATOR
from tests.support.databases import ON_POSTGRESQL, POSTGRESQL, SQLITE, writing_connection
from tests.support.ledgers import LedgerOfTests
from venturi.adapters.store.ledger.held import HeldSelection
from venturi.adapters.store.ledger.proving import roll_ups
from venturi.adapters.store.ledger.proving.proof import Proof, prove_ledger
from venturi.adapters.store.schema.ledger_tables import (
    LEDGER_COVERAGE_BINS,
    LEDGER_HELD,
    LEDGER_INTERVALS,
    LEDGER_LABEL_BINS,
    LEDGER_LABEL_VERSIONS,
    LEDGER_LONG_INTERVALS,
    LEDGER_MISSING,
    LEDGER_OWNER_BINS,
    LEDGER_POINT_BINS,
    LEDGER_POINT_VERSIONS,
    LEDGER_POSTINGS,
    LEDGER_SPOOLS,
    LEDGER_STATE,
    LEDGER_TOTALS,
    LEDGER_USAGE,
)
from venturi.core.domain.errors import LedgerError

WEB = [(0, 0, 10, 1000), (0, 1, 4, 400)]
Damage = Callable[[Connection], object]

DAMAGES: dict[str, tuple[Damage, str]] = {
    "usage": (lambda c: c.execute(update(LEDGER_USAGE).values(octets=LEDGER_USAGE.c.octets + 1)), "posting 1 or one of its entries"),
    "totals": (lambda c: c.execute(update(LEDGER_TOTALS).values(packets=99)), "posting 1 or one of its entries"),
    "times": (lambda c: c.execute(update(LEDGER_INTERVALS).values(start_at=5)), "posting 1 or one of its entries"),
    "an entry": (lambda c: c.execute(delete(LEDGER_USAGE).where(LEDGER_USAGE.c.posting == 2)), "posting 2 had 5 entries, and has 3"),
    "a posting": (lambda c: c.execute(delete(LEDGER_POSTINGS).where(LEDGER_POSTINGS.c.posting == 2)), "posting 2 is missing"),
    "the last posting": (
        lambda c: c.execute(delete(LEDGER_POSTINGS).where(LEDGER_POSTINGS.c.posting == 4)),
        "the latest posting should be 4",
    ),
    "the author": (lambda c: c.execute(update(LEDGER_POSTINGS).values(agent_id="x")), "posting 1 or one of its entries"),
    "a name": (lambda c: c.execute(delete(LEDGER_LABEL_VERSIONS)), "ledger_label_versions lacks 1"),
    "a spool": (lambda c: c.execute(update(LEDGER_SPOOLS).values(highest=9)), "which is not what is kept of it"),
    "an owner": (lambda c: c.execute(update(LEDGER_SPOOLS).values(agent_id="x")), "which is not what is kept of it"),
    "what is missing": (lambda c: c.execute(delete(LEDGER_MISSING)), r"with \[\(3, 3\)\] missing"),
    "a spool of nothing": (
        lambda c: c.execute(insert(LEDGER_MISSING).values(spool_id="x", first_sequence=1, last_sequence=2)),
        "spool x is kept, but nothing of it is posted",
    ),
    "a sum of a label": (lambda c: c.execute(update(LEDGER_LABEL_BINS).values(packets=1)), "ledger_label_bins: the roll-up of 300 seconds"),
    "a sum of an owner": (lambda c: c.execute(update(LEDGER_OWNER_BINS).values(octets=1)), "ledger_owner_bins: the roll-up of 300 seconds"),
    "a sum of a point": (lambda c: c.execute(update(LEDGER_POINT_BINS).values(unmatched_octets=1)), "ledger_point_bins: the roll-up"),
    "a sum of coverage": (lambda c: c.execute(update(LEDGER_COVERAGE_BINS).values(nanoseconds=1)), "ledger_coverage_bins: the roll-up"),
    "hours": (
        lambda c: c.execute(delete(LEDGER_LABEL_BINS).where(LEDGER_LABEL_BINS.c.resolution == 3600)),
        "of 3600 seconds .* lost or too small",
    ),
    "a long interval": (
        lambda c: c.execute(update(LEDGER_LONG_INTERVALS).values(last_ordinal=3)),
        "ledger_long_intervals: entry 0 of posting 4 is not",
    ),
    "a long interval that is lost": (lambda c: c.execute(delete(LEDGER_LONG_INTERVALS)), "lost or too small"),
    "a long interval that is none": (
        lambda c: c.execute(
            insert(LEDGER_LONG_INTERVALS).values(posting=1, ordinal=0, last_ordinal=4, point_version=1, start_at=1, end_at=2)
        ),
        "ledger_long_intervals: entry 0 of posting 1 is not",
    ),
    "the counter": (lambda c: c.execute(update(LEDGER_STATE).values(posting=9)), "the latest posting should be 9, but is 4"),
}

OFF = {
    POSTGRESQL: ["SET session_replication_role = replica"],
    SQLITE: ["PRAGMA writable_schema = ON", "DELETE FROM sqlite_master WHERE type = 'trigger'", "PRAGMA writable_schema = RESET"],
}


def fill(ledger: LedgerOfTests) -> None:
    spool, other = SpoolOfTests(), SpoolOfTests(agent_id="agent-2", points=[make_batch_point("other")])
    ledger.post(spool.seal(make_interval(0, usage=WEB, unmatched=(2, 20))), spool.seal(make_interval(58, 4, usage=WEB)))
    spool.seal(make_interval(62))
    ledger.post(spool.seal(make_interval(600, usage=WEB)))
    ledger.post(other.seal(make_interval(600, 90, coverage="gap", reason="device_gone"), make_interval(690, usage=WEB)))
    ledger.roll()


def hold(ledger: LedgerOfTests) -> None:
    """Hold three intervals, and accept one and reject another."""
    spool, many = SpoolOfTests(points=[make_batch_point("third")]), [(0, 0, 1, 10**17), (0, 1, 1, 1)]
    ledger.post(spool.seal(*(make_interval(minute, usage=many) for minute in range(3))))
    ledger.held.accept(OPERATOR, "a burst", HeldSelection(positions=[(ledger.counts_of_rows()[0], 0)]))
    ledger.held.reject(OPERATOR, "forged", HeldSelection(positions=[(ledger.counts_of_rows()[0] - 1, 5)]))
    ledger.roll()


HELD_DAMAGES: dict[str, tuple[Damage, str]] = {
    "the mark": (lambda c: c.execute(delete(LEDGER_HELD).where(LEDGER_HELD.c.posting == 5)), "posting 5 had 18 entries, and has 15"),
    "the reason": (lambda c: c.execute(update(LEDGER_HELD).values(reason="x")), "posting 5 or one of its entries"),
    "the decision": (
        lambda c: c.execute(update(LEDGER_HELD).where(LEDGER_HELD.c.posting == 7).values(decision="accepted")),
        "posting 7 or one of its entries",
    ),
    "a version": (
        lambda c: c.execute(update(LEDGER_POINT_VERSIONS).values(held=False, name="x").where(LEDGER_POINT_VERSIONS.c.held)),
        "posting 5 has an interval that is held and counts, or does neither",
    ),
    "a label": (
        lambda c: c.execute(update(LEDGER_LABEL_VERSIONS).values(held=False, name="x").where(LEDGER_LABEL_VERSIONS.c.held)),
        "posting 5 has usage that is not held as its interval is",
    ),
}


@pytest.mark.parametrize("database_kind", [SQLITE, pytest.param(POSTGRESQL, marks=ON_POSTGRESQL)])
@pytest.mark.parametrize("case", HELD_DAMAGES)
def test_damage_to_what_is_held_is_named(ledger: LedgerOfTests, database: str, database_kind: str, case: str) -> None:
    damage, said = HELD_DAMAGES[case]
    fill(ledger)
    hold(ledger)
    with writing_connection(database) as connection:
        for statement in OFF[database_kind]:
            connection.execute(text(statement))
        damage(connection)
    with pytest.raises(LedgerError, match=said):
        prove_ledger(database)


def test_a_ledger_that_nobody_touched_is_proved(ledger: LedgerOfTests, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert prove_ledger(database) == Proof(0, 0, 0, 0)
    fill(ledger)
    ledger.correct((1, 3, (-1, -1)))
    proof = prove_ledger(database)
    assert (proof.postings, proof.entries, proof.spools) == (5, 22, 2)
    hold(ledger)
    proof = prove_ledger(database)
    assert (proof.postings, proof.entries, proof.spools) == (8, 22 + 3 * 6 + 6 + 1, 3)
    monkeypatch.setattr(roll_ups, "_ROWS_AT_ONCE", 1)
    assert prove_ledger(database) == proof


@pytest.mark.parametrize("database_kind", [SQLITE, pytest.param(POSTGRESQL, marks=ON_POSTGRESQL)])
@pytest.mark.parametrize("case", DAMAGES)
def test_damage_is_named(ledger: LedgerOfTests, database: str, database_kind: str, case: str) -> None:
    damage, said = DAMAGES[case]
    fill(ledger)
    with writing_connection(database) as connection:
        for statement in OFF[database_kind]:
            connection.execute(text(statement))
        damage(connection)
    with pytest.raises(LedgerError, match=said):
        prove_ledger(database)


@pytest.mark.parametrize("database_kind", [pytest.param(POSTGRESQL, marks=ON_POSTGRESQL)])
@pytest.mark.parametrize("octets", [LEDGER_USAGE.c.octets, LEDGER_USAGE.c.octets + 1], ids=["the same", "another"])
def test_an_entry_that_is_there_twice_is_found(ledger: LedgerOfTests, database: str, octets: ColumnElement[int]) -> None:
    """PostgreSQL keeps entries of usage without a key."""
    ledger.post(SpoolOfTests().seal(make_interval(0, usage=WEB)))
    prove_ledger(database)
    copied = [octets.label("octets") if column.name == "octets" else column for column in LEDGER_USAGE.c]
    twice = select(*copied).where(LEDGER_USAGE.c.ordinal == select(func.max(LEDGER_USAGE.c.ordinal)).scalar_subquery())
    with writing_connection(database) as connection:
        connection.execute(insert(LEDGER_USAGE).from_select([column.name for column in LEDGER_USAGE.c], twice))
    with pytest.raises(LedgerError, match="posting 1 had 5 entries, and has 6"):
        prove_ledger(database)
