"""A long interval is kept as it is, and all that is reported is what it would be if it were spread over its bins."""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from tests.support.batches import BEGINNING, MINUTE, SpoolOfTests, make_batch_label, make_batch_point, make_interval, part_usage
from tests.support.control_values import OPERATOR
from tests.support.databases import DatabaseServers, open_store
from tests.support.ledgers import NOW, LedgerOfTests
from venturi.adapters.store.ledger.proving.proof import prove_ledger
from venturi.adapters.store.maintenance.schema import upgrade_database
from venturi.adapters.store.schema.ledger_tables import ROLL_UP_TABLES
from venturi.adapters.store.store import Store
from venturi.core.domain.interval import Nanoseconds
from venturi.core.ledger.batch import HIGHEST, MeteredInterval
from venturi.core.ledger.bins import BIN, DAY, HOUR, count_bins, cut, cut_within
from venturi.core.ledger.calendar import UTC_CALENDAR, Calendar
from venturi.core.ledger.long_intervals import MOST_BINS, MOST_SPREAD, choose_long
from venturi.services.ledger import entering
from venturi.services.ledger.configuration import LedgerConfig
from venturi.services.reports.groups import Group
from venturi.services.reports.reporting import UsageReports
from venturi.services.reports.request import POINT_GROUPINGS, Grouping, Resolution, UsageRequest, align
from venturi.services.reports.rows import ReportInterval

LABELS = [
    make_batch_label("web", project_id="p1"),
    make_batch_label("dns", project_id="p1"),
    make_batch_label("all", project_id="p2", shared=True),
]
POINTS = [make_batch_point("uplink", project_id="p1"), make_batch_point("backbone", project_id="p2", shared=True)]
FAST = LedgerConfig(plan_file_hosts=("edge-1",), default_line_rate=10**15)
LATER = Nanoseconds(BEGINNING + 400 * DAY)


@dataclass
class Both:
    """A ledger that keeps long intervals, and one that spreads all, each with the URL of its database."""

    kept: LedgerOfTests
    spread: LedgerOfTests
    urls: tuple[str, str]

    def post(self, monkeypatch: pytest.MonkeyPatch, *batches: tuple[MeteredInterval, ...]) -> None:
        spool = SpoolOfTests(points=POINTS, labels=LABELS)
        envelopes = [spool.seal(*batch) for batch in batches]
        self.kept.post(*envelopes)
        with monkeypatch.context() as patched:
            patched.setattr(entering, "choose_long", lambda _: frozenset())
            self.spread.post(*envelopes)


@pytest.fixture
def ledger(store: Store) -> LedgerOfTests:
    """An empty ledger on each kind of database."""
    return LedgerOfTests(store)


@pytest.fixture
def both(store: Store, database: str, database_kind: str, database_servers: DatabaseServers, tmp_path: Path) -> Iterator[Both]:  # noqa: PLR0206 - no property
    """Two ledgers on each kind of database."""
    other = database_servers.bare_database(database_kind, tmp_path, "spread")
    upgrade_database(other)
    with open_store(other) as second:
        yield Both(LedgerOfTests(store, FAST), LedgerOfTests(second, FAST), (database, other))


def random_intervals(chance: random.Random, count: int) -> Iterator[MeteredInterval]:
    """Make intervals of anything from seconds to days, at borders, beside them or anywhere, one after the other at each point.

    Half of them tell what projects used.
    """
    free = [BEGINNING - 10**9, BEGINNING]
    for _ in range(count):
        point = chance.randrange(2)
        start = free[point] + chance.choice([0, 0, 7, 55, 119]) * MINUTE + chance.choice([0, 5 * 10**8, 17 * 10**9])
        length = chance.choice([0, MINUTE, BIN, HOUR, HOUR + BIN, 7 * HOUR, DAY]) + chance.choice([0, 1, 10**9, 11 * 10**9])
        free[point] = start + length + 1
        usage = [
            (label, direction, chance.randrange(100), chance.choice([0, 1, 999, 1 << 40])) for label in range(3) for direction in (0, 1)
        ]
        coverage, reason = chance.choice([("complete", ""), ("interpolated", ""), ("partial", "bypass"), ("gap", "device_gone")])
        others: dict[str, Any] = {"point": point, "place": chance.choice(["eth0", "eth1"]), "coverage": coverage, "reason": reason}
        unmatched = (chance.randrange(9), chance.randrange(99))
        made = make_interval(start=start, end=start + length, usage=usage, unmatched=unmatched, **others)
        yield part_usage(made, LABELS) if chance.randrange(2) else made


def answers(ledger: LedgerOfTests) -> dict[str, object]:
    """Give what reports of every resolution and several groupings say, in a form without the order of rows."""
    reports = UsageReports(ledger.store, lambda: LATER)
    found: dict[str, object] = {}
    groupings = [(), (Grouping.PROJECT,), tuple(Grouping)]
    spans = [(0, 6 * DAY), (35 * MINUTE, 1445 * MINUTE)]
    for resolution in Resolution:
        for number, (start, end) in enumerate(spans):
            calendar = (UTC_CALENDAR, Calendar("Asia/Kathmandu"))[number]
            bounds = align(BEGINNING - DAY * (number == 0) + start, BEGINNING + end, resolution, calendar)
            if resolution is Resolution.FIVE_MINUTES and number == 0:
                bounds = align(BEGINNING - HOUR, BEGINNING + 9 * HOUR, resolution)
            for group_by in groupings:
                request = UsageRequest(start=bounds[0], end=bounds[1], resolution=resolution, group_by=group_by, calendar=calendar)
                found[f"usage {resolution} {number} {group_by}"] = sorted_answer(reports.usage(OPERATOR, request))
            by_point = UsageRequest(start=bounds[0], end=bounds[1], resolution=resolution, group_by=POINT_GROUPINGS, calendar=calendar)
            found[f"totals {resolution} {number}"] = sorted_answer(reports.point_totals(OPERATOR, by_point))
    return found


def sorted_answer(intervals: Iterable[ReportInterval]) -> list[object]:
    return [
        (each.start, each.end, each.coverage, sorted((str(_named(row.group)), tuple(row.counts), row.coverage) for row in each.rows))
        for each in intervals
    ]


def _named(group: Group) -> tuple[object, ...]:
    label, point = group.label, group.point
    return (label and label.label_id, group.project_id, group.shared, point and point.point_id, group.point_project_id, group.direction)


@pytest.mark.parametrize("seed", range(2))
def test_answers_equal_those_of_spreading(both: Both, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(seed)  # noqa: S311 - the choice of a test
    made = list(random_intervals(chance, 12))
    both.post(monkeypatch, *(tuple(made[first : first + 4]) for first in (0, 4, 8)))
    assert both.kept.held_reasons() == both.spread.held_reasons() == []
    assert answers(both.kept) == answers(both.spread)
    for ledger in (both.kept, both.spread):
        ledger.correct((1, 3, (5, 1 << 35)), (1, 2, (7, 70, 1, 3)), (2, 14, (3, 0)))
        ledger.correct((1, 3, (-4, -(1 << 34))))
    assert answers(both.kept) == answers(both.spread)
    assert [prove_ledger(url).postings for url in both.urls] == [5, 5]


def test_an_absence_of_400_days_with_1000_labels_is_posted_in_few_rows(ledger: LedgerOfTests, database: str) -> None:
    labels = [make_batch_label(f"label {number}") for number in range(1000)]
    spool = SpoolOfTests(points=POINTS, labels=labels)
    usage = [(label, direction, 1_000 + label, 1_000_000 + label) for label in range(1000) for direction in (0, 1)]
    ledger.post(spool.seal(make_interval(start=NOW - 400 * DAY, end=NOW, usage=usage)))
    assert sum(int(ledger.rows(select(func.count()).select_from(table))[0][0]) for table in ROLL_UP_TABLES) == 1
    reports = UsageReports(ledger.store, lambda: NOW)
    request = UsageRequest(start=NOW - 400 * DAY, end=NOW, resolution=Resolution.TOTAL, group_by=())
    (interval,) = reports.usage(OPERATOR, request)
    packets, octets = sum(row[2] for row in usage), sum(row[3] for row in usage)
    assert [tuple(row.counts) for row in interval.rows] == [(packets, octets, 0, 0, 1)]
    assert (interval.coverage.state, interval.coverage.known) == ("interpolated", 400 * DAY)
    assert prove_ledger(database).entries == 2003


def test_sums_of_long_intervals_go_beyond_64_bits(ledger: LedgerOfTests) -> None:
    ledger.post(SpoolOfTests(points=POINTS, labels=LABELS).seal(make_interval(0, 300, usage=[(0, 0, 1, 1), (1, 0, 1, 1)])))
    ledger.correct((1, 1, (0, HIGHEST - 2)), (1, 2, (0, HIGHEST - 1)), (1, 3, (0, HIGHEST - 1)))
    request = UsageRequest(start=BEGINNING, end=BEGINNING + 5 * HOUR, resolution=Resolution.TOTAL, group_by=())
    (reported,) = UsageReports(ledger.store, lambda: LATER).usage(OPERATOR, request)
    assert [tuple(row.counts)[:2] for row in reported.rows] == [(2, 2 * HIGHEST)]


def test_another_agent_s_interval_within_a_long_one_is_held(ledger: LedgerOfTests) -> None:
    ours, theirs = SpoolOfTests(points=POINTS), SpoolOfTests(points=POINTS, agent_id="agent-2", host="edge-2")
    ledger.post(ours.seal(make_interval(0, 3000, usage=[(0, 0, 1, 1)])))
    ledger.post(theirs.seal(make_interval(1000, 1, usage=[(0, 0, 1, 1)])))
    assert ledger.held_reasons() == [(2, 0, "overlapping")]


def intervals_of(lengths: list[int], rows: int) -> list[MeteredInterval]:
    usage = [(label, 0, 1, 1) for label in range(rows)]
    return [make_interval(0, minutes, usage=usage) for minutes in lengths]


CHOICES = {
    "an hour is spread": (intervals_of([60], 1), set()),
    "an hour and a second are not": ([make_interval(start=BEGINNING, end=BEGINNING + HOUR + 2 * 10**9)], {0}),
    "thirteen bins within an hour's length": ([make_interval(start=BEGINNING + MINUTE, end=BEGINNING + MINUTE + HOUR)], {0}),
    "a day": (intervals_of([1, 1440], 1), {1}),
    "many records in many bins": (intervals_of([60, 5, 10, 15], MOST_SPREAD // 24), {0, 3}),
    "many records in few bins": (intervals_of([10, 5, 10, 10], MOST_SPREAD // 8), set()),
}


@pytest.mark.parametrize("name", CHOICES)
def test_which_intervals_are_long(name: str) -> None:
    if name == "many records in many bins":
        given = intervals_of([60] * 2 + [5, 10], MOST_SPREAD // 24 + 1)
        assert choose_long(given) == {0, 1}
        return
    given, expected = CHOICES[name]
    assert choose_long(given) == expected


@pytest.mark.parametrize("seed", range(20))
def test_parts_within_a_window_are_those_of_the_whole(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - the choice of a test
    start = BEGINNING + chance.randrange(DAY)
    end = start + chance.randrange(2 * BIN, DAY)
    window = BEGINNING + chance.randrange(24) * HOUR, BEGINNING + chance.randrange(24, 48) * HOUR
    for width in (BIN, HOUR):
        expected = [part for part in cut(start, end, width) if window[0] <= part.bin_start < window[1]]
        assert cut_within(start, end, window, width) == expected
    assert count_bins(start, end) == len(cut(start, end))
    assert MOST_BINS == HOUR // BIN
