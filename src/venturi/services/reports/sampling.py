"""Which samples of 5 minutes are known, at the points of a scope.

Owns the one rule of contracts and of rates: a sample is known if every point that accounts for it is known for all of its 5 minutes, and
missing otherwise. It is never taken for zero.
"""

from collections.abc import Sequence

from venturi.adapters.store.usage.sums import Span
from venturi.core.domain.coverage import Coverage
from venturi.core.ledger.bins import BIN
from venturi.services.reports.coverage import AccountablePoint, IntervalCoverage, ReadCoverage
from venturi.services.reports.groups import Scope


class SampleCoverage:
    """Tells which samples of a span are known, by what was read once of the coverage of points."""

    def __init__(self, points: Sequence[AccountablePoint], span: Span, now: int, read: ReadCoverage) -> None:
        """Read the coverage of a span of 5 minutes at ``points``, as it is known at ``now``."""
        self._points = points
        self._span = span
        self._starts = range(span.start, span.end, BIN)
        self.intervals = IntervalCoverage(points, now)
        """The coverage of each 5 minutes."""
        self._over = span.end <= now
        self._known: dict[tuple[frozenset[int], Coverage], frozenset[int]] = {}
        self.intervals.add(span, self._starts, read)

    def known(self, scope: Scope, worst: Coverage = Coverage.COMPLETE) -> frozenset[int]:
        """Give the starts of the samples in which the points of a scope are known, at worst in the state given; of no points, none."""
        some = frozenset(number for number, point in enumerate(self._points) if any(map(scope.holds, point.versions)))
        if (some, worst) not in self._known:
            self._known[some, worst] = self._find(scope, [self._points[number] for number in some], worst)
        return self._known[some, worst]

    def _find(self, scope: Scope, points: Sequence[AccountablePoint], worst: Coverage) -> frozenset[int]:
        bound = list(Coverage).index(worst)

        def is_known(start: int) -> bool:
            covering, time = self.intervals.of(start, start + BIN, scope)
            return covering.worst <= bound and time.known == time.expected > 0

        if points and self._over and all(point.since <= self._span.start and self._span.end <= point.until for point in points):
            doubtful = self.intervals.lacking
            return frozenset(self._starts).difference(doubtful) | frozenset(filter(is_known, doubtful))
        return frozenset(filter(is_known, self._starts)) if points else frozenset()
