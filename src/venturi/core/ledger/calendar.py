"""The calendar of a time zone: its hours, days, weeks and months, and the periods that people name.

Owns their borders, as nanoseconds since the UTC epoch. A day begins when the clocks of the zone show its midnight first, or pass it; so it
has 23 or 25 hours where they are changed, and a date that a zone left out has none. Weeks begin on Monday (ISO 8601), months on their first
day. When clocks are changed is told by the zone database of IANA (``zoneinfo``).
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from venturi.core.domain.errors import InvalidTimeError
from venturi.core.domain.interval import SECOND, Nanoseconds, format_time, parse_time
from venturi.core.ledger.bins import BIN, DAY, HOUR

PERIODS = "today, yesterday, this-week, last-week, this-month, last-month, a month such as 2026-10, a week such as 2026-W45 or a date"
"""The periods that have names, for help and errors."""

PERIOD_PATTERN = r"^((today|yesterday|(this|last)-(week|month))|[0-9]{4}-([0-9]{2}(-[0-9]{2})?|W[0-9]{2}))\Z"
"""How these names are spelled, as a regular expression."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ONE_SECOND = timedelta(seconds=1)
_ONE_DAY = timedelta(days=1)
_NAME = re.compile(r"[A-Z][A-Za-z0-9_+-]*(/[A-Z][A-Za-z0-9_+-]*){0,2}", re.ASCII)
_NO_ZONES = frozenset({"Factory"})
_FIRST_YEAR, _LAST_YEAR = 1970, 2200


class Unit(StrEnum):
    """A span of the calendar."""

    HOUR = "1h"
    DAY = "1d"
    WEEK = "1w"
    MONTH = "1month"


_FORMS: Sequence[tuple[re.Pattern[str], Unit, Callable[..., date]]] = (
    (re.compile(r"(\d{4})-(\d\d)-(\d\d)", re.ASCII), Unit.DAY, date),
    (re.compile(r"(\d{4})-W(\d\d)", re.ASCII), Unit.WEEK, lambda year, week: date.fromisocalendar(year, week, 1)),
    (re.compile(r"(\d{4})-(\d\d)", re.ASCII), Unit.MONTH, lambda year, month: date(year, month, 1)),
)
_RELATIVE = {
    "today": (Unit.DAY, 0),
    "yesterday": (Unit.DAY, -1),
    "this-week": (Unit.WEEK, 0),
    "last-week": (Unit.WEEK, -1),
    "this-month": (Unit.MONTH, 0),
    "last-month": (Unit.MONTH, -1),
}


class Period(NamedTuple):
    """A day, week or month of a calendar, under the name by which it was asked for."""

    name: str
    unit: Unit
    start: int
    end: int


class Calendar:
    """The calendar of a zone."""

    def __init__(self, name: str = "UTC") -> None:
        """Keep the calendar of the zone with an IANA name; raises ``InvalidTimeError`` if there is none."""
        self.name = name
        self._zone = find_zone(name)

    def __eq__(self, other: object) -> bool:
        """Tell whether it is the calendar of the same zone."""
        return isinstance(other, Calendar) and self.name == other.name

    def __hash__(self) -> int:
        """Hash the name of the zone."""
        return hash(self.name)

    def clock(self, time: int) -> datetime:
        """Give what the clocks of the zone show, to the second."""
        return (_EPOCH + timedelta(seconds=time // SECOND)).astimezone(self._zone)

    def at(self, shown: datetime) -> int:
        """Give the first time at which the clocks of the zone show ``shown``, which names no zone, or pass it as they are put forward."""
        first = shown.replace(tzinfo=self._zone, fold=0)
        time = _seconds(first)
        if self._shown(time) == shown:
            return time * SECOND
        before = _seconds(first.replace(fold=1)) - 1
        while time - before > 1:
            middle = (before + time) // 2
            before, time = (middle, time) if self._shown(middle) < shown else (before, middle)
        return time * SECOND

    def parse_time(self, text: str) -> Nanoseconds:
        """Read an RFC 3339 time, or a date that stands for the beginning of its day in the zone; else ``InvalidTimeError``."""
        time = parse_time(text)
        if "T" in text.upper() or " " in text or not _FIRST_YEAR <= int(text[:4]) < _LAST_YEAR:
            return time
        return Nanoseconds(self.start_of(Unit.DAY, date.fromisoformat(text)))

    def start_of(self, unit: Unit, day: date) -> int:
        """Give when the day, week or month begins that a date is in."""
        first = _first_day(unit, day)
        return self.at(datetime(first.year, first.month, first.day))  # noqa: DTZ001 - what clocks show

    def day_of(self, time: int) -> date:
        """Give the date of the day that a time is in."""
        day = self.clock(time).date()
        # Clocks that were put back over midnight show the date before again.
        return day + _ONE_DAY if self.start_of(Unit.DAY, day + _ONE_DAY) <= time else day

    def span(self, unit: Unit, day: date) -> tuple[int, int]:
        """Give the bounds of the day, week or month that a date is in."""
        return self.start_of(unit, day), self.start_of(unit, _move(unit, _first_day(unit, day), 1))

    def borders(self, unit: Unit, start: int, end: int) -> Sequence[int]:
        """Give the borders of the hours, days, weeks or months that the time from ``start`` to ``end`` touches, in order.

        The first is at ``start`` or before, the last at ``end`` or after; none is listed twice. Raises ``InvalidTimeError`` where the
        clocks of the zone were not a multiple of 5 minutes from UTC, so that no bins are between them.
        """
        if self.name == "UTC" and unit in _FIXED:
            length = _FIXED[unit]
            return range(start // length * length, -(-end // length) * length + 1, length)
        days = self._days(Unit.DAY if unit is Unit.HOUR else unit, start, end)
        borders = days if unit is not Unit.HOUR else _within(self._hours(days), start, end)
        wrong = next((border for border in borders if border % BIN), None)
        if wrong is not None:
            message = f"the clocks of {self.name} were no multiple of 5 minutes from UTC at {format_time(wrong)}, as bins need"
            raise InvalidTimeError(message)
        return borders

    def read_period(self, text: str, now: int) -> Period:
        """Find the period of a name; raises ``InvalidTimeError`` for one that there is not, or that is yet to begin."""
        if text in _RELATIVE:
            unit, moved = _RELATIVE[text]
            day = _move(unit, self.day_of(now), moved)
        else:
            unit, day = _read_day(text)
        period = Period(text, unit, *self.span(unit, day))
        if period.start >= period.end:
            message = f"there is no {text} in {self.name}, which left that date out"
            raise InvalidTimeError(message)
        if period.start > now:
            message = f"'{text}' is yet to begin"
            raise InvalidTimeError(message)
        return period

    def period_before(self, period: Period) -> Period:
        """Give the day, week or month before a period: the last that the zone had."""
        day = _first_day(period.unit, self.day_of(period.start))
        start = end = period.start
        while start >= end:
            day = _move(period.unit, day, -1)
            start, end = self.span(period.unit, day)
        return Period(_name(period.unit, day), period.unit, start, end)

    def same_part(self, earlier: Period, period: Period, end: int) -> int:
        """Give when ``earlier`` was as far as ``period`` is at ``end``, by day and clock; at its end at the latest."""
        if end >= period.end:
            return earlier.end
        shown = self.clock(end)
        days = shown.date() - self.day_of(period.start)
        reached = self.at(datetime.combine(self.day_of(earlier.start) + days, shown.time()))
        return max(earlier.start, min(earlier.end, reached))

    def _days(self, unit: Unit, start: int, end: int) -> list[int]:
        day = _first_day(unit, self.day_of(start))
        borders = [self.start_of(unit, day)]
        while borders[-1] < end:
            day = _move(unit, day, 1)
            border = self.start_of(unit, day)
            if border > borders[-1]:
                borders.append(border)
        return borders

    def _hours(self, days: Sequence[int]) -> Iterator[int]:
        """Give when hours begin, to the last of the borders of days: whenever clocks show a full hour, or pass one."""
        for start, end in pairwise(days):
            if self.clock(start).utcoffset() == self.clock(end - SECOND).utcoffset():
                past = self._past_hour(start)
                yield start
                yield from range(start - past + HOUR, end, HOUR)
                continue
            yield start
            hours = (self.clock(time).replace(minute=0, second=0, tzinfo=None) for time in range(start, end, BIN))
            last = next(hours)
            for time, hour in zip(range(start + BIN, end, BIN), hours, strict=True):
                if hour != last or not self._past_hour(time):
                    yield time
                last = hour
        yield days[-1]

    def _past_hour(self, time: int) -> int:
        shown = self.clock(time)
        return (shown.minute * 60 + shown.second) * SECOND

    def _shown(self, time: int) -> datetime:
        return self.clock(time * SECOND).replace(tzinfo=None)


_FIXED = {Unit.HOUR: HOUR, Unit.DAY: DAY}


@lru_cache(maxsize=256)
def find_zone(name: str) -> ZoneInfo:
    """Find a time zone by its IANA name, such as ``Europe/Zurich``; raises ``InvalidTimeError``."""
    try:
        if _NAME.fullmatch(name) and name not in _NO_ZONES:
            return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        pass
    message = f"'{name}' is no time zone: give a name of the IANA database such as Europe/Zurich or UTC"
    raise InvalidTimeError(message)


def _within(times: Iterator[int], start: int, end: int) -> list[int]:
    """Give the times from the last one at ``start`` or before to the first one at ``end`` or after."""
    kept: list[int] = []
    for time in times:
        if time <= start:
            kept = [time]
        else:
            kept.append(time)
        if time >= end:
            break
    return kept


def _read_day(text: str) -> tuple[Unit, date]:
    for form, unit, read in _FORMS:
        found = form.fullmatch(text)
        if found is None:
            continue
        with suppress(ValueError):
            day = read(*map(int, found.groups()))
            if _FIRST_YEAR <= day.year < _LAST_YEAR:
                return unit, day
    message = f"'{text}' is no period such as {PERIODS}"
    raise InvalidTimeError(message)


def _first_day(unit: Unit, day: date) -> date:
    if unit is Unit.MONTH:
        return day.replace(day=1)
    return day - timedelta(days=day.weekday()) if unit is Unit.WEEK else day


def _move(unit: Unit, day: date, count: int) -> date:
    """Move a date by so many days or weeks, or to the first of a month so many months on."""
    if unit is Unit.MONTH:
        months = day.year * 12 + day.month - 1 + count
        return date(months // 12, months % 12 + 1, 1)
    return day + timedelta(days=count * (7 if unit is Unit.WEEK else 1))


def _name(unit: Unit, day: date) -> str:
    """Name the day, week or month that begins on a date."""
    if unit is Unit.WEEK:
        return f"{day.isocalendar().year:04}-W{day.isocalendar().week:02}"
    return f"{day:%Y-%m}" if unit is Unit.MONTH else day.isoformat()


def _seconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _ONE_SECOND


UTC_CALENDAR = Calendar()
"""The calendar in which days are those of UTC."""
