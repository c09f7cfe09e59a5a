"""What a report of usage is asked for, and the intervals that it has.

Owns the alignment of its bounds. Who may see what is for ``access``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from venturi.adapters.store.usage.sums import Span
from venturi.core.domain.errors import InvalidRequestError
from venturi.core.ledger.bins import BIN, DAY, HOUR

MOST_INTERVALS = 120_000
"""How many intervals a report has at most: more than a year of 5 minutes."""


class Resolution(StrEnum):
    """The length of the intervals of a report."""

    FIVE_MINUTES = "5m"
    HOUR = "1h"
    DAY = "1d"
    TOTAL = "total"
    """One interval, as long as the report."""


class Grouping(StrEnum):
    """What a report tells apart."""

    LABEL = "label"
    PROJECT = "project"
    """The project of the label."""
    POINT = "point"
    POINT_PROJECT = "point_project"
    DIRECTION = "direction"
    BOUNDARY = "boundary"
    """The boundary of the point; rows of several stand side by side even where nobody asks to tell them apart."""


POINT_GROUPINGS = (Grouping.POINT, Grouping.POINT_PROJECT, Grouping.DIRECTION, Grouping.BOUNDARY)
"""What a report of the totals of points can tell apart."""

_STEPS = {Resolution.FIVE_MINUTES: BIN, Resolution.HOUR: HOUR, Resolution.DAY: DAY}


@dataclass(frozen=True, kw_only=True)
class UsageRequest:
    """A report from ``start`` to ``end``, times in nanoseconds since the UTC epoch, of what passes all filters.

    A filter is passed by any of its values, or by everything if it is None. Build it with ``aligned``.
    """

    start: int
    end: int
    resolution: Resolution
    group_by: tuple[Grouping, ...]
    label_ids: frozenset[str] | None = None
    project_ids: frozenset[str] | None = None
    point_ids: frozenset[str] | None = None
    point_names: frozenset[str] | None = None
    point_project_ids: frozenset[str] | None = None
    boundaries: frozenset[str] | None = None

    def __post_init__(self) -> None:
        """Refuse a report that ends before it begins or has too many intervals with ``InvalidRequestError``."""
        if self.end <= self.start:
            message = "to: a report ends after it begins"
            raise InvalidRequestError(message)
        if (self.end - self.start) // (self.step or DAY) > MOST_INTERVALS:
            message = f"a report has at most {MOST_INTERVALS} intervals; ask for a shorter time or a coarser resolution"
            raise InvalidRequestError(message)

    @property
    def step(self) -> int | None:
        """The length of an interval in nanoseconds, None for one interval that is as long as the report."""
        return _STEPS.get(self.resolution)

    @property
    def by_owner(self) -> bool:
        """Whether it tells no labels apart and asks for none, so that it is about what projects used, each packet once."""
        return Grouping.LABEL not in self.group_by and self.label_ids is None

    @property
    def needs_boundary(self) -> bool:
        """Whether it sums points without saying which, so that it is about one boundary if that can be known."""
        named = self.boundaries, self.point_ids, self.point_names
        return named == (None, None, None) and not {Grouping.POINT, Grouping.BOUNDARY} & set(self.group_by)

    @property
    def intervals(self) -> range | Sequence[int]:
        """The starts of the intervals in order."""
        return (self.start,) if self.step is None else range(self.start, self.end, self.step)

    def sum_spans(self, start: int, end: int) -> list[Span]:
        """Give the bins whose sum is what was counted from ``start`` to ``end``: days where that may be, and ``spans`` around them."""
        days = [Span(DAY, start, end)] if self.step == DAY else []
        first, last = -(-start // DAY) * DAY, end // DAY * DAY
        if self.resolution is Resolution.TOTAL and first < last:
            before = self.spans(start, first) if start < first else []
            after = self.spans(last, end) if last < end else []
            days = [*before, Span(DAY, first, last), *after]
        return days or self.spans(start, end)

    def spans(self, start: int, end: int) -> list[Span]:
        """Give the bins whose coverage is that from ``start`` to ``end``: hours where the resolution allows, 5 minutes around them."""
        if self.resolution is not Resolution.TOTAL:
            return [Span(BIN if self.step == BIN else HOUR, start, end)]
        first, last = -(-start // HOUR) * HOUR, end // HOUR * HOUR
        if first >= last:
            return [Span(BIN, start, end)]
        spans = (Span(BIN, start, first), Span(HOUR, first, last), Span(BIN, last, end))
        return [span for span in spans if span.start < span.end]


def align(start: int, end: int, resolution: Resolution) -> tuple[int, int]:
    """Widen bounds to those of the intervals that they touch; a total begins and ends at borders of 5 minutes."""
    step = _STEPS.get(resolution, BIN)
    return start // step * step, -(-end // step) * step
