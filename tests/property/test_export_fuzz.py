"""Any octets whatever as datagrams either decode or are counted: nothing is raised, nothing is invented, and twice gives the same."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.fuzz.keeping import keeps_failures
from tests.unit.decode_export.building import (
    BASIC,
    a_set,
    collect_datagrams,
    datagrams,
    ipfix,
    options_template,
    record,
    template,
    v5,
    v5_flow,
    v9,
)
from tests.unit.decode_export.test_sflow import IPV4_PACKET, expanded, flow, raw, sampled_ipv6, sflow, sized
from venturi.core.decode.export.collector import ExportDecoder
from venturi.core.decode.export.configuration import ExportConfig
from venturi.core.decode.export.message_files import MessageFileDecoder, is_export_message
from venturi.core.domain.drops import MAXIMUM_COUNT
from venturi.core.domain.flow_batch import COLUMN_TYPES, UNTIMED, FlowBatch, FlowTables

RICH = ((8, 4), (27, 16), (28, 16), (10, 4), (61, 1), (22, 4), (153, 8), (161, 4), (2, 4), (1, 8), (1, 8, 29305), (48, 1), (34, 4))
VARIABLE = ((12, 4), (82, 65535), (1, 4), (160, 8), (21, 4))
SECTION = ((312, 2), (305, 2), (306, 2), (315, 65535))
FLOW = record(BASIC, "10.0.0.1", "10.0.0.2", 2, 300)
RICH_FLOW = record(RICH, "10.0.0.1", "2001:db8::1", "2001:db8::2", 3, 0, 4_000_000, 1_699_999_999_000, 5, 2, 300, 9, 1, 10)
VARIABLE_FLOW = record(VARIABLE, "10.0.0.2", b"\3abc", 300, 1_699_990_000_000, 9_000_000)
SECTION_FLOW = record(SECTION, 60, 1, 9, bytes([34]) + bytes(12) + b"\x08\x00" + IPV4_PACKET)
OPTIONS = options_template([(149, 4)], [(48, 1), (34, 4)]) + a_set(512, b"\0\0\0\7\1\0\0\0\x64" * 2)
SEEDS = [
    v5(v5_flow("10.0.0.1", "10.0.0.2", 2, 300), v5_flow("10.0.0.3", "10.0.0.4", 3, 400), sampling=100),
    v9(template(BASIC, version=9), options_template([(1, 4)], [(48, 1), (34, 4)], version=9), a_set(256, FLOW, FLOW), a_set(512, bytes(9))),
    ipfix(template(RICH), template(VARIABLE, 257), OPTIONS, a_set(256, RICH_FLOW, RICH_FLOW), a_set(257, VARIABLE_FLOW, VARIABLE_FLOW)),
    ipfix(template(SECTION, 258), a_set(258, SECTION_FLOW, SECTION_FLOW), a_set(2, b"\x01\x02\0\0"), a_set(258, SECTION_FLOW)),
    ipfix(a_set(256, RICH_FLOW), a_set(257, VARIABLE_FLOW), a_set(300, FLOW)),
    v9(a_set(256, FLOW), a_set(512, bytes(18))),
    sflow(flow(raw(IPV4_PACKET), sampled_ipv6()), expanded(sampled_ipv6()), sized(2, bytes(12)), agent="2001:db8::9"),
]
CONFIG = ExportConfig(
    maximum_templates_per_domain=3, maximum_templates=4, maximum_waiting_octets=1000, maximum_domains=4, maximum_sampling_rates=3
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Change, insert and cut octets of a good message."""
    octets = bytearray(draw(st.sampled_from(SEEDS)))
    for place, octet in draw(st.lists(st.tuples(st.integers(0, len(octets) - 1), st.integers(0, 255)), max_size=6)):
        octets[place] = octet
    first, last = sorted(draw(st.tuples(st.integers(0, len(octets)), st.integers(0, len(octets)))))
    if draw(st.booleans()):
        octets[first:last] = draw(st.binary(max_size=24))
    return bytes(octets)


MESSAGES = st.lists(st.one_of(st.sampled_from(SEEDS), damaged(), st.binary(max_size=80)), max_size=8)


def check(flows: FlowBatch, tables: FlowTables) -> None:
    """Hold flows to what every flow batch promises."""
    assert [column.dtype for column in _columns(flows)] == list(COLUMN_TYPES)
    assert set(np.unique(flows.family).tolist()) <= {0, 4, 6}
    assert (flows.source_low[flows.family == 0] == 0).all()
    assert (flows.source_high[flows.family == 4] == 0).all()
    assert (flows.source_low[flows.family == 4] < 1 << 32).all()
    for counts in (flows.packets, flows.octets):
        assert ((counts >= 0) & (counts <= MAXIMUM_COUNT)).all()
    assert (flows.start <= flows.end).all()
    assert ((flows.start >= 0) | (flows.start == UNTIMED)).all()
    assert ((flows.sampling >= 0) & (flows.sampling < len(tables.sampling_rates))).all()
    assert ((flows.exporter >= 0) & (flows.exporter < len(tables.exporters))).all()
    assert len(tables.sampling_rates) <= CONFIG.maximum_sampling_rates + 1
    assert len(tables.exporters) <= CONFIG.maximum_domains


def _columns(flows: FlowBatch) -> list[NDArray[np.generic]]:
    return [getattr(flows, name) for name in FlowBatch.__slots__]


@keeps_failures("exports")
def decode_all(octets: bytes) -> None:
    """Decode octets as one datagram behind good ones, and as a file of messages."""
    found = collect_datagrams(datagrams([*SEEDS, octets, *SEEDS]), config=CONFIG)
    check(found.flows, found.tables)
    tables = FlowTables()
    decoder = MessageFileDecoder(ExportDecoder(CONFIG, tables))
    flows, used = decoder.decode(np.frombuffer(octets, dtype=np.uint8), final=True)
    assert used == len(octets)
    check(flows, tables)


@given(MESSAGES)
def test_any_datagrams_decode_or_are_counted(messages: list[bytes]) -> None:
    found = collect_datagrams(datagrams(messages), config=CONFIG)
    check(found.flows, found.tables)
    octets = sum(map(len, messages))
    assert found.decoder.records <= octets // 5
    for count, position in found.drops.values():
        assert 0 < count <= octets + len(messages)
        assert 1 <= position <= len(messages)
    again = collect_datagrams(datagrams(messages), config=CONFIG)
    assert found.drops == again.drops
    for one, other in zip(_columns(found.flows), _columns(again.flows), strict=True):
        assert np.array_equal(one, other)


@given(MESSAGES)
def test_what_is_damaged_takes_nothing_from_other_domains(messages: list[bytes]) -> None:
    good = ipfix(template(BASIC), a_set(256, FLOW), domain=99)
    decoder = ExportDecoder(ExportConfig(), FlowTables())
    drops = MessageFileDecoder(decoder).drops
    decoder.decode(datagrams([good]), drops)
    decoder.decode(datagrams(messages), drops)
    flows = decoder.decode(datagrams([ipfix(a_set(256, FLOW), domain=99)]), drops)
    assert flows.octets.tolist() == [300]


@given(st.lists(st.one_of(st.sampled_from(SEEDS), damaged()), max_size=6), st.integers(1, 200))
def test_a_file_gives_the_same_however_it_is_cut_into_buffers(messages: list[bytes], chunk: int) -> None:
    octets = b"".join(messages)
    whole = MessageFileDecoder(ExportDecoder(ExportConfig(), FlowTables()))
    flows, _ = whole.decode(np.frombuffer(octets, dtype=np.uint8), final=True)
    parts = MessageFileDecoder(ExportDecoder(ExportConfig(), FlowTables()))
    batches, held = [FlowBatch.empty(0)], b""
    for place in range(0, len(octets) or 1, chunk):
        held += octets[place : place + chunk]
        batch, used = parts.decode(np.frombuffer(held, dtype=np.uint8), final=place + chunk >= len(octets))
        held = held[used:]
        batches.append(batch)
    assert np.array_equal(FlowBatch.concatenate(*batches).octets, flows.octets)
    assert np.array_equal(whole.drops, parts.drops)


@given(st.one_of(damaged(), st.binary(max_size=200)))
def test_the_check_of_structure_takes_any_octets(octets: bytes) -> None:
    assert is_export_message(np.frombuffer(octets, dtype=np.uint8), 0, len(octets)) in {True, False}
    decode_all(octets)
