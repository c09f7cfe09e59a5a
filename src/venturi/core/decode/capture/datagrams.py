"""Datagrams of a capture: the UDP payloads of its frames, which may be flow export.

Owns their columns and where joined fragments take their place among them. What the payloads say is the affair of ``decode.export``.
"""

import numpy as np
from numpy.typing import NDArray

from venturi.core.decode.capture.fragments import Reassembled, Reassembler, read_fragment
from venturi.core.decode.capture.frame_reader import FrameReader
from venturi.core.decode.capture.udp import (
    FRAGMENT_COLUMNS,
    FRAGMENT_FRAME,
    UDP_HEADER_LENGTH,
    DatagramColumns,
    locate_datagrams,
)
from venturi.core.decode.capture.words import Octets
from venturi.core.decode.frames import NO_TIME, Datagrams, Frames
from venturi.core.domain.drops import new_drop_table

SAMPLED_FRAMES = 1000
"""Frames that are enough to tell what a capture holds."""


class DatagramDecoder:
    """Finds the UDP payloads of a pcap or pcapng file, told by content.

    ``drops`` is the drop table of the file, its positions frame numbers from 1; ``frames`` the number of frames so far. Frames
    without a UDP datagram are ``NOT_EXPORT``, or the reason why their IP header could not be read. A payload that the capture
    cut short is given as far as it was kept.
    """

    def __init__(self) -> None:
        """Await the beginning of a file."""
        self.drops = new_drop_table()
        self.frames = 0
        self._reader = FrameReader(self.drops)
        self._reassembler = Reassembler(self.drops)
        self._columns = _make_columns(0)

    def locate(self, buffer: Octets, *, final: bool) -> tuple[Datagrams, int]:
        """Give the datagrams of the whole frames of ``buffer``, in their order, and the octets used up, as a ``StreamDecoder`` does.

        A datagram that came in fragments stands at its last one. Its payload lies in no buffer, so a batch with such a
        datagram refers to a copy of ``buffer`` with the payloads behind.
        """
        frames, used = self._reader.read(buffer, final=final)
        self.frames += len(frames.offset)
        datagrams = self._locate(frames)
        if final:
            self._reassembler.flush()
        return datagrams, used

    def _locate(self, frames: Frames) -> Datagrams:
        if len(self._columns.offset) < len(frames.offset):
            self._columns = _make_columns(len(frames.offset))
        rows, fragments = _locate_in(frames, self._columns, self.drops)
        joined = self._join(frames, fragments)
        return _insert(frames, rows, joined) if joined else _with_frames(frames, rows, frames.buffer)

    def _join(self, frames: Frames, fragments: NDArray[np.int64]) -> list[tuple[int, Reassembled]]:
        """List the datagrams that fragments make whole, each with the row of the frame that completed it."""
        joined = []
        for row in fragments:
            frame = int(row[FRAGMENT_FRAME])
            fragment = read_fragment(frames.buffer, row, int(frames.offset[frame] + frames.captured[frame]))
            whole = self._reassembler.add(fragment, time=int(frames.time[frame]), position=int(frames.position[frame]))
            if whole is not None:
                joined.append((frame, whole))
        return joined


def sample_datagrams(buffer: Octets) -> Datagrams:
    """Give the datagrams of the first ``SAMPLED_FRAMES`` frames of a capture's first buffer, fragments aside."""
    drops = new_drop_table()
    frames, _ = FrameReader(drops).read(buffer, final=False)
    sampled = frames.first(SAMPLED_FRAMES)
    rows, _ = _locate_in(sampled, _make_columns(len(sampled.offset)), drops)
    return _with_frames(sampled, rows, sampled.buffer)


def _make_columns(rows: int) -> DatagramColumns:
    dtypes = (np.int64, np.int64, np.uint8, *4 * (np.uint64,), np.int64, np.int64, np.int64)
    return DatagramColumns._make(np.empty(rows, dtype=dtype) for dtype in dtypes)


def _locate_in(frames: Frames, columns: DatagramColumns, drops: NDArray[np.int64]) -> tuple[DatagramColumns, NDArray[np.int64]]:
    """Give the datagrams in ``frames``, written to ``columns``, and the table of their fragments."""
    fragments = np.empty((len(frames.offset), FRAGMENT_COLUMNS), dtype=np.int64)
    counts = np.zeros(2, dtype=np.int64)
    locate_datagrams(frames, columns, fragments, counts, drops)
    return DatagramColumns._make(column[: counts[0]] for column in columns), fragments[: counts[1]]


def _insert(frames: Frames, rows: DatagramColumns, joined: list[tuple[int, Reassembled]]) -> Datagrams:
    """Put joined datagrams among the others, in the order of frames."""
    first = len(frames.buffer)
    added = []
    for frame, whole in joined:
        added.append(_joined_row(frame, whole, first))
        first += len(whole.octets)
    buffer = np.concatenate([frames.buffer, *(np.frombuffer(whole.octets, dtype=np.uint8) for _, whole in joined)])
    columns = [
        np.concatenate([column, np.array(values, dtype=column.dtype)])
        for column, values in zip(rows._asdict().values(), zip(*added, strict=True), strict=True)
    ]
    order = np.argsort(columns[-1], kind="stable")
    return _with_frames(frames, DatagramColumns._make(column[order] for column in columns), buffer)


def _joined_row(frame: int, whole: Reassembled, first: int) -> tuple[int, ...]:
    """Describe a joined datagram that is put at ``first``, as a row of ``DatagramColumns``."""
    source_port, destination_port, stated = (int.from_bytes(whole.octets[place : place + 2]) for place in (0, 2, 4))
    length = min(stated, len(whole.octets)) if stated >= UDP_HEADER_LENGTH else len(whole.octets)
    addresses = (*divmod(whole.key.source, 1 << 64), *divmod(whole.key.destination, 1 << 64))
    return first + UDP_HEADER_LENGTH, length - UDP_HEADER_LENGTH, whole.key.family, *addresses, source_port, destination_port, frame


def _with_frames(frames: Frames, rows: DatagramColumns, buffer: Octets) -> Datagrams:
    """Add what the frames know of the datagrams."""
    return Datagrams(
        buffer=buffer,
        offset=rows.offset,
        length=rows.length,
        time=np.maximum(frames.time[rows.frame], NO_TIME),
        family=rows.family,
        source_high=rows.source_high,
        source_low=rows.source_low,
        destination_high=rows.destination_high,
        destination_low=rows.destination_low,
        source_port=rows.source_port,
        destination_port=rows.destination_port,
        position=frames.position[rows.frame],
    )
