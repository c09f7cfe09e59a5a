"""The coverage of a report's intervals, of all that it sums and of each of its groups, and the time that is known of its points.

Owns which points are held to account in an interval, and that known time adds up: it is judged in bins of 5 minutes, in reports of every
resolution. What states and reasons come to is for ``core.ledger.covering``.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple

from venturi.adapters.store.usage.sums import Span, ToldCoverage
from venturi.adapters.store.usage.versions import PointVersion
from venturi.core.domain.coverage import Coverage, CoverageReason
from venturi.core.domain.generation import Segments
from venturi.core.domain.interval import SECOND
from venturi.core.ledger.bins import BIN, HOUR, snap
from venturi.core.ledger.covering import (
    SETTLING,
    UNTOLD,
    WHOLE,
    Covering,
    Told,
    cover,
    cover_side_by_side,
    find_lack,
    join_devices,
    tell,
)
from venturi.services.reports.groups import EVERYWHERE, Scope

_NEAR = 6 * HOUR
"""Hours that are read again in 5 minutes are read together where no more than this lies between them."""

_ENDLESS = 1 << 63


class PointTime(NamedTuple):
    """Time at observation points, in point-seconds: how much of the ``expected`` is ``known``. It adds up over points and time."""

    known: int
    expected: int


@dataclass(frozen=True)
class AccountablePoint:
    """A point and the time that it is held to account for: from ``since`` to ``until``, or on and on.

    That is from its creation or its first record, whichever came first, to its deletion or its last record, whichever came last; for a
    point that only a plan file knows, to the end of the 5 minutes of its last record. It is metered from ``metered_from`` on, None if it
    never was.
    """

    versions: frozenset[PointVersion]
    since: int
    until: int
    metered_from: int | None

    def bins(self, span: Span) -> range:
        """Give the starts of the bins of a span that the point accounts for."""
        start = max(span.start, self.since // span.width * span.width)
        return range(start, min(span.end, self.until), span.width)

    def counted(self, border: int, width: int, told: Iterable[Told]) -> tuple[int, int]:
        """Give the bounds between which the point accounts for the bin at ``border``; more than was told of fits between them."""
        start, end = max(border, self.since), min(border + width, self.until)
        fits = start < end and all(each.told <= end - start for each in told)
        return (start, end) if fits else (border, border + width)

    def expected(self, start: int, end: int, now: int) -> int:
        """Give the nanoseconds between ``start`` and ``end`` that the point accounts for and that are over by ``now``."""
        return max(0, min(end, self.until, now) - max(start, self.since))

    def expected_seconds(self, start: int, end: int, now: int) -> int:
        """Give the same in the whole seconds of the clock."""
        return max(0, min(end, self.until, now) // SECOND - -(-max(start, self.since) // SECOND))

    def unmetered(self, start: int, end: int, now: int) -> int:
        """Give the nanoseconds between ``start`` and ``end`` for which it was not metered yet; the latest may be on their way."""
        return max(0, min(end, now - SETTLING if self.metered_from is None else self.metered_from) - start)

    def is_untold(self, start: int, end: int, settled: int) -> bool:
        """Tell whether a time without any record is simply missing: the point was metered by then, and until ``settled`` all is due."""
        return self.metered_from is not None and self.metered_from <= start and end <= min(self.until, settled)

    def accounts_for(self, start: int, end: int) -> bool:
        """Tell whether the point accounts for any time between ``start`` and ``end``, or has a record without a length there."""
        return self.since < end and start < max(self.until, self.since + 1)


def account(points: Iterable[PointVersion]) -> list[AccountablePoint]:
    """Join the versions of each point."""
    joined: defaultdict[str, list[PointVersion]] = defaultdict(list)
    for point in points:
        joined[point.point_id].append(point)
    return [_account(versions) for versions in joined.values()]


def _account(versions: Sequence[PointVersion]) -> AccountablePoint:
    firsts = [snap(version.first) for version in versions if version.first is not None]
    lasts = [snap(version.last) for version in versions if version.last is not None]
    point = versions[0]
    since = min([*firsts, *([] if point.created_at is None else [point.created_at])])
    return AccountablePoint(frozenset(versions), since, _until(point, lasts), min(firsts, default=None))


def _until(point: PointVersion, lasts: Sequence[int]) -> int:
    if not point.deleted:
        return _ENDLESS
    return -(-max(lasts) // BIN) * BIN if point.deleted_at is None else max([*lasts, point.deleted_at])


ReadCoverage = Callable[[Span, frozenset[int]], ToldCoverage]
"""Reads the roll-up of coverage in a span, of points by their versions."""


class _KnownBins:
    """Bins of one length that devices know whole: ranges of them, and single ones."""

    def __init__(self) -> None:
        self._ranges: list[range] = []
        self._single: set[int] = set()

    def add(self, first: int, last: int, width: int) -> None:
        """Add those from the one that begins at ``first`` to the one at ``last``."""
        if first == last:
            self._single.add(first)
        else:
            self._ranges.append(range(first, last + width, width))

    def __contains__(self, start: int) -> bool:
        return start in self._single or any(start in known for known in self._ranges)

    def lacking(self, bins: range) -> Iterable[int]:
        """Give those of ``bins`` that are not among them."""
        for known in self._ranges:
            if bins and known.start <= bins[0] and bins[-1] < known.stop:
                return ()
        if not self._ranges:
            return set(bins) - self._single if self._single else bins
        return set(bins).difference(self._single, *self._ranges)


class _ToldRows(NamedTuple):
    """What rows tell, by point and bin: which bins one device knows whole, what devices told of others, and the nanoseconds held."""

    complete: Mapping[int, _KnownBins]
    others: Mapping[int, dict[int, dict[int, Told]]]
    held: Mapping[tuple[int, int], int]

    def of(self, number: int, border: int, width: int) -> list[Told]:
        """List what the devices of a point told of a bin."""
        told = list(self.others.get(number, {}).get(border, {}).values())
        known = self.complete.get(number)
        return [*told, Told(width, Covering(0, 0, width))] if known is not None and border in known else told


class _Lack(NamedTuple):
    """What an interval lacks at a point: the coverage of its bins that are not complete, and how long is not known of them.

    That is in nanoseconds, and in seconds, rounded up in each 5 minutes.
    """

    covering: Covering
    nanoseconds: int
    seconds: int


class IntervalCoverage:
    """Tells the coverage of intervals by scope, from the rows of a few spans."""

    def __init__(self, points: Sequence[AccountablePoint], now: int) -> None:
        self._points = points
        self._now = now
        self._numbers = {version.version: number for number, point in enumerate(points) for version in point.versions}
        self._lacks: defaultdict[int, dict[int, _Lack]] = defaultdict(dict)
        self._scopes: dict[Scope, _Scoped] = {}
        self.known_until = max((version.last for point in points for version in point.versions if version.last is not None), default=None)
        """The end of the newest record of any of the points, None where there is none."""

    def add(self, span: Span, starts: Sequence[int], read: ReadCoverage) -> None:
        """Read a span, whose intervals begin at ``starts``, evenly spaced."""
        rows = self._split(read(span, frozenset(self._numbers)), span.width)
        finer = self._read_finer(span, rows, read) if span.width > BIN else {}
        length = starts[1] - starts[0] if len(starts) > 1 else span.end - starts[0]
        settled, untold = self._now - SETTLING, _Lack(UNTOLD, span.width, span.width // SECOND)
        for number, point in enumerate(self._points):
            complete, others = rows.complete.get(number), rows.others.get(number, {})
            bins = point.bins(span)
            for border in sorted({*(bins if complete is None else complete.lacking(bins)), *others}):
                if (number, border) in finer:
                    lack = finer[number, border]
                elif border not in others and (number, border) not in rows.held and point.is_untold(border, border + span.width, settled):
                    lack = untold
                else:
                    lack = self._judge(number, border, span.width, rows)
                self._note(starts[0] + (border - starts[0]) // length * length, number, lack)

    def of(self, start: int, end: int, scope: Scope) -> tuple[Covering, PointTime]:
        """Give the coverage of an interval at the points of a scope; where none accounts for it, nothing is known."""
        scoped, noted = self._scoped(scope), self._lacks.get(start)
        if not noted and scoped.accounts_throughout(start, end, self._now):
            return scoped.known_throughout(end - start)
        if not any(point.accounts_for(start, end) for point in scoped.points.values()):
            return UNTOLD, PointTime(0, 0)
        lacks = [lack for number, lack in (noted or {}).items() if number in scoped.points]
        longest = max((lack.nanoseconds for lack in lacks), default=0)
        covering = reduce(cover_side_by_side, (lack.covering for lack in lacks), WHOLE)
        expected = scoped.expected_seconds(start, end, self._now)
        known = max(0, scoped.accounted(start, min(end, self._now)) - longest)
        return covering._replace(known=known), PointTime(expected - sum(lack.seconds for lack in lacks), expected)

    @property
    def now(self) -> int:
        """The time by which intervals are over."""
        return self._now

    @property
    def points(self) -> Sequence[AccountablePoint]:
        """The points that intervals are covered by."""
        return self._points

    def lacks(self) -> Iterator[tuple[int, AccountablePoint, Covering]]:
        """Give what was noted of each interval and point that is not simply known: the start, the point and the coverage."""
        for start in sorted(self._lacks):
            for number, lack in sorted(self._lacks[start].items()):
                yield start, self._points[number], lack.covering

    @property
    def lacking(self) -> Sequence[int]:
        """The starts of the intervals in which anything lacks at any point that accounts for all of them."""
        return list(self._lacks)

    def count(self, start: int, end: int) -> int:
        """Count the points that account for an interval."""
        if self._scoped(EVERYWHERE).accounts_throughout(start, end, self._now):
            return len(self._points)
        return sum(point.accounts_for(start, end) for point in self._points)

    def _scoped(self, scope: Scope) -> "_Scoped":
        if scope not in self._scopes:
            holding = (number for number, point in enumerate(self._points) if any(map(scope.holds, point.versions)))
            self._scopes[scope] = _Scoped({number: self._points[number] for number in holding})
        return self._scopes[scope]

    def _judge(self, number: int, border: int, width: int, rows: _ToldRows) -> _Lack:
        """Judge what a bin lacks at a point."""
        point, told = self._points[number], rows.of(number, border, width)
        start, end = point.counted(border, width, told)
        held, unmetered = rows.held.get((number, border), 0), point.unmetered(start, end, self._now)
        covering = cover(start, end, told, self._now, held, unmetered)
        lack = max(0, point.expected(border, border + width, self._now) - covering.known)
        seconds = min(-(-lack // SECOND), point.expected_seconds(border, border + width, self._now))
        return _Lack(covering, lack, seconds)

    def _read_finer(self, span: Span, rows: _ToldRows, read: ReadCoverage) -> Mapping[tuple[int, int], _Lack]:
        """Judge by their 5 minutes the hours of which some is known, but not all by one device.

        Several devices may know all of it one after the other, and time that is not known is rounded as it is in 5 minutes.
        """
        hours = [
            (number, border)
            for number, others in rows.others.items()
            for border in others
            if all(told.covering.known < span.width for told in rows.of(number, border, span.width))
        ]
        found: dict[tuple[int, int], _Lack] = {}
        for run in _runs(hours):
            versions = frozenset(version.version for number, _ in run for version in self._points[number].versions)
            bins = self._split(read(Span(BIN, run[0][1], run[-1][1] + span.width), versions), BIN)
            for number, border in run:
                hour = Span(BIN, border, border + span.width)
                within = {
                    *self._points[number].bins(hour),
                    *(start for start in bins.others.get(number, {}) if hour.start <= start < hour.end),
                }
                judged = [self._judge(number, start, BIN, bins) for start in sorted(within)]
                told = join_devices(rows.of(number, border, span.width), span.width)
                covering = reduce(cover_side_by_side, (self._find_lack(number, start, bins) for start in within), told)
                found[number, border] = _Lack(covering, sum(lack.nanoseconds for lack in judged), sum(lack.seconds for lack in judged))
        return found

    def _find_lack(self, number: int, border: int, rows: _ToldRows) -> Covering:
        """Give what 5 minutes lack besides what devices told of them."""
        point, told = self._points[number], rows.of(number, border, BIN)
        start, end = point.counted(border, BIN, told)
        return find_lack(start, end, told, self._now, rows.held.get((number, border), 0), point.unmetered(start, end, self._now))

    def _split(self, coverage: ToldCoverage, width: int) -> _ToldRows:
        """Part the bins that a device tells are complete, nearly all, from what else is told; what is held tells nothing."""
        complete: defaultdict[int, _KnownBins] = defaultdict(_KnownBins)
        for run in coverage.runs:
            complete[self._numbers[run.point_version]].add(run.first, run.last, width)
        others: defaultdict[int, dict[int, dict[int, Told]]] = defaultdict(dict)
        held: defaultdict[tuple[int, int], int] = defaultdict(int)
        for start, version, place, state, reason, segments, nanoseconds, overlapping in coverage.rows:
            number = self._numbers[version]
            if nanoseconds == width and state == Coverage.COMPLETE and segments == Segments.WIRE and not overlapping:
                complete[number].add(start, start, width)
                continue
            if reason == CoverageReason.HELD:
                held[number, start] += nanoseconds
                continue
            told = tell(nanoseconds, Coverage(state), CoverageReason(reason), overlapping=bool(overlapping), segments=Segments(segments))
            devices = others[number].setdefault(start, {})
            devices[place] = devices[place].merge(told) if place in devices else told
        return _ToldRows(complete, others, held)

    def _note(self, start: int, number: int, lack: _Lack) -> None:
        before = self._lacks[start].get(number, _Lack(WHOLE, 0, 0))
        joined = cover_side_by_side(before.covering, lack.covering)
        self._lacks[start][number] = _Lack(joined, before.nanoseconds + lack.nanoseconds, before.seconds + lack.seconds)


class _Scoped:
    """The points of a scope, by their numbers, and the time for which at least one of them accounts."""

    def __init__(self, points: Mapping[int, AccountablePoint]) -> None:
        self.points = points
        self._latest = max((point.since for point in points.values()), default=0)
        self._earliest = min((point.until for point in points.values()), default=0)
        self._periods = list(_join_periods(points.values()))
        self._throughout: dict[int, tuple[Covering, PointTime]] = {}

    def accounts_throughout(self, start: int, end: int, now: int) -> bool:
        """Tell whether there are points, and each accounts for all of the time between ``start`` and ``end``, which is over by ``now``."""
        return self._latest <= start and end <= min(self._earliest, now)

    def known_throughout(self, length: int) -> tuple[Covering, PointTime]:
        """Give the coverage of so many nanoseconds that each point accounts for, and of which nothing is lacking."""
        if length not in self._throughout:
            seconds = len(self.points) * (length // SECOND)
            self._throughout[length] = WHOLE._replace(known=length), PointTime(seconds, seconds)
        return self._throughout[length]

    def expected_seconds(self, start: int, end: int, now: int) -> int:
        """Give the point-seconds between ``start`` and ``end`` that are over by ``now``."""
        if self.accounts_throughout(start, end, now):
            return len(self.points) * ((end - start) // SECOND)
        return sum(point.expected_seconds(start, end, now) for point in self.points.values())

    def accounted(self, start: int, end: int) -> int:
        """Give the nanoseconds between ``start`` and ``end`` for which at least one point accounts."""
        return sum(max(0, min(end, until) - max(start, since)) for since, until in self._periods)


def _join_periods(points: Iterable[AccountablePoint]) -> Iterator[tuple[int, int]]:
    """Join the times for which points account where they meet, in order."""
    start = end = 0
    for since, until in sorted((point.since, point.until) for point in points):
        if since > end:
            yield start, end
            start = since
        end = max(end, until) if since <= end else until
    yield start, end


def _runs(hours: Iterable[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
    """Part hours at points into those that are read together, each in the order of time."""
    run: list[tuple[int, int]] = []
    for number, border in sorted(hours, key=lambda hour: hour[1]):
        if run and border - run[-1][1] > _NEAR:
            yield run
            run = []
        run.append((number, border))
    if run:
        yield run
