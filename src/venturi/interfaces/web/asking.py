"""What a page is asked to show: the period, its zone, and the boundary.

Owns the parameters that all pages with figures have, and the length of the intervals of charts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from venturi.core.domain.direction import Direction
from venturi.core.domain.errors import InvalidRequestError, InvalidTimeError
from venturi.core.domain.interval import Nanoseconds
from venturi.core.ledger.bins import BIN, DAY, HOUR
from venturi.core.ledger.calendar import Calendar, Period, Unit
from venturi.core.rules.checks import printable
from venturi.interfaces.api.v1.forms.reading import Query, read_once
from venturi.interfaces.web.spelling import spell_clock
from venturi.services.reports.request import Bounds, Grouping, Resolution, Top, UsageRequest, align, find_earlier

UNASKED_PERIOD = "24h"
PERIOD_CHOICES: Mapping[str, str] = {
    "1h": "Hour",
    "24h": "24 hours",
    "7d": "7 days",
    "this-month": "Month",
    "last-month": "Last month",
}
"""The periods that pages offer, and their names; any other of ``core.ledger.calendar`` can be asked for by its name."""

NO_FILTERS: Mapping[str, frozenset[str] | None] = MappingProxyType({})
"""Filters of a question about everything."""

_LENGTHS = {"1h": HOUR, "24h": DAY, "7d": 7 * DAY}
_FINEST = 26 * HOUR
_HOURLY = 40 * DAY


@dataclass(frozen=True, kw_only=True)
class View:
    """The time that a page shows, from ``start`` to ``end`` in nanoseconds since the UTC epoch; ``boundary`` is empty if none is named.

    ``query`` is how it was asked for, so that links to other pages show the same.
    """

    name: str
    start: int
    end: int
    now: int
    calendar: Calendar
    boundary: str
    query: Mapping[str, object]
    period: Period | None = None

    @property
    def resolution(self) -> Resolution:
        """The length of the intervals of its charts, so that these have some hundred."""
        length = self.end - self.start
        return Resolution.FIVE_MINUTES if length <= _FINEST else Resolution.HOUR if length <= _HOURLY else Resolution.DAY

    @property
    def is_so_far(self) -> bool:
        """Whether the period is not over."""
        return self.period is not None and self.period.end > self.now

    @property
    def title(self) -> str:
        """What the period is called."""
        if self.period is None:
            return {"1h": "Last hour", "24h": "Last 24 hours", "7d": "Last 7 days"}[self.name]
        forms = {Unit.DAY: "%A, %-d %B %Y", Unit.WEEK: "Week %V of %G", Unit.MONTH: "%B %Y"}
        return spell_clock(self.period.start, self.calendar, forms.get(self.period.unit, "%c"))

    @property
    def bounds(self) -> str:
        """Its bounds and its zone."""
        return f"{_spell_bounds(self.start, self.end, self.calendar)}, {self.calendar.name}"

    @property
    def before(self) -> Bounds:
        """The time before, as long as this one; of a period that is so far, the same part of the one before."""
        return find_earlier(*align(self.start, self.end, Resolution.TOTAL, self.calendar), self.period, self.calendar)

    @property
    def before_bounds(self) -> str:
        """Its bounds."""
        return _spell_bounds(*self.before, self.calendar)

    def at_boundary(self, boundary: str) -> "View":
        """Give the same time at a boundary."""
        return replace(self, boundary=boundary)

    def of_last_hour(self) -> "View":
        """Give the last hour, at the same boundary."""
        return replace(self, name="1h", start=self.end - HOUR, query={**self.query, "period": "1h"})

    def request(
        self,
        group_by: Sequence[Grouping],
        resolution: Resolution = Resolution.TOTAL,
        top: Top | None = None,
        filters: Mapping[str, frozenset[str] | None] = NO_FILTERS,
        *,
        compared: bool = False,
    ) -> UsageRequest:
        """Give the question of a report about this time; ``filters`` are those of ``UsageRequest``, by its fields.

        With ``compared``, what was counted before stands beside it.
        """
        start, end = align(self.start, self.end, resolution, self.calendar)
        asked = UsageRequest(
            start=start,
            end=end,
            resolution=resolution,
            group_by=tuple(each for each in Grouping if each in group_by),
            calendar=self.calendar,
            period=self.period,
            top=top,
            boundaries=frozenset({self.boundary}) if self.boundary else None,
            compared=self.before if compared else None,
        )
        return replace(asked, **filters)  # type: ignore[arg-type] # the names of fields of filters


def _spell_bounds(start: int, end: int, calendar: Calendar) -> str:
    form = "%-d %b %H:%M"
    return f"{spell_clock(start, calendar, form)} – {spell_clock(end, calendar, form)}"


def read_view(query: Query, now: Nanoseconds) -> View:
    """Read what a page is asked to show, by default the last 24 hours in UTC; raises ``InvalidRequestError``."""
    name, zone, boundary = (read_once(query, key) or "" for key in ("period", "zone", "boundary"))
    asked = {"period": name, "zone": zone, "boundary": boundary}
    try:
        calendar = Calendar(zone or "UTC")
        period = None if not name or name in _LENGTHS else calendar.read_period(name, now)
    except InvalidTimeError as error:
        raise InvalidRequestError(printable(error)) from error
    name = name or UNASKED_PERIOD
    if period is None:
        end = -(-now // BIN) * BIN
        start = max(0, end - _LENGTHS[name])
    else:
        start, end = period.start, max(period.start + 1, min(period.end, now))
    return View(name=name, start=start, end=end, now=now, calendar=calendar, boundary=boundary, query=asked, period=period)


def read_direction(text: str) -> Direction:
    """Read the direction that a chart shows, by default what goes out; raises ``InvalidRequestError``."""
    words = {"": Direction.EGRESS, "in": Direction.INGRESS, "out": Direction.EGRESS}
    if text not in words:
        message = "direction: give in or out"
        raise InvalidRequestError(message)
    return words[text]
