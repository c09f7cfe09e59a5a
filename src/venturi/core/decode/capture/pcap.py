"""The pcap file format: where its frames lie.

Owns the file header, in either byte order and of either time resolution, and the walk over records (the format's Internet-Draft,
draft-ietf-opsawg-pcap §4 and §5). What a frame carries is read elsewhere.
"""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from venturi.core.decode.capture.words import Octets, ordered_32
from venturi.core.decode.frames import Frames
from venturi.core.domain.drops import DropReason, add_drop
from venturi.core.kernel import kernel

LONGEST_FRAME = 262_144
"""The most octets that a record may keep of a frame; what states more is damaged."""

FILE_HEADER_LENGTH = 24
"""Octets before the first record."""

_RECORD_HEADER_LENGTH = 16
_LINK_TYPE_MASK = 0x03FF_FFFF


class RecordLayout(NamedTuple):
    """How records are written: ``little`` is 1 for the lowest octet first, ``unit`` the nanoseconds in a unit of the time's fraction.

    ``swapped`` says whether the two lengths of a record stand the other way round: 1 always, 2 where the first is larger, 0 never.
    """

    little: int
    header_length: int
    unit: int
    swapped: int = 0


_MAGIC_NUMBERS = {
    bytes.fromhex("d4c3b2a1"): RecordLayout(1, _RECORD_HEADER_LENGTH, 1000),
    bytes.fromhex("a1b2c3d4"): RecordLayout(0, _RECORD_HEADER_LENGTH, 1000),
    bytes.fromhex("4d3cb2a1"): RecordLayout(1, _RECORD_HEADER_LENGTH, 1),
    bytes.fromhex("a1b23c4d"): RecordLayout(0, _RECORD_HEADER_LENGTH, 1),
    # Patched Linux libpcap: interface, protocol and packet type follow the lengths of each record
    bytes.fromhex("34cdb2a1"): RecordLayout(1, _RECORD_HEADER_LENGTH + 8, 1000),
    bytes.fromhex("a1b2cd34"): RecordLayout(0, _RECORD_HEADER_LENGTH + 8, 1000),
}

_IN_PLACE, _SWAPPED, _SWAPPED_IF_LARGER = 0, 1, 2
_VERSIONS = {(2, 0): _SWAPPED, (2, 1): _SWAPPED, (2, 2): _SWAPPED, (2, 3): _SWAPPED_IF_LARGER, (2, 4): _IN_PLACE}
"""The versions that can be read, and how the lengths of a record stand in them (libpcap ``sf-pcap.c``)."""

PCAP_MAGIC_NUMBERS = frozenset(_MAGIC_NUMBERS)
"""The first four octets of a pcap file."""


def pcap_version(head: bytes) -> tuple[int, int]:
    """Give major and minor version of a pcap file that begins with ``head``, at least 8 octets."""
    order: Literal["little", "big"] = "little" if _MAGIC_NUMBERS[head[:4]].little else "big"
    return int.from_bytes(head[4:6], order), int.from_bytes(head[6:8], order)


def is_known_version(version: tuple[int, int]) -> bool:
    """Tell whether pcap files of a version, major and minor, can be read."""
    return version in _VERSIONS


class PcapReader:
    """Finds the frames of one pcap file, buffer by buffer; their columns are written anew for the next buffer."""

    untimed = 0
    """Frames so far without a time: a pcap file has one for each."""

    def __init__(self, drops: NDArray[np.int64]) -> None:
        """Await a pcap file header; drops go to the drop table ``drops``."""
        self._drops = drops
        self._layout: RecordLayout | None = None
        self._link_type = 0
        self._frames = 0
        self._broken = False
        self._columns = _make_columns(0)

    def read(self, buffer: Octets, *, final: bool) -> tuple[Frames, int]:
        """Give the whole frames of ``buffer`` and the octets used up, all of them if nothing follows or nothing can be read any more.

        The first buffer begins with one of ``PCAP_MAGIC_NUMBERS``.
        """
        start = self._read_file_header(buffer)
        if self._layout is None or self._broken:
            frames, used = Frames.none(buffer), 0
        else:
            frames, used = self._walk(buffer, start, self._layout)
        if final and used < len(buffer) and not self._broken:
            add_drop(self._drops, DropReason.TRUNCATED_FILE, self._frames + 1)
        return frames, len(buffer) if final or self._broken else used

    def _read_file_header(self, buffer: Octets) -> int:
        """Read the file header from the first buffer that holds it; give the place of the next record."""
        if self._layout is not None or len(buffer) < FILE_HEADER_LENGTH:
            return 0
        head = buffer[:FILE_HEADER_LENGTH].tobytes()
        self._layout = _MAGIC_NUMBERS[head[:4]]
        version = pcap_version(head)
        if version in _VERSIONS:
            self._layout = self._layout._replace(swapped=_VERSIONS[version])
        else:
            self._broken = True
            add_drop(self._drops, DropReason.UNKNOWN_VERSION, 1)
        order: Literal["little", "big"] = "little" if self._layout.little else "big"
        self._link_type = int.from_bytes(head[-4:], order) & _LINK_TYPE_MASK
        return FILE_HEADER_LENGTH

    def _walk(self, buffer: Octets, start: int, layout: RecordLayout) -> tuple[Frames, int]:
        most = len(buffer) // layout.header_length
        if len(self._columns.offset) < most:
            self._columns = _make_columns(most)
        count, used, self._broken = _walk_records(buffer, start, layout, self._columns, (self._link_type, self._frames + 1))
        self._frames += count
        if self._broken:
            add_drop(self._drops, DropReason.BAD_RECORD_LENGTH, self._frames + 1)
        return Frames._make([buffer, *(column[:count] for column in self._columns)]), used


class _Columns(NamedTuple):
    """Columns of ``Frames`` being written, int64, shape (rows,)."""

    offset: NDArray[np.int64]
    captured: NDArray[np.int64]
    original: NDArray[np.int64]
    time: NDArray[np.int64]
    link_type: NDArray[np.int64]
    position: NDArray[np.int64]


def _make_columns(rows: int) -> _Columns:
    return _Columns._make(np.empty(rows, dtype=np.int64) for _ in _Columns._fields)


@kernel
def _walk_records(buffer: Octets, place: int, layout: RecordLayout, columns: _Columns, told: tuple[int, int]) -> tuple[int, int, bool]:
    """Fill the columns; give the number of frames, the octets used up and whether a record states an impossible length.

    ``told`` are the link type of all frames and the number of the first.
    """
    little, header_length, unit, swapped = layout.little, layout.header_length, layout.unit, layout.swapped
    link_type, first = told
    row = 0
    while place + header_length <= len(buffer):
        kept, original = ordered_32(buffer, place + 8, little), ordered_32(buffer, place + 12, little)
        if swapped == _SWAPPED or (swapped == _SWAPPED_IF_LARGER and kept > original):
            kept, original = original, kept
        if kept > LONGEST_FRAME:
            return row, place, True
        following = place + header_length + kept
        if following > len(buffer):
            break
        columns.offset[row] = place + header_length
        columns.captured[row] = kept
        columns.original[row] = max(kept, original)
        columns.time[row] = ordered_32(buffer, place, little) * 1_000_000_000 + ordered_32(buffer, place + 4, little) * unit
        columns.link_type[row] = link_type
        columns.position[row] = first + row
        place = following
        row += 1
    return row, place, False
