"""Times of flows, whatever the encoding."""

import pytest

from tests.unit.decode_export.building import BASIC, EXPORTED, SECOND, UPTIME, a_set, collect, ipfix, options_template, record, template, v9
from venturi.core.decode.export.configuration import ExportConfig
from venturi.core.decode.needed import NeededColumns
from venturi.core.domain.flow_batch import FlowBatch

MILLISECOND = SECOND // 1000
NTP = 2_208_988_800
HALF = 1 << 31
START, END = EXPORTED - 20, EXPORTED - 10

ENCODINGS = [
    pytest.param([(150, 4), (151, 4)], [START, END], (START * SECOND, END * SECOND), id="seconds"),
    pytest.param([(152, 8), (153, 8)], [START * 1000 + 5, END * 1000], (START * SECOND + 5 * MILLISECOND, END * SECOND), id="milliseconds"),
    pytest.param(
        [(154, 8), (155, 8)],
        [(START + NTP) << 32 | HALF | 0x7FF, (END + NTP) << 32],
        (START * SECOND + SECOND // 2, END * SECOND),
        id="microseconds as NTP, low bits ignored",
    ),
    pytest.param(
        [(156, 8), (157, 8)],
        [(START + NTP) << 32 | HALF, (END + NTP) << 32 | 0xFFFFFFFF],
        (START * SECOND + SECOND // 2, END * SECOND + 999_999_999),
        id="nanoseconds as NTP",
    ),
    pytest.param([(158, 4), (159, 4)], [20_000_000, 10_000_001], (START * SECOND, END * SECOND - 1000), id="microseconds before export"),
    pytest.param(
        [(160, 8), (22, 4), (21, 4)], [(START - 50) * 1000, 50_000, 60_000], (START * SECOND, END * SECOND), id="since initialisation"
    ),
    pytest.param([(323, 8)], [END * 1000 + 1], (END * SECOND + MILLISECOND,) * 2, id="an observation"),
    pytest.param([(152, 8), (161, 4)], [START * 1000, 10_000], (START * SECOND, END * SECOND), id="start and duration"),
    pytest.param([(153, 8), (162, 4)], [END * 1000, 10_000_000], (START * SECOND, END * SECOND), id="end and duration"),
    pytest.param([(151, 4)], [END], (END * SECOND,) * 2, id="an end alone"),
    pytest.param([(150, 4)], [START], (START * SECOND, EXPORTED * SECOND), id="a start alone"),
    pytest.param([], [], (EXPORTED * SECOND,) * 2, id="none: the time of export"),
    pytest.param([(22, 4), (21, 4)], [1, 2], (EXPORTED * SECOND,) * 2, id="uptime without its origin: the time of export"),
    pytest.param([(152, 8), (153, 8)], [1 << 63, 1 << 62], (EXPORTED * SECOND,) * 2, id="times that cannot be"),
]


@pytest.mark.parametrize(("fields", "values", "expected"), ENCODINGS)
def test_encodings(fields: list[tuple[int, int]], values: list[int], expected: tuple[int, int]) -> None:
    layout = (*BASIC, *fields)
    found = collect(ipfix(template(layout), a_set(256, record(layout, "10.0.0.1", "10.0.0.2", 1, 1, *values))))
    assert (found.flows.start.tolist(), found.flows.end.tolist()) == ([expected[0]], [expected[1]])
    assert found.decoder.replaced_times == 0


UPTIMES = [
    pytest.param(UPTIME, UPTIME - 3000, UPTIME - 1000, (-3000, -1000), id="plain"),
    pytest.param(500, (1 << 32) - 1500, 400, (-2000, -100), id="the uptime wrapped within the flow"),
    pytest.param(500, (1 << 32) - 1500, (1 << 32) - 500, (-2000, -1000), id="the uptime wrapped after the flow"),
    pytest.param(UPTIME, UPTIME - 3000, UPTIME + 200, (-3000, 200), id="an end a little after the export"),
]


@pytest.mark.parametrize(("uptime", "first", "last", "expected"), UPTIMES)
def test_uptime(uptime: int, first: int, last: int, expected: tuple[int, int]) -> None:
    layout = (*BASIC, (22, 4), (21, 4))
    found = collect(v9(template(layout, version=9), a_set(256, record(layout, "10.0.0.1", "10.0.0.2", 1, 1, first, last)), uptime=uptime))
    assert [(start // MILLISECOND - EXPORTED * 1000, end // MILLISECOND - EXPORTED * 1000) for start, end in _times(found.flows)] == [
        expected
    ]
    assert found.decoder.replaced_times == 0


def test_initialisation_told_by_options() -> None:
    layout = (*BASIC, (22, 4), (21, 4))
    options = options_template([(149, 4)], [(160, 8)]), a_set(512, record([(149, 4), (160, 8)], 7, (EXPORTED - 100) * 1000))
    found = collect(ipfix(*options), ipfix(template(layout), a_set(256, record(layout, "10.0.0.1", "10.0.0.2", 1, 1, 80_000, 90_000))))
    assert _times(found.flows) == [(START * SECOND, END * SECOND)]


HOUR = 3600
DAY = 24 * HOUR
SKEWS = [
    pytest.param(0, 0, DAY, 0, (EXPORTED - DAY, EXPORTED), id="within the limit"),
    pytest.param(0, DAY + 1, 2 * DAY, 1, (EXPORTED, EXPORTED), id="an end too long ago"),
    pytest.param(0, -DAY - 1, HOUR, 1, (EXPORTED, EXPORTED), id="an end in the future"),
    pytest.param(2 * DAY, 0, HOUR, 1, (EXPORTED + 2 * DAY, EXPORTED + 2 * DAY), id="far from the time of receipt"),
    pytest.param(0, 0, -1, 1, (EXPORTED, EXPORTED), id="a start after the end"),
    pytest.param(0, 0, 31 * DAY, 1, (EXPORTED, EXPORTED), id="a start 31 days before"),
]


@pytest.mark.parametrize(("delay", "age_of_end", "age_of_start", "replaced", "expected"), SKEWS)
def test_clocks_that_are_wrong(delay: int, age_of_end: int, age_of_start: int, replaced: int, expected: tuple[int, int]) -> None:
    layout = (*BASIC, (150, 4), (151, 4))
    flow = record(layout, "10.0.0.1", "10.0.0.2", 1, 1, EXPORTED - age_of_start, EXPORTED - age_of_end)
    found = collect(ipfix(template(layout), a_set(256, flow)), time=(EXPORTED + delay) * SECOND)
    assert _times(found.flows) == [(expected[0] * SECOND, expected[1] * SECOND)]
    assert found.decoder.replaced_times == replaced


@pytest.mark.parametrize(("delay", "age_of_end", "age_of_start", "replaced", "expected"), SKEWS)
def test_wrong_clocks_that_count_milliseconds(
    delay: int, age_of_end: int, age_of_start: int, replaced: int, expected: tuple[int, int]
) -> None:
    """The wrong flow stands between two right ones, which it does not touch."""
    layout = (*BASIC, (152, 8), (153, 8))
    ages = [(20 - delay, 10 - delay), (age_of_start, age_of_end), (20 - delay, 10 - delay)]
    flows = [record(layout, "10.0.0.1", "10.0.0.2", 1, 1, *((EXPORTED - age) * 1000 for age in pair)) for pair in ages]
    found = collect(ipfix(template(layout), a_set(256, *flows)), time=(EXPORTED + delay) * SECOND)
    right = ((EXPORTED - ages[0][0]) * SECOND, (EXPORTED - ages[0][1]) * SECOND)
    assert _times(found.flows) == [right, (expected[0] * SECOND, expected[1] * SECOND), right]
    assert found.decoder.replaced_times == replaced


WRONG_UPTIMES = [
    pytest.param(UPTIME - 10, UPTIME - 20, (EXPORTED * SECOND - 20 * MILLISECOND,) * 2, id="a start after the end"),
    pytest.param(UPTIME - 10, UPTIME - 2 * 86_400_000, (EXPORTED * SECOND,) * 2, id="an end too long ago"),
]


@pytest.mark.parametrize(("first", "last", "expected"), WRONG_UPTIMES)
def test_wrong_uptimes(first: int, last: int, expected: tuple[int, int]) -> None:
    layout = (*BASIC, (22, 4), (21, 4))
    flow = record(layout, "10.0.0.1", "10.0.0.2", 1, 1, first & 0xFFFFFFFF, last & 0xFFFFFFFF)
    found = collect(v9(template(layout, version=9), a_set(256, flow)))
    assert _times(found.flows) == [expected]
    assert found.decoder.replaced_times == 1


def test_times_and_interfaces_that_nobody_needs_are_not_decoded() -> None:
    layout = (*BASIC, (10, 4), (150, 4), (151, 4))
    message = ipfix(template(layout), a_set(256, record(layout, "10.0.0.1", "10.0.0.2", 5, 600, 3, EXPORTED + 2 * DAY, END)))
    whole = collect(message)
    rest = collect(message, config=ExportConfig(needed=NeededColumns(times=False, interfaces=False)))
    assert (whole.decoder.replaced_times, rest.decoder.replaced_times) == (1, 0)
    assert whole.flows.input_interface.tolist() == [3]
    assert rest.flows.input_interface.tolist() == [0]
    assert _times(rest.flows) == [(0, 0)]
    assert rest.ends == whole.ends
    assert (rest.flows.packets.tolist(), rest.flows.octets.tolist()) == ([5], [600])


def test_the_limit_of_skew_is_configured() -> None:
    layout = (*BASIC, (151, 4))
    flow = record(layout, "10.0.0.1", "10.0.0.2", 1, 1, EXPORTED - 60)
    found = collect(ipfix(template(layout), a_set(256, flow)), config=ExportConfig(maximum_clock_skew=59 * SECOND))
    assert _times(found.flows) == [(EXPORTED * SECOND, EXPORTED * SECOND)]


def test_the_reverse_flow_has_times_of_its_own() -> None:
    layout = (*BASIC, (1, 4, 29305), (150, 4), (151, 4), (150, 4, 29305), (151, 4, 29305))
    flow = record(layout, "10.0.0.1", "10.0.0.2", 1, 1, 2, START, END, START + 1, END + 1)
    found = collect(ipfix(template(layout), a_set(256, flow)))
    assert _times(found.flows) == [(START * SECOND, END * SECOND), ((START + 1) * SECOND, (END + 1) * SECOND)]


def _times(flows: FlowBatch) -> list[tuple[int, int]]:
    return list(zip(flows.start.tolist(), flows.end.tolist(), strict=True))
