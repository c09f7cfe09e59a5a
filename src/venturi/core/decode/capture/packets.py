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
from venturi.core.decode.decoder import ArrayMemory, FreshMemory
from venturi.core.decode.frames import Frames
from venturi.core.decode.needed import NeededColumns
from venturi.core.domain.drops import new_drop_table
from venturi.core.domain.flow_batch import FlowBatch
from venturi.core.kernel import kernel

_SPARE = 4


class PacketDecoder:
    """Decodes a pcap or pcapng file, told by content, into packets (a ``StreamDecoder``).

    ``drops`` is the drop table of the file, its positions frame numbers from 1; ``records`` the number of packets so far.
    """

    def __init__(self, *, exporter: int, needed: NeededColumns | None = None, memory: ArrayMemory | None = None) -> None:
        """Give all packets to the exporter of number ``exporter``; they are unsampled.

        All columns are ``needed`` unless told otherwise. Batches lie in ``memory``, else in memory of their own.
        """
        self.drops = new_drop_table()
        self.records = 0
        self._exporter = exporter
        self._needs_times = needed is None or needed.times
        self._reader = FrameReader(self.drops)
        self._memory = memory or FreshMemory()
        self._alike = FlowBatch.empty(0)

    @property
    def untimed(self) -> int:
        """Frames so far whose time is not told or cannot be; their packets are ``UNTIMED``."""
        return self._reader.untimed

    def decode(self, buffer: Octets, *, final: bool) -> tuple[FlowBatch, int]:
        """Decode the whole frames of ``buffer``, as ``StreamDecoder`` says."""
        frames, used = self._reader.read(buffer, final=final)
        columns = self._memory.take(_make_columns, len(frames.offset))
        count = _read_packets(frames, columns, self._needs_times, self.drops)
        self.records += count
        return self._batch(columns, count), used

    def _batch(self, columns: "_Columns", count: int) -> FlowBatch:
        alike = self._all_alike(count)
        time = columns.time[:count]
        return FlowBatch(
            family=columns.family[:count],
            source_high=columns.source_high[:count],
            source_low=columns.source_low[:count],
            destination_high=columns.destination_high[:count],
            destination_low=columns.destination_low[:count],
            packets=alike.packets[:count],
            octets=columns.octets[:count],
            start=time,
            end=time,
            input_interface=alike.input_interface[:count],
            output_interface=alike.output_interface[:count],
            flow_direction=alike.flow_direction[:count],
            exporter=alike.exporter[:count],
            sampling=alike.sampling[:count],
        )

    def _all_alike(self, count: int) -> FlowBatch:
        """Give at least ``count`` flows that hold what all packets have in common; nobody writes to them."""
        if count > len(self._alike):
            self._alike = FlowBatch.empty(count + count // _SPARE)
            self._alike.packets.fill(1)
            self._alike.exporter.fill(self._exporter)
        return self._alike


class _Columns(NamedTuple):
    """What is read of each packet, as ``FlowBatch`` has it.

    ``wide`` (int64, shape (1,)) is 0 as long as no high word of an address was ever written: all are zero.
    """

    family: NDArray[np.uint8]
    source_high: NDArray[np.uint64]
    source_low: NDArray[np.uint64]
    destination_high: NDArray[np.uint64]
    destination_low: NDArray[np.uint64]
    octets: NDArray[np.int64]
    time: NDArray[np.int64]
    wide: NDArray[np.int64]


def _make_columns(rows: int) -> _Columns:
    dtypes = (np.uint8, *4 * (np.uint64,), np.int64, np.int64)
    return _Columns._make([*(np.zeros(rows, dtype=dtype) for dtype in dtypes), np.zeros(1, dtype=np.int64)])


@kernel
def _read_packets(frames: Frames, columns: _Columns, needs_times: bool, drops: NDArray[np.int64]) -> int:  # noqa: FBT001 - a kernel has no keyword arguments
    """Write the packets of ``frames`` to the columns and count the other frames by reason; give the number of packets."""
    row = 0
    wide = columns.wide[0] != 0
    for frame in range(len(frames.offset)):
        original = frames.original[frame]
        header = read_network_header(
            frames.buffer, frames.offset[frame], frames.captured[frame], original, original, frames.link_type[frame]
        )
        if header[0] == FINE:
            columns.family[row] = header[1]
            wide |= header[1] == 6
            if wide:
                columns.source_high[row] = header[2]
                columns.destination_high[row] = header[4]
            columns.source_low[row] = header[3]
            columns.destination_low[row] = header[5]
            columns.octets[row] = header[6]
            if needs_times:
                columns.time[row] = frames.time[frame]
            row += 1
        else:
            reason = header[0] - 1
            if drops[reason, 0] == 0:
                drops[reason, 1] = frames.position[frame]
            drops[reason, 0] += 1
    columns.wide[0] = wide
    return row
