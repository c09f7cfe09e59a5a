"""Calendars: the borders of hours, days, weeks and months are those at which a clock that is watched for each 5 minutes shows them."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from venturi.core.domain.errors import InvalidTimeError
from venturi.core.domain.interval import SECOND, parse_time
from venturi.core.ledger.bins import BIN, DAY, HOUR
from venturi.core.ledger.calendar import Calendar, Unit

ZONES = (
    "UTC",
    "Europe/Zurich",
    "America/New_York",
    "America/Sao_Paulo",
    "America/St_Johns",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Asia/Beirut",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Africa/Casablanca",
)
"""Whole, half and quarter hours; clocks that are changed at night, at midnight, by half an hour, for a month; a date that was left out."""

_STEP = timedelta(seconds=BIN // SECOND)
_FIRST, _LAST = datetime(1973, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
_TIMES = st.integers(0, (_LAST - _FIRST) // _STEP - 1).map(lambda steps: _FIRST + steps * _STEP)


def _key(unit: Unit, shown: datetime) -> tuple[int, ...]:
    """Give what names the day, week or month that a clock shows; later ones are larger."""
    if unit is Unit.WEEK:
        return tuple(shown.isocalendar())[:2]
    return (shown.year, shown.month) if unit is Unit.MONTH else (shown.year, shown.month, shown.day)


def _watch(zone: str, unit: Unit, begin: datetime, end: datetime) -> list[int]:
    """Note each time at which a clock shows a later hour, day, week or month than before; an hour also when it shows a full one again."""
    known, found, moment = ZoneInfo(zone), [], begin
    shown = moment.astimezone(known)
    latest = _key(unit, shown)
    while moment < end:
        moment += _STEP
        before, shown = shown, moment.astimezone(known)
        if unit is Unit.HOUR:
            begins = shown.minute == 0 or shown.replace(minute=0, tzinfo=None) != before.replace(minute=0, tzinfo=None)
        else:
            begins = _key(unit, shown) > latest
            latest = max(latest, _key(unit, shown))
        if begins:
            found.append(round(moment.timestamp()) * SECOND)
    return found


@given(st.sampled_from(ZONES), st.sampled_from([Unit.HOUR, Unit.DAY]), _TIMES, st.integers(1, 3 * 288))
def test_hours_and_days_are_those_of_a_clock(zone: str, unit: Unit, begin: datetime, steps: int) -> None:
    start, end = round(begin.timestamp()) * SECOND, round((begin + steps * _STEP).timestamp()) * SECOND
    borders = list(Calendar(zone).borders(unit, start, end))
    watched = _watch(zone, unit, begin - timedelta(days=2), begin + steps * _STEP + timedelta(days=2))
    first = max(border for border in watched if border <= start)
    last = min(border for border in watched if border >= end)
    assert borders == [border for border in watched if first <= border <= last]


@given(st.sampled_from(ZONES), st.sampled_from([Unit.WEEK, Unit.MONTH]), _TIMES)
def test_weeks_and_months_are_those_of_a_clock(zone: str, unit: Unit, moment: datetime) -> None:
    start = round(moment.timestamp()) * SECOND
    borders = list(Calendar(zone).borders(unit, start, start + BIN))
    watched = _watch(zone, unit, moment - timedelta(days=33), moment + timedelta(days=33))
    first = max(border for border in watched if border <= start)
    last = min(border for border in watched if border >= start + BIN)
    assert borders == [border for border in watched if first <= border <= last]


@given(st.sampled_from(ZONES), st.sampled_from(list(Unit)), _TIMES, st.integers(1, 60 * 288))
def test_borders_ascend_and_span_what_is_asked(zone: str, unit: Unit, begin: datetime, steps: int) -> None:
    start, end = round(begin.timestamp()) * SECOND, round((begin + steps * _STEP).timestamp()) * SECOND
    borders = list(Calendar(zone).borders(unit, start, end))
    assert borders == sorted(set(borders))
    assert borders[0] <= start < borders[1]
    assert borders[-2] < end <= borders[-1]
    assert not any(border % BIN for border in borders)


CHANGES = [
    ("Europe/Zurich", "2026-03-29", "2026-03-28T23:00:00Z", 23),
    ("Europe/Zurich", "2026-10-25", "2026-10-24T22:00:00Z", 25),
    ("Europe/Zurich", "2026-W13", "2026-03-22T23:00:00Z", 167),
    ("Europe/Zurich", "2026-10", "2026-09-30T22:00:00Z", 745),
    ("Europe/Zurich", "2024-02", "2024-01-31T23:00:00Z", 29 * 24),
    ("Asia/Kathmandu", "2026-11-28", "2026-11-27T18:15:00Z", 24),
    ("Australia/Lord_Howe", "2026-04-05", "2026-04-04T13:00:00Z", 24.5),
    ("America/Sao_Paulo", "2017-10-15", "2017-10-15T03:00:00Z", 23),
    ("Pacific/Apia", "2011-12-29", "2011-12-29T10:00:00Z", 24),
    ("UTC", "2026-W01", "2025-12-29T00:00:00Z", 168),
    ("UTC", "2020-W53", "2020-12-28T00:00:00Z", 168),
]
NOW = parse_time("2026-11-29T22:30:00Z")


@pytest.mark.parametrize(("zone", "name", "start", "hours"), CHANGES, ids=str)
def test_periods_whose_clocks_are_changed(zone: str, name: str, start: str, hours: float) -> None:
    period = Calendar(zone).read_period(name, NOW)
    assert (period.start, (period.end - period.start) / HOUR) == (parse_time(start), hours)


NAMED = [
    ("today", "2026-11-29", 1),
    ("yesterday", "2026-11-28", 1),
    ("this-week", "2026-11-23", 7),
    ("last-week", "2026-11-16", 7),
    ("this-month", "2026-11-01", 30),
    ("last-month", "2026-10-01", 31),
]


@pytest.mark.parametrize(("name", "first", "days"), NAMED, ids=str)
def test_periods_that_are_named_from_now(name: str, first: str, days: int) -> None:
    period = Calendar().read_period(name, NOW)
    assert (period.start, period.end - period.start) == (parse_time(first), days * DAY)
    assert Calendar("Asia/Tokyo").read_period("today", NOW).start == parse_time("2026-11-29T15:00:00Z")


REFUSED = ["2026-13", "2026-W54", "2026-02-30", "tomorrow", "", "1969-12", "2026-1", "２０２６-10"]


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_period_is_refused(name: str) -> None:
    with pytest.raises(InvalidTimeError, match="is no period such as today"):
        Calendar().read_period(name, NOW)


def test_what_is_yet_to_begin_or_was_left_out_is_refused() -> None:
    with pytest.raises(InvalidTimeError, match="'2026-12' is yet to begin"):
        Calendar().read_period("2026-12", NOW)
    with pytest.raises(InvalidTimeError, match="there is no 2011-12-30 in Pacific/Apia"):
        Calendar("Pacific/Apia").read_period("2011-12-30", NOW)


@pytest.mark.parametrize(
    "name", ["", "Mars/Olympus", "europe/zurich", "../etc/passwd", "/etc/passwd", "right/UTC", "posix/UTC", "localtime", "Europe", "A\0B"]
)
def test_what_is_no_zone_is_refused(name: str) -> None:
    with pytest.raises(InvalidTimeError, match="is no time zone: give a name of the IANA database"):
        Calendar(name)


def test_days_that_no_bins_are_between_are_refused() -> None:
    start = parse_time("1971-05-05")
    with pytest.raises(InvalidTimeError, match="Africa/Monrovia were no multiple of 5 minutes from UTC at 1971-05-0"):
        Calendar("Africa/Monrovia").borders(Unit.DAY, start, start + DAY)
    assert date(1971, 5, 5) == Calendar("Africa/Monrovia").day_of(start + DAY // 2)
