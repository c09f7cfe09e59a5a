"""Comparison of what groups counted with an earlier time.

Owns when there is a difference and when a percentage: what is not known is never taken for zero.
"""

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from venturi.core.contracts.units import spell_decimal
from venturi.services.reports.coverage import PointTime
from venturi.services.reports.request import Bounds
from venturi.services.reports.rows import Beside, Columns, ReportRows, Told
from venturi.services.reports.summing import Source

COMPARISON = (
    "previous_packets",
    "previous_octets",
    "difference_packets",
    "difference_octets",
    "percent",
    "comparison",
    "previous_coverage",
    "previous_known_point_seconds",
    "previous_expected_point_seconds",
)
"""What stands beside counts that are compared; ``percent`` is of octets."""

_DECIMALS = 1


class Comparability(StrEnum):
    """How far two figures can be compared."""

    KNOWN = "known"
    """All of the time at the points is known, in both."""
    PARTLY_KNOWN = "partly_known"
    """Some time is not known: difference and percentage are of what is."""
    NOTHING_BEFORE = "nothing_before"
    """Nothing was counted before, so there is a difference, but no percentage."""
    UNKNOWN = "unknown"
    """Of one of both nothing is known, so there is neither."""


class Comparison:
    """What groups counted in an earlier time, read by the same transaction."""

    def __init__(self, source: Source, bounds: Bounds) -> None:
        """Read it from ``source``."""
        self._sums = source.sum_up(bounds)[bounds.start]
        self._coverage = source.cover(bounds)
        self._bounds = bounds
        self._scopes = source.groups.scopes

    @property
    def numbers(self) -> Sequence[int]:
        """The numbers of the groups that counted anything then."""
        return self._sums.numbers

    @property
    def count_columns(self) -> int:
        """How many counts a group has, 0 where none counted anything."""
        return len(self._sums.counts)

    def columns(self, rows: ReportRows) -> Columns:
        """Give what stands beside the counts of rows."""
        places = {number: place for place, number in enumerate(self._sums.numbers)}
        told = {scope: self._coverage.of(*self._bounds, self._scopes[scope]) for scope in rows.told}
        cells = [self._compare(rows, place, places.get(number), told[rows.scope_of[number]]) for place, number in enumerate(rows.numbers)]
        return dict(zip(COMPARISON, zip(*cells, strict=True) if cells else ((),) * len(COMPARISON), strict=True))

    def _compare(self, rows: ReportRows, place: int, earlier: int | None, told: Told) -> tuple[Beside, ...]:
        now = rows.counts[0][place], rows.counts[1][place]
        before = (0, 0) if earlier is None else (self._sums.counts[0][earlier], self._sums.counts[1][earlier])
        covering, time = told
        figures = compare(now, rows.told[rows.scope_of[rows.numbers[place]]][1], before, time)
        return (*figures, covering.state.value, *time)


def compare(now: tuple[int, int], now_time: PointTime, before: tuple[int, int], before_time: PointTime) -> tuple[Beside, ...]:
    """Compare packets and octets with those before, by what is known of their time; gives all of ``COMPARISON`` but the coverage."""
    earlier: tuple[Beside, ...] = before if before_time.known or any(before) else (None, None)
    if not (now_time.known and before_time.known):
        return (*earlier, None, None, None, Comparability.UNKNOWN.value)
    difference = now[0] - before[0], now[1] - before[1]
    if before[1] <= 0:
        return (*earlier, *difference, None, Comparability.NOTHING_BEFORE.value)
    percent = Decimal(spell_decimal(Fraction(difference[1] * 100, before[1]), _DECIMALS))
    whole = all(time.known == time.expected for time in (now_time, before_time))
    return (*earlier, *difference, percent, (Comparability.KNOWN if whole else Comparability.PARTLY_KNOWN).value)
