"""Frames as structured arrays: the headers of pcap, Ethernet, IP and UDP, filled for thousands of frames at once.

Owns the layouts and their constant fields. Checksums are left 0, as offloading to the network card leaves them in real captures.
"""

import struct

import numpy as np
from numpy.typing import NDArray

SNAPLEN = 96
"""How many octets of a frame are captured, at most."""

WHOLE_FRAMES = 65_535

ETHERNET_OCTETS = 14

MICROSECOND = 1_000
SECOND = 1_000_000_000

BEGINNING = 1_767_261_600 * SECOND
"""When all traffic begins: 2026-01-01T10:00:00Z, in nanoseconds since the UTC epoch."""

Rows = NDArray[np.void]
"""A structured array, one row for each frame, datagram or record."""

PCAP_FRAME = np.dtype([("seconds", "<u4"), ("microseconds", "<u4"), ("captured", "<u4"), ("original", "<u4")])
ETHERNET = np.dtype([("destination", "V6"), ("source", "V6"), ("type", ">u2")])
IPV4 = np.dtype(
    [
        ("version", "u1"),
        ("tos", "u1"),
        ("length", ">u2"),
        ("id", ">u2"),
        ("fragment", ">u2"),
        ("ttl", "u1"),
        ("protocol", "u1"),
        ("checksum", ">u2"),
        ("source", ">u4"),
        ("destination", ">u4"),
    ]
)
IPV6 = np.dtype(
    [
        ("version", ">u4"),
        ("length", ">u2"),
        ("next", "u1"),
        ("hops", "u1"),
        ("source_high", ">u8"),
        ("source_low", ">u8"),
        ("destination_high", ">u8"),
        ("destination_low", ">u8"),
    ]
)
PORTS = np.dtype([("source_port", ">u2"), ("destination_port", ">u2")])
UDP = np.dtype([("source_port", ">u2"), ("destination_port", ">u2"), ("length", ">u2"), ("checksum", ">u2")])

_MAC_ADDRESSES = (b"\x02\x00\x00\x00\x00\x01", b"\x02\x00\x00\x00\x00\x02")


def pcap_header(snaplen: int) -> bytes:
    """Give the header of a pcap file of Ethernet frames with microseconds."""
    return struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, snaplen, 1)


def stamp(frames: Rows, moments: NDArray[np.int64], captured: int, original: NDArray[np.int64] | int) -> None:
    """Fill the pcap headers: time in nanoseconds since the epoch, octets captured and octets on the wire."""
    frames["seconds"], fraction = np.divmod(moments, SECOND)
    frames["microseconds"] = fraction // MICROSECOND
    frames["captured"] = captured
    frames["original"] = original


def fill_ethernet(headers: Rows, family: int) -> None:
    """Fill Ethernet headers of frames that carry one family."""
    headers["destination"] = np.void(_MAC_ADDRESSES[0])
    headers["source"] = np.void(_MAC_ADDRESSES[1])
    headers["type"] = 0x0800 if family == 4 else 0x86DD


def fill_ipv4(headers: Rows, lengths: NDArray[np.int64] | int, protocol: NDArray[np.uint8] | int) -> None:
    """Fill IPv4 headers but for the addresses."""
    headers["version"] = 0x45
    headers["length"] = lengths
    headers["fragment"] = 0x4000
    headers["ttl"] = 60
    headers["protocol"] = protocol
