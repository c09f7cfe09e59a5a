"""Files of bare messages, NetFlow v5, and the check that tells messages from anything else."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.unit.decode_export.building import (
    BASIC,
    EXPORTED,
    SECOND,
    a_set,
    collect,
    datagrams,
    ipfix,
    message,
    record,
    template,
    v5,
    v5_flow,
    v9,
)
from tests.unit.decode_export.test_sflow import flow, sampled_ipv4, sflow
from venturi.core.decode.export.collector import ExportDecoder
from venturi.core.decode.export.configuration import ExportConfig
from venturi.core.decode.export.message_files import MessageFileDecoder, count_export_messages, is_export_message
from venturi.core.domain.drops import list_drops
from venturi.core.domain.flow_batch import UNTIMED, Exporter, FlowBatch, FlowTables

V5 = v5(v5_flow("10.0.0.1", "10.0.0.2", 2, 300), v5_flow("10.0.0.3", "10.0.0.4", 3, 400))
FLOW = record(BASIC, "10.0.0.1", "10.0.0.2", 2, 300)
V9 = v9(template(BASIC, version=9), a_set(256, FLOW))
IPFIX = ipfix(template(BASIC), a_set(256, FLOW))
SFLOW = sflow(flow(sampled_ipv4()))
EACH = {"v5": V5, "v9": V9, "ipfix": IPFIX, "sflow": SFLOW}


def new_decoder() -> MessageFileDecoder:
    return MessageFileDecoder(ExportDecoder(ExportConfig(), FlowTables()))


def decode(octets: bytes, chunk: int | None = None) -> tuple[MessageFileDecoder, FlowBatch, dict[str, tuple[int, int]]]:
    """Decode a file, in buffers of ``chunk`` octets that grow where the decoder needs more."""
    decoder = new_decoder()
    batches, held, place, size = [], b"", 0, chunk or len(octets) or 1
    while True:
        held += octets[place : place + size]
        place += size
        final = place >= len(octets)
        batch, used = decoder.decode(np.frombuffer(held, dtype=np.uint8), final=final)
        batches.append(batch)
        held = held[used:]
        if final:
            assert not held
            drops = {reason.wire_name: (drop.count, drop.first_position) for reason, drop in list_drops(decoder.drops).items()}
            return decoder, FlowBatch.concatenate(*batches), drops


def test_netflow_v5() -> None:
    found = collect(V5)
    assert found.ends == [("10.0.0.1", "10.0.0.2"), ("10.0.0.3", "10.0.0.4")]
    assert found.counts == [(2, 300), (3, 400)]
    assert found.flows.input_interface.tolist() == [3, 3]
    assert found.flows.output_interface.tolist() == [4, 4]
    assert found.flows.start.tolist() == [(EXPORTED - 2) * SECOND + 500] * 2
    assert found.flows.end.tolist() == [(EXPORTED - 1) * SECOND + 500] * 2


def test_netflow_v5_that_states_more_flows_than_it_has() -> None:
    found = collect(v5(v5_flow("10.0.0.1", "10.0.0.2", 2, 300), count=3), V5 + bytes(9))
    assert found.counts == [(2, 300), (2, 300), (3, 400)]
    assert found.drops == {"malformed_message": (1, 1)}


@pytest.mark.parametrize("chunk", [None, 1, 7, 64, 100])
def test_messages_of_all_protocols_one_after_another(chunk: int | None) -> None:
    decoder, flows, drops = decode((V9 + V5 + IPFIX + SFLOW + V9 + V9 + SFLOW + V5) * 3, chunk)
    assert drops == {}
    assert decoder.records == len(flows) == 3 * 10
    assert int(flows.octets.sum()) == 3 * (2 * 700 + 4 * 300 + 2 * 500)


def test_a_bare_file_names_no_exporter_but_an_sflow_agent_does() -> None:
    tables = FlowTables()
    decoder = MessageFileDecoder(ExportDecoder(ExportConfig(), tables))
    flows, _ = decoder.decode(np.frombuffer(IPFIX + SFLOW, dtype=np.uint8), final=True)
    assert [tables.exporters[row] for row in flows.exporter] == [Exporter(), Exporter(4, 0xC6336409)]
    assert flows.end.tolist() == [EXPORTED * SECOND, UNTIMED]


@pytest.mark.parametrize("chunk", [None, 50])
def test_more_messages_than_are_located_at_once(chunk: int | None) -> None:
    count = 20_000 if chunk is None else 40
    _, flows, _ = decode(IPFIX * count, chunk)
    assert len(flows) == count


UNREADABLE = [
    pytest.param(IPFIX + b"something else, longer than a header", {"bad_record_length": (1, len(IPFIX))}, 1, id="something else"),
    pytest.param(IPFIX + b"\x00\x0a\x00\x03" + bytes(40), {"bad_record_length": (1, len(IPFIX))}, 1, id="an impossible length"),
    pytest.param(IPFIX + IPFIX[:-1], {"malformed_message": (1, len(IPFIX)), "malformed_set": (1, len(IPFIX))}, 1, id="cut"),
    pytest.param(V9 + IPFIX[:9], {"malformed_message": (1, len(V9))}, 1, id="cut within a header"),
    pytest.param(V5 + V5[:-1], {"malformed_message": (1, len(V5))}, 3, id="NetFlow v5 cut"),
    pytest.param(ipfix(a_set(256, FLOW)) + V9, {"no_template": (1, 0)}, 1, id="no template"),
    pytest.param(b"", {}, 0, id="nothing"),
]


@pytest.mark.parametrize("chunk", [None, 11])
@pytest.mark.parametrize(("octets", "expected", "flows"), UNREADABLE)
def test_damaged_files(octets: bytes, expected: dict[str, tuple[int, int]], flows: int, chunk: int | None) -> None:
    _, found, drops = decode(octets, chunk)
    assert drops == expected
    assert len(found) == flows


MESSAGES = [
    *(pytest.param(octets, True, id=name) for name, octets in EACH.items()),
    *(pytest.param(octets + bytes(20), True, id=f"{name}, padded") for name, octets in EACH.items()),
    *(pytest.param(octets[:-1], False, id=f"{name}, cut") for name, octets in EACH.items()),
    pytest.param(b"", False, id="nothing"),
    pytest.param(v9(), False, id="v9 without sets"),
    pytest.param(ipfix(a_set(77, FLOW)), False, id="a reserved set number"),
    pytest.param(v9(a_set(2, FLOW)), False, id="an IPFIX set in v9"),
    pytest.param(v5(count=31) + bytes(31 * 48), False, id="31 flows"),
    pytest.param(b"\0\0\0\5\0\0\0\3" + bytes(40), False, id="sFlow of an agent of unknown family"),
    pytest.param(b"GET / HTTP/1.1\r\n\r\n........", False, id="text"),
]


@pytest.mark.parametrize(("octets", "expected"), MESSAGES)
def test_structure(octets: bytes, expected: bool) -> None:
    buffer = np.frombuffer(b"\xff\xff" + octets + b"\xff", dtype=np.uint8)
    assert is_export_message(buffer, 2, len(octets)) is expected
    assert count_export_messages(datagrams([IPFIX, octets, b"x"])) == 1 + expected


@pytest.mark.parametrize("version", [9, 10])
def test_columns_that_cannot_be_written_are_copied(version: int) -> None:
    found = datagrams([message(version, template(BASIC, version=version), a_set(256, FLOW))])
    assert not found.buffer.flags.writeable
    strided = found._replace(buffer=np.repeat(found.buffer, 2)[::2])
    decoder = ExportDecoder(ExportConfig(), FlowTables())
    assert decoder.decode(strided, new_decoder().drops).octets.tolist() == [300]


# Datagram files and the captures that hold the same datagrams; the first holds messages behind the one that the capture shows.
DATAGRAM_FILES = [
    ("netflow5_test_juniper_mx80.dat", "v5_juniper_mx80"),
    ("netflow_v5_example__netflow_v5.bin", "v5_telegraf"),
    ("netflow9_test_0length_fields_tpl_data.dat", "v9_0length_fields"),
    ("netflow9_test_softflowd_tpl_data.dat", "v9_softflowd"),
    ("netflow_v9_example__netflow_v9.bin", "v9_telegraf"),
]


@pytest.mark.parametrize(("datagram_file", "capture"), DATAGRAM_FILES)
def test_datagram_files_equal_the_captures_of_the_same(captures: Path, datagram_file: str, capture: str) -> None:
    totals = json.loads((captures / "totals.json").read_text())[f"export_pcap/{capture}.pcap"]
    _, flows, _ = decode((captures / "datagrams" / datagram_file).read_bytes())
    assert (len(flows), int(flows.packets.sum()), int(flows.octets.sum())) == (totals["data_records"], totals["packets"], totals["bytes"])


@pytest.mark.parametrize("chunk", [None, 1000])
def test_ipfix_files_equal_the_totals_however_they_are_read(captures: Path, chunk: int | None) -> None:
    for name, totals in json.loads((captures / "totals.json").read_text()).items():
        if name.startswith("ipfix_file/") and totals.get("kind") == "export":
            _, flows, _ = decode((captures / name).read_bytes(), chunk)
            assert (len(flows), int(flows.packets.sum()), int(flows.octets.sum())) == (
                totals["data_records"],
                totals["packets"],
                totals["bytes"],
            )
