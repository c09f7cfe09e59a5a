"""Builds Ethernet frames whose packets have given addresses and a given number of octets."""

import struct
from collections.abc import Iterable, Sequence

from venturi.core.classify.reference import Passage

SMALLEST_OCTETS = 60
"""Octets of an IP packet that fill the smallest frame, so that nothing is padded."""

_ETHER_TYPES = {4: 0x0800, 6: 0x86DD}
_UDP = 17


def frame_of(passage: Passage, octets: int = SMALLEST_OCTETS, *, destination_mac: bytes, vlan: int | None = None) -> bytes:
    """Give the frame of a UDP packet of ``octets``, IP header included, tagged where a ``vlan`` is given."""
    tag = b"" if vlan is None else struct.pack("!HH", 0x8100, vlan)
    source_mac = b"\x02\0\0\0\0\x99"
    return destination_mac + source_mac + tag + struct.pack("!H", _ETHER_TYPES[passage.family]) + packet_of(passage, octets)


def packet_of(passage: Passage, octets: int) -> bytes:
    """Give a UDP packet of ``octets`` from port 1000 to port 9 with right checksums."""
    width = 4 if passage.family == 4 else 16
    addresses = passage.source.to_bytes(width, "big") + passage.destination.to_bytes(width, "big")
    datagram = _datagram(addresses, octets - (20 if passage.family == 4 else 40))
    if passage.family == 6:
        return struct.pack("!IHBB", 6 << 28, len(datagram), _UDP, 64) + addresses + datagram
    return ipv4_header(addresses, octets) + datagram


def ipv4_header(addresses: bytes, octets: int, *, identification: int = 0, fragment: int = 0) -> bytes:
    """Give an IPv4 header; ``fragment`` is the word of flags and offset (RFC 791 §3.1)."""
    before, after = struct.pack("!BBHHHBB", 0x45, 0, octets, identification, fragment, 64, _UDP), addresses
    return before + struct.pack("!H", checksum(before + after)) + after


def fragments_of(passage: Passage, octets: int, first_octets: int) -> list[bytes]:
    """Give an IPv4 packet in two fragments, of which the first carries ``first_octets`` (a multiple of 8) behind its header."""
    payload = packet_of(passage, octets)[20:]
    addresses = passage.source.to_bytes(4, "big") + passage.destination.to_bytes(4, "big")
    parts = ((payload[:first_octets], 0x2000), (payload[first_octets:], first_octets // 8))
    return [ipv4_header(addresses, 20 + len(part), identification=7, fragment=word) + part for part, word in parts]


def frames_of(passages: Iterable[Passage], octets: Sequence[int], destination_mac: bytes) -> list[bytes]:
    """Give a frame for each passage, all to one MAC address."""
    return [frame_of(passage, length, destination_mac=destination_mac) for passage, length in zip(passages, octets, strict=True)]


def checksum(words: bytes) -> int:
    """Sum up 16-bit words as RFC 1071 does."""
    total: int = sum(struct.unpack(f"!{len(words) // 2}H", words))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _datagram(addresses: bytes, octets: int) -> bytes:
    payload = bytes(octets - 8)
    header = struct.pack("!HHH", 1000, 9, octets)
    pseudo = addresses + struct.pack("!IHBB", octets, 0, 0, _UDP)
    total = checksum(pseudo + header + payload + bytes(len(payload) % 2)) or 0xFFFF
    return header + struct.pack("!H", total) + payload
