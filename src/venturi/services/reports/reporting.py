"""Reports of usage and of the totals of points, read a few intervals at a time.

Owns the transactions: each covers some whole intervals and is over before they are handed on, so neither memory nor the database waits
for whoever reads slowly, and an interval is told as it was at one moment.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from venturi.adapters.store.store import Store, StoreReader
from venturi.adapters.store.usage.sums import Chosen, Row, Span
from venturi.adapters.store.usage.versions import PointVersion
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.interval import Nanoseconds
from venturi.core.ledger.covering import Covering
from venturi.services.control.policy import Operation, require
from venturi.services.reports.access import choose_owners, choose_totals, choose_usage
from venturi.services.reports.coverage import IntervalCoverage, account
from venturi.services.reports.groups import Group, Groups, Scope
from venturi.services.reports.request import Grouping, UsageRequest

ROWS_AT_ONCE = 20_000
"""About how many rows are held in memory; a single interval may have more."""

_FIRST_INTERVALS = 4


class ReportRow(NamedTuple):
    """What a group counted in an interval; ``counts`` are packets and octets, of a point also the unmatched and unattributed."""

    group: Group
    counts: Sequence[int]
    coverage: Covering


class ReportInterval(NamedTuple):
    """An interval: its coverage at all points that the report is about, and the groups that counted anything, in the order of sums.

    ``observation_points`` is how many points account for it; with none, nothing can be known. ``known_until`` is the end of the newest
    record of any point that the report is about, as it was ``read_at``; None where there is none.
    """

    start: int
    end: int
    coverage: Covering
    observation_points: int
    rows: list[ReportRow]
    known_until: int | None
    read_at: int


ReadSums = Callable[[Span, int | None, Sequence[str]], Iterator[Row]]


@dataclass(frozen=True)
class _Piece:
    """What one transaction reads: intervals from ``start`` to ``end``."""

    request: UsageRequest
    starts: Sequence[int]
    start: int
    end: int


class UsageReports:
    """Gives reports to callers."""

    def __init__(self, store: Store, clock: Callable[[], Nanoseconds], billing_boundary: str = "") -> None:
        """Report from ``store``; by ``clock``, which gives nanoseconds since the UTC epoch, intervals are over.

        Reports that need a boundary and name none are about ``billing_boundary``, unless it is empty.
        """
        self._store = store
        self._clock = clock
        self._billing_boundary = billing_boundary

    def now(self) -> Nanoseconds:
        """Give the time until which there can be usage."""
        return self._clock()

    def confine(self, request: UsageRequest) -> UsageRequest:
        """Give a request with the boundary that it is about: where it needs one, that of the setting, if there is one."""
        if not self._billing_boundary or not request.needs_boundary:
            return request
        return replace(request, boundaries=frozenset({self._billing_boundary}))

    def usage(self, caller: Principal, request: UsageRequest) -> Iterator[ReportInterval]:
        """Report the usage of labels, as far as the caller may see it; raises ``ForbiddenError`` at once."""
        require(caller, Operation.READ_USAGE)
        return self._report(request, lambda reader, piece: self._read_usage(caller, reader, piece))

    def point_totals(self, caller: Principal, request: UsageRequest) -> Iterator[ReportInterval]:
        """Report all that the points counted that the caller may see; raises as ``usage`` does."""
        require(caller, Operation.READ_POINT_TOTALS)
        return self._report(request, lambda reader, piece: self._read_totals(caller, reader, piece))

    def _report(self, request: UsageRequest, read: Callable[[StoreReader, _Piece], list[ReportInterval]]) -> Iterator[ReportInterval]:
        starts, position, count = request.intervals, 0, _FIRST_INTERVALS
        while position < len(starts):
            some = starts[position : position + count]
            piece = _Piece(request, some, some[0], request.end if request.step is None else some[-1] + request.step)
            with self._store.reading() as reader:
                intervals = read(reader, piece)
            yield from intervals
            position += len(some)
            rows = sum(len(interval.rows) + 1 for interval in intervals)
            count = max(1, min(ROWS_AT_ONCE * len(some) // rows, 4 * count))

    def _read_usage(self, caller: Principal, reader: StoreReader, piece: _Piece) -> list[ReportInterval]:
        labels, points = reader.usage.label_versions(), reader.usage.point_versions()
        chosen = choose_usage(caller, piece.request, labels, points)
        summed = [label for label in labels if any(each.labels is None or label.version in each.labels for each in chosen)]
        seen = _seen(points, chosen)
        owners = None if Grouping.LABEL in piece.request.group_by else choose_owners(chosen, labels)
        groups = Groups(piece.request.group_by, summed, seen, by_owner=owners is not None)
        coverage = self._read_coverage(reader, piece, seen)
        if owners is not None:
            return _join(piece, groups, coverage, lambda span, step, by: reader.usage.usage_of_owners(span, step, by, owners))
        return _join(piece, groups, coverage, lambda span, step, by: reader.usage.usage(span, step, by, chosen))

    def _read_totals(self, caller: Principal, reader: StoreReader, piece: _Piece) -> list[ReportInterval]:
        points = reader.usage.point_versions()
        chosen = choose_totals(caller, piece.request, points)
        seen = _seen(points, (chosen,))
        groups = Groups(piece.request.group_by, (), seen)
        coverage = self._read_coverage(reader, piece, seen)
        return _join(piece, groups, coverage, lambda span, step, by: reader.usage.totals(span, step, by, chosen.points))

    def _read_coverage(self, reader: StoreReader, piece: _Piece, points: Sequence[PointVersion]) -> IntervalCoverage:
        accountable = account(points)
        coverage = IntervalCoverage(accountable, self._clock())
        versions = frozenset(point.version for point in points)
        for span in piece.request.spans(piece.start, piece.end):
            coverage.add(span, piece.starts, reader.usage.coverage(span, versions))
        return coverage


def _seen(points: Iterable[PointVersion], chosen: Sequence[Chosen]) -> list[PointVersion]:
    return [point for point in points if any(each.points is None or point.version in each.points for each in chosen)]


def _join(piece: _Piece, groups: Groups, coverage: IntervalCoverage, read: ReadSums) -> list[ReportInterval]:
    """Sum the versions of each group in each interval, and say how much of the truth that is."""
    step = piece.request.step
    sums: dict[int, dict[int, Sequence[int]]] = {start: {} for start in piece.starts}
    keys = 1 + len(groups.columns)
    for span in piece.request.spans(piece.start, piece.end):
        for row in read(span, step, groups.columns):
            of_interval = sums[row[0] if step else piece.start]
            number, counts = groups.find(row[1:keys]), row[keys:]
            before = of_interval.get(number)
            of_interval[number] = counts if before is None else [one + other for one, other in zip(before, counts, strict=True)]
    bounds = ((start, start + step if step else piece.end) for start in piece.starts)
    return [
        _interval(start, end, [(groups.made[number], counts) for number, counts in sums[start].items()], coverage) for start, end in bounds
    ]


def _interval(start: int, end: int, counted: list[tuple[Group, Sequence[int]]], coverage: IntervalCoverage) -> ReportInterval:
    scopes = {id(group.scope): group.scope for group, _ in counted}
    known = {identity: coverage.of(start, end, scope) for identity, scope in scopes.items()}
    rows = [ReportRow(group, counts, known[id(group.scope)]) for group, counts in counted]
    whole, points = coverage.of(start, end, Scope()), coverage.count(start, end)
    return ReportInterval(start, end, whole, points, rows, coverage.known_until, coverage.now)
