"""Times only grow, whatever is done to the wall clock, and a step of it is noticed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from venturi.core.domain.interval import SECOND
from venturi.core.meter.readings.timeline import BothClocks, Timeline

START = 1_000_000


def moment(wall: float, monotonic: float) -> BothClocks:
    return BothClocks(int((START + wall) * SECOND), int(monotonic * SECOND))


@pytest.mark.parametrize(
    ("shown", "times", "steps"),
    [
        pytest.param([(10, 10), (20, 20)], [10, 20], [0, 0], id="both clocks go alike"),
        pytest.param([(10.5, 10), (20.5, 20)], [10.5, 20.5], [0, 0], id="a slew is followed"),
        pytest.param([(10, 10), (3600, 20)], [10, 3600], [0, 3580], id="set forward: time goes with it"),
        pytest.param([(10, 10), (-5, 20), (25, 50)], [10, 15, 30], [0, -25, 0], id="set back: half the pace"),
        pytest.param([(10, 10), (8, 20), (18, 30), (28, 40)], [10, 15, 20, 28], [0, -12, 0, 0], id="set back: caught up"),
        pytest.param([(10, 10), (10, 10)], [10, 10], [0, 0], id="the same moment"),
    ],
)
def test_times(shown: list[tuple[float, float]], times: list[float], steps: list[int]) -> None:
    timeline = Timeline(moment(0, 0))
    told = [(timeline.at(moment(*both)), timeline.step) for both in shown]
    assert told == [(int((START + time) * SECOND), step * SECOND) for time, step in zip(times, steps, strict=True)]


def test_time_begins_after_what_is_recorded() -> None:
    timeline = Timeline(moment(0, 0), earliest=(START + 100) * SECOND)
    assert timeline.at(moment(10, 10)) == (START + 105) * SECOND


@given(st.lists(st.tuples(st.integers(-(10**12), 10**12), st.integers(2, 10**12))))
def test_times_grow_whatever_the_wall_clock_shows(shown: list[tuple[int, int]]) -> None:
    timeline = Timeline(BothClocks(0, 0))
    monotonic, last = 0, 0
    for wall, passed in shown:
        monotonic += passed
        time = timeline.at(BothClocks(wall, monotonic))
        assert time > last
        last = time
