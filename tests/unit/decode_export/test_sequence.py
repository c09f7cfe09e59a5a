"""Loss told by sequence numbers, in the units of each protocol."""

from collections.abc import Callable, Iterator

import pytest

from tests.unit.decode_export.building import BASIC, a_set, collect, ipfix, record, template, v5, v5_flow, v9
from tests.unit.decode_export.test_sflow import sflow

FLOW = record(BASIC, "10.0.0.1", "10.0.0.2", 2, 300)
WRAP = 1 << 32


def v5_of_two(sequence: int) -> bytes:
    return v5(*[v5_flow("10.0.0.1", "10.0.0.2", 1, 1)] * 2, sequence=sequence)


def v9_of_two(sequence: int) -> bytes:
    return v9(template(BASIC, version=9), a_set(256, FLOW, FLOW), sequence=sequence)


def ipfix_of_two(sequence: int) -> bytes:
    return ipfix(template(BASIC), a_set(256, FLOW, FLOW), sequence=sequence)


def sflow_of_none(sequence: int) -> bytes:
    return sflow(sequence=sequence)


PROTOCOLS = [
    pytest.param(v5_of_two, 2, "netflow-v5", id="NetFlow v5 counts flows"),
    pytest.param(v9_of_two, 1, "netflow-v9", id="NetFlow v9 counts datagrams"),
    pytest.param(ipfix_of_two, 2, "ipfix", id="IPFIX counts data records"),
    pytest.param(sflow_of_none, 1, "sflow", id="sFlow counts datagrams"),
]
# Sequence numbers in messages, and what is found: lost messages, out of order, restarts
HISTORIES = [
    pytest.param([5, 6, 7], (0, 0, 0), id="all there"),
    pytest.param([5, 8, 9], (2, 0, 0), id="two lost"),
    pytest.param([5, 7, 6, 8], (0, 1, 0), id="one late"),
    pytest.param([5, 8, 6, 9], (1, 1, 0), id="one late, one lost"),
    pytest.param([-2, -1, 0, 1], (0, 0, 0), id="the number wraps"),
    pytest.param([-2, 0, 1], (1, 0, 0), id="one lost where the number wraps"),
    pytest.param([500, 0, 1, 2], (0, 0, 1), id="a restart from 0"),
    pytest.param([1_000_000, 100, 101], (0, 0, 1), id="a restart seen late"),
]


@pytest.mark.parametrize(("make", "units", "protocol"), PROTOCOLS)
@pytest.mark.parametrize(("numbers", "expected"), HISTORIES)
def test_histories(make: Callable[[int], bytes], units: int, protocol: str, numbers: list[int], expected: tuple[int, int, int]) -> None:
    found = collect(*(make(number * units % WRAP) for number in numbers))
    (report,) = found.decoder.sequence_report()
    assert report.protocol == protocol
    assert report.messages == len(numbers)
    assert (report.lost, report.out_of_order, report.restarts) == (expected[0] * units, *expected[1:])


def test_after_data_without_a_template_nothing_is_expected_of_ipfix() -> None:
    messages = [ipfix_of_two(0), ipfix(a_set(999, FLOW), sequence=2), ipfix_of_two(77), ipfix_of_two(80)]
    (report,) = collect(*messages).decoder.sequence_report()
    assert (report.messages, report.lost) == (4, 1)


def test_data_that_waited_is_not_counted_again() -> None:
    messages = [v9(a_set(256, FLOW), sequence=4), v9(template(BASIC, version=9), sequence=5)]
    (report,) = collect(*messages).decoder.sequence_report()
    assert (report.messages, report.lost, report.out_of_order, report.restarts) == (2, 0, 0, 0)


def test_domains_are_told_apart() -> None:
    messages = [ipfix(sequence=5, domain=1), ipfix(sequence=900, domain=2), ipfix(sequence=6, domain=1)]
    assert [(report.domain, report.lost) for report in collect(*messages).decoder.sequence_report()] == [(1, 1), (2, 0)]


def test_options_records_count_as_data_records() -> None:
    def messages() -> Iterator[bytes]:
        yield ipfix(a_set(3, b"\x02\x00\x00\x02\x00\x01\x00\x95\x00\x04\x00\x22\x00\x04"), sequence=0)
        yield ipfix(a_set(512, bytes(16)), sequence=0)
        yield ipfix(sequence=2)

    (report,) = collect(*messages()).decoder.sequence_report()
    assert (report.lost, report.out_of_order) == (0, 0)
