"""UDP datagrams in frames: where their payloads lie.

Owns the way from the IP header to the UDP payload (RFC 768), through IPv6 extension headers (RFC 8200 §4). Fragments are only
described here; ``fragments`` joins them.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from venturi.core.decode.capture.headers import locate_packet
from venturi.core.decode.capture.links import FINE
from venturi.core.decode.capture.words import Octets, network_16, network_32, network_64, octet
from venturi.core.decode.frames import Frames
from venturi.core.domain.drops import DropReason
from venturi.core.kernel import kernel, step

UDP_HEADER_LENGTH = 8

_TRUNCATED = int(DropReason.TRUNCATED_HEADER) + 1
_NOT_EXPORT = int(DropReason.NOT_EXPORT) + 1
_FRAGMENT = -1

_UDP = 17
_HOP_BY_HOP = 0
_ROUTING = 43
_FRAGMENT_HEADER = 44
_AUTHENTICATION = 51
_DESTINATION_OPTIONS = 60
_LONGEST_CHAIN = 16

# Columns of a fragment table, int64
FRAGMENT_FRAME = 0  # row of ``Frames``
FRAGMENT_HEADER_PLACE = 1  # of its IP header in the buffer
FRAGMENT_PLACE = 2  # of its own octets
FRAGMENT_END = 3  # of the packet, by its IP header
FRAGMENT_COLUMNS = 4


class DatagramColumns(NamedTuple):
    """Columns of ``Datagrams`` being written; ``frame`` (int64) is the row of ``Frames`` that a payload came in."""

    offset: NDArray[np.int64]
    length: NDArray[np.int64]
    family: NDArray[np.uint8]
    source_high: NDArray[np.uint64]
    source_low: NDArray[np.uint64]
    destination_high: NDArray[np.uint64]
    destination_low: NDArray[np.uint64]
    source_port: NDArray[np.int64]
    destination_port: NDArray[np.int64]
    frame: NDArray[np.int64]


@kernel
def locate_datagrams(
    frames: Frames, columns: DatagramColumns, fragments: NDArray[np.int64], counts: NDArray[np.int64], drops: NDArray[np.int64]
) -> None:
    """Write the datagrams of ``frames`` to the columns and fragments of datagrams to their table; count the other frames by reason.

    All have room for a row per frame. ``counts`` (int64, shape (2,), zeros) becomes the numbers of datagrams and of fragments.
    """
    buffer = frames.buffer
    for frame in range(len(frames.offset)):
        offset, captured, original = frames.offset[frame], frames.captured[frame], frames.original[frame]
        status, network, version, octets = locate_packet(buffer, offset, captured, original, original, frames.link_type[frame])
        place, end = network, min(offset + captured, network + octets)
        if status == FINE:
            status, place = _find_udp(buffer, network, end, version)
        if status == FINE:
            _write_datagram(buffer, network, place, end, version, columns, counts[0])
            columns.frame[counts[0]] = frame
            counts[0] += 1
        elif status == _FRAGMENT:
            fragments[counts[1], FRAGMENT_FRAME] = frame
            fragments[counts[1], FRAGMENT_HEADER_PLACE] = network
            fragments[counts[1], FRAGMENT_PLACE] = place
            fragments[counts[1], FRAGMENT_END] = network + octets
            counts[1] += 1
        else:
            if drops[status - 1, 0] == 0:
                drops[status - 1, 1] = frames.position[frame]
            drops[status - 1, 0] += 1


@step
def _find_udp(buffer: Octets, place: int, end: int, version: int) -> tuple[int, int]:
    """Give the place of the UDP header, or that of a fragment's octets, behind the checked IP header at ``place``."""
    fragmented = False
    if version == 4:
        protocol = octet(buffer, place + 9)
        fragmented = network_16(buffer, place + 6) & 0x3FFF != 0
        place += (octet(buffer, place) & 0x0F) * 4
    else:
        protocol = octet(buffer, place + 6)
        place += 40
        if protocol != _UDP:
            protocol, place, fragmented = _pass_extension_headers(buffer, place, end, protocol)
    if protocol != _UDP:
        return (_TRUNCATED if protocol < 0 else _NOT_EXPORT), place
    if fragmented:
        return (_FRAGMENT if place <= end else _TRUNCATED), place
    return (FINE if place + UDP_HEADER_LENGTH <= end else _TRUNCATED), place


@kernel
def _pass_extension_headers(buffer: Octets, place: int, end: int, protocol: int) -> tuple[int, int, bool]:
    """Give the protocol behind the chain of extension headers (negative if the chain was cut), its place, and whether this is a fragment.

    A fragment header that announces a whole packet is passed like any other (RFC 6946).
    """
    for _ in range(_LONGEST_CHAIN):
        if protocol not in (_HOP_BY_HOP, _ROUTING, _FRAGMENT_HEADER, _AUTHENTICATION, _DESTINATION_OPTIONS):
            return protocol, place, False
        if place + 8 > end:
            return -1, place, False
        following, units = octet(buffer, place), octet(buffer, place + 1)
        if protocol == _FRAGMENT_HEADER:
            if network_16(buffer, place + 2) & 0xFFF9 != 0:
                return following, place + 8, True
            place += 8
        else:
            place += (units + 2) * 4 if protocol == _AUTHENTICATION else (units + 1) * 8
        protocol = following
    return protocol, place, False


@step
def _write_datagram(buffer: Octets, network: int, place: int, end: int, version: int, columns: DatagramColumns, row: int) -> None:
    """Write what the headers at ``network`` and ``place`` say. A stated length of 0 or beyond the packet means all that is there."""
    stated = network_16(buffer, place + 4)
    columns.offset[row] = place + UDP_HEADER_LENGTH
    columns.length[row] = (min(place + stated, end) if stated >= UDP_HEADER_LENGTH else end) - place - UDP_HEADER_LENGTH
    columns.family[row] = version
    if version == 4:
        columns.source_high[row] = columns.destination_high[row] = np.uint64(0)
        columns.source_low[row] = np.uint64(network_32(buffer, network + 12))
        columns.destination_low[row] = np.uint64(network_32(buffer, network + 16))
    else:
        columns.source_high[row], columns.source_low[row] = network_64(buffer, network + 8), network_64(buffer, network + 16)
        columns.destination_high[row], columns.destination_low[row] = network_64(buffer, network + 24), network_64(buffer, network + 32)
    columns.source_port[row] = network_16(buffer, place)
    columns.destination_port[row] = network_16(buffer, place + 2)
