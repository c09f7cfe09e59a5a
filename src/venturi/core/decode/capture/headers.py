"""Network headers: family, addresses and length of the IP packet in a frame.

Owns what counts as the octets of a packet. Where its header begins is found in ``links``.

Octets are those of the IP header and payload as the header states them (RFC 791 §3.1, RFC 8200 §3), so neither link-layer padding
nor a short capture changes them. A header that states more than its frame held on the wire is forged or damaged: the IP input of a
kernel drops such a packet, and here it is ``BAD_IP_HEADER``. Where a header states none, because the frame is a segmentation
super-frame taken before the interface filled it in, or longer than its field can say, octets are the frame's length on the wire less its
link layer, at most 512 KiB, which no super-frame exceeds. Two IPv6 packets rightly state a payload length of 0: a jumbogram, whose Jumbo
Payload option counts (RFC 2675 §2), and one with no next header.
"""

import numpy as np

from venturi.core.decode.capture.links import FINE, LINK_ETHERNET, find_network_header
from venturi.core.decode.capture.words import Octets, network_16, network_32, network_64, octet
from venturi.core.domain.drops import DropReason
from venturi.core.kernel import kernel, step

_TRUNCATED = int(DropReason.TRUNCATED_HEADER) + 1
_BAD_HEADER = int(DropReason.BAD_IP_HEADER) + 1

_ETHERNET_HEADER = 14
_ETHERTYPE_IPV4 = 0x0800
_ETHERTYPE_IPV6 = 0x86DD
_HEADER_V4 = 20
_HEADER_V6 = 40
_HOP_BY_HOP = 0
_NO_NEXT_HEADER = 59
_PAD_1 = 0
_JUMBO_PAYLOAD = 0xC2
_LONGEST_PAYLOAD = 0xFFFF
_MOST_UNSTATED = 512 << 10

LONGEST_STATED = _HEADER_V6 + _LONGEST_PAYLOAD
"""The most octets that a packet is long whose header states its length, jumbograms aside."""

NetworkHeader = tuple[int, int, np.uint64, np.uint64, np.uint64, np.uint64, int]
"""Status, family (4 or 6), the words of source and destination address, and octets; behind a status other than 0 all are 0."""


@step
def read_network_header(buffer: Octets, offset: int, captured: int, original: int, longest: int, link_type: int) -> NetworkHeader:
    """Read the outer IP header of a frame of which the ``captured`` octets at ``offset`` were kept of ``original`` on the wire.

    Status 0 means fine, any other is the value of a ``DropReason`` plus 1. ``longest`` is the most octets that the frame can have held,
    ``link_type`` a LINKTYPE number; ``offset`` and ``captured`` must describe octets of ``buffer``. Each fragment counts as the packet
    that it is.
    """
    status, place, version, octets = locate_packet(buffer, offset, captured, original, longest, link_type)
    source_high = source_low = destination_high = destination_low = np.uint64(0)
    if status != FINE:
        return status, 0, source_high, source_low, destination_high, destination_low, 0
    if version == 4:
        source_low = np.uint64(network_32(buffer, place + 12))
        destination_low = np.uint64(network_32(buffer, place + 16))
    else:
        source_high, source_low = network_64(buffer, place + 8), network_64(buffer, place + 16)
        destination_high, destination_low = network_64(buffer, place + 24), network_64(buffer, place + 32)
    return status, version, source_high, source_low, destination_high, destination_low, octets


@kernel
def locate_packet(buffer: Octets, offset: int, captured: int, original: int, longest: int, link_type: int) -> tuple[int, int, int, int]:
    """Find and check the outer IP header of a frame: its status, its place in the buffer, its version and the octets of the packet.

    Takes what ``read_network_header`` takes. Plain Ethernet has a short way.
    """
    status, place, version = FINE, offset + _ETHERNET_HEADER, 0
    if link_type == LINK_ETHERNET and captured >= _ETHERNET_HEADER:
        ethertype = network_16(buffer, offset + 12)
        version = 4 if ethertype == _ETHERTYPE_IPV4 else 6 if ethertype == _ETHERTYPE_IPV6 else 0
    if version == 0:
        status, place, version = find_network_header(buffer, offset, captured, link_type)
    octets = 0
    if status == FINE:
        status, version, octets = _measure_packet(buffer, place, offset + captured, original - (place - offset), version)
        if octets > longest - (place - offset):
            status = _BAD_HEADER
    return status, place, version, octets


@step
def _measure_packet(buffer: Octets, place: int, end: int, on_the_wire: int, announced: int) -> tuple[int, int, int]:
    """Check the IP header at ``place``, kept up to ``end``: its status, its version and the octets of the packet.

    The version must be the ``announced`` one, unless that is 0.
    ``on_the_wire`` is the length of the frame behind its link layer.
    """
    if place >= end:
        return _TRUNCATED, 0, 0
    version = octet(buffer, place) >> 4
    if version not in (4, 6) or announced not in (0, version):
        return _BAD_HEADER, 0, 0
    if place + (_HEADER_V4 if version == 4 else _HEADER_V6) > end:
        return _TRUNCATED, 0, 0
    if version == 4:
        header_length = (octet(buffer, place) & 0x0F) * 4
        octets = network_16(buffer, place + 2)
    else:
        header_length = _HEADER_V6
        octets = _HEADER_V6 + network_16(buffer, place + 4)
    if octets == 0:
        octets = min(on_the_wire, _MOST_UNSTATED)
    elif octets == _HEADER_V6 and version == 6:
        octets = _measure_unstated_v6(buffer, place, end, on_the_wire)
    if header_length < _HEADER_V4 or octets < header_length:
        return _BAD_HEADER, 0, 0
    return FINE, version, octets


@kernel
def _measure_unstated_v6(buffer: Octets, place: int, end: int, on_the_wire: int) -> int:
    """Give the octets of an IPv6 packet whose payload length is 0, a number below 40 if its header contradicts itself."""
    next_header = buffer[place + 6]
    unstated = min(on_the_wire, _MOST_UNSTATED)
    if next_header == _NO_NEXT_HEADER:
        return _HEADER_V6
    if next_header != _HOP_BY_HOP or place + _HEADER_V6 + 2 > end:
        return unstated
    option = place + _HEADER_V6 + 2
    options_end = place + _HEADER_V6 + 8 * (octet(buffer, place + _HEADER_V6 + 1) + 1)
    while option + 6 <= min(options_end, end):
        if buffer[option] == _JUMBO_PAYLOAD:
            payload = network_32(buffer, option + 2)
            return _HEADER_V6 + payload if payload > _LONGEST_PAYLOAD else 0
        option += 1 if buffer[option] == _PAD_1 else 2 + octet(buffer, option + 1)
    return unstated
