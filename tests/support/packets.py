"""Makes small captures out of nothing but the formats' definitions."""

import ipaddress
import struct
from collections.abc import Iterable
from typing import NamedTuple

_PCAP_HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)
_IPV6 = 6


class Packet(NamedTuple):
    """An IP packet: seconds since the epoch, addresses, and the octets of header and payload."""

    time: float
    source: str
    destination: str
    octets: int


def capture_of(packets: Iterable[Packet]) -> bytes:
    """Put packets into Ethernet frames of a pcap file (µs, little-endian), whole."""
    return _PCAP_HEADER + b"".join(_record(packet) for packet in packets)


def _record(packet: Packet) -> bytes:
    frame = _frame(packet)
    seconds, fraction = divmod(round(packet.time * 1_000_000), 1_000_000)
    return struct.pack("<IIII", seconds, fraction, len(frame), len(frame)) + frame


def _frame(packet: Packet) -> bytes:
    source, destination = (ipaddress.ip_address(text) for text in (packet.source, packet.destination))
    addresses = source.packed + destination.packed
    if source.version == _IPV6:
        header = struct.pack("!IHBB", 6 << 28, packet.octets - 40, 59, 64) + addresses
        ether_type = 0x86DD
    else:
        header = struct.pack("!BBHHHBBH", 0x45, 0, packet.octets, 0, 0, 64, 253, 0) + addresses
        ether_type = 0x0800
    return bytes(12) + struct.pack("!H", ether_type) + header.ljust(packet.octets, b"\0")
