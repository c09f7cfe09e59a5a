"""The coverage of a report's intervals, of all that it sums and of each of its groups.

Owns which points are held to account in an interval: a point from its first record on, and a deleted one until its last. What states
and reasons come to is for ``core.ledger.covering``.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import NamedTuple

from venturi.adapters.store.usage.sums import Row, Span
from venturi.adapters.store.usage.versions import PointVersion
from venturi.core.domain.coverage import Coverage, CoverageReason
from venturi.core.domain.generation import Segments
from venturi.core.ledger.covering import SETTLING, Covering, Told, cover, cover_side_by_side, tell
from venturi.services.reports.groups import Scope


@dataclass(frozen=True)
class AccountablePoint:
    """A point and the time that it is held to account for; ``end`` is None for one that goes on."""

    versions: frozenset[PointVersion]
    first: int
    end: int | None

    def bins(self, span: Span) -> range:
        """Give the starts of the bins of a span that the point accounts for."""
        start = max(span.start, (self.first - 1) // span.width * span.width)
        return range(start, span.end if self.end is None else min(span.end, self.end), span.width)

    def accounts_for(self, start: int, end: int) -> bool:
        """Tell whether the point accounts for any time between ``start`` and ``end``."""
        return self.first <= end and (self.end is None or start < self.end)


def account(points: Iterable[PointVersion]) -> list[AccountablePoint]:
    """Join the versions of each point, which come in their order."""
    joined: dict[str, AccountablePoint] = {}
    for point in points:
        one = AccountablePoint(frozenset({point}), point.first, point.last if point.deleted else None)
        before = joined.get(point.point_id)
        if before is not None:
            end = None if one.end is None or before.end is None else max(one.end, before.end)
            one = replace(one, versions=one.versions | before.versions, first=min(one.first, before.first), end=end)
        joined[point.point_id] = one
    return list(joined.values())


_ToldOfBins = defaultdict[int, defaultdict[int, dict[int, Told]]]
"""What devices told of bins that are not complete, by point, start and device."""


class _Lack(NamedTuple):
    """What an interval at a point lacks to be complete: the coverage of its bins that are not, and the time of those."""

    covering: Covering
    nanoseconds: int


class IntervalCoverage:
    """Tells the coverage of intervals by scope, from the rows of a few spans."""

    def __init__(self, points: Sequence[AccountablePoint], now: int) -> None:
        self._points = points
        self._now = now
        self._numbers = {version.version: number for number, point in enumerate(points) for version in point.versions}
        self._lacks: defaultdict[int, dict[int, _Lack]] = defaultdict(dict)
        self._scopes: dict[Scope, frozenset[int]] = {}

    def add(self, span: Span, starts: Sequence[int], rows: Iterable[Row]) -> None:
        """Take the rows of a span, whose intervals begin at ``starts``, evenly spaced."""
        complete, others, held = self._split(span, rows)
        length = starts[1] - starts[0] if len(starts) > 1 else span.end - starts[0]
        for number, point in enumerate(self._points):
            bins = point.bins(span)
            if len(complete[number]) == len(bins) and not others[number]:
                continue
            for border in sorted({*bins, *others[number]} - (complete[number] - others[number].keys())):
                told = list(others[number].get(border, {}).values())
                told += [Told(span.width, Covering(0, 0, span.width))] if border in complete[number] else []
                covering = cover(border, border + span.width, told, self._now, held.get((number, border), 0))
                self._note(starts[0] + (border - starts[0]) // length * length, number, covering, span.width)

    def of(self, start: int, end: int, scope: Scope) -> Covering:
        """Give the coverage of an interval at the points of a scope; where none accounts for it, nothing is known."""
        if scope not in self._scopes:
            self._scopes[scope] = frozenset(number for number, point in enumerate(self._points) if any(map(scope.holds, point.versions)))
        numbers = self._scopes[scope]
        if not any(self._points[number].accounts_for(start, end) for number in numbers):
            return cover(start, end, (), end + SETTLING)
        lacks = ((number, lack) for number, lack in self._lacks[start].items() if number in numbers)
        coverings = (lack.covering._replace(known=end - start - lack.nanoseconds + lack.covering.known) for _, lack in lacks)
        return reduce(cover_side_by_side, coverings, Covering(0, 0, end - start))

    def count(self, start: int, end: int) -> int:
        """Count the points that account for an interval."""
        return sum(point.accounts_for(start, end) for point in self._points)

    def _split(self, span: Span, rows: Iterable[Row]) -> tuple[Mapping[int, set[int]], _ToldOfBins, Mapping[tuple[int, int], int]]:
        """Part the bins that a device tells are complete, nearly all, from what else is told, by point, bin and device.

        What is held tells nothing: it comes last, as nanoseconds by point and bin.
        """
        complete: defaultdict[int, set[int]] = defaultdict(set)
        others: _ToldOfBins = defaultdict(lambda: defaultdict(dict))
        held: defaultdict[tuple[int, int], int] = defaultdict(int)
        width = span.width
        for start, version, place, state, reason, segments, nanoseconds, overlapping in rows:
            number = self._numbers[version]
            if nanoseconds == width and state == Coverage.COMPLETE and segments == Segments.WIRE and not overlapping:
                complete[number].add(start)
                continue
            if reason == CoverageReason.HELD:
                held[number, start] += nanoseconds
                continue
            told = tell(nanoseconds, Coverage(state), CoverageReason(reason), overlapping=bool(overlapping), segments=Segments(segments))
            devices = others[number][start]
            devices[place] = devices[place].merge(told) if place in devices else told
        return complete, others, held

    def _note(self, start: int, number: int, covering: Covering, width: int) -> None:
        before = self._lacks[start].get(number, _Lack(Covering(0, 0, 0), 0))
        joined = cover_side_by_side(before.covering, covering)._replace(known=before.covering.known + covering.known)
        self._lacks[start][number] = _Lack(joined, before.nanoseconds + width)
