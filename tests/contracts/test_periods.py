"""Periods: zones, changes of clocks, leap days and odd first days, held to a walk over the hours of local calendars."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from venturi.core.contracts.periods import Period, PeriodLength, Schedule
from venturi.core.domain.errors import InvalidPeriodError
from venturi.core.domain.interval import SECOND, Nanoseconds, format_time, parse_time

MINUTES = 15
ZONES = (
    *("UTC", "Europe/Zurich", "America/New_York", "America/Santiago", "America/Havana", "Asia/Kathmandu", "Asia/Beirut"),
    *("Australia/Lord_Howe", "Pacific/Apia", "Pacific/Chatham", "Africa/Casablanca", "Asia/Tehran", "Atlantic/Azores"),
)
BOUNDS = [
    ("a plain month", "UTC", "month", 1, "2026-10", "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z"),
    ("an hour more", "Europe/Zurich", "month", 1, "2026-10", "2026-09-30T22:00:00Z", "2026-10-31T23:00:00Z"),
    ("an hour less", "Europe/Zurich", "month", 1, "2026-03", "2026-02-28T23:00:00Z", "2026-03-31T22:00:00Z"),
    ("half an hour more", "Australia/Lord_Howe", "month", 1, "2026-04", "2026-03-31T13:00:00Z", "2026-04-30T13:30:00Z"),
    ("three quarters", "Asia/Kathmandu", "month", 1, "2026-10", "2026-09-30T18:15:00Z", "2026-10-31T18:15:00Z"),
    ("a midnight that is skipped", "America/Santiago", "month", 6, "2026-09", "2026-09-06T04:00:00Z", "2026-10-06T03:00:00Z"),
    ("a midnight that comes twice", "America/Havana", "month", 1, "2026-11", "2026-11-01T04:00:00Z", "2026-12-01T05:00:00Z"),
    ("a day that there was not", "Pacific/Apia", "month", 30, "2011-12", "2011-12-30T10:00:00Z", "2012-01-29T10:00:00Z"),
    ("a leap day", "UTC", "month", 29, "2028-02", "2028-02-29T00:00:00Z", "2028-03-29T00:00:00Z"),
    ("the last day of February", "UTC", "month", 31, "2026-02", "2026-02-28T00:00:00Z", "2026-03-31T00:00:00Z"),
    ("the last day of April", "UTC", "month", 31, "2026-04", "2026-04-30T00:00:00Z", "2026-05-31T00:00:00Z"),
    ("a first day of 30", "UTC", "month", 30, "2026-01", "2026-01-30T00:00:00Z", "2026-02-28T00:00:00Z"),
    ("a quarter", "UTC", "quarter", 15, "2026-10", "2026-10-15T00:00:00Z", "2027-01-15T00:00:00Z"),
    ("a year", "UTC", "year", 1, "2028-01", "2028-01-01T00:00:00Z", "2029-01-01T00:00:00Z"),
]


@pytest.mark.parametrize("case", BOUNDS, ids=[case[0] for case in BOUNDS])
def test_bounds(case: tuple[str, str, str, int, str, str, str]) -> None:
    _, zone, length, first_day, name, start, end = case
    period = Schedule(ZoneInfo(zone), PeriodLength(length), first_day).named(name)
    assert (format_time(period.start), format_time(period.end)) == (start, end)


def first_instant(zone: ZoneInfo, day: date) -> int:
    """Find, by quarters of an hour, the first instant of UTC at which the local date is a day or, where it is left out, a later one."""
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=1)
    while moment.astimezone(zone).date() < day:
        moment += timedelta(minutes=MINUTES)
    return int(moment.timestamp()) * SECOND


def last_of(year: int, month: int) -> date:
    return (date(year + month // 12, month % 12 + 1, 1)) - timedelta(days=1)


@given(st.sampled_from(ZONES), st.sampled_from(list(PeriodLength)), st.integers(1, 31), st.integers(2005, 2037), st.integers(1, 12))
def test_periods_are_those_of_the_local_calendar(zone_name: str, length: PeriodLength, first_day: int, year: int, month: int) -> None:
    zone = ZoneInfo(zone_name)
    month -= (month - 1) % length.months
    schedule = Schedule(zone, length, first_day)
    period = schedule.named(f"{year}-{month:02}")
    last = last_of(year, month)
    assert period.start == first_instant(zone, min(last, last.replace(day=min(first_day, last.day))))
    following = schedule.after(period)
    assert following.start == period.end
    assert schedule.before(following) == period
    for time in (period.start, (period.start + period.end) // 2, period.end - 1):
        assert schedule.at(time) == period


@pytest.mark.parametrize(
    ("length", "name"),
    [("month", name) for name in ("2026-13", "2026", "26-10", "2026-1", "1969-01", "2026-10-03", "", "٢٠٢٦-١٠")]
    + [("quarter", "2026-02"), ("year", "2026-07")],
)
def test_what_names_no_period_is_refused(length: str, name: str) -> None:
    with pytest.raises(InvalidPeriodError, match=r"^period: "):
        Schedule(UTC, PeriodLength(length)).named(name)


def test_the_quarter_of_a_month_is_named() -> None:
    with pytest.raises(InvalidPeriodError, match="2026-04"):
        Schedule(UTC, PeriodLength.QUARTER).named("2026-05")


@pytest.mark.parametrize(
    ("begins", "ends", "expected"),
    [
        ("2026-09-01", None, ("2026-10-01", "2026-11-01")),
        ("2026-10-10", "2026-10-20", ("2026-10-10", "2026-10-20")),
        ("2026-12-01", None, None),
        ("2026-01-01", "2026-09-01", None),
    ],
)
def test_a_contract_has_the_part_of_a_period_within_it(begins: str, ends: str | None, expected: tuple[str, str] | None) -> None:
    period = Schedule(UTC).named("2026-10").clip(parse_time(begins), None if ends is None else parse_time(ends))
    bounds = None if expected is None else tuple(map(parse_time, expected))
    assert (None if period.start == period.end else (period.start, period.end)) == bounds


def test_a_zone_whose_days_begin_between_borders_is_refused() -> None:
    with pytest.raises(InvalidPeriodError, match="no border of 5 minutes"):
        Schedule(ZoneInfo("Africa/Monrovia")).named("1971-06")
    assert Period("", Nanoseconds(0), Nanoseconds(0)).clip(0, None).name == ""
