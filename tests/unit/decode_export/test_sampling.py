"""Sampling rates: who tells them, and for which records they hold."""

from fractions import Fraction

import pytest

from tests.unit.decode_export.building import (
    BASIC,
    Specifier,
    a_set,
    collect,
    ipfix,
    message,
    number,
    options_template,
    record,
    template,
    v5,
    v5_flow,
    v9,
)
from venturi.core.decode.export.configuration import ExportConfig
from venturi.core.domain.flow_batch import Exporter

ENDS = ("10.0.0.1", "10.0.0.2", 2, 300)
EXPORTER = Exporter(4, int.from_bytes(number("192.0.2.1", 4)))
SYSTEM = (1, 4)


def options(
    scopes: list[Specifier], fields: list[Specifier], *records: list[int], version: int = 10, template_id: int = 512
) -> list[bytes]:
    layout = [*scopes, *fields]
    content = [record(layout, *values) for values in records]
    return [options_template(scopes, fields, template_id, version), a_set(template_id, *content)]


def data(fields: list[Specifier], *records: list[int], version: int = 10) -> list[bytes]:
    layout = (*BASIC, *fields)
    return [template(layout, version=version), a_set(256, *(record(layout, *ENDS, *values) for values in records))]


STATED = [
    pytest.param([(34, 4)], [100], "100", id="samplingInterval"),
    pytest.param([(50, 4)], [200], "200", id="samplerRandomInterval"),
    pytest.param([(305, 4), (306, 4)], [1, 999], "1000", id="interval and space"),
    pytest.param([(305, 4), (306, 4)], [2, 3], "5/2", id="a rate that is no whole number"),
    pytest.param([(309, 4), (310, 4)], [3, 10], "10/3", id="size and population"),
    pytest.param([(34, 4)], [1], "1", id="unsampled"),
    pytest.param([(34, 4)], [0], "7", id="0 tells nothing"),
    pytest.param([(305, 4), (306, 4)], [0, 9], "7", id="an interval of 0 tells nothing"),
    pytest.param([(309, 4), (310, 4)], [10, 3], "7", id="more than all tells nothing"),
    pytest.param([(305, 4)], [1], "7", id="an interval without a space tells nothing"),
    pytest.param([(305, 4), (34, 4)], [1, 50], "50", id="half of one, all of another"),
]


@pytest.mark.parametrize("told_by", ["options", "record"])
@pytest.mark.parametrize(("fields", "values", "rate"), STATED)
def test_what_is_told(told_by: str, fields: list[Specifier], values: list[int], rate: str) -> None:
    config = ExportConfig(default_sampling_rate=Fraction(7))
    sets = data(fields, values) if told_by == "record" else [*options([(149, 4)], fields, [7, *values]), *data([], [])]
    found = collect(ipfix(*sets), config=config)
    assert found.rates == [rate]
    assert found.counts == [(2, 300)]


def test_the_algorithm_says_which_statement_holds() -> None:
    fields: list[Specifier] = [(305, 4), (304, 2), (306, 4), (309, 4), (310, 4)]
    for algorithm, rate in ((1, "10"), (3, "256")):
        assert collect(ipfix(*options([(302, 4)], fields, [1, 1, algorithm, 9, 1, 256]), *data([(302, 4)], [1]))).rates == [rate]


@pytest.mark.parametrize("version", [9, 10])
def test_samplers(version: int) -> None:
    scopes: list[Specifier] = [SYSTEM] if version == 9 else [(149, 4)]
    told = options(scopes, [(48, 1), (50, 4)], [0, 1, 100], [0, 2, 0], [0, 3, 300], version=version)
    found = collect(message(version, *told, *data([(48, 1)], [1], [2], [3], [4], version=version)))
    assert found.rates == ["100", "1", "300", "1"]
    assert found.decoder.options_records == 3


@pytest.mark.parametrize("version", [9, 10])
def test_rates_told_for_interfaces(version: int) -> None:
    scope: list[Specifier] = [(2 if version == 9 else 10, 4)]
    told = options(scope, [(34, 4)], [3, 100], [4, 200], version=version)
    found = collect(message(version, *told, *data([(10, 4)], [4], [3], [5], version=version)))
    assert found.rates == ["200", "100", "1"]


def test_options_hold_for_their_domain_and_from_then_on() -> None:
    told = options([(149, 4)], [(34, 4)], [7, 100])
    again = a_set(512, record([(149, 4), (34, 4)], 7, 50))
    flow = a_set(256, record(BASIC, *ENDS))
    found = collect(ipfix(*data([], [])), ipfix(*told), ipfix(flow), ipfix(*data([], []), domain=8), ipfix(again), ipfix(flow))
    assert found.rates == ["1", "100", "1", "50"]


def test_options_that_are_no_sampling_are_counted_only() -> None:
    told = options([(149, 4)], [(41, 4), (42, 4)], [7, 1, 2], [7, 3, 4])
    variable = options_template([(149, 4)], [(82, 65535)], 513), a_set(513, b"\0\0\0\7\2ab", b"\0\0\0\7\0")
    found = collect(ipfix(*told, *variable, *data([], [])))
    assert found.decoder.options_records == 4
    assert found.rates == ["1"]
    assert found.drops == {}


def test_the_configured_rate_of_an_exporter_always_wins() -> None:
    config = ExportConfig(sampling_rates={EXPORTER: Fraction(9)})
    sets = [*options([(149, 4)], [(34, 4)], [7, 100]), *data([(34, 4)], [5])]
    assert collect(ipfix(*sets), v5(v5_flow("10.0.0.1", "10.0.0.2", 1, 1), sampling=20), config=config).rates == ["9", "9"]


V5_RATES = [(0, "7"), (1, "1"), (100, "100"), (0x4000 | 100, "100"), (0xC000, "7")]


@pytest.mark.parametrize(("field", "rate"), V5_RATES)
def test_netflow_v5_header(field: int, rate: str) -> None:
    config = ExportConfig(default_sampling_rate=Fraction(7))
    assert collect(v5(v5_flow("10.0.0.1", "10.0.0.2", 1, 1), sampling=field), config=config).rates == [rate]


def test_bounds_on_rates_and_samplers() -> None:
    config = ExportConfig(maximum_sampling_rates=5, maximum_samplers=2)
    found = collect(v9(*data([(34, 4)], *([rate] for rate in range(2, 12)), version=9)), config=config)
    assert found.rates == ["2", "3", "4", "5", "6"]
    assert found.drops == {"template_limit": (5, 1)}
    told = options([(149, 4)], [(48, 4), (34, 4)], [7, 1, 2], [7, 2, 2], [7, 3, 2], [7, 1, 3])
    found = collect(ipfix(*told, *data([(48, 4)], [1], [2], [3])), config=config)
    assert found.rates == ["3", "2", "1"]
    assert found.drops == {"template_limit": (1, 1)}
