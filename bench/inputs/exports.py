"""The same flows as NetFlow v9 (RFC 3954) and as IPFIX (RFC 7011): captures of an exporter's datagrams.

Owns templates, records and message headers. NetFlow v9 records say their direction (element 61) and count in 32 bits relative to
sysUpTime; those of IPFIX say none, count in 64 bits and have absolute milliseconds, so that both kinds of work are measured.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.inputs import wire
from bench.inputs.flows import Flows, make_chunks
from bench.inputs.wire import Rows

TEMPLATE_ID = 256

_UPTIME = 1_000_000_000
_BEGINNING_MILLISECONDS = wire.BEGINNING // 1_000_000
_EXPORTER = 0xC0000201
_COLLECTOR = 0xC0000202
_DOMAIN = 7

_NETFLOW_FIELDS = (
    ("source", 8, ">u4"),
    ("destination", 12, ">u4"),
    ("next_hop", 15, ">u4"),
    ("input", 10, ">u4"),
    ("output", 14, ">u4"),
    ("packets", 2, ">u4"),
    ("octets", 1, ">u4"),
    ("start", 22, ">u4"),
    ("end", 21, ">u4"),
    ("source_port", 7, ">u2"),
    ("destination_port", 11, ">u2"),
    ("source_as", 16, ">u2"),
    ("destination_as", 17, ">u2"),
    ("protocol", 4, "u1"),
    ("tos", 5, "u1"),
    ("flags", 6, "u1"),
    ("direction", 61, "u1"),
)
_IPFIX_FIELDS = (
    ("source", 8, ">u4"),
    ("destination", 12, ">u4"),
    ("input", 10, ">u4"),
    ("output", 14, ">u4"),
    ("packets", 2, ">u8"),
    ("octets", 1, ">u8"),
    ("start", 152, ">u8"),
    ("end", 153, ">u8"),
    ("source_port", 7, ">u2"),
    ("destination_port", 11, ">u2"),
    ("protocol", 4, "u1"),
    ("tos", 5, "u1"),
    ("flags", 6, "u1"),
    ("end_reason", 136, "u1"),
)
_NETFLOW_HEADER = np.dtype(
    [("version", ">u2"), ("count", ">u2"), ("uptime", ">u4"), ("seconds", ">u4"), ("sequence", ">u4"), ("domain", ">u4")]
)
_IPFIX_HEADER = np.dtype([("version", ">u2"), ("length", ">u2"), ("seconds", ">u4"), ("sequence", ">u4"), ("domain", ">u4")])
_SET = np.dtype([("id", ">u2"), ("length", ">u2")])


@dataclass(frozen=True)
class Protocol:
    """One protocol's way to export: its template, its header and how many records go into a datagram."""

    name: str
    fields: tuple[tuple[str, int, str], ...]
    header: np.dtype[np.void]
    records: int
    port: int
    template_set: int
    fill_header: Callable[[Rows, NDArray[np.int64], NDArray[np.int64], int], None]

    @property
    def record(self) -> np.dtype[np.void]:
        """The layout of one record."""
        return np.dtype([(name, dtype) for name, _, dtype in self.fields])

    def template(self) -> bytes:
        """Spell the template set."""
        fields = b"".join(struct.pack(">HH", element, np.dtype(dtype).itemsize) for _, element, dtype in self.fields)
        return struct.pack(">HHHH", self.template_set, 8 + len(fields), TEMPLATE_ID, len(self.fields)) + fields


def _fill_netflow_header(headers: Rows, exported: NDArray[np.int64], sequence: NDArray[np.int64], records: int) -> None:
    headers["version"] = 9
    headers["count"] = records
    headers["uptime"] = _UPTIME + exported
    headers["seconds"] = (_BEGINNING_MILLISECONDS + exported) // 1_000
    headers["sequence"] = sequence
    headers["domain"] = _DOMAIN


def _fill_ipfix_header(headers: Rows, exported: NDArray[np.int64], sequence: NDArray[np.int64], records: int) -> None:
    headers["version"] = 10
    headers["seconds"] = (_BEGINNING_MILLISECONDS + exported) // 1_000
    headers["sequence"] = sequence * records
    headers["domain"] = _DOMAIN


NETFLOW = Protocol("netflow-v9", _NETFLOW_FIELDS, _NETFLOW_HEADER, 30, 2055, 0, _fill_netflow_header)
IPFIX = Protocol("ipfix", _IPFIX_FIELDS, _IPFIX_HEADER, 25, 4739, 2, _fill_ipfix_header)


def write_export(protocol: Protocol, total: int) -> Iterator[bytes]:
    """Give the pcap file of the export of ``total`` flows in pieces; the template comes first and again about every 1000 datagrams."""
    yield wire.pcap_header(wire.WHOLE_FRAMES)
    sent = 0
    for flows in make_chunks(total):
        exported = flows.exported[:: protocol.records]
        templates = 0 if protocol is IPFIX else 1  # IPFIX counts data records, NetFlow v9 datagrams
        yield _template_frame(protocol, exported[:1], np.array([sent]))
        yield _data_frames(protocol, flows, exported, np.arange(len(exported)) + sent + templates)
        sent += len(exported) + templates


def _template_frame(protocol: Protocol, exported: NDArray[np.int64], sequence: NDArray[np.int64]) -> bytes:
    template = protocol.template()
    frames = _make_frames(protocol, exported, np.dtype((np.void, len(template))))
    headers = frames["message"]
    protocol.fill_header(headers, exported, sequence, 1 if protocol is NETFLOW else protocol.records)
    frames["body"] = np.void(template)
    return frames.tobytes()


def _data_frames(protocol: Protocol, flows: Flows, exported: NDArray[np.int64], sequence: NDArray[np.int64]) -> bytes:
    body = np.dtype([("set", _SET), ("records", protocol.record, (protocol.records,))])
    frames = _make_frames(protocol, exported, body)
    protocol.fill_header(frames["message"], exported, sequence, protocol.records)
    frames["body"]["set"]["id"] = TEMPLATE_ID
    frames["body"]["set"]["length"] = body.itemsize
    _fill_records(frames["body"]["records"], flows, protocol)
    return frames.tobytes()


def _make_frames(protocol: Protocol, exported: NDArray[np.int64], body: np.dtype[np.void]) -> Rows:
    """Make frames with everything filled but the message header and the body."""
    layers = [("pcap", wire.PCAP_FRAME), ("ethernet", wire.ETHERNET), ("ip", wire.IPV4), ("udp", wire.UDP)]
    frames = np.zeros(len(exported), dtype=np.dtype([*layers, ("message", protocol.header), ("body", body)]))
    message_octets = protocol.header.itemsize + body.itemsize
    frame_octets = frames.dtype.itemsize - wire.PCAP_FRAME.itemsize
    wire.stamp(frames["pcap"], wire.BEGINNING + exported * 1_000_000, frame_octets, frame_octets)
    wire.fill_ethernet(frames["ethernet"], 4)
    wire.fill_ipv4(frames["ip"], frame_octets - wire.ETHERNET_OCTETS, 17)
    frames["ip"]["source"], frames["ip"]["destination"] = _EXPORTER, _COLLECTOR
    frames["udp"]["source_port"], frames["udp"]["destination_port"] = 40_000, protocol.port
    frames["udp"]["length"] = wire.UDP.itemsize + message_octets
    if protocol is IPFIX:
        frames["message"]["length"] = message_octets
    return frames


def _fill_records(records: Rows, flows: Flows, protocol: Protocol) -> None:
    """Fill the records, shape (datagrams, records in each)."""
    origin = _UPTIME if protocol is NETFLOW else _BEGINNING_MILLISECONDS
    columns: dict[str, NDArray[np.int64] | int] = {
        "source": flows.source,
        "destination": flows.destination,
        "input": np.where(flows.leaving, 1, 2),
        "output": np.where(flows.leaving, 2, 1),
        "packets": flows.packets,
        "octets": flows.octets,
        "start": origin + flows.start,
        "end": origin + flows.end,
        "source_port": flows.source_port,
        "destination_port": flows.destination_port,
        "protocol": flows.protocol,
        "flags": 0x1B,
    }
    if protocol is NETFLOW:
        columns["direction"] = flows.leaving.astype(np.int64)
    for name, column in columns.items():
        records[name] = column if isinstance(column, int) else column.reshape(records.shape)
