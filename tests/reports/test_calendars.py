"""Reports by the calendar of a zone, on every database: sums are those of records that a clock of the zone tells apart one by one."""

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from tests.reports.filling import NOON, KnownVersion, MeteredRecord, fill
from tests.support.control_values import OPERATOR
from tests.support.databases import open_store
from venturi.core.domain.direction import DirectionCode
from venturi.core.domain.interval import SECOND, Nanoseconds
from venturi.core.ledger.bins import BIN
from venturi.core.ledger.calendar import Calendar
from venturi.services.reports.reporting import UsageReports
from venturi.services.reports.request import Grouping, Resolution, UsageRequest, align
from venturi.services.reports.rows import ReportInterval

LATER = Nanoseconds((NOON + 90 * 86_400) * SECOND)
FIRST, LAST = -40 * 86_400, 45 * 86_400
"""From January to April 2026, in seconds after noon of the 1st of March: clocks are put forward in Europe on the 29th of March, and put
back in Lord Howe on the 5th of April."""

ZONES = ("UTC", "Europe/Zurich", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns")


def random_records(chance: random.Random) -> Iterator[MeteredRecord]:
    """Make records of 5 minutes, many of them around the changes of clocks."""
    around = [(2026, 3, 29), (2026, 4, 5), (2026, 3, 8)]
    changes = [int(datetime(*day, tzinfo=UTC).timestamp()) - NOON for day in around]
    starts = {chance.randrange(FIRST, LAST) // 300 for _ in range(250)}
    starts |= {(change + chance.randrange(-100_000, 100_000)) // 300 for change in changes for _ in range(50)}
    for start in sorted(starts):
        usage = [(label, DirectionCode.EGRESS, 1, chance.randrange(1, 1 << 30)) for label in (1, 2) if chance.random() < 0.8]
        yield MeteredRecord(1, start * 300, start * 300 + 300, usage, unmatched=chance.randrange(1, 9))


RECORDS = list(random_records(random.Random(7)))  # noqa: S311 - the choice of a test


@pytest.fixture
def reports(database: str) -> Iterator[UsageReports]:
    """Reports on each database."""
    with open_store(database) as store:
        fill(database, [KnownVersion(1, "p1"), KnownVersion(2, "p2")], [KnownVersion(1, "p1")], RECORDS)
        yield UsageReports(store, lambda: LATER)


def _name(resolution: Resolution, zone: ZoneInfo, start: float) -> tuple[int, ...]:
    """Name the interval that a time is in by what a clock shows; an hour that comes twice by its distance from UTC too."""
    shown = datetime.fromtimestamp(NOON + start, zone)
    if resolution is Resolution.WEEK:
        return tuple(shown.isocalendar())[:2]
    if resolution is Resolution.MONTH:
        return (shown.year, shown.month)
    day = (shown.year, shown.month, shown.day)
    if resolution is Resolution.DAY:
        return day
    offset = shown.utcoffset()
    assert offset is not None
    # An hour that is put back by half of itself goes on, so it is one.
    twice = offset.total_seconds() // 3600 if offset.total_seconds() % 3600 == 0 and zone.key != "Australia/Lord_Howe" else 0
    return (*day, shown.hour, int(twice))


def _told(intervals: Iterable[ReportInterval], resolution: Resolution, zone: ZoneInfo) -> dict[tuple[object, ...], int]:
    found: dict[tuple[object, ...], int] = {}
    for interval in intervals:
        for row in interval.rows:
            key = (_name(resolution, zone, interval.start / SECOND - NOON), row.group.project_id)
            assert key not in found
            found[key] = row.counts[1]
    return found


@pytest.mark.parametrize("zone", ZONES)
def test_sums_are_those_of_the_clocks_of_a_zone(reports: UsageReports, zone: str) -> None:
    known, calendar = ZoneInfo(zone), Calendar(zone)
    for resolution in (Resolution.HOUR, Resolution.DAY, Resolution.WEEK, Resolution.MONTH):
        expected: defaultdict[tuple[object, ...], int] = defaultdict(int)
        for record in RECORDS:
            for label, _, _, octets in record.usage:
                expected[_name(resolution, known, record.start), f"p{label}"] += octets
        start, end = align((NOON + FIRST) * SECOND, (NOON + LAST) * SECOND, resolution, calendar)
        for group_by in ((Grouping.PROJECT,), (Grouping.LABEL,)):
            request = UsageRequest(start=start, end=end, resolution=resolution, group_by=group_by, calendar=calendar)
            assert _told(reports.usage(OPERATOR, request), resolution, known) == expected, (resolution, group_by)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Zurich", "Asia/Kathmandu"])
def test_sums_are_conserved_at_every_resolution(reports: UsageReports, zone: str) -> None:
    calendar = Calendar(zone)
    unmatched = sum(record.unmatched for record in RECORDS)
    counted = sum(octets for record in RECORDS for _, _, _, octets in record.usage)
    for resolution in Resolution if zone == "UTC" else set(Resolution) - {Resolution.FIVE_MINUTES}:
        start, end = align((NOON + FIRST) * SECOND, (NOON + LAST) * SECOND, resolution, calendar)
        request = UsageRequest(start=start, end=end, resolution=resolution, group_by=(), calendar=calendar)
        intervals = list(reports.usage(OPERATOR, request))
        assert sum(row.counts[1] for interval in intervals for row in interval.rows) == counted, resolution
        totals = list(reports.point_totals(OPERATOR, request))
        assert sum(row.counts[3] for interval in totals for row in interval.rows) == unmatched, resolution
        known = sum(interval.time.known for interval in intervals)
        assert known == len(RECORDS) * BIN // SECOND, resolution
        assert all(one.end == other.start for one, other in pairwise(intervals))
