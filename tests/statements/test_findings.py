"""What makes a figure doubtful is found, each under the name by which it is accepted; on every database."""

from collections.abc import Sequence

import pytest

from tests.statements.stating import StatementsOfTests, sample
from tests.support.batches import make_interval
from tests.support.control_values import OPERATOR
from venturi.adapters.store.store import Store
from venturi.core.domain.alarm import Alarm, Sighting
from venturi.core.domain.errors import StatementRefusedError
from venturi.core.domain.interval import parse_time
from venturi.core.statements.verifying import KNOWN_SHARE
from venturi.services.alarms.kinds import ServerAlarm
from venturi.services.statements.closing import StatementControl

OCTETS = [37_500] * 12


@pytest.fixture
def stating(store: Store) -> StatementsOfTests:
    return StatementsOfTests(store)


def find(stating: StatementsOfTests, period: str = "2026-01", line_rate: int = 10**12) -> list[str]:
    control = StatementControl(stating.store, lambda: stating.now, default_line_rate=line_rate)
    return [finding.name for finding in control.check(OPERATOR, stating.contract().id, period).findings]


def test_nothing_is_found_where_nothing_is_doubtful(stating: StatementsOfTests) -> None:
    stating.meter(0, OCTETS)
    assert find(stating) == []


def test_batches_that_the_ledger_lacks(stating: StatementsOfTests) -> None:
    sealed = [stating.spool.seal(*(sample(first + place, 37_500) for place in range(4))) for first in (0, 4, 8)]
    stating.ledger.post(sealed[0])
    stating.ledger.post(sealed[2])
    assert f"outstanding:agent-1:{stating.spool.spool_id}" in find(stating)


@pytest.mark.parametrize(("agent", "found"), [("agent-1", ["silent:agent-1"]), ("agent-9", [])])
def test_an_agent_that_fell_silent(stating: StatementsOfTests, agent: str, found: Sequence[str]) -> None:
    stating.meter(0, OCTETS)
    at = parse_time("2026-01-31T23:30:00Z")
    alarm = Alarm(kind=ServerAlarm.SILENT, subject=agent, sentence=f"agent '{agent}' is silent", agent_id=agent)
    with stating.store.writing(OPERATOR) as writer:
        writer.alarms.note([Sighting(alarm=alarm, first_at=at, last_at=at)])
    assert find(stating) == found


@pytest.mark.parametrize("rolled", [False, True])
def test_samples_above_what_the_line_of_a_point_carries(stating: StatementsOfTests, rolled: bool) -> None:
    stating.meter(0, [*OCTETS[:-1], 3_750_000])
    if rolled:
        stating.ledger.roll()
    assert find(stating, line_rate=99_999) == ["line-rate:uplink:2026-01-31T23:55:00Z"]


def test_samples_of_all_that_the_line_of_a_point_carries(stating: StatementsOfTests) -> None:
    stating.meter(0, [*OCTETS[:-1], 3_750_000])
    assert find(stating, line_rate=100_000) == []


CHANGES: dict[str, tuple[int, Sequence[str]]] = {
    "as before": (37_500, []),
    "nothing of the member": (0, ["no-traffic:label:web"]),
    "eleven times as much": (37_500 * 11, ["jump"]),
    "ten times as much": (37_500 * 10, []),
    "an eleventh": (3_408, ["jump"]),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_differs_much_from_the_period_before(stating: StatementsOfTests, change: str) -> None:
    octets, found = CHANGES[change]
    stating.meter(0, OCTETS)
    stating.meter(12, [octets] * 12)
    assert find(stating, "2026-02") == found


def test_octets_of_an_unknown_direction(stating: StatementsOfTests) -> None:
    intervals = [sample(place, 37_500) for place in range(11)]
    intervals.append(make_interval(31 * 24 * 60 - 5, 5, usage=[(0, 0, 1, 37_500), (0, 2, 1, 500)]))
    stating.ledger.post(stating.spool.seal(*intervals))
    assert find(stating) == ["unknown-direction"]


def test_too_few_samples_are_known(stating: StatementsOfTests) -> None:
    contract = stating.contract()
    stating.meter(0, OCTETS[:5])
    findings = stating.control.check(OPERATOR, contract.id, "2026-01").findings
    assert findings[0].name == KNOWN_SHARE
    gaps = [finding.name for finding in findings[1:]]
    assert gaps == ["gap:uplink:2026-01-31T23:25:00Z"]
    with pytest.raises(StatementRefusedError, match=KNOWN_SHARE):
        stating.close(contract, "2026-01", *gaps)
    document = stating.document(stating.close(contract, "2026-01", KNOWN_SHARE, *gaps).number)
    assert document.measurement is not None
    assert (document.measurement.known, document.measurement.figure) == ("5", "1.000")
    assert {each.name for each in document.acceptances} == {KNOWN_SHARE, *gaps}
