"""Forecast of what is still to be counted until a period ends, by the hours of the week.

Owns the method, which ``docs/forecast.md`` explains. An hour that is not known is left out, never taken for zero. Sums are integers; an
hour's share of them is rounded to whole octets.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from math import isqrt
from typing import NamedTuple

from venturi.core.ledger.bins import HOUR

LEAST_HOURS = 7 * 24
"""How many hours must be known for a forecast."""

WEEKS = 8
"""How many weeks before now are looked at."""

_HOURS_OF_DAY = 24
_DEVIATIONS = 2
"""How many standard deviations the range reaches to either side."""


class HourOfWeek(NamedTuple):
    """An hour by the clocks of a zone: its number in the week, its day, and how many nanoseconds it has, or are left of it."""

    slot: int
    day: int
    length: int


class Forecast(NamedTuple):
    """What is still to come, in octets: the most likely, the least and the most; made from so many known hours."""

    octets: int
    least: int
    most: int
    hours: int


class _Sums:
    """Octets and time: in all, by hour of the day, and by hour of the week."""

    def __init__(self) -> None:
        self._sums: defaultdict[tuple[str, int], tuple[int, int]] = defaultdict(lambda: (0, 0))

    def add(self, hour: HourOfWeek, octets: int) -> None:
        """Add a known hour."""
        for key in _keys(hour):
            before = self._sums[key]
            self._sums[key] = before[0] + octets, before[1] + hour.length

    def of(self, key: tuple[str, int]) -> tuple[int, int]:
        """Give octets and time of hours of one kind."""
        return self._sums.get(key, (0, 0))

    def expect(self, hour: HourOfWeek, without: "_Sums | None" = None) -> int:
        """Give the octets of an hour as its like had them: of the week, else of the day, else all hours, those ``without`` left out."""
        for key in _keys(hour):
            octets, length = self.of(key)
            if without is not None:
                left_out = without.of(key)
                octets, length = octets - left_out[0], length - left_out[1]
            if length:
                return (2 * octets * hour.length + length) // (2 * length)
        return 0


def _keys(hour: HourOfWeek) -> Iterator[tuple[str, int]]:
    yield "week", hour.slot
    yield "day", hour.slot % _HOURS_OF_DAY
    yield "all", 0


def forecast(history: Sequence[HourOfWeek], octets: Sequence[int | None], rest: Sequence[HourOfWeek]) -> Forecast | None:
    """Forecast the octets of the ``rest``; ``octets`` are those of each hour of ``history``, None of one that is not known.

    History begins with the first hour in which anything was counted. With less than ``LEAST_HOURS`` known since, there is no forecast.
    """
    first = next((place for place, counted in enumerate(octets) if counted), len(octets))
    known = [(hour, counted) for hour, counted in zip(history[first:], octets[first:], strict=True) if counted is not None]
    if sum(hour.length for hour, _ in known) < LEAST_HOURS * HOUR:
        return None
    sums, days = _Sums(), defaultdict[int, list[tuple[HourOfWeek, int]]](list)
    for hour, counted in known:
        sums.add(hour, counted)
        days[hour.day].append((hour, counted))
    expected = sum(map(sums.expect, rest))
    spread = isqrt(_DEVIATIONS**2 * _square_errors(sums, list(days.values())) * sum(hour.length for hour in rest) // _time_of(known))
    return Forecast(expected, expected - spread, expected + spread, len(known))


def _square_errors(sums: _Sums, days: Sequence[Sequence[tuple[HourOfWeek, int]]]) -> int:
    """Sum the squares by which days differ from what all other days let expect of them."""
    errors = 0
    for day in days:
        own = _Sums()
        for hour, counted in day:
            own.add(hour, counted)
        errors += sum(counted - sums.expect(hour, own) for hour, counted in day) ** 2
    return errors


def _time_of(known: Sequence[tuple[HourOfWeek, int]]) -> int:
    return sum(hour.length for hour, _ in known)
