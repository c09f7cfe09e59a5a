"""Periods: the months, quarters and years of a contract, in its time zone, as instants of UTC.

Owns when each begins and what it is called. A day begins at its first instant, also where clocks skip or repeat its midnight. Periods
follow each other without a gap. The zone is handed in: its rules are read elsewhere.
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import NamedTuple

from venturi.core.domain.errors import InvalidPeriodError
from venturi.core.domain.interval import SECOND, Nanoseconds, format_time
from venturi.core.ledger.bins import BIN
from venturi.core.rules.checks import printable

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAME = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)
_MONTHS = 12
FIRST_YEAR, LAST_YEAR = 1971, 2200
"""The years in which periods may begin: none begins before usage can."""


class PeriodLength(StrEnum):
    """How long the periods of a contract are."""

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"

    @property
    def months(self) -> int:
        """The length in months."""
        return {PeriodLength.MONTH: 1, PeriodLength.QUARTER: 3, PeriodLength.YEAR: _MONTHS}[self]


class Period(NamedTuple):
    """A period from ``start`` to ``end``, in nanoseconds since the UTC epoch; ``name`` is the year and month in which it begins."""

    name: str
    start: Nanoseconds
    end: Nanoseconds

    def clip(self, begins_at: int, ends_at: int | None) -> "Period":
        """Give the part of it that lies between two times, the second None if there is none; it may be empty."""
        start = max(self.start, begins_at)
        end = max(start, self.end if ends_at is None else min(self.end, ends_at))
        return Period(self.name, Nanoseconds(start), Nanoseconds(end))


@dataclass(frozen=True)
class Schedule:
    """When periods begin: on ``first_day`` of each month, or of each third or of the twelfth, counted from January, in ``zone``.

    A ``first_day`` of 29 to 31 is the last day of months that are shorter.
    """

    zone: tzinfo
    length: PeriodLength = PeriodLength.MONTH
    first_day: int = 1

    def named(self, name: str) -> Period:
        """Give the period that begins in a month such as ``2026-10``; raises ``InvalidPeriodError`` if none does."""
        found = _NAME.fullmatch(name)
        if found is None or not FIRST_YEAR <= int(found[1]) <= LAST_YEAR:
            message = f"period: '{printable(name)}' is no period: give the month in which it begins, such as 2026-10"
            raise InvalidPeriodError(message)
        year, month = int(found[1]), int(found[2])
        if (month - 1) % self.length.months:
            first = (month - 1) // self.length.months * self.length.months + 1
            message = f"period: no {self.length} begins in {name}; the one that this month is in is {year}-{first:02}"
            raise InvalidPeriodError(message)
        return self._from(year, month)

    def at(self, time: int) -> Period:
        """Give the period that a time is in; raises ``InvalidPeriodError`` for a time outside of the years that there are."""
        local = (_EPOCH + timedelta(seconds=time // SECOND)).astimezone(self.zone)
        year, month = local.year, (local.month - 1) // self.length.months * self.length.months + 1
        for step in (1, 0, -1):
            period = self._from(*_later(year, month, step * self.length.months))
            if period.start <= time < period.end:
                return period
        message = f"period: nothing is known of {format_time(time)}"
        raise InvalidPeriodError(message)

    def after(self, period: Period) -> Period:
        """Give the period that follows one."""
        return self.at(period.end)

    def before(self, period: Period) -> Period:
        """Give the period that one follows."""
        return self.at(period.start - 1)

    def _from(self, year: int, month: int) -> Period:
        end = self._begin(*_later(year, month, self.length.months))
        return Period(f"{year:04}-{month:02}", self._begin(year, month), end)

    def _begin(self, year: int, month: int) -> Nanoseconds:
        """Give the first instant of the first day of a period.

        Of a midnight that a clock shows twice that is the first, and of one that it skips the moment of the skip (PEP 495).
        """
        day = min(self.first_day, monthrange(year, month)[1])
        moment = datetime(year, month, day, tzinfo=self.zone)
        start = Nanoseconds((moment - _EPOCH) // timedelta(seconds=1) * SECOND)
        if start % BIN:
            message = f"period: in this time zone, {year:04}-{month:02}-{day:02} begins at no border of 5 minutes of UTC"
            raise InvalidPeriodError(message)
        return start


def _later(year: int, month: int, months: int) -> tuple[int, int]:
    """Give the month that comes so many months later."""
    years, place = divmod(month - 1 + months, _MONTHS)
    return year + years, place + 1
