"""Sampled packets: the first octets of a packet as a flow of one packet (RFC 5477 §8.5; sFlow raw packet headers).

Owns how such a section becomes a row. Link layers and IP headers are read by ``decode.capture``.

Sections of IPFIX records are read by a kernel of their own when the walk stops: few exporters send them, and all others would wait for the
compilation of all link layers.
"""

from typing import NamedTuple

import numpy as np

from venturi.core.decode.capture.headers import read_network_header
from venturi.core.decode.capture.words import Octets
from venturi.core.decode.export.kernels import state
from venturi.core.decode.export.kernels.bookkeeping import count_drop, move_row
from venturi.core.decode.export.kernels.state import Columns, Words
from venturi.core.kernel import kernel, step


class Section(NamedTuple):
    """The first octets of a frame: ``captured`` were kept, at ``place``, of ``original`` on the wire.

    ``longest`` is the most octets that the frame can have held, where ``original`` is not all that is known of it.
    """

    place: int
    captured: int
    original: int
    longest: int
    link_type: int


@step
def write_packet(buffer: Octets, section: Section, columns: Columns, row: int) -> int:
    """Write family, addresses and counts of a packet to a row; 0, or the drop reason's number + 1."""
    status, family, source_high, source_low, destination_high, destination_low, octets = read_network_header(
        buffer, section.place, section.captured, section.original, section.longest, section.link_type
    )
    if status == 0:
        columns.wide[0] = 1
        columns.marks[state.FAMILY_COLUMN, row] = family
        columns.words[state.SOURCE_HIGH_COLUMN, row] = np.int64(source_high)
        columns.words[state.SOURCE_LOW_COLUMN, row] = np.int64(source_low)
        columns.words[state.DESTINATION_HIGH_COLUMN, row] = np.int64(destination_high)
        columns.words[state.DESTINATION_LOW_COLUMN, row] = np.int64(destination_low)
        columns.words[state.PACKETS_COLUMN, row] = 1
        columns.words[state.OCTETS_COLUMN, row] = octets
    return status


@kernel
def read_sections(buffer: Octets, columns: Columns, cursor: Words, drops: Words) -> None:
    """Read the packets whose sections rows describe; rows whose packets cannot be read are closed up and counted."""
    kept = 0
    for row in range(cursor[state.ROW]):
        status = 0
        if columns.marks[state.FAMILY_COLUMN, row] == state.UNREAD:
            position = columns.words[state.SECTION_POSITION, row]
            section = Section(
                columns.words[state.SECTION_PLACE, row],
                columns.words[state.SECTION_CAPTURED, row],
                columns.words[state.SECTION_ORIGINAL, row],
                columns.words[state.SECTION_LONGEST, row],
                columns.words[state.SECTION_LINK_TYPE, row],
            )
            status = write_packet(buffer, section, columns, row)
            if status:
                count_drop(drops, status - 1, position, state.ONE)
                cursor[state.RECORDS] -= 1
        if status == 0:
            if kept != row:
                move_row(columns, row, kept)
            kept += 1
    cursor[state.ROW] = kept
    cursor[state.UNREAD_SECTIONS] = 0
