"""Makes the inputs of one scale.

Owns which files are made of what, and the totals that every program's figures are held to.
"""

import json
import shutil
import struct
from collections.abc import Iterable
from pathlib import Path

from bench.inputs import wire
from bench.inputs.catalogue import FILTER_PREFIXES, TINY_FLOWS, TINY_PACKETS, Inputs
from bench.inputs.collected import collect, cut
from bench.inputs.exports import IPFIX, NETFLOW, write_export
from bench.inputs.flows import make_chunks
from bench.inputs.packets import make_packets, shortest_octets, write_capture
from bench.inputs.rules import spell_filter, spell_networks_file, spell_rules_file
from bench.scale import FEW_PREFIXES, PREFIX_COUNTS

Totals = dict[str, dict[str, int]]


def make_all(inputs: Inputs) -> None:
    """Make every file of ``inputs``."""
    print(f"making the inputs in {inputs.folder}; this takes a few minutes, once", flush=True)
    _make_rules(inputs)
    totals = _make_exports(inputs) | _make_captures(inputs)
    _write_pieces(inputs.tiny_pcapng, [_tiny_pcapng()])
    if shutil.which("nfcapd"):
        collect(inputs.export(NETFLOW.name), inputs.collected(), inputs.scale.flow_records)
        cut(inputs.collected(), inputs.collected("filtered"), inputs.scale.filtered_records)
        cut(inputs.collected(), inputs.collected("tiny"), TINY_FLOWS)
    (inputs.folder / "totals.json").write_text(json.dumps(totals, indent=1), encoding="utf-8")


def _make_rules(inputs: Inputs) -> None:
    for family in (4, 6):
        for count in (FEW_PREFIXES, *PREFIX_COUNTS):
            inputs.rules(family, count).write_text(spell_rules_file(family, count), encoding="ascii")
            inputs.networks(family, count).write_text(spell_networks_file(family, count), encoding="ascii")
    inputs.filter.write_text(spell_filter(FILTER_PREFIXES), encoding="ascii")


def _make_exports(inputs: Inputs) -> Totals:
    totals: Totals = {}
    for tiny, count in ((True, TINY_FLOWS), (False, inputs.scale.flow_records)):
        for protocol in (NETFLOW, IPFIX):
            _write_pieces(inputs.export(protocol.name, tiny=tiny), write_export(protocol, count))
        sums = [(int(flows.packets.sum()), int(flows.octets.sum())) for flows in make_chunks(count)]
        for protocol in (NETFLOW, IPFIX):
            totals[inputs.export(protocol.name, tiny=tiny).name] = _total(count, sums)
    return totals


def _make_captures(inputs: Inputs) -> Totals:
    totals: Totals = {}
    for family in (4, 6):
        for tiny, count in ((True, TINY_PACKETS), (False, inputs.scale.packets)):
            path = inputs.packets(family, tiny=tiny)
            _write_pieces(path, write_capture(family, count))
            sums = [(len(packets.octets), int(packets.octets.sum())) for packets in make_packets(count, shortest_octets(family))]
            totals[path.name] = _total(count, sums)
    return totals


def _total(records: int, sums: list[tuple[int, int]]) -> dict[str, int]:
    packets, octets = (sum(column) for column in zip(*sums, strict=True))
    return {"records": records, "packets": packets, "octets": octets}


def _write_pieces(path: Path, pieces: Iterable[bytes]) -> None:
    with path.open("wb") as file:
        for piece in pieces:
            file.write(piece)


def _tiny_pcapng() -> bytes:
    """Spell a section header, an interface and one packet: 20 octets of IPv4 in Ethernet."""
    ip_header = struct.pack(">BBHHHBBHII", 0x45, 0, 20, 0, 0, 64, 59, 0, 0x0A000001, 0xC0000201)
    frame = b"\0" * 12 + b"\x08\x00" + ip_header
    padded = frame + b"\0" * (-len(frame) % 4)
    packet = struct.pack("<IIIII", 0, 0, 0, len(frame), len(frame)) + padded
    blocks = ((0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)), (1, struct.pack("<HHI", 1, 0, wire.SNAPLEN)), (6, packet))
    return b"".join(struct.pack("<II", kind, 12 + len(body)) + body + struct.pack("<I", 12 + len(body)) for kind, body in blocks)
