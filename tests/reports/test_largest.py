"""The largest groups and filters by names, on every database: against sums that are made of the records one by one."""

import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.reports.filling import NOON, KnownVersion, MeteredRecord, fill, version_id
from tests.support.control_values import OPERATOR
from tests.support.databases import open_store
from venturi.core.domain.control.principal import IMPLIED_ROLES, Principal, Role
from venturi.core.domain.direction import Direction, DirectionCode
from venturi.core.domain.interval import SECOND, Nanoseconds
from venturi.core.ledger.bins import HOUR
from venturi.services.reports.access import matches
from venturi.services.reports.groups import RowKind
from venturi.services.reports.reporting import UsageReports
from venturi.services.reports.request import Grouping, Order, Resolution, Top, UsageRequest
from venturi.services.reports.rows import ReportInterval

START = NOON * SECOND
LATER = Nanoseconds((NOON + 1_000_000) * SECOND)
IN, OUT = DirectionCode.INGRESS, DirectionCode.EGRESS
LABELS = [KnownVersion(number, f"p{number % 3}", name=f"cust-{number:02}" if number % 2 else f"other {number}") for number in range(1, 13)]
POINTS = [
    KnownVersion(1, "p1", shared=True, name="uplink"),
    KnownVersion(2, "p2", shared=True, name="port", boundary="ports"),
]
BOUNDARIES = {point.boundary for point in POINTS}
UNMATCHED = 1000


def _records() -> Iterator[MeteredRecord]:
    chance = random.Random(11)  # noqa: S311 - the choice of a test
    for hour in range(3):
        for point in (1, 2):
            usage = [
                (label.number, direction, chance.randrange(1, 99), chance.randrange(1, 10**6))
                for label in LABELS
                for direction in (IN, OUT)
            ]
            yield MeteredRecord(point, hour * 3600, hour * 3600 + 3600, usage, unmatched=UNMATCHED)


RECORDS = list(_records())


@pytest.fixture
def reports(database: str) -> Iterator[UsageReports]:
    """Reports of three hours on each database."""
    with open_store(database) as store:
        fill(database, LABELS, POINTS, RECORDS)
        yield UsageReports(store, lambda: LATER)


def ask(top: Top | None, resolution: Resolution = Resolution.HOUR, *group_by: Grouping) -> UsageRequest:
    """Ask for the three hours."""
    grouped = group_by or (Grouping.LABEL, Grouping.DIRECTION)
    return UsageRequest(start=START, end=START + 3 * HOUR, resolution=resolution, group_by=grouped, top=top)


def expected(order: Order, top: int) -> dict[tuple[str, int, str, str], int]:
    """Sum the octets of labels that are ranked first, and of all others, by boundary, hour and direction."""
    measured: defaultdict[tuple[str, int], int] = defaultdict(int)
    counted: defaultdict[tuple[str, int, str, int], int] = defaultdict(int)
    for record in RECORDS:
        boundary = POINTS[record.point - 1].boundary
        for label, direction, packets, octets in record.usage:
            measured[boundary, label] += packets if order is Order.PACKETS else octets
            counted[boundary, round(record.start), Direction.EGRESS if direction == OUT else Direction.INGRESS, label] += octets
    names = {label.number: label.name for label in LABELS}
    found: defaultdict[tuple[str, int, str, str], int] = defaultdict(int)
    for boundary in BOUNDARIES:
        numbers = [label.number for label in LABELS]
        numbers.sort(key=names.__getitem__ if order is Order.NAME else lambda number: -measured[boundary, number])  # noqa: B023 - used at once
        for (of, start, way, label), octets in counted.items():
            if of == boundary:
                found[of, start, way, names[label] if label in numbers[:top] else "others"] += octets
    return dict(found)


def told(intervals: list[ReportInterval], kinds: set[RowKind]) -> dict[tuple[object, ...], int]:
    """Give the octets of rows of some kinds by boundary, hour, direction and name."""
    return {
        (
            row.group.boundary,
            interval.start // SECOND - NOON,
            row.group.direction,
            row.group.label.name if row.group.label else row.group.kind,
        ): row.counts[1]
        for interval in intervals
        for row in interval.rows
        if row.group.kind in kinds
    }


@pytest.mark.parametrize("order", list(Order))
def test_the_largest_are_told_apart_and_the_others_are_one_row(reports: UsageReports, order: Order) -> None:
    intervals = list(reports.usage(OPERATOR, ask(Top(3, order))))
    assert told(intervals, {RowKind.GROUP, RowKind.OTHERS}) == expected(order, 3)
    rows = [row.group for row in intervals[0].rows]
    assert [row.kind for row in rows[:8]] == [*[RowKind.GROUP] * 6, RowKind.OTHERS, RowKind.OTHERS]
    assert all(row.boundary == "edge" for row in rows[:8])


def test_whoever_is_among_the_largest_stays_so_in_every_interval(reports: UsageReports) -> None:
    hours = list(reports.usage(OPERATOR, ask(Top(2), Resolution.HOUR, Grouping.LABEL)))
    (whole,) = reports.usage(OPERATOR, ask(Top(2), Resolution.TOTAL, Grouping.LABEL))
    summed: defaultdict[tuple[object, object], int] = defaultdict(int)
    for (boundary, _, _, name), octets in told(hours, set(RowKind)).items():
        summed[boundary, name] += octets
    assert summed == {(key[0], key[3]): octets for key, octets in told([whole], set(RowKind)).items()}
    everything = list(reports.usage(OPERATOR, ask(None, Resolution.TOTAL, Grouping.BOUNDARY)))
    assert sum(octets for (_, name), octets in summed.items() if name != RowKind.TOTAL) == sum(row.counts[1] for row in everything[0].rows)


def test_the_total_is_what_the_points_of_a_boundary_counted_once(reports: UsageReports) -> None:
    (whole,) = reports.usage(OPERATOR, ask(Top(2), Resolution.TOTAL, Grouping.LABEL))
    totals = {boundary: octets for (boundary, *_), octets in told([whole], {RowKind.TOTAL}).items()}
    (points,) = reports.point_totals(OPERATOR, ask(None, Resolution.TOTAL, Grouping.BOUNDARY))
    assert totals == {row.group.boundary: row.counts[1] for row in points.rows}


def test_the_total_is_told_to_whoever_may_read_it(reports: UsageReports) -> None:
    reader = Principal(user_id="reader", project_id="p1", roles=IMPLIED_ROLES[Role.READER])
    (whole,) = reports.usage(reader, ask(Top(1), Resolution.TOTAL, Grouping.LABEL))
    assert {row.group.boundary for row in whole.rows if row.group.kind is RowKind.TOTAL} == {"edge"}
    assert {row.group.boundary for row in whole.rows if row.group.label} == {"edge", "ports"}
    assert {row.group.label.project_id for row in whole.rows if row.group.label} == {"p1"}


def test_a_pattern_shows_no_label_that_the_caller_may_not_see(reports: UsageReports) -> None:
    reader = Principal(user_id="reader", project_id="p1", roles=IMPLIED_ROLES[Role.READER])
    request = replace(ask(None, Resolution.TOTAL, Grouping.LABEL), label_names=frozenset({"*"}), projects=frozenset({"*"}))
    (whole,) = reports.usage(reader, request)
    assert {row.group.label.project_id for row in whole.rows if row.group.label} == {"p1"}


def test_what_tells_nothing_apart_is_one_group(reports: UsageReports) -> None:
    (whole,) = reports.usage(OPERATOR, ask(Top(1), Resolution.TOTAL, Grouping.BOUNDARY))
    assert {row.group.kind for row in whole.rows} == {RowKind.GROUP, RowKind.TOTAL}


Passes = Callable[[int, int, int], bool]
FILTERS: list[tuple[dict[str, Any], Passes]] = [
    ({"label_names": {"cust-*"}}, lambda label, _point, _direction: label % 2 == 1),
    ({"label_names": {"cust-03", "other 2"}}, lambda label, _point, _direction: label in {2, 3}),
    (
        {"label_names": {"*1*"}, "directions": {Direction.EGRESS}},
        lambda label, _point, direction: "1" in LABELS[label - 1].name and direction == OUT,
    ),
    ({"projects": {"p[12]", "p1"}}, lambda label, _point, _direction: label % 3 == 1),
    ({"projects": {"*"}, "points": {"up*k"}}, lambda _label, point, _direction: point == 1),
    ({"points": {"port"}, "directions": {Direction.INGRESS}}, lambda _label, point, direction: (point, direction) == (2, IN)),
    ({"label_names": {"nobody"}}, lambda _label, _point, _direction: False),
]


@pytest.mark.parametrize(
    "group_by", [(Grouping.LABEL,), (Grouping.PROJECT,), (Grouping.POINT, Grouping.DIRECTION), (Grouping.BOUNDARY,)], ids=" ".join
)
@pytest.mark.parametrize("number", range(len(FILTERS)))
def test_filters_by_names(reports: UsageReports, number: int, group_by: tuple[Grouping, ...]) -> None:
    filters, passes = FILTERS[number]
    (whole,) = reports.usage(OPERATOR, replace(ask(None, Resolution.TOTAL, *group_by), **filters))
    counted = sum(octets for record in RECORDS for label, direction, _, octets in record.usage if passes(label, record.point, direction))
    assert sum(row.counts[1] for row in whole.rows) == counted
    assert all(row.counts[1] for row in whole.rows)


def test_a_filter_by_name_and_by_id_is_passed_by_both(reports: UsageReports) -> None:
    ids = frozenset({version_id(2), version_id(3)})
    request = replace(ask(None, Resolution.TOTAL, Grouping.LABEL), label_ids=ids, label_names=frozenset({"cust*"}))
    (whole,) = reports.usage(OPERATOR, request)
    assert {row.group.label.name for row in whole.rows if row.group.label} == {"cust-03"}


PATTERNS = [
    ("cust-1", "cust-*", True),
    ("cust-1", "cust", False),
    ("aba", "ab*ba", False),
    ("abba", "ab*ba", True),
    ("a.b", "a?b", False),
    ("a*b", "a*b", True),
    ("", "*", True),
    ("xaxbxc", "*a*b*c", True),
    ("xaxcxb", "*a*b*c", False),
    ("a" * 255, "*a" * 120 + "*b", False),
]


@pytest.mark.parametrize(("text", "pattern", "fits"), PATTERNS, ids=lambda value: str(value)[:20])
def test_an_asterisk_stands_for_any_text(text: str, pattern: str, fits: bool) -> None:
    assert matches(text, frozenset({pattern})) == fits
