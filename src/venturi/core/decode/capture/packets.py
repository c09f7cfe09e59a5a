"""Packets of a capture as flow batches: each frame that carries IP is one flow of one packet.

Owns the columns of packets. Frames are found by ``frame_reader``, IP headers read by ``headers``.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from venturi.core.decode.capture.frame_reader import FrameReader
from venturi.core.decode.capture.headers import read_network_header
from venturi.core.decode.capture.links import FINE
from venturi.core.decode.capture.words import Octets
from venturi.core.decode.frames import Frames
from venturi.core.domain.drops import new_drop_table
from venturi.core.domain.flow_batch import NO_FLOW_DIRECTION, NO_INTERFACE, FlowBatch
from venturi.core.kernel import kernel


class PacketDecoder:
    """Decodes a pcap or pcapng file, told by content, into packets (a ``StreamDecoder``).

    ``drops`` is the drop table of the file, its positions frame numbers from 1; ``records`` the number of packets so far.
    """

    def __init__(self, *, exporter: int) -> None:
        """Give all packets to the exporter of number ``exporter``; they are unsampled."""
        self.drops = new_drop_table()
        self.records = 0
        self._exporter = exporter
        self._reader = FrameReader(self.drops)

    def decode(self, buffer: Octets, *, final: bool) -> tuple[FlowBatch, int]:
        """Decode the whole frames of ``buffer``, as ``StreamDecoder`` says."""
        frames, used = self._reader.read(buffer, final=final)
        columns = _Columns.empty(len(frames.offset))
        count = _read_packets(frames, columns, self.drops)
        self.records += count
        return self._batch(columns.first(count), count), used

    def _batch(self, columns: "_Columns", count: int) -> FlowBatch:
        no_interface = np.full(count, NO_INTERFACE, dtype=np.int64)
        return FlowBatch(
            family=columns.family,
            source_high=columns.source_high,
            source_low=columns.source_low,
            destination_high=columns.destination_high,
            destination_low=columns.destination_low,
            packets=np.ones(count, dtype=np.int64),
            octets=columns.octets,
            start=columns.time,
            end=columns.time,
            input_interface=no_interface,
            output_interface=no_interface,
            flow_direction=np.full(count, NO_FLOW_DIRECTION, dtype=np.uint8),
            exporter=np.full(count, self._exporter, dtype=np.int32),
            sampling=np.zeros(count, dtype=np.int32),
        )


class _Columns(NamedTuple):
    """What is read of each packet, as ``FlowBatch`` has it."""

    family: NDArray[np.uint8]
    source_high: NDArray[np.uint64]
    source_low: NDArray[np.uint64]
    destination_high: NDArray[np.uint64]
    destination_low: NDArray[np.uint64]
    octets: NDArray[np.int64]
    time: NDArray[np.int64]

    @classmethod
    def empty(cls, rows: int) -> "_Columns":
        """Make columns of ``rows`` rows to be written."""
        return cls._make(np.empty(rows, dtype=dtype) for dtype in (np.uint8, *4 * (np.uint64,), np.int64, np.int64))

    def first(self, rows: int) -> "_Columns":
        """Give the first rows."""
        return _Columns._make(column[:rows] for column in self)


@kernel
def _read_packets(frames: Frames, columns: _Columns, drops: NDArray[np.int64]) -> int:
    """Write the packets of ``frames`` to the columns and count the other frames by reason; give the number of packets."""
    row = 0
    for frame in range(len(frames.offset)):
        header = read_network_header(
            frames.buffer, frames.offset[frame], frames.captured[frame], frames.original[frame], frames.link_type[frame]
        )
        if header[0] == FINE:
            columns.family[row] = header[1]
            columns.source_high[row] = header[2]
            columns.source_low[row] = header[3]
            columns.destination_high[row] = header[4]
            columns.destination_low[row] = header[5]
            columns.octets[row] = header[6]
            columns.time[row] = frames.time[frame]
            row += 1
        else:
            reason = header[0] - 1
            if drops[reason, 0] == 0:
                drops[reason, 1] = frames.position[frame]
            drops[reason, 0] += 1
    return row
