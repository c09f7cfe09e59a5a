"""Packets at the border of a network: captures of either family, cut at the snaplen.

Owns the trace: flows that begin one after the other, a few that last throughout, and how long their packets are.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.inputs import wire
from bench.inputs.prefixes import INSIDE_V4, INSIDE_V6, V6_HOST_BITS, AddressSource

CHUNK = 100_000
"""Packets made at once; every chunk has a seed of its own."""

PACKETS_PER_FLOW = 20

_WINDOW = 20_000
_LASTING_FLOWS = 500
_GAP = 10_000
_TCP_OCTETS = 32
_OUTSIDE_V6 = 0x2A00_0000 << 32
_SPREAD = np.uint64(0x9E37_79B9_7F4A_7C15)

_SEGMENT = np.dtype([("ports", wire.PORTS), ("rest", "V28")])


@dataclass(frozen=True)
class Conversations:
    """The flows of a trace, columns of shape (flows,), int64: offsets of the host inside, addresses outside, ports."""

    inside: NDArray[np.int64]
    outside: NDArray[np.int64]
    client_port: NDArray[np.int64]
    server_port: NDArray[np.int64]

    @classmethod
    def make(cls, count: int) -> "Conversations":
        """Draw ``count`` conversations."""
        chance = np.random.default_rng(3)
        addresses = AddressSource(chance)
        clients, servers = chance.integers(1_024, 65_536, size=count), chance.choice((443, 80, 22), size=count)
        return cls(addresses.inside(count), addresses.outside(count), clients, servers)


@dataclass(frozen=True)
class Packets:
    """Packets in the order of time, columns of shape (n,): conversation, whether it leaves, its IP octets and its time."""

    conversation: NDArray[np.int64]
    leaving: NDArray[np.bool_]
    octets: NDArray[np.int64]
    moment: NDArray[np.int64]

    def take(self, chosen: NDArray[np.bool_]) -> "Packets":
        """Give the chosen packets."""
        return Packets(self.conversation[chosen], self.leaving[chosen], self.octets[chosen], self.moment[chosen])


def count_conversations(total: int) -> int:
    """Tell how many conversations a trace of ``total`` packets has."""
    return _LASTING_FLOWS + total // PACKETS_PER_FLOW + 1


def make_packets(total: int, shortest: int) -> Iterator[Packets]:
    """Make the ``total`` packets of a trace, the shortest of them of ``shortest`` IP octets, chunk by chunk."""
    for first in range(0, total, CHUNK):
        count = min(CHUNK, total - first)
        chance = np.random.default_rng([4, first])
        numbers = np.arange(first, first + count)
        passing = np.maximum(numbers // PACKETS_PER_FLOW - (_WINDOW * chance.random(count) ** 6).astype(np.int64), 0)
        lasting = chance.integers(0, _LASTING_FLOWS, size=count)
        leaving = chance.random(count) < 0.45
        full = chance.random(count) < np.where(leaving, 0.15, 0.6)
        long = np.where(full, 1_500, chance.integers(wire.SNAPLEN, 1_500, size=count))
        octets = np.where(chance.random(count) < 0.35, shortest, long)
        conversation = np.where(chance.random(count) < 0.4, lasting, _LASTING_FLOWS + passing)
        yield Packets(conversation, leaving, octets, wire.BEGINNING + numbers * _GAP)


def write_capture(family: int, total: int) -> Iterator[bytes]:
    """Give the pcap file of a trace of one family in pieces."""
    conversations = Conversations.make(count_conversations(total))
    yield wire.pcap_header(wire.SNAPLEN)
    for packets in make_packets(total, shortest_octets(family)):
        yield _write_chunk(family, packets, conversations)


def shortest_octets(family: int) -> int:
    """Give the octets of an acknowledgement: IP header and TCP header with timestamps."""
    return (wire.IPV4 if family == 4 else wire.IPV6).itemsize + _TCP_OCTETS


def _write_chunk(family: int, packets: Packets, conversations: Conversations) -> bytes:
    """Write short and long frames as two arrays and merge them octet by octet."""
    short = packets.octets == shortest_octets(family)
    lengths = wire.PCAP_FRAME.itemsize + np.where(short, wire.ETHERNET_OCTETS + shortest_octets(family), wire.SNAPLEN)
    places = np.concatenate([[0], np.cumsum(lengths)])
    octets = np.empty(places[-1], dtype=np.uint8)
    for chosen in (short, ~short):
        frames = _make_frames(family, packets.take(chosen), conversations)
        if len(frames):
            rows = np.frombuffer(frames.tobytes(), dtype=np.uint8).reshape(len(frames), -1)
            length = int(lengths[chosen][0])
            octets[places[:-1][chosen][:, None] + np.arange(length)] = rows[:, :length]
    return octets.tobytes()


def _make_frames(family: int, packets: Packets, conversations: Conversations) -> wire.Rows:
    """Make the frames with their segment headers whole; what exceeds the captured length is cut by the caller."""
    network = wire.IPV4 if family == 4 else wire.IPV6
    layers = [("pcap", wire.PCAP_FRAME), ("ethernet", wire.ETHERNET), ("ip", network), ("tcp", _SEGMENT)]
    padding = max(0, wire.SNAPLEN - wire.ETHERNET_OCTETS - network.itemsize - _SEGMENT.itemsize)
    frames = np.zeros(len(packets.octets), dtype=np.dtype([*layers, ("payload", f"V{padding}")]))
    if not len(frames):
        return frames
    original = packets.octets + wire.ETHERNET_OCTETS
    wire.stamp(frames["pcap"], packets.moment, int(min(original[0], wire.SNAPLEN)), original)
    wire.fill_ethernet(frames["ethernet"], family)
    if family == 4:
        _fill_ipv4(frames["ip"], packets, conversations)
    else:
        _fill_ipv6(frames["ip"], packets, conversations)
    client, server = (ports[packets.conversation] for ports in (conversations.client_port, conversations.server_port))
    frames["tcp"]["ports"]["source_port"] = np.where(packets.leaving, client, server)
    frames["tcp"]["ports"]["destination_port"] = np.where(packets.leaving, server, client)
    frames["tcp"]["rest"] = np.void(b"\0" * 8 + b"\x80\x10\x01\x00" + b"\0" * 16)
    return frames


def _fill_ipv4(headers: wire.Rows, packets: Packets, conversations: Conversations) -> None:
    wire.fill_ipv4(headers, packets.octets, 6)
    inside, outside = INSIDE_V4 + conversations.inside[packets.conversation], conversations.outside[packets.conversation]
    headers["source"] = np.where(packets.leaving, inside, outside)
    headers["destination"] = np.where(packets.leaving, outside, inside)


def _fill_ipv6(headers: wire.Rows, packets: Packets, conversations: Conversations) -> None:
    headers["version"] = 6 << 28
    headers["length"] = packets.octets - wire.IPV6.itemsize
    headers["next"] = 6
    headers["hops"] = 60
    inside = conversations.inside[packets.conversation].astype(np.uint64)
    outside = conversations.outside[packets.conversation].astype(np.uint64)
    inside_high, inside_low = np.uint64(INSIDE_V6 >> 64) | inside << np.uint64(V6_HOST_BITS - 64), outside * _SPREAD
    outside_high, outside_low = np.uint64(_OUTSIDE_V6) | outside, inside * _SPREAD
    headers["source_high"] = np.where(packets.leaving, inside_high, outside_high)
    headers["source_low"] = np.where(packets.leaving, inside_low, outside_low)
    headers["destination_high"] = np.where(packets.leaving, outside_high, inside_high)
    headers["destination_low"] = np.where(packets.leaving, outside_low, inside_low)
