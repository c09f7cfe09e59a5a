"""What an agent whose clock was 30 days ahead had sealed is held, its true time is a gap, and the 30 days that follow count."""

from pathlib import Path

from sqlalchemy import and_, func, select

from tests.support.databases import open_store
from tests.support.ledgers import LedgerOfTests
from tests.unit.agent.test_clock import DAY, Host, begin_ahead
from venturi.adapters.store.ledger.proving.proof import prove_ledger
from venturi.adapters.store.schema.ledger_tables import LEDGER_INTERVALS, LEDGER_POINT_VERSIONS, LEDGER_TOTALS
from venturi.core.domain.interval import Nanoseconds
from venturi.core.ledger.batch import Envelope

OCTETS = 100
DAYS = 30


def post_all(host: Host, ledger: LedgerOfTests) -> None:
    """Deliver what is recorded, at the true time."""
    assert host.spool is not None
    ledger.now = Nanoseconds(host.true)
    while (sealed := host.spool.seal(host.wall)) is not None:
        envelope = Envelope(
            agent_id="agent-1",
            host="edge-1",
            spool_id=host.spool.spool_id,
            sequence=sealed.sequence,
            previous=sealed.previous,
            digest=sealed.digest,
            payload=sealed.payload,
        )
        ledger.post(envelope)
        host.spool.acknowledge(sealed.sequence, host.wall)


def octets_of(ledger: LedgerOfTests) -> int:
    """Sum what counts, long intervals too."""
    intervals, totals, points = LEDGER_INTERVALS.c, LEDGER_TOTALS.c, LEDGER_POINT_VERSIONS.c
    of_interval = and_(totals.posting == intervals.posting, totals.interval_ordinal == intervals.ordinal)
    counted = select(func.coalesce(func.sum(totals.octets), 0)).select_from(LEDGER_TOTALS).join(LEDGER_INTERVALS, of_interval)
    return int(ledger.rows(counted.join(LEDGER_POINT_VERSIONS, points.id == intervals.point_version).where(~points.held))[0][0])


def test_a_clock_that_was_ahead_costs_nothing_that_follows(tmp_path: Path) -> None:
    host = begin_ahead(tmp_path)
    database = f"sqlite:///{tmp_path / 'ledger.db'}"
    with open_store(database) as store:
        ledger = LedgerOfTests(store)
        host.run(300)
        host.read(to_the_end=True)
        post_all(host, ledger)
        held = ledger.held_reasons()
        assert {reason for *_, reason in held} == {"in_future"}
        assert octets_of(ledger) == 0
        host.server = True
        passed = len(host.run(60))
        host.set_clock(0)
        for _ in range(DAYS):
            passed += len(host.run(60))
            host.tick((DAY // 10**9) - 60)
            post_all(host, ledger)
        host.read(to_the_end=True)
        post_all(host, ledger)
        assert ledger.held_reasons() == held
        assert octets_of(ledger) == passed * OCTETS
        assert "clock_step" in {reason for _, _, reason in ledger.coverage(3600)}
    prove_ledger(database)
