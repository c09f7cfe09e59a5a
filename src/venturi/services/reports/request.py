"""What a report of usage is asked for, the intervals that it has, and the bins of which these are read.

Owns the alignment of its bounds. Who may see what is for ``access``, when days begin for ``core.ledger.calendar``.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

from venturi.adapters.store.usage.sums import Span
from venturi.core.domain.direction import Direction
from venturi.core.domain.errors import InvalidRequestError, InvalidTimeError
from venturi.core.domain.interval import format_time
from venturi.core.ledger.bins import BIN, DAY, HOUR
from venturi.core.ledger.calendar import UTC_CALENDAR, Calendar, Period, Unit

MOST_INTERVALS = 120_000
"""How many intervals a report has at most: more than a year of 5 minutes."""

MOST_SAMPLES = 2_000_000
"""How many samples or hours of all groups together are looked at for an interval at most."""


class Resolution(StrEnum):
    """The length of the intervals of a report."""

    FIVE_MINUTES = "5m"
    HOUR = "1h"
    DAY = "1d"
    WEEK = "1w"
    """From Monday to Sunday (ISO 8601)."""
    MONTH = "1month"
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

_UNITS = {Resolution.HOUR: Unit.HOUR, Resolution.DAY: Unit.DAY, Resolution.WEEK: Unit.WEEK, Resolution.MONTH: Unit.MONTH}
_SHORTEST = {Resolution.FIVE_MINUTES: BIN, Resolution.HOUR: HOUR}


class Run(NamedTuple):
    """Intervals of one length that follow each other: where each begins, and where the last one ends."""

    starts: Sequence[int]
    end: int

    @property
    def step(self) -> int | None:
        """The length of an interval in nanoseconds, None if there is only one."""
        return self.starts[1] - self.starts[0] if len(self.starts) > 1 else None

    def sum_spans(self) -> list[Span]:
        """Give the bins whose sum is what was counted: for several intervals of one length, for a single one days and others around."""
        start, step = self.starts[0], self.step
        if step is not None:
            return [Span(next(width for width in (DAY, HOUR, BIN) if not (start % width or step % width)), start, self.end)]
        return list(_tile(start, self.end, (DAY, HOUR, BIN)))

    def spans(self) -> list[Span]:
        """Give the bins whose coverage is that of the intervals: hours where these allow, 5 minutes around them."""
        start, step = self.starts[0], self.step
        if step is not None:
            return [Span(BIN if start % HOUR or step % HOUR else HOUR, start, self.end)]
        return list(_tile(start, self.end, (HOUR, BIN)))


def part_into_runs(borders: Sequence[int]) -> Iterator[Run]:
    """Part intervals, by their borders, into runs; one that is longer than a day and no multiple of days of UTC is a run by itself."""
    place, last = 0, len(borders) - 1
    while place < last:
        step, end = borders[place + 1] - borders[place], place + 1
        if isinstance(borders, range):
            end = last
        elif step <= DAY or not (borders[place] % DAY or step % DAY):
            while end < last and borders[end + 1] - borders[end] == step:
                end += 1
        yield Run(borders[place:end], borders[end])
        place = end


def _tile(start: int, end: int, widths: Sequence[int]) -> Iterator[Span]:
    """Tile a time with the longest bins that fit, and shorter ones around them; ``widths`` descend, and the last fits."""
    width, finer = widths[0], widths[1:]
    first, last = -(-start // width) * width, end // width * width
    if first >= last:
        yield from _tile(start, end, finer)
        return
    if start < first:
        yield from _tile(start, first, finer)
    yield Span(width, first, last)
    if last < end:
        yield from _tile(last, end, finer)


class Order(StrEnum):
    """By what groups are ranked: the most first, names in their order."""

    BYTES = "bytes"
    PACKETS = "packets"
    RATE = "rate"
    """Octets in the time for which counts are known."""
    NAME = "name"


@dataclass(frozen=True)
class Top:
    """How many groups of each boundary are told apart, and by what they are chosen over the whole report; all others are one row."""

    count: int
    order: Order = Order.BYTES


class Compared(StrEnum):
    """With what a report is compared."""

    PREVIOUS = "previous"
    """The period before, or, of a report without one, as much time right before it."""


class RateUnit(StrEnum):
    """The units of rates."""

    BITS = "bit/s"
    PACKETS = "packet/s"


@dataclass(frozen=True)
class Rates:
    """Rates of 5-minute samples in a unit, with a percentile of them: ``rank`` is the share of samples below or at it."""

    unit: RateUnit
    rank: Fraction = Fraction(95, 100)


class Bounds(NamedTuple):
    """From when to when, in nanoseconds since the UTC epoch."""

    start: int
    end: int


@dataclass(frozen=True, kw_only=True)
class UsageRequest:
    """A report from ``start`` to ``end``, times in nanoseconds since the UTC epoch, of what passes all filters.

    A filter is passed by any of its values, or by everything if it is None. In ``label_names``, ``projects``, ``points`` and
    ``boundaries`` an asterisk stands for any text; what is called by a name is found by its latest. Hours, days, weeks and months are
    those of ``calendar``; the report may be about a ``period`` of it, as far as that is over. It may be ``compared`` with an earlier time,
    have ``rates`` beside counts, or
    a ``forecast`` to the end of its period.     Build it with bounds that were aligned.
    """

    start: int
    end: int
    resolution: Resolution
    group_by: tuple[Grouping, ...]
    calendar: Calendar = UTC_CALENDAR
    period: Period | None = None
    label_ids: frozenset[str] | None = None
    project_ids: frozenset[str] | None = None
    point_ids: frozenset[str] | None = None
    point_names: frozenset[str] | None = None
    point_project_ids: frozenset[str] | None = None
    boundaries: frozenset[str] | None = None
    label_names: frozenset[str] | None = None
    projects: frozenset[str] | None = None
    points: frozenset[str] | None = None
    directions: frozenset[Direction] | None = None
    top: Top | None = None
    compared: Bounds | None = None
    rates: Rates | None = None
    forecast: bool = False

    def __post_init__(self) -> None:
        """Refuse a report that ends before it begins or has too many intervals with ``InvalidRequestError``."""
        if self.end <= self.start:
            message = "to: a report ends after it begins"
            raise InvalidRequestError(message)
        _check_length(self.start, self.end, self.resolution)
        if self.compared is not None and self.resolution is not Resolution.TOTAL:
            message = f"compare: a comparison is of the whole report, so its resolution is {Resolution.TOTAL}"
            raise InvalidRequestError(message)
        if self.forecast and (self.period is None or self.resolution is not Resolution.TOTAL or self.end > self.period.end):
            message = f"forecast: it is of a whole period that is so far: name one by period; its resolution is {Resolution.TOTAL}"
            raise InvalidRequestError(message)
        if self.rates is not None and self.resolution in _SHORTEST:
            message = f"unit: rates are of many samples of 5 minutes, so the resolution is {Resolution.DAY} or longer"
            raise InvalidRequestError(message)

    @property
    def plain(self) -> "UsageRequest":
        """The same report with all groups told apart and nothing beside their sums."""
        return replace(self, top=None, compared=None, rates=None, forecast=False)

    @property
    def by_owner(self) -> bool:
        """Whether it tells no labels apart and asks for none, so that it is about what projects used, each packet once."""
        return Grouping.LABEL not in self.group_by and self.label_ids is None and self.label_names is None

    @property
    def needs_boundary(self) -> bool:
        """Whether it sums points without saying which, so that it is about one boundary if that can be known."""
        named = self.boundaries, self.point_ids, self.point_names, self.points
        return named == (None,) * len(named) and not {Grouping.POINT, Grouping.BOUNDARY} & set(self.group_by)

    @cached_property
    def borders(self) -> Sequence[int]:
        """The starts of the intervals in order, and the end of the last."""
        if self.resolution is Resolution.TOTAL:
            return (self.start, self.end)
        return _borders(self.start, self.end, self.resolution, self.calendar)


def align(start: int, end: int, resolution: Resolution, calendar: Calendar = UTC_CALENDAR) -> tuple[int, int]:
    """Widen bounds to those of the intervals that they touch; a total begins and ends at borders of 5 minutes.

    Raises ``InvalidRequestError`` for too many intervals, or where the calendar has none that bins can be summed to.
    """
    _check_length(start, end, resolution)
    step = Resolution.FIVE_MINUTES if resolution is Resolution.TOTAL else resolution
    return _borders(start, start + 1, step, calendar)[0], _borders(end - 1, end, step, calendar)[-1]


def find_earlier(start: int, end: int, period: Period | None, calendar: Calendar = UTC_CALENDAR) -> Bounds:
    """Give what a report from ``start`` to ``end`` is compared with; raises ``InvalidRequestError`` where no usage can be that old.

    Of a period that is so far, it is the same part of the one before.
    """
    if period is None:
        bounds = Bounds(2 * start - end, start)
    else:
        before = calendar.period_before(period)
        bounds = Bounds(before.start, max(before.start + BIN, calendar.same_part(before, period, end)))
    if bounds.start < 0:
        message = f"compare: no usage is older than {format_time(0)}"
        raise InvalidRequestError(message)
    return Bounds(*align(*bounds, Resolution.TOTAL, calendar))


def _borders(start: int, end: int, resolution: Resolution, calendar: Calendar) -> Sequence[int]:
    if resolution is Resolution.FIVE_MINUTES:
        return range(start // BIN * BIN, -(-end // BIN) * BIN + 1, BIN)
    try:
        return calendar.borders(_UNITS[resolution], start, end)
    except InvalidTimeError as error:
        message = f"zone: {error}"
        raise InvalidRequestError(message) from error


def _check_length(start: int, end: int, resolution: Resolution) -> None:
    if (end - start) // (_SHORTEST.get(resolution, DAY)) > MOST_INTERVALS:
        message = f"a report has at most {MOST_INTERVALS} intervals; ask for a shorter time or a coarser resolution"
        raise InvalidRequestError(message)
