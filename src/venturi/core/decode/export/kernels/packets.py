"""Sampled packets: the first octets of a packet as a flow of one packet (RFC 5477 §8.5; sFlow raw packet headers).

Owns how such a section becomes a row. Link layers and IP headers are read by ``decode.capture``.
"""

import numpy as np

from venturi.core.decode.capture.headers import read_network_header
from venturi.core.decode.capture.words import Octets
from venturi.core.decode.export.kernels import state
from venturi.core.decode.export.kernels.state import Columns
from venturi.core.kernel import step


@step
def write_packet(buffer: Octets, place: int, captured: int, original: int, link_type: int, columns: Columns, row: int) -> int:
    """Write family, addresses and counts of a packet to a row; 0, or the drop reason's number + 1.

    ``captured`` octets were kept, at ``place``, of a frame of ``original`` octets on the wire.
    """
    status, family, source_high, source_low, destination_high, destination_low, octets = read_network_header(
        buffer, place, captured, original, link_type
    )
    if status == 0:
        columns.marks[state.FAMILY_COLUMN, row] = family
        columns.words[state.SOURCE_HIGH_COLUMN, row] = np.int64(source_high)
        columns.words[state.SOURCE_LOW_COLUMN, row] = np.int64(source_low)
        columns.words[state.DESTINATION_HIGH_COLUMN, row] = np.int64(destination_high)
        columns.words[state.DESTINATION_LOW_COLUMN, row] = np.int64(destination_low)
        columns.words[state.PACKETS_COLUMN, row] = 1
        columns.words[state.OCTETS_COLUMN, row] = octets
    return status
