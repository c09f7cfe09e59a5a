"""One walk over datagrams as Python sees it, and the columns that it fills.

Owns the slices and copies between the compiled walks and the collector. Decides nothing.
"""

import struct
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from venturi.core.decode.export.kernels import state
from venturi.core.decode.export.kernels.messages import IPFIX, IPFIX_HEADER, V9_HEADER
from venturi.core.decode.export.kernels.state import Columns, Words
from venturi.core.decode.export.waiting import WaitingSet
from venturi.core.decode.frames import Datagrams
from venturi.core.domain.drops import DropReason, add_drop
from venturi.core.domain.flow_batch import FlowBatch

_SET_HEADER = 4
_FAMILY = 0xFF
_PORT_BITS = 16
_PORT = 0xFFFF
_KEPT_ON_RETURN = [state.ROW, state.RECORDS, state.OPTIONS_RECORDS, state.COUNTER_SAMPLES, state.REPLACED_TIMES, state.UNTIMED_SAMPLES]


class Walk(NamedTuple):
    """Datagrams being walked (rows of ``state.DATAGRAM_SLOTS`` words), the place in them, and the drop table of their input."""

    buffer: NDArray[np.uint8]
    datagrams: Words
    cursor: Words
    drops: Words

    @property
    def time(self) -> int:
        """When the datagram at the cursor was received, or ``NO_TIME``."""
        return int(self.datagrams[self.cursor[state.DATAGRAM], state.DATAGRAM_TIME])

    @property
    def key(self) -> list[int]:
        """The words of the key looked up last."""
        return [int(word) for word in self.cursor[state.KEY : state.KEY + state.KEY_WORDS]]

    def drop(self, reason: DropReason) -> None:
        """Count a drop at the position of the datagram at the cursor."""
        add_drop(self.drops, reason, int(self.cursor[state.POSITION]))

    def take_set(self) -> bytes:
        """Give the octets of the set at the cursor, its header cut off, and pass over it."""
        start, end = self.cursor[[state.SET_START, state.SET_END]]
        self.cursor[state.OFFSET] = end
        return self.buffer[start + _SET_HEADER : end].tobytes()

    def set_as_message(self) -> bytes:
        """Give the set at the cursor as the only one of a message with the header that it came under."""
        cursor, buffer = self.cursor, self.buffer
        message_start = self.datagrams[cursor[state.DATAGRAM], state.DATAGRAM_OFFSET]
        is_ipfix = cursor[state.VERSION] == IPFIX
        header = bytearray(buffer[message_start : message_start + (IPFIX_HEADER if is_ipfix else V9_HEADER)])
        octets = buffer[cursor[state.SET_START] : cursor[state.SET_END]].tobytes()
        if is_ipfix:
            struct.pack_into("!H", header, 2, min(len(header) + len(octets), _PORT))
        return bytes(header) + octets

    def leave(self) -> Words:
        """Give the place of this walk and make its cursor ready for a walk over sets that waited."""
        place = self.cursor.copy()
        self.cursor[[state.DATAGRAM, state.IN_MESSAGE]] = 0
        self.cursor[state.REPLAY] = 1
        return place

    def go_on(self, place: Words) -> None:
        """Go back to a place that ``leave`` gave, keeping the rows written and the statistics."""
        place[_KEPT_ON_RETURN] = self.cursor[_KEPT_ON_RETURN]
        self.cursor[:] = place


def datagram_rows(datagrams: Datagrams) -> tuple[NDArray[np.uint8], Words]:
    """Give the buffer of datagrams, writable and contiguous as the walks are compiled for, and the datagrams in rows."""
    rows = np.empty((len(datagrams.offset), state.DATAGRAM_SLOTS), dtype=np.int64)
    columns: tuple[NDArray[np.integer], ...] = (
        datagrams.offset,
        datagrams.length,
        datagrams.time,
        datagrams.position,
        datagrams.family,
        datagrams.source_high.view(np.int64),
        datagrams.source_low.view(np.int64),
        datagrams.destination_high.view(np.int64),
        datagrams.destination_low.view(np.int64),
        datagrams.source_port,
        datagrams.destination_port,
    )
    for slot, column in enumerate(columns):
        rows[:, slot] = column
    return np.require(datagrams.buffer, requirements=["C", "W"]), rows


def waiting_rows(waiting: Sequence[WaitingSet], key: Sequence[int]) -> tuple[NDArray[np.uint8], Words]:
    """Give sets that waited as datagrams of the domain that ``key`` describes; as ``datagram_rows``."""
    rows = np.empty((len(waiting), state.DATAGRAM_SLOTS), dtype=np.int64)
    lengths = [len(entry.message) for entry in waiting]
    rows[:, state.DATAGRAM_LENGTH] = lengths
    rows[:, state.DATAGRAM_OFFSET] = np.cumsum(lengths) - lengths
    rows[:, state.DATAGRAM_TIME] = [entry.time for entry in waiting]
    rows[:, state.DATAGRAM_POSITION] = [entry.position for entry in waiting]
    family_and_version, *addresses, ports, _ = key
    rows[:, state.DATAGRAM_FAMILY :] = [family_and_version & _FAMILY, *addresses, ports >> _PORT_BITS, ports & _PORT]
    return np.frombuffer(bytearray(b"".join(entry.message for entry in waiting)), dtype=np.uint8), rows


def new_columns(rows: int) -> Columns:
    """Make columns for ``rows`` flows, of zeros."""
    return Columns(
        np.zeros((state.WORD_COLUMNS, rows), dtype=np.int64),
        np.zeros((2, rows), dtype=np.uint8),
        np.zeros((2, rows), dtype=np.int32),
        np.zeros(1, dtype=np.int64),
    )


def flow_batch(columns: Columns, rows: int) -> FlowBatch:
    """Give the first ``rows`` rows of columns as a flow batch, without copying them."""
    words, marks, numbers = columns.words[:, :rows], columns.marks[:, :rows], columns.numbers[:, :rows]
    addresses = words.view(np.uint64)
    return FlowBatch(
        family=marks[state.FAMILY_COLUMN],
        source_high=addresses[state.SOURCE_HIGH_COLUMN],
        source_low=addresses[state.SOURCE_LOW_COLUMN],
        destination_high=addresses[state.DESTINATION_HIGH_COLUMN],
        destination_low=addresses[state.DESTINATION_LOW_COLUMN],
        packets=words[state.PACKETS_COLUMN],
        octets=words[state.OCTETS_COLUMN],
        start=words[state.START_COLUMN],
        end=words[state.END_COLUMN],
        input_interface=words[state.INPUT_COLUMN],
        output_interface=words[state.OUTPUT_COLUMN],
        flow_direction=marks[state.DIRECTION_COLUMN],
        exporter=numbers[state.EXPORTER_COLUMN],
        sampling=numbers[state.SAMPLING_COLUMN],
    )
