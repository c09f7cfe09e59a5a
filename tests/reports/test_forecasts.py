"""Forecasts to the end of a period: against means that numpy makes of hours drawn by chance, and of a ledger on every database."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.reports.filling import NOON, KeptPoint, KnownVersion, MeteredRecord, fill, keep_points
from tests.support.control_values import OPERATOR
from tests.support.databases import open_store
from venturi.core.domain.direction import DirectionCode
from venturi.core.domain.errors import InvalidRequestError
from venturi.core.domain.interval import SECOND, Nanoseconds
from venturi.core.ledger.bins import BIN, DAY, HOUR
from venturi.core.ledger.calendar import Calendar
from venturi.core.ledger.forecasting import HourOfWeek, forecast
from venturi.services.reports.reporting import UsageReports
from venturi.services.reports.request import Grouping, Resolution, UsageRequest, align

WEEK = 168


def hours(count: int, first: int = 0) -> list[HourOfWeek]:
    """Give hours of UTC from a Monday on."""
    return [HourOfWeek(place % WEEK, place // 24, HOUR) for place in range(first, first + count)]


def expected(octets: list[int | None], rest: int) -> tuple[float, float]:
    """Compute what is to come in so many hours, and two standard deviations of it."""
    begun = next(place for place, counted in enumerate(octets) if counted)
    values = np.array([np.nan if counted is None or place < begun else float(counted) for place, counted in enumerate(octets)])
    places = np.arange(len(octets))

    def mean(some: NDArray[np.float64], place: int) -> float:
        for length in (WEEK, 24, 1):
            like = some[places % length == place % length]
            if not np.isnan(like).all():
                return float(np.nanmean(like))
        return 0.0

    to_come = sum(mean(values, place) for place in range(len(octets), len(octets) + rest))
    errors = []
    for day in range(int(places[-1]) // 24 + 1):
        others = np.where(places // 24 == day, np.nan, values)
        known = [place for place in range(len(octets)) if place // 24 == day and not np.isnan(values[place])]
        errors.append(sum(values[place] - mean(others, place) for place in known))
    variance = sum(error**2 for error in errors) / np.count_nonzero(~np.isnan(values))
    return to_come, 2 * float(np.sqrt(variance * rest))


@pytest.mark.parametrize("seed", range(8))
def test_it_is_the_mean_of_like_hours_with_the_spread_of_days(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - the choice of a test
    count, rest = chance.choice((170, 200, 500, 1344)), chance.randrange(1, 700)
    level = [chance.randrange(10**9) for _ in range(WEEK)]
    drawn = [max(0, level[place % WEEK] + chance.randrange(-(10**8), 10**8)) for place in range(count)]
    octets = [None if chance.random() < 0.01 and count > 170 else each for each in drawn]
    found = forecast(hours(count), octets, hours(rest, count))
    to_come, spread = expected(octets, rest)
    assert found is not None
    assert found.hours == sum(each is not None for each in octets)
    assert found.octets == pytest.approx(to_come, abs=rest)
    assert found.most - found.octets == found.octets - found.least
    assert found.most - found.octets == pytest.approx(spread, rel=1e-6, abs=2 * rest)


def test_what_repeats_each_week_is_foretold_exactly() -> None:
    week = [place * 1_000 + 7 for place in range(WEEK)]
    found = forecast(hours(3 * WEEK), week * 3, hours(100, 3 * WEEK))
    assert found == (sum(week[:100]), sum(week[:100]), sum(week[:100]), 3 * WEEK)
    part = HourOfWeek(5, 21, HOUR // 4)
    assert forecast(hours(WEEK), week, [part]) is not None
    assert forecast(hours(2 * WEEK), week * 2, [part]) == (round(week[5] / 4), round(week[5] / 4), round(week[5] / 4), 2 * WEEK)


def test_the_worked_example() -> None:
    week = [10**9 if place < 5 * 24 else 0 for place in range(WEEK)]
    found = forecast(hours(3 * WEEK), week * 3, hours(9 * 24, 3 * WEEK))
    assert found is not None
    assert (sum(week * 3), found.octets, sum(week * 3) + found.octets, found.most) == (360 * 10**9, 168 * 10**9, 528 * 10**9, found.least)


@pytest.mark.parametrize(
    ("name", "octets", "told"),
    [
        ("less than a week", [5] * (WEEK - 1), False),
        ("a week", [5] * WEEK, True),
        ("a week of which an hour is not known", [*[5] * (WEEK - 1), None], False),
        ("a week since the first octet", [*[0] * 100, *[5] * WEEK], True),
        ("less than a week since the first octet", [*[0] * 100, *[5] * (WEEK - 1)], False),
        ("nothing", [0] * 500, False),
        ("nothing known", [None] * 500, False),
    ],
)
def test_without_a_week_of_data_there_is_none(name: str, octets: list[int | None], told: bool) -> None:
    found = forecast(hours(len(octets)), octets, hours(10, len(octets)))
    assert (found is not None) == told, name
    assert found is None or found[:3] == (50, 50, 50)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "Europe/Zurich"])
def test_a_period_that_is_so_far(database: str, zone: str) -> None:
    now = NOON + 20 * 86_400 + 1_800
    clock = ZoneInfo(zone)

    def octets_of(second: int) -> int:
        """Give what an hour of the clocks counts: by its place in the week."""
        shown = datetime.fromtimestamp(second, UTC).astimezone(clock)
        return 12 * (1_000 + 100 * shown.weekday() + shown.hour)

    offset = 1_800 if zone == "Asia/Kolkata" else 0
    starts = range(offset, 20 * 86_400, 3_600)
    records = [MeteredRecord(1, each, each + 3_600, [(1, DirectionCode.EGRESS, 12, octets_of(NOON + each))]) for each in starts]
    records += [
        MeteredRecord(1, each, each + 300, [(2, DirectionCode.EGRESS, 1, 50)], place=2) for each in range(19 * 86_400, 20 * 86_400, 300)
    ]
    calendar, at = Calendar(zone), Nanoseconds(now * SECOND)
    period = calendar.read_period("this-month", at)
    start, end = align(period.start, at, Resolution.TOTAL, calendar)
    request = UsageRequest(
        start=start,
        end=end,
        resolution=Resolution.TOTAL,
        group_by=(Grouping.LABEL,),
        calendar=calendar,
        period=period,
        forecast=True,
    )
    with open_store(database) as store:
        fill(database, [KnownVersion(1), KnownVersion(2)], [KnownVersion(1)], records)
        keep_points(database, [KeptPoint(1, -86_400)])
        (interval,) = UsageReports(store, lambda: at).usage(OPERATOR, request)
    found = {
        row.group.label.name: [interval.rows.beside[name][place] for name in interval.rows.beside]
        for place, row in enumerate(interval.rows)
        if row.group.label
    }
    assert found["label 2"] == [None] * 4, "a day of data is no week"
    counted = {row.group.label.name: row.counts[1] for row in interval.rows if row.group.label}
    moment, to_come = datetime.fromtimestamp(now, UTC), 0.0
    while int(moment.timestamp()) * SECOND < period.end:
        left = min(3_600 - (int(moment.timestamp()) - offset) % 3_600, period.end // SECOND - int(moment.timestamp()))
        to_come += octets_of(int(moment.timestamp())) * left / 3_600
        moment += timedelta(seconds=left)
    octets, least, most, known = found["label 1"]
    assert octets == pytest.approx(counted["label 1"] + to_come, abs=400)
    assert isinstance(least, int)
    assert isinstance(most, int)
    assert counted["label 1"] <= least <= int(str(octets)) <= most
    assert known == len(starts)


def test_it_is_of_a_period() -> None:
    start = NOON * SECOND // DAY * DAY
    plain = UsageRequest(start=start, end=start + BIN, resolution=Resolution.TOTAL, group_by=())
    with pytest.raises(InvalidRequestError, match=r"^forecast: it is of a whole period that is so far"):
        replace(plain, forecast=True)
