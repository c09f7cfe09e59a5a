"""Comparison with the period before, on every database: against sums that are made of the records one by one."""

import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

import pytest

from tests.reports.filling import NOON, KeptPoint, KnownVersion, MeteredRecord, fill, keep_points
from tests.support.control_values import OPERATOR
from tests.support.databases import open_store
from venturi.core.domain.direction import Direction, DirectionCode
from venturi.core.domain.interval import SECOND, Nanoseconds, parse_time
from venturi.core.ledger.bins import BIN, DAY, HOUR
from venturi.core.ledger.calendar import Calendar
from venturi.services.reports.comparing import compare
from venturi.services.reports.coverage import PointTime
from venturi.services.reports.groups import RowKind
from venturi.services.reports.reporting import UsageReports
from venturi.services.reports.request import Bounds, Grouping, Resolution, Top, UsageRequest, find_earlier

START = NOON * SECOND
LATER = Nanoseconds((NOON + 1_000_000) * SECOND)
LABELS = [KnownVersion(number, f"p{number % 2}", name=f"label {number}") for number in range(1, 7)]
POINTS = [KnownVersion(1, "p1", shared=True), KnownVersion(2, "p0", shared=True, boundary="ports")]
ZONES = ["UTC", "Europe/Zurich", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kolkata"]


def _records(seed: int) -> Iterator[MeteredRecord]:
    """Make two hours before noon and two after it, in which labels count now and then; the first ports are not told of."""
    chance = random.Random(seed)  # noqa: S311 - the choice of a test
    for place in range(-24, 24):
        for point in (1, 2):
            if point == 2 and place < 0:
                continue
            usage = [
                (label.number, direction, chance.randrange(1, 99), chance.randrange(1, 10**6))
                for label in LABELS
                for direction in (DirectionCode.INGRESS, DirectionCode.EGRESS)
                if chance.random() < (0.02 if label.number < 3 else 0.5)
            ]
            yield MeteredRecord(point, place * 300, place * 300 + 300, usage)


@pytest.mark.parametrize("seed", [3, 4])
@pytest.mark.parametrize("top", [None, Top(2)])
def test_differences_are_those_of_sums(database: str, seed: int, top: Top | None) -> None:
    records = list(_records(seed))
    with open_store(database) as store:
        fill(database, LABELS, POINTS, records)
        keep_points(database, [KeptPoint(number, -1_000_000, shared=True) for number in (1, 2)])
        request = UsageRequest(
            start=START,
            end=START + 2 * HOUR,
            resolution=Resolution.TOTAL,
            group_by=(Grouping.LABEL, Grouping.DIRECTION),
            compared=Bounds(START - 2 * HOUR, START),
            top=top,
        )
        (interval,) = UsageReports(store, lambda: LATER).usage(OPERATOR, request)
    sums: defaultdict[tuple[str, str, object], list[int]] = defaultdict(lambda: [0, 0])
    boundary = {1: "edge", 2: "ports"}
    kept = {(row.group.boundary, row.group.label.name) for row in interval.rows if row.group.label}
    for record in records:
        for label, direction, _, octets in record.usage:
            name = f"label {label}"
            told = name if (boundary[record.point], name) in kept else RowKind.OTHERS
            way = Direction.EGRESS if direction == DirectionCode.EGRESS else Direction.INGRESS
            sums[boundary[record.point], told, way][record.start < 0] += octets
    found = {}
    for place, row in enumerate(interval.rows):
        if row.group.kind is not RowKind.TOTAL:
            name = row.group.label.name if row.group.label else row.group.kind
            key: tuple[str, str, object] = row.group.boundary or "", name, row.group.direction
            found[key] = (row.counts[1], *(interval.rows.beside[name][place] for name in ("previous_octets", "percent", "comparison")))
    expected = {}
    for key, (now, before) in sums.items():
        percent = None if not before else (Decimal((now - before) * 100) / before).quantize(Decimal("0.1"), ROUND_HALF_UP)
        known = key[0] == "edge"
        word = "unknown" if not known else "known" if before else "nothing_before"
        expected[key] = now, before if known else None, percent, word
    assert found == expected
    assert {"known", "unknown"} <= {word for *_, word in found.values()}


@pytest.mark.parametrize("zone", ZONES)
def test_the_same_part_of_the_period_before(zone: str) -> None:
    chance = random.Random(zone)  # noqa: S311 - the choice of a test
    calendar, clock = Calendar(zone), ZoneInfo(zone)
    for _ in range(300):
        day = date(2026, 1, 1) + timedelta(days=chance.randrange(900))
        shown = datetime(day.year, day.month, day.day, chance.randrange(4, 24), 5 * chance.randrange(12), tzinfo=clock)
        now = int(shown.timestamp()) * SECOND
        month = calendar.read_period("this-month", now)
        first = (day.replace(day=1) - timedelta(days=1)).replace(day=1)
        wanted = datetime(first.year, first.month, first.day, shown.hour, shown.minute) + timedelta(days=day.day - 1)  # noqa: DTZ001
        ends = datetime(day.year, day.month, 1, tzinfo=clock)
        last = min(wanted.replace(tzinfo=clock).timestamp(), ends.timestamp())
        begins = datetime(first.year, first.month, 1, tzinfo=clock).timestamp()
        assert find_earlier(month.start, now, month, calendar) == (int(begins) * SECOND, int(last) * SECOND)


@pytest.mark.parametrize(
    ("zone", "period", "start", "end"),
    [
        ("UTC", "2026-03", "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"),
        ("UTC", "2028-03", "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z"),
        ("Europe/Zurich", "2026-W14", "2026-03-22T23:00:00Z", "2026-03-29T22:00:00Z"),
        ("Europe/Zurich", "2026-10-26", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"),
        ("Pacific/Apia", "2011-12-31", "2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z"),
    ],
)
def test_the_whole_period_before(zone: str, period: str, start: str, end: str) -> None:
    calendar = Calendar(zone)
    named = calendar.read_period(period, LATER * 2)
    assert find_earlier(named.start, named.end, named, calendar) == (parse_time(start), parse_time(end))


def test_without_a_period_it_is_as_much_time_right_before() -> None:
    assert find_earlier(START, START + DAY + BIN, None) == (START - DAY - BIN, START)


@pytest.mark.parametrize(
    ("now", "known", "before", "known_before", "told"),
    [
        ((3, 30), 10, (2, 20), 10, (2, 20, 1, 10, Decimal("50.0"), "known")),
        ((3, 30), 10, (2, 40), 10, (2, 40, 1, -10, Decimal("-25.0"), "known")),
        ((3, 30), 9, (2, 20), 10, (2, 20, 1, 10, Decimal("50.0"), "partly_known")),
        ((3, 30), 10, (0, 0), 10, (0, 0, 3, 30, None, "nothing_before")),
        ((3, 30), 10, (0, 0), 0, (None, None, None, None, None, "unknown")),
        ((3, 30), 10, (1, 1), 0, (1, 1, None, None, None, "unknown")),
        ((0, 0), 0, (2, 20), 10, (2, 20, None, None, None, "unknown")),
    ],
)
def test_what_is_not_known_is_never_zero(
    now: tuple[int, int], known: int, before: tuple[int, int], known_before: int, told: tuple[object, ...]
) -> None:
    assert compare(now, PointTime(known, 10), before, PointTime(known_before, 10)) == told
