"""Builds packets, frames and captures octet by octet."""

import struct
from collections.abc import Iterable
from ipaddress import ip_address

import numpy as np
from numpy.typing import NDArray

SOURCE_V4, DESTINATION_V4 = "10.0.0.1", "192.0.2.1"
SOURCE_V6, DESTINATION_V6 = "2001:db8::1", "2001:db8:ffff::2"
ETHERNET_V4 = bytes(12) + b"\x08\x00"
ETHERNET_V6 = bytes(12) + b"\x86\xdd"
FIRST_TIME = 1_700_000_000

UDP = 17
TCP = 6
FRAGMENT_HEADER = 44


def octets(*parts: bytes) -> NDArray[np.uint8]:
    """Join parts into a buffer."""
    return np.frombuffer(b"".join(parts), dtype=np.uint8)


def ipv4(
    payload: bytes = bytes(8),
    *,
    protocol: int = UDP,
    total: int | None = None,
    first: int = 0x45,
    fragment: int = 0,
    identification: int = 0,
) -> bytes:
    """Build an IPv4 packet; ``fragment`` is the field of flags and offset, ``total`` overrides the total length."""
    length = 20 + len(payload) if total is None else total
    head = struct.pack(">BBHHHBBH", first, 0, length, identification, fragment, 64, protocol, 0)
    return head + ip_address(SOURCE_V4).packed + ip_address(DESTINATION_V4).packed + payload


def ipv6(payload: bytes = bytes(8), *, next_header: int = UDP, length: int | None = None, first: int = 0x60) -> bytes:
    """Build an IPv6 packet; ``length`` overrides the payload length."""
    head = struct.pack(">BBHHBB", first, 0, 0, len(payload) if length is None else length, next_header, 64)
    return head + ip_address(SOURCE_V6).packed + ip_address(DESTINATION_V6).packed + payload


def udp(payload: bytes, *, length: int | None = None) -> bytes:
    """Build a UDP datagram from port 1234 to port 2055."""
    return struct.pack(">HHHH", 1234, 2055, 8 + len(payload) if length is None else length, 0) + payload


def record(frame: bytes, *, order: str = "<", number: int = 0, original: int | None = None) -> bytes:
    """Build a pcap record; its time is ``number`` units of the fraction after ``FIRST_TIME``."""
    return struct.pack(f"{order}IIII", FIRST_TIME, number, len(frame), len(frame) if original is None else original) + frame


def file_header(*, order: str = "<", magic_number: int = 0xA1B2C3D4, link_type: int = 1, version: tuple[int, int] = (2, 4)) -> bytes:
    """Build the header of a pcap file."""
    return struct.pack(f"{order}IHHiIII", magic_number, *version, 0, 0, 65535, link_type)


def pcap(
    frames: Iterable[bytes], *, order: str = "<", magic_number: int = 0xA1B2C3D4, link_type: int = 1, original: int | None = None
) -> bytes:
    """Build a pcap file; frame n is n units of the fraction after ``FIRST_TIME``, and was ``original`` octets long, else as kept."""
    header = file_header(order=order, magic_number=magic_number, link_type=link_type)
    return header + b"".join(record(frame, order=order, number=number, original=original) for number, frame in enumerate(frames))


def block(block_type: int, body: bytes, *, order: str = "<") -> bytes:
    """Build a pcapng block."""
    padded = body + bytes(-len(body) % 4)
    length = struct.pack(f"{order}I", len(padded) + 12)
    return struct.pack(f"{order}I", block_type) + length + padded + length


def section(*, order: str = "<", version: tuple[int, int] = (1, 0)) -> bytes:
    """Build a section header."""
    return block(0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, *version, -1), order=order)


def option(code: int, value: bytes, *, order: str = "<") -> bytes:
    """Build an option of a block."""
    return struct.pack(f"{order}HH", code, len(value)) + value + bytes(-len(value) % 4)


def interface(*options: bytes, link_type: int = 1, snap_length: int = 0, order: str = "<") -> bytes:
    """Build an interface description."""
    return block(1, struct.pack(f"{order}HHI", link_type, 0, snap_length) + b"".join(options), order=order)


def enhanced(frame: bytes, ticks: int, *, interface_number: int = 0, captured: int | None = None, order: str = "<") -> bytes:
    """Build an enhanced packet block."""
    kept = len(frame) if captured is None else captured
    head = struct.pack(f"{order}IIIII", interface_number, ticks >> 32, ticks & 0xFFFFFFFF, kept, len(frame))
    return block(6, head + frame, order=order)
