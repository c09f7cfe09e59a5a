"""Forecasts of groups to the end of a period that is so far, from hours of the weeks before.

Owns which hours are looked at, and when one is known. The method is that of ``core.ledger.forecasting``.
"""

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

from venturi.core.domain.coverage import Coverage
from venturi.core.domain.errors import InvalidRequestError
from venturi.core.ledger.bins import DAY
from venturi.core.ledger.calendar import Calendar, Unit
from venturi.core.ledger.forecasting import WEEKS, Forecast, HourOfWeek, forecast
from venturi.services.reports.request import MOST_SAMPLES, UsageRequest
from venturi.services.reports.rows import Columns, ReportRows
from venturi.services.reports.summing import Source

FORECAST = ("forecast_octets", "forecast_least_octets", "forecast_most_octets", "forecast_known_hours")
"""What stands beside counts that are forecast: what they will be, at least and at most, and from how many hours that is."""

_AT_ONCE = 7 * 24
_WORST = list(Coverage).index(Coverage.INTERPOLATED)


def history_of(request: UsageRequest) -> tuple[int, int]:
    """Give from when to when hours are looked at."""
    start = request.calendar.borders(Unit.DAY, max(0, request.end - WEEKS * 7 * DAY), request.end)[0]
    return max(0, start), request.end


def check_history(groups: int) -> None:
    """Refuse more than ``MOST_SAMPLES`` hours of so many groups with ``InvalidRequestError``, before any is read."""
    hours = WEEKS * _AT_ONCE
    if groups * hours > MOST_SAMPLES:
        message = f"forecast: {groups:,} groups with {hours:,} hours each are more than {MOST_SAMPLES:,}: ask for fewer, by top or a filter"
        raise InvalidRequestError(message)


class Foresight:
    """The hours of groups before now, read by one transaction."""

    def __init__(self, source: Source, request: UsageRequest, end: int) -> None:
        """Read them from ``source``, to forecast the time until ``end``."""
        calendar, now = request.calendar, source.now
        borders = [border for border in calendar.borders(Unit.HOUR, *history_of(request)) if border <= now]
        self._borders = borders
        self._history = [hour_of(calendar, *bounds) for bounds in pairwise(borders)]
        rest = calendar.borders(Unit.HOUR, now, max(now + 1, end))
        self._rest = [hour_of(calendar, max(now, start), min(stop, end), start) for start, stop in pairwise(rest) if max(now, start) < end]
        self._counted: defaultdict[int, dict[int, int]] = defaultdict(dict)
        for first in range(0, len(borders) - 1, _AT_ONCE):
            for start, sums in source.sum_up(borders[first : first + _AT_ONCE + 1]).items():
                for number, octets in zip(sums.numbers, sums.counts[1] if sums.counts else (), strict=True):
                    self._counted[number][start] = octets
                    self.count_columns = len(sums.counts)
        self._coverage = source.cover(borders)
        self._scopes = source.groups.scopes
        self._known: dict[int, list[bool]] = {}

    count_columns = 0
    """How many counts a group has, 0 where none counted anything."""

    @property
    def numbers(self) -> Sequence[int]:
        """The numbers of the groups that counted anything."""
        return list(self._counted)

    def columns(self, rows: ReportRows) -> Columns:
        """Give what stands beside the counts of rows: what they will be when the period is over."""
        cells = [_add(rows.counts[1][place], self._forecast(number, rows.scope_of[number])) for place, number in enumerate(rows.numbers)]
        return dict(zip(FORECAST, zip(*cells, strict=True) if cells else ((),) * len(FORECAST), strict=True))

    def _forecast(self, number: int, scope: int) -> Forecast | None:
        if scope not in self._known:
            self._known[scope] = [self._is_known(*bounds, scope) for bounds in pairwise(self._borders)]
        counted = self._counted.get(number, {})
        octets = [counted.get(start, 0) if known else None for start, known in zip(self._borders[:-1], self._known[scope], strict=True)]
        return forecast(self._history, octets, self._rest)

    def _is_known(self, start: int, end: int, scope: int) -> bool:
        covering, time = self._coverage.of(start, end, self._scopes[scope])
        return covering.worst <= _WORST and time.known == time.expected > 0


def hour_of(calendar: Calendar, start: int, end: int, begun: int | None = None) -> HourOfWeek:
    """Give the hour from ``start`` to ``end``, or what is left of one that had ``begun``."""
    shown = calendar.clock(start if begun is None else begun)
    return HourOfWeek(shown.weekday() * 24 + shown.hour, shown.toordinal(), end - start)


def _add(counted: int, rest: Forecast | None) -> tuple[int | None, ...]:
    """Add what was counted to what is to come, of which there is never less than nothing."""
    if rest is None:
        return (None,) * len(FORECAST)
    return counted + rest.octets, counted + max(0, rest.least), counted + rest.most, rest.hours
