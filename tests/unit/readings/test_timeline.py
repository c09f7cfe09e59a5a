"""Times follow a good clock at once, and the monotonic clock while the wall clock is not good; a step is noticed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from venturi.core.domain.interval import SECOND
from venturi.core.meter.readings.timeline import EARLIEST, SETTLED, BothClocks, Correction, Timeline

DAY = 86400
START = EARLIEST // SECOND + 10 * DAY


def moment(wall: float, monotonic: float) -> BothClocks:
    return BothClocks(int((START + wall) * SECOND), int(monotonic * SECOND))


@pytest.mark.parametrize(
    ("shown", "times", "steps"),
    [
        pytest.param([(10, 10), (20, 20)], [10, 20], [0, 0], id="both clocks go alike"),
        pytest.param([(10.5, 10), (20.5, 20)], [10.5, 20.5], [0, 0], id="a slew is followed"),
        pytest.param([(10, 10), (23, 20)], [10, 23], [0, 3], id="set forward a little: time goes with it"),
        pytest.param([(10, 10), (3600, 20), (30, 30)], [10, 20, 30], [0, 3580, -3580], id="set forward for ten seconds"),
        pytest.param([(10, 10), (-3600, 20), (30, 30)], [10, 20, 30], [0, -3620, 3620], id="set back for ten seconds"),
        pytest.param([(10, 10), (16, 20), (26, 30)], [10, 16, 26], [0, -4, 0], id="set back a little, and behind no time that was told"),
        pytest.param([(10, 10), (8, 12), (10, 14), (13, 17)], [10, 11, 12, 13.5], [0, -4, 0, 0], id="set back a little: half the pace"),
        pytest.param([(10, 10), (10, 10)], [10, 10], [0, 0], id="the same moment"),
    ],
)
def test_times(shown: list[tuple[float, float]], times: list[float], steps: list[int]) -> None:
    timeline = Timeline(moment(0, 0))
    told = [(timeline.at(moment(*both)), timeline.step) for both in shown]
    assert told == [(int((START + time) * SECOND), step * SECOND) for time, step in zip(times, steps, strict=True)]


def test_time_begins_after_what_is_recorded() -> None:
    timeline = Timeline(moment(0, 0), earliest=(START + 100) * SECOND)
    assert timeline.at(moment(10, 10)) == (START + 110) * SECOND


@given(st.lists(st.tuples(st.integers(-(10**12), 10**12), st.integers(2, 10**12), st.booleans())))
def test_times_grow_whatever_the_clocks_show(shown: list[tuple[int, int, bool]]) -> None:
    timeline = Timeline(BothClocks(EARLIEST, 0))
    monotonic, last = 0, 0
    for wall, passed, heard in shown:
        monotonic += passed
        if heard:
            timeline.refer(BothClocks(EARLIEST - wall, monotonic))
        time = timeline.at(BothClocks(EARLIEST + wall, monotonic))
        assert time > last
        last = time


def correct(timeline: Timeline, both: tuple[float, float]) -> tuple[float, float] | None:
    """Have times corrected; give the seconds since which they were wrong, and by how much they are moved."""
    shown = moment(*both)
    timeline.at(shown)
    correction = timeline.correction(shown)
    if correction is None:
        return None
    before = timeline.at(shown)
    timeline.correct(correction)
    assert timeline.at(shown) == before + correction.shift
    return (correction.since - START * SECOND) / SECOND, correction.shift / SECOND


def test_a_server_that_agrees_corrects_nothing() -> None:
    timeline = Timeline(moment(0, 0))
    timeline.refer(moment(12.5, 10))
    assert correct(timeline, (10, 10)) is None


def test_a_clock_that_was_never_right_is_corrected_from_its_beginning() -> None:
    timeline = Timeline(moment(30 * DAY, 0))
    timeline.at(moment(30 * DAY + 10, 10))
    timeline.refer(moment(10, 10))
    assert correct(timeline, (30 * DAY + 11, 11)) == (11, -30 * DAY)


def test_a_clock_that_is_set_right_is_followed_once_a_server_says_so() -> None:
    timeline = Timeline(moment(-7200, 0))
    timeline.at(moment(-7190, 10))
    timeline.at(moment(20, 20))
    assert correct(timeline, (30, 30)) is None
    timeline.refer(moment(40, 40))
    since, shift = correct(timeline, (50, 50)) or (0, 0)
    assert (round(since), shift) == (-7200, 7200)


def test_a_host_that_stood_still_is_dated_by_the_server_from_then_on() -> None:
    timeline = Timeline(moment(0, 0))
    timeline.refer(moment(10, 10))
    timeline.at(moment(10, 10))
    timeline.at(moment(20, 20))
    timeline.at(moment(28820, 21))
    timeline.refer(moment(28830, 31))
    assert correct(timeline, (28830, 31)) == (20, 28799)


def test_without_a_server_a_clock_is_believed_an_hour_after_it_was_set() -> None:
    hour = SETTLED // SECOND
    timeline = Timeline(moment(0, 0))
    timeline.at(moment(10, 10))
    timeline.at(moment(7220, 20))
    assert correct(timeline, (7219 + hour, hour + 19)) is None
    assert correct(timeline, (7221 + hour, hour + 21)) == (10, 7200)


def test_without_a_server_a_clock_of_1970_is_left_as_soon_as_it_is_set() -> None:
    timeline = Timeline(BothClocks(0, 0))
    timeline.at(BothClocks(10 * SECOND, 10 * SECOND))
    shown = moment(500, 20)
    timeline.at(shown)
    assert timeline.correction(shown) == Correction(-1, 30 * SECOND, (START + 480) * SECOND)


@pytest.mark.parametrize("wall", [0, 10**30], ids=["1970", "a time beyond all calendars"])
def test_a_server_at_an_odd_time_is_not_heard(wall: int) -> None:
    timeline = Timeline(moment(0, 0))
    timeline.refer(BothClocks(wall, 10 * SECOND))
    assert timeline.offset(moment(10, 10)) is None
    assert correct(timeline, (10, 10)) is None


def test_what_a_server_said_an_hour_ago_is_not_believed() -> None:
    timeline = Timeline(moment(0, 0))
    timeline.refer(moment(10_000, 0))
    assert timeline.offset(moment(SETTLED // SECOND + 1, SETTLED // SECOND + 1)) is None
    assert correct(timeline, (SETTLED // SECOND + 1, SETTLED // SECOND + 1)) is None
