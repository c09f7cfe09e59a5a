"""Known time adds up: over intervals of any resolution and over points, whatever lies in the ledger.

Ledgers are drawn: points that are created and deleted, several devices at each, whose records follow each other with holes between.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from venturi.adapters.store.usage.sums import Span, ToldCoverage
from venturi.adapters.store.usage.versions import PointVersion
from venturi.core.domain.coverage import Coverage
from venturi.core.domain.interval import SECOND
from venturi.core.ledger.bins import BIN, DAY, HOUR, cut, snap
from venturi.core.ledger.calendar import Calendar
from venturi.core.ledger.roll_ups import RollUps, Told
from venturi.services.reports.coverage import IntervalCoverage, PointTime, account
from venturi.services.reports.groups import Scope
from venturi.services.reports.request import Resolution, UsageRequest, align, part_into_runs

_START = 20_000 * DAY
_LENGTH = 6 * HOUR
_WITHIN = st.integers(0, _LENGTH // SECOND).map(lambda second: _START + second * SECOND)
_BORDER = st.integers(0, _LENGTH // BIN).map(lambda number: _START + number * BIN)
_ANYWHERE = st.integers(0, _LENGTH).map(lambda moment: _START + moment)
_MOMENTS = st.one_of(_BORDER, _WITHIN, _ANYWHERE)
_WHOLE = _START, _START + DAY
_CALENDAR = Calendar("Asia/Kolkata")
_STATES = st.sampled_from([Coverage.COMPLETE, Coverage.COMPLETE, Coverage.PARTIAL, Coverage.GAP])


@dataclass(frozen=True)
class Record:
    """What a device told of a time."""

    place: int
    start: int
    end: int
    coverage: Coverage


@dataclass(frozen=True)
class Point:
    """A point, its bounds in the control plane, and its records."""

    created: int | None
    deleted: int | None
    records: tuple[Record, ...]

    def version(self, number: int) -> PointVersion:
        first = min((record.start for record in sorted(self.records, key=lambda each: each.end)[:1]), default=None)
        last = max((record.end for record in self.records), default=None)
        gone = self.created is None or self.deleted is not None
        return PointVersion(number, f"point {number}", "", "p1", False, gone, first, last, self.created, self.deleted)


@st.composite
def _records(draw: st.DrawFn, place: int, moments: st.SearchStrategy[int] = _MOMENTS) -> tuple[Record, ...]:
    """Draw the records of a device: bounds in order, each interval between two of them a record or a hole."""
    bounds = sorted(draw(st.lists(moments, max_size=12, unique=True)))
    told = [draw(st.one_of(st.none(), _STATES)) for _ in bounds[1:]]
    pairs = zip(bounds, bounds[1:], told, strict=False)
    return tuple(Record(place, start, end, state) for start, end, state in pairs if state is not None)


@st.composite
def _points(draw: st.DrawFn) -> Point:
    records = tuple(record for place in range(draw(st.integers(0, 3))) for record in draw(_records(place)))
    created = draw(st.one_of(_MOMENTS, st.none())) if records else draw(_MOMENTS)
    deleted = draw(st.one_of(st.none(), _MOMENTS.filter(lambda moment: moment > created))) if created is not None else None
    return Point(created, deleted, records)


class Ledger:
    """The roll-up of coverage of some points."""

    def __init__(self, points: Sequence[Point]) -> None:
        sums = RollUps()
        for number, point in enumerate(points, 1):
            for record in point.records:
                told = Told(number, record.place, record.coverage, "", "wire", overlapping=False)
                sums.add_coverage(cut(record.start, record.end), told)
        self._bins = {BIN: sums.coverage, HOUR: sums.coverage_of_hours}
        self.versions = [point.version(number) for number, point in enumerate(points, 1)]

    def read(self, span: Span, points: frozenset[int]) -> ToldCoverage:
        """Read rows as the store gives them, the runs that it makes of some left as they are."""
        bins = self._bins[span.width]
        starts = (start for start in sorted(bins) if span.start <= start < span.end)
        return ToldCoverage((), [(start, *key, *told) for start in starts for key, told in bins[start].items() if key[0] in points])

    def time(self, resolution: Resolution, now: int, scope: Scope, bounds: tuple[int, int] = _WHOLE) -> list[PointTime]:
        """Give the time of each interval of a report, of the whole or between bounds that hold it."""
        request = UsageRequest(start=bounds[0], end=bounds[1], resolution=resolution, group_by=(), calendar=_CALENDAR)
        coverage = IntervalCoverage(account(self.versions), now)
        for run in part_into_runs(request.borders):
            for span in run.spans():
                coverage.add(span, run.starts, self.read)
        return [coverage.of(start, end, scope)[1] for start, end in pairwise(request.borders)]


def _sum(times: Sequence[PointTime]) -> PointTime:
    return PointTime(sum(time.known for time in times), sum(time.expected for time in times))


@given(st.lists(_points(), min_size=1, max_size=3), st.one_of(st.just(_START + 2 * DAY), _MOMENTS))
def test_parts_are_the_whole(points: list[Point], now: int) -> None:
    ledger = Ledger(points)
    scopes = [Scope(), *(Scope(point_id=version.point_id) for version in ledger.versions)]
    whole = [_sum(ledger.time(Resolution.TOTAL, now, scope)) for scope in scopes]
    for resolution in Resolution:
        bounds = align(*_WHOLE, resolution, _CALENDAR)
        times = [ledger.time(resolution, now, scope, bounds) for scope in scopes]
        assert all(0 <= time.known <= time.expected for time in times[0])
        total = whole if bounds == _WHOLE else [_sum(ledger.time(Resolution.TOTAL, now, scope, bounds)) for scope in scopes]
        assert list(map(_sum, times)) == total, resolution
    assert whole[0] == _sum(whole[1:])


@given(_records(0, st.one_of(_BORDER, _WITHIN)).filter(len), st.one_of(st.none(), _WITHIN))
def test_known_time_is_what_records_tell(records: tuple[Record, ...], created: int | None) -> None:
    """Of one device, in whole seconds: what is known is what it told, less the gaps; expected is the time from its first record on."""
    ledger, now = Ledger([Point(created, None, records)]), _START + 2 * DAY
    (time,) = ledger.time(Resolution.TOTAL, now, Scope())
    told = sum(snap(record.end) - snap(record.start) for record in records if record.coverage is not Coverage.GAP)
    since, last = snap(records[0].start), snap(records[-1].end)
    since, until = (since, -(-last // BIN) * BIN) if created is None else (min(since, created), _START + DAY)
    assert time == (told // SECOND, (until - since) // SECOND)
