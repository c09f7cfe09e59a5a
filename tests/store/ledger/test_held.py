"""An interval that cannot be is held: it is sealed with its posting, counts nowhere, and takes nothing from others, until it is decided."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from tests.support.batches import BEGINNING, SpoolOfTests, make_batch_label, make_batch_point, make_interval
from tests.support.control_values import OPERATOR
from tests.support.ledgers import NOW, LedgerOfTests
from venturi.adapters.store.ledger.held import HeldSelection
from venturi.adapters.store.ledger.proving.proof import prove_ledger
from venturi.adapters.store.schema.ledger_tables import LEDGER_LONG_INTERVALS
from venturi.adapters.store.usage.sums import Span
from venturi.core.domain.errors import ConflictError, EntryNotFoundError, TooMuchHeldError
from venturi.core.ledger.batch import HIGHEST, MeteredInterval
from venturi.core.ledger.bins import DAY, HOUR
from venturi.core.ledger.long_intervals import MOST_LONG_GAPS
from venturi.services.ledger.configuration import LedgerConfig

WEB = [(0, 0, 10, 1000), (0, 1, 4, 400)]
SLOW = LedgerConfig(plan_file_hosts=("edge-1", "edge-2"), default_line_rate=8_000)
SECONDS = 10**9


def counting(octets: int, packets: int = 1, **others: Any) -> MeteredInterval:  # noqa: ANN401 - fields of an interval
    return make_interval(usage=[(0, 0, packets, octets)], **others)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        pytest.param({"start": NOW, "end": NOW + DAY + 1}, "in_future", id="it ends more than a day from now"),
        pytest.param({"start": NOW, "end": NOW + DAY}, None, id="it ends a day from now"),
        pytest.param({"minutes": 1, "octets": 61_000}, None, id="it counts what the line carries, and a second more"),
        pytest.param({"minutes": 1, "octets": 61_001}, "above_line_rate", id="it counts more than the line carries"),
        pytest.param({"minutes": 1, "octets": 1, "packets": 3_051}, "above_line_rate", id="it counts more packets than that"),
        pytest.param({"minutes": 1, "octets": HIGHEST, "packets": 1}, "above_line_rate", id="it counts the highest number"),
        pytest.param({"start": BEGINNING, "end": BEGINNING, "octets": 1_000}, None, id="no length, and what a late reading may count"),
        pytest.param({"start": BEGINNING, "end": BEGINNING, "octets": 1_001}, "above_line_rate", id="no length, and more"),
        pytest.param({"start": BEGINNING, "end": BEGINNING + 400 * DAY, "octets": 10**6}, "in_future", id="a long one"),
        pytest.param({"start": BEGINNING - 380 * DAY, "end": BEGINNING, "octets": 10**6}, None, id="a long one, over"),
    ],
)
def test_what_cannot_be_is_held(sqlite_ledger: LedgerOfTests, given: dict[str, Any], reason: str | None) -> None:
    sqlite_ledger.config = SLOW
    spool = SpoolOfTests()
    answer = sqlite_ledger.post(spool.seal(counting(**({"octets": 100} | given))))
    assert (answer.sequence, sqlite_ledger.spool(spool.spool_id)) == (1, (1, []))
    assert sqlite_ledger.held_reasons() == ([] if reason is None else [(1, 0, reason)])
    counted = sqlite_ledger.usage(spool.labels[0].id) or sqlite_ledger.rows(select(LEDGER_LONG_INTERVALS))
    assert bool(counted) is (reason is None)
    assert sqlite_ledger.alarms == ([] if reason is None else ["held"])


def test_a_line_that_carries_anything_lets_no_sum_come_near_its_highest_number(ledger: LedgerOfTests, database: str) -> None:
    ledger.config = LedgerConfig(plan_file_hosts=("edge-1",), default_line_rate=10**15)
    spool = SpoolOfTests()
    ledger.post(spool.seal(counting(10**15, minutes=60)))
    ledger.post(spool.seal(counting(10**16, minute=60, minutes=60)))
    assert ledger.held_reasons() == [(2, 0, "too_large")]
    prove_ledger(database)


def test_a_sum_that_holds_no_more_holds_up_no_batch(ledger: LedgerOfTests, database: str) -> None:
    """Nearly all of an hour's sum, by a correction: that counts, and is kept apart from the roll-ups, which have what comes later."""
    spool = SpoolOfTests()
    ledger.post(spool.seal(counting(1000)))
    ledger.correct((1, 2, (HIGHEST - 10, HIGHEST - 10_000)), (1, 1, (HIGHEST - 10, HIGHEST - 10_000)))
    ledger.post(spool.seal(make_interval(1, usage=[(0, 0, 100, 100_000)]), make_interval(2)))
    assert ledger.held_reasons() == []
    assert (ledger.usage(spool.labels[0].id), ledger.alarms) == ({(0, 0): (100, 100_000)}, ["kept_apart"])
    assert [row[0] for row in ledger.rows(select(LEDGER_LONG_INTERVALS.c.posting))] == [1]
    prove_ledger(database)


HOSTS = {"agent": ("agent-1", "edge-1"), "another": ("agent-2", "edge-2"), "colleague": ("agent-3", "edge-1")}


@pytest.mark.parametrize(
    ("kind", "before", "after", "held"),
    [
        pytest.param("interface", ("agent", 0, 60), ("agent", 60, 120), False, id="the next"),
        pytest.param("interface", ("agent", 60, 120), ("agent", 0, 60), False, id="the one before, late"),
        pytest.param("interface", ("agent", 0, 60), ("agent", 0, 60), True, id="the same again"),
        pytest.param("interface", ("agent", 0, 60), ("colleague", 0, 60), True, id="the same by another agent of the host"),
        pytest.param("interface", ("agent", 0, 60), ("agent", 59.999, 120), True, id="a part of it, of one host"),
        pytest.param("interface", ("agent", 0, 600), ("agent", 10, 11), True, id="within"),
        pytest.param("interface", ("agent", 10, 11), ("agent", 0, 600), True, id="around"),
        pytest.param("interface", ("agent", 10, 10), ("agent", 10, 10), True, id="no length, again"),
        pytest.param("interface", ("agent", 0, 60), ("agent", 60, 60), False, id="no length, after it"),
        pytest.param("interface", ("agent", 0, 60), ("another", 59, 120), False, id="of two hosts whose clocks differ"),
        pytest.param("interface", ("agent", 0, 60), ("another", 58.9, 120), True, id="of two hosts"),
        pytest.param("interface", ("agent", 0, 60), ("another", 10, 10.5), True, id="a short one of another host"),
        pytest.param("router", ("agent", 0, 60), ("another", 0, 60), False, id="a router on two hosts"),
        pytest.param("router", ("agent", 0, 60), ("agent", 0, 60), True, id="a router, again"),
        pytest.param("router", ("agent", 0, 60), ("colleague", 0, 60), True, id="a router, by another agent of the host"),
    ],
)
def test_one_that_overlaps_is_held(
    ledger: LedgerOfTests, database: str, kind: str, before: tuple[str, float, float], after: tuple[str, float, float], held: bool
) -> None:
    points, labels = [make_batch_point(kind=kind)], [make_batch_label()]
    seen = []
    for name, start, end in (before, after):
        agent_id, host = HOSTS[name]
        spool = SpoolOfTests(agent_id=agent_id, host=host, points=points, labels=labels)
        bounds: dict[str, Any] = {"start": BEGINNING + round(start * SECONDS), "end": BEGINNING + round(end * SECONDS)}
        ledger.post(spool.seal(make_interval(usage=WEB, **bounds)))
        seen.append((ledger.usage(labels[0].id), ledger.totals()))
    assert ledger.held_reasons() == ([(2, 0, "overlapping")] if held else [])
    assert (seen[0] == seen[1]) is held
    prove_ledger(database)


def test_gaps_overlap_nothing(ledger: LedgerOfTests) -> None:
    """As when a spool was put back to a copy: it does not know what was delivered since."""
    spool = SpoolOfTests()
    gap: dict[str, Any] = {"coverage": "gap", "reason": "spool_rolled_back", "generation": "", "classifier": "", "revision": 0}
    ledger.post(spool.seal(make_interval(0, usage=WEB), make_interval(0, 5, **gap)), spool.seal(make_interval(0, 7, **gap)))
    ledger.post(spool.seal(make_interval(1, usage=WEB)))
    assert ledger.held_reasons() == []
    ledger.post(spool.seal(make_interval(1, usage=WEB, **gap)))
    assert ledger.held_reasons() == [(4, 0, "overlapping")]


def test_a_batch_is_judged_interval_by_interval_and_the_earliest_counts(ledger: LedgerOfTests, database: str) -> None:
    spool = SpoolOfTests()
    intervals = [make_interval(minute, 2, usage=WEB) for minute in (4, 1, 0, 2, 6)]
    ledger.post(spool.seal(*intervals, make_interval(0, 3, usage=WEB, place="eth1")))
    assert ledger.held_reasons() == [(1, 5, "overlapping"), (1, 25, "overlapping")]
    assert ledger.usage(spool.labels[0].id, 3600) == {(0, 0): (40, 4000), (0, 1): (16, 1600)}
    assert ledger.alarms == ["held"]
    assert "2 intervals that agent 'agent-1' posted for host 'edge-1' (posting 1)" in ledger.sentences[0]
    prove_ledger(database)


def test_late_batches_find_what_overlaps_among_very_many(ledger: LedgerOfTests) -> None:
    spool = SpoolOfTests()
    ledger.post(spool.seal(*(make_interval(minute, usage=WEB) for minute in range(0, 900, 2))))
    late = SpoolOfTests(points=spool.points, labels=spool.labels)
    ledger.post(late.seal(make_interval(1, usage=WEB), make_interval(100, usage=WEB), make_interval(101, usage=WEB)))
    ledger.post(late.seal(make_interval(897, 2, usage=WEB)))
    assert ledger.held_reasons() == [(2, 5, "overlapping"), (3, 0, "overlapping")]


def test_what_is_held_is_accepted_or_rejected_by_a_posting_of_its_own(ledger: LedgerOfTests, database: str) -> None:
    ledger.config = SLOW
    spool = SpoolOfTests(labels=[make_batch_label("web"), make_batch_label("mail")])
    ledger.post(spool.seal(counting(1000), counting(100_000, minute=1), counting(200_000, minute=2), counting(300_000, minute=7)))
    assert ledger.coverage() == {(0, "complete", ""): (60, 0), (0, "gap", "held"): (120, 0), (5, "gap", "held"): (60, 0)}
    before = ledger.usage(spool.labels[0].id)
    prove_ledger(database)
    accepted = ledger.held.accept(OPERATOR, "a burst", HeldSelection(positions=[(1, 3)]))
    assert (accepted.posting, accepted.intervals, accepted.remaining) == (2, 1, 0)
    assert before == {(0, 0): (1, 1000)}
    assert ledger.usage(spool.labels[0].id) == {(0, 0): (2, 101_000)}
    rejected = ledger.held.reject(OPERATOR, "forged", HeldSelection(agent_ids=["agent-1"], label_ids=[spool.labels[0].id]))
    assert (rejected.posting, rejected.intervals, rejected.remaining) == (3, 2, 0)
    assert ledger.usage(spool.labels[0].id) == {(0, 0): (2, 101_000)}
    held = {(0, "gap", "held"): (0, 0), (5, "gap", "held"): (0, 0)}
    assert ledger.coverage() == {(0, "complete", ""): (120, 0)} | held
    assert ledger.held_reasons() == []
    found = ledger.held.list(OPERATOR, HeldSelection(decisions=()), 10, (0, -1))
    assert [(row.ordinal, row.decision, row.decided_by) for row in found] == [(3, "accepted", 2), (6, "rejected", 3), (9, "rejected", 3)]
    assert [(row.kind, row.author, row.reason) for row in postings_of(ledger)[1:]] == [
        ("acceptance", OPERATOR.user_id, "a burst"),
        ("rejection", OPERATOR.user_id, "forged"),
    ]
    assert ledger.correct((2, 2, (0, -1000))) == 4
    assert ledger.usage(spool.labels[0].id) == {(0, 0): (2, 100_000)}
    prove_ledger(database)


def postings_of(ledger: LedgerOfTests) -> Any:  # noqa: ANN401 - rows
    with ledger.store.reading() as reader:
        return [reader.ledger.posting(number) for number in range(1, ledger.counts_of_rows()[0] + 1)]


Act = Callable[[LedgerOfTests], object]


@pytest.mark.parametrize(
    ("act", "error", "said"),
    [
        (lambda ledger: ledger.held.accept(OPERATOR, "", HeldSelection(positions=[(2, 0)])), ConflictError, "overlaps what counts at"),
        (
            lambda ledger: ledger.held.accept(OPERATOR, "", HeldSelection(positions=[(1, 0)])),
            EntryNotFoundError,
            "no interval 0 in",
        ),
        (lambda ledger: ledger.held.reject(OPERATOR, "", HeldSelection(positions=[(3, 0)])), ConflictError, "was rejected by posting 4"),
        (lambda ledger: ledger.held.reject(OPERATOR, "", HeldSelection(agent_ids=["x"])), EntryNotFoundError, "nothing is held that is"),
        (lambda ledger: ledger.correct((2, 1, (1, 1))), ConflictError, "entry 1 of posting 2 is held, so there is nothing to correct"),
    ],
)
def test_what_cannot_be_decided_is_refused(ledger: LedgerOfTests, database: str, act: Act, error: type[Exception], said: str) -> None:
    points = [make_batch_point()]
    for _ in range(3):
        ledger.post(SpoolOfTests(points=points).seal(make_interval(0, usage=WEB)))
    ledger.held.reject(OPERATOR, "twice", HeldSelection(positions=[(3, 0)]))
    before = ledger.counts_of_rows(), ledger.coverage(), ledger.totals()
    with pytest.raises(error, match=said):
        act(ledger)
    assert (ledger.counts_of_rows(), ledger.coverage(), ledger.totals()) == before
    prove_ledger(database)


def test_two_that_overlap_each_other_are_not_accepted_together(ledger: LedgerOfTests) -> None:
    ledger.config = SLOW
    points = [make_batch_point()]
    for agent_id, host in HOSTS.values():
        ledger.post(SpoolOfTests(agent_id=agent_id, host=host, points=points).seal(counting(10**6)))
    assert [reason for _, _, reason in ledger.held_reasons()] == ["above_line_rate"] * 3
    with pytest.raises(ConflictError, match="interval 0 of posting 2, from 2026-01-01T00:00:00Z to 2026-01-01T00:01:00Z, overlaps"):
        ledger.held.accept(OPERATOR, "all", HeldSelection())
    ledger.held.accept(OPERATOR, "the first", HeldSelection(positions=[(3, 0)]))
    with pytest.raises(ConflictError, match="interval 0 of posting 1"):
        ledger.held.accept(OPERATOR, "again", HeldSelection(positions=[(1, 0)]))


def test_held_names_are_in_no_report_but_in_the_list(ledger: LedgerOfTests) -> None:
    spool = SpoolOfTests()
    ledger.post(spool.seal(make_interval(0, usage=WEB)))
    forged = SpoolOfTests(
        points=[msgspec.structs.replace(spool.points[0], name="forged")], labels=[msgspec.structs.replace(spool.labels[0], name="forged")]
    )
    ledger.post(forged.seal(make_interval(0, usage=WEB)))
    with ledger.store.reading() as reader:
        assert [label.name for label in reader.usage.label_versions()] == ["web"]
        assert [point.name for point in reader.usage.point_versions()] == ["uplink"]
    (row,) = ledger.held.list(OPERATOR, HeldSelection(), 10, (0, -1))
    assert (row.name, row.first_label_name, row.packets, row.octets, row.agent_id, row.device) == (
        "forged",
        "forged",
        14,
        1400,
        "agent-1",
        "eth0",
    )


def test_what_is_held_is_bounded_by_agent_and_the_batch_comes_again(ledger: LedgerOfTests, database: str) -> None:
    ledger.config = LedgerConfig(plan_file_hosts=("edge-1",), most_held=10)
    points = [make_batch_point()]
    first, forged, honest = (SpoolOfTests(points=points, agent_id=name) for name in ("agent-1", "agent-2", "agent-1"))
    ledger.post(first.seal(make_interval(0, usage=WEB)))
    ledger.post(*(forged.seal(make_interval(0, usage=WEB)) for _ in range(2)))
    last = forged.seal(make_interval(0, usage=WEB))
    for _ in range(2):
        with pytest.raises(TooMuchHeldError, match="of agent 'agent-2', 10 entries or more are held, so no batch"):
            ledger.post(last)
    assert ledger.alarms == ["held", "held", "held_limit", "held_limit"]
    assert ledger.spool(forged.spool_id) == (2, [])
    ledger.post(honest.seal(make_interval(0, usage=WEB), make_interval(1, usage=WEB)))
    ledger.held.reject(OPERATOR, "forged", HeldSelection(agent_ids=["agent-2"]))
    ledger.post(last)
    assert len(ledger.held_reasons()) == 2
    prove_ledger(database)


LONG = {"start": BEGINNING, "end": BEGINNING + 3 * HOUR}


def hours_read(ledger: LedgerOfTests) -> dict[int, tuple[str, str, int]]:
    """Give state, reason and seconds of each hour that reports read."""
    with ledger.store.reading() as reader:
        points = frozenset(point.version for point in reader.usage.point_versions())
        told = reader.usage.coverage(Span(HOUR, BEGINNING - DAY, BEGINNING + DAY), points)
    known = [start for run in told.runs for start in range(run.first, run.last + HOUR, HOUR)]
    whole = {(start - BEGINNING) // HOUR: ("complete", "", HOUR // SECONDS) for start in known}
    return whole | {(row[0] - BEGINNING) // HOUR: (row[3], row[4], row[6] // SECONDS) for row in told.rows}


@pytest.mark.parametrize("decide", ["accept", "reject"])
def test_the_time_of_a_long_interval_that_is_held_is_a_gap_until_it_is_decided(ledger: LedgerOfTests, database: str, decide: str) -> None:
    ledger.config = SLOW
    spool = SpoolOfTests()
    ledger.post(spool.seal(counting(1, start=BEGINNING - HOUR, end=BEGINNING)))
    ledger.post(spool.seal(counting(10**12, **LONG)))
    assert hours_read(ledger) == {-1: ("complete", "", 3600)} | dict.fromkeys(range(3), ("gap", "held", 3600))
    assert ledger.coverage(3600) == {(-60, "complete", ""): (3600, 0)}
    assert sum(octets for _, octets in ledger.usage(spool.labels[0].id).values()) == 1
    prove_ledger(database)
    getattr(ledger.held, decide)(OPERATOR, "looked at", HeldSelection())
    after = dict.fromkeys(range(3), ("interpolated", "", 3600)) if decide == "accept" else {}
    assert hours_read(ledger) == {-1: ("complete", "", 3600)} | after
    prove_ledger(database)


def test_a_point_is_shown_to_have_so_many_long_intervals_that_are_held(ledger: LedgerOfTests, database: str) -> None:
    ledger.config = SLOW
    spool = SpoolOfTests()
    ledger.post(spool.seal(counting(1, start=BEGINNING - HOUR, end=BEGINNING)))
    for _ in range(2):
        ledger.post(spool.seal(*(counting(10**12, **LONG) for _ in range(MOST_LONG_GAPS - 30))))
    assert len(ledger.held_reasons()) == 2 * (MOST_LONG_GAPS - 30)
    assert len(ledger.rows(select(LEDGER_LONG_INTERVALS))) == MOST_LONG_GAPS
    prove_ledger(database)


def test_a_long_interval_at_a_point_of_which_nothing_counts_is_in_no_report(ledger: LedgerOfTests, database: str) -> None:
    ledger.config = SLOW
    ledger.post(SpoolOfTests().seal(counting(10**15, start=BEGINNING - 380 * DAY, end=BEGINNING)))
    assert (ledger.coverage(), ledger.rows(select(LEDGER_LONG_INTERVALS))) == ({}, [])
    prove_ledger(database)


def test_an_hour_is_shown_as_held(ledger: LedgerOfTests) -> None:
    ledger.config = SLOW
    spool = SpoolOfTests()
    ledger.post(spool.seal(counting(1, start=BEGINNING - HOUR, end=BEGINNING)))
    ledger.post(spool.seal(counting(10**15, start=BEGINNING, end=BEGINNING + HOUR)))
    assert ledger.coverage(3600) == {(-60, "complete", ""): (3600, 0), (0, "gap", "held"): (3600, 0)}
