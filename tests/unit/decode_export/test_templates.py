"""Templates: their life, their bounds, and data that comes before them."""

import numpy as np
import pytest

from tests.unit.decode_export.building import (
    BASIC,
    EXPORTED,
    SECOND,
    UPTIME,
    a_set,
    collect,
    collect_datagrams,
    datagrams,
    ipfix,
    message,
    options_template,
    record,
    template,
    v9,
)
from venturi.core.decode.export.collector import ExportDecoder
from venturi.core.decode.export.configuration import ExportConfig
from venturi.core.decode.frames import Datagrams
from venturi.core.domain.drops import list_drops, new_drop_table
from venturi.core.domain.flow_batch import FlowTables

FLOW = record(BASIC, "10.0.0.1", "10.0.0.2", 2, 300)
SWAPPED = ((12, 4), (8, 4), (2, 4), (1, 4))
DATA = a_set(256, FLOW)


@pytest.mark.parametrize("version", [9, 10])
def test_template_and_data_in_one_message(version: int) -> None:
    found = collect(message(version, template(BASIC, version=version), a_set(256, FLOW * 5)))
    assert found.counts == [(2, 300)] * 5
    assert found.drops == {}


@pytest.mark.parametrize("version", [9, 10])
def test_data_waits_for_its_template_and_keeps_its_time_of_receipt(version: int) -> None:
    found = datagrams([message(version, DATA), message(version, template(BASIC, version=version))])
    received = found._replace(time=np.array([EXPORTED + 100, EXPORTED + 200]) * SECOND)
    collected = collect_datagrams(received, config=ExportConfig(maximum_clock_skew=10 * SECOND))
    assert collected.counts == [(2, 300)]
    assert collected.flows.end.tolist() == [(EXPORTED + 100) * SECOND]
    assert collected.drops == {}


def test_data_whose_template_never_comes_is_counted_in_sets() -> None:
    found = collect(ipfix(template(BASIC)), ipfix(a_set(300, FLOW), a_set(301, FLOW * 3)), ipfix(a_set(300, FLOW)))
    assert found.drops == {"no_template": (3, 2)}


def test_templates_outlive_an_input_but_waiting_data_does_not() -> None:
    decoder = ExportDecoder(ExportConfig(), FlowTables())
    drops = new_drop_table()
    decoder.decode(datagrams([ipfix(template(BASIC), a_set(300, FLOW))]), drops)
    decoder.finish(drops)
    again = decoder.decode(datagrams([ipfix(DATA), ipfix(template(BASIC, 300))]), drops)
    assert again.octets.tolist() == [300]
    assert [(reason.wire_name, drop.count) for reason, drop in list_drops(drops).items()] == [("no_template", 1)]


@pytest.mark.parametrize("version", [9, 10])
def test_a_template_is_replaced_by_the_next_of_its_number(version: int) -> None:
    found = collect(
        message(version, template(BASIC, version=version), DATA),
        message(version, template(SWAPPED, version=version), DATA),
        message(version, template(SWAPPED, version=version), DATA),
    )
    assert found.ends == [("10.0.0.1", "10.0.0.2"), ("10.0.0.2", "10.0.0.1"), ("10.0.0.2", "10.0.0.1")]


WITHDRAWALS = [
    pytest.param([a_set(2, b"\x01\x00\x00\x00")], {256}, id="one"),
    pytest.param([a_set(2, b"\x00\x02\x00\x00")], {256, 257}, id="all"),
    pytest.param([a_set(3, b"\x00\x03\x00\x00")], set(), id="all options templates"),
    pytest.param([a_set(2, b"\x01\x00\x00\x00"), template(BASIC)], set(), id="one, and sent anew"),
    pytest.param([a_set(2, b"\x03\x00\x00\x00")], set(), id="one that is not known"),
]


@pytest.mark.parametrize(("sets", "gone"), WITHDRAWALS)
def test_withdrawal(sets: list[bytes], gone: set[int]) -> None:
    known = ipfix(template(BASIC), template(BASIC, 257), options_template([(149, 4)], [(34, 4)]))
    found = collect(known, ipfix(*sets), ipfix(DATA, a_set(257, FLOW)))
    assert len(found.flows) == 2 - len(gone)
    assert found.drops.get("no_template", (0, 0))[0] == len(gone)


SESSIONS = [
    pytest.param({"source": "192.0.2.2"}, id="exporter"),
    pytest.param({"port": 9995}, id="port"),
]


@pytest.mark.parametrize("other", SESSIONS)
def test_templates_are_those_of_one_session(other: dict[str, str]) -> None:
    one, two = datagrams([ipfix(template(BASIC))]), datagrams([ipfix(DATA)], **other)  # type: ignore[arg-type]
    found = collect_datagrams(_joined(one, two))
    assert found.drops == {"no_template": (1, 1)}


def test_templates_are_those_of_one_domain_and_version() -> None:
    found = collect(ipfix(template(BASIC)), ipfix(DATA, domain=8), v9(DATA), ipfix(DATA))
    assert found.drops == {"no_template": (2, 2)}
    assert len(found.flows) == 1


def _joined(one: Datagrams, two: Datagrams) -> Datagrams:
    columns = (np.concatenate([getattr(one, name), getattr(two, name)]) for name in Datagrams._fields)
    joined = Datagrams(*columns)
    joined.offset[len(one.offset) :] += len(one.buffer)
    return joined


MALFORMED = [
    pytest.param(a_set(2, b"\x01\x00\x00\x05\x00\x08\x00\x04"), {"malformed_template": 1, "no_template": 1}, id="more fields than octets"),
    pytest.param(
        a_set(2, b"\x01\x00\x00\x02\x00\x08\x00\x00\x00\x0c\x00\x00"), {"malformed_template": 1, "no_template": 1}, id="no length"
    ),
    pytest.param(a_set(2, b"\x00\xff\x00\x01\x00\x08\x00\x04"), {"malformed_template": 1, "no_template": 1}, id="a number below 256"),
    pytest.param(a_set(2, b"\x01\x00\x00\x01\x80\x08\x00\x04\x00"), {"malformed_template": 1, "no_template": 1}, id="half an enterprise"),
    pytest.param(template(BASIC)[:-4], {"malformed_set": 1}, id="a set longer than its message"),
    pytest.param(a_set(77, b"\x01\x00\x00\x00"), {"revised_export": 1, "no_template": 1}, id="a reserved set number"),
    pytest.param(b"\x00\x02\x00\x02", {"malformed_set": 1}, id="a set shorter than its header"),
    pytest.param(bytes(8), {"malformed_set": 1}, id="zeros"),
    pytest.param(template(BASIC) + a_set(256, FLOW[:-1]), {"malformed_record": 1}, id="a set too short for a record"),
]


@pytest.mark.parametrize(("octets", "reasons"), MALFORMED)
def test_malformed_sets_are_counted_and_good_ones_before_them_kept(octets: bytes, reasons: dict[str, int]) -> None:
    good = ipfix(template(BASIC, 257), a_set(257, FLOW), octets, *([] if "malformed_record" in reasons else [DATA]))
    found = collect(good)
    assert found.counts == [(2, 300)]
    assert {reason: count for reason, (count, _) in found.drops.items()} == reasons


def test_padding_is_no_record() -> None:
    found = collect(
        ipfix(template(BASIC), a_set(256, FLOW, FLOW, bytes(3))), v9(template(BASIC, version=9), a_set(256, FLOW, bytes(2)), bytes(2))
    )
    assert len(found.flows) == 3
    assert found.drops == {}


@pytest.mark.parametrize("cut", [1, 4, 16])
def test_a_datagram_that_was_cut(cut: int) -> None:
    whole = ipfix(template(BASIC), DATA, DATA)
    found = collect(whole[:-cut])
    assert found.counts == [(2, 300)]
    assert {reason: count for reason, (count, _) in found.drops.items()} == {"malformed_message": 1, "malformed_set": 1}


@pytest.mark.parametrize(("tail", "drops"), [(bytes(30), {}), (b"\1" * 30, {"malformed_message": (1, 1)})], ids=["zeros", "something"])
def test_octets_behind_an_ipfix_message(tail: bytes, drops: dict[str, tuple[int, int]]) -> None:
    found = collect(ipfix(template(BASIC), DATA) + tail)
    assert found.counts == [(2, 300)]
    assert found.drops == drops


REFUSED = [
    pytest.param(b"", "not_export", id="nothing"),
    pytest.param(b"GET / HTTP/1.1\r\n\r\n........", "not_export", id="text"),
    pytest.param(b"\x00\x0a\x00\x10", "malformed_message", id="half a header"),
    pytest.param(b"\x00\x01\x00\x02" + bytes(12 + 104), "revised_export", id="NetFlow v1"),
    pytest.param(b"\x00\x07\x00\x01" + bytes(20 + 52), "revised_export", id="NetFlow v7"),
    pytest.param(b"\x00\x08\x00\x02" + bytes(24 + 56), "revised_export", id="NetFlow v8"),
    pytest.param(b"\x00\x00\x00\x04\x00\x00\x00\x01" + bytes(20), "revised_export", id="sFlow v4"),
    pytest.param(b"\x00\x01\x00\x02" + bytes(40), "not_export", id="something like NetFlow v1"),
]


@pytest.mark.parametrize(("payload", "reason"), REFUSED)
def test_other_datagrams(payload: bytes, reason: str) -> None:
    found = collect(payload, ipfix(template(BASIC), DATA), payload)
    assert found.drops == {reason: (2, 1)}
    assert found.counts == [(2, 300)]


def test_bounds_on_templates_and_domains() -> None:
    config = ExportConfig(maximum_templates_per_domain=2, maximum_templates=3, maximum_domains=2)
    templates = [template(BASIC, number) for number in (256, 257, 258)]
    found = collect(ipfix(*templates), ipfix(*templates, domain=8), ipfix(*templates, domain=9), config=config)
    assert found.drops == {"template_limit": (4, 1)}


def test_bound_on_waiting_data_gives_up_the_oldest() -> None:
    messages = [ipfix(a_set(number, FLOW)) for number in range(256, 276)]
    found = collect(
        *messages, ipfix(*(template(BASIC, number) for number in range(256, 276))), config=ExportConfig(maximum_waiting_octets=3000)
    )
    lost, first = found.drops["template_limit"]
    assert 5 < lost < 15
    assert first == 1
    assert len(found.flows) == 20 - lost


def test_a_batch_larger_than_its_columns() -> None:
    fields = ((8, 4), (1, 1), (1, 1, 29305))
    flows = b"".join(record(fields, row, 1, row % 2) for row in range(5000))
    found = collect(*[ipfix(template(fields), a_set(256, flows))] * 3)
    assert len(found.flows) == 3 * 7500
    assert found.flows.source_low[::2][:2].tolist() == [0, 2]
    assert int(found.flows.octets.sum()) == 3 * 7500


def test_uptime_is_that_of_the_message_the_data_came_in() -> None:
    fields = (*BASIC, (21, 4))
    flow = record(fields, "10.0.0.1", "10.0.0.2", 1, 1, UPTIME - 1000)
    found = collect(v9(a_set(256, flow)), v9(template(fields, version=9), uptime=UPTIME + 60_000, exported=EXPORTED + 60))
    assert found.flows.end.tolist() == [(EXPORTED - 1) * SECOND]
