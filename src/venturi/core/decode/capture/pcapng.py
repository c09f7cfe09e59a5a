"""The pcapng file format: where its frames lie.

Owns the walk over blocks and sections (draft-ietf-opsawg-pcapng §3 and §4): enhanced, simple and obsolete packet
blocks. Blocks of other types are skipped, and so are sections of another major version, up to the next section header. What an
interface description says is read in ``interfaces``, what a frame carries elsewhere.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from venturi.core.decode.capture.interfaces import LINK_TYPE, SNAP_LENGTH, UNUSABLE, InterfaceTable, to_nanoseconds
from venturi.core.decode.capture.words import Octets, ordered_16, ordered_32
from venturi.core.decode.frames import Frames
from venturi.core.domain.drops import DropReason, add_drop
from venturi.core.domain.flow_batch import UNTIMED
from venturi.core.kernel import kernel, step

PCAPNG_MAGIC_NUMBER = bytes.fromhex("0a0d0d0a")
"""The first four octets of a pcapng file: the type of a section header block, the same in both byte orders."""

LONGEST_BLOCK = 16 << 20
"""The most octets that a block may have; what states more is damaged."""

_SECTION_HEADER = 0x0A0D0D0A
_INTERFACE_DESCRIPTION = 1
_OBSOLETE_PACKET = 2
_SIMPLE_PACKET = 3
_ENHANCED_PACKET = 6
_LEAST_BLOCK = 12
_LEAST_SECTION_HEADER = 28
_MAJOR_VERSION = 1
_PACKET_HEADER_LENGTH = 28
_SIMPLE_HEADER_LENGTH = 12
_LITTLE_MAGIC = bytes.fromhex("4d3c2b1a")
_BIG_MAGIC = bytes.fromhex("1a2b3c4d")

# Why a walk stopped
_NEEDS_MORE = 0
_AT_SECTION = 1
_AT_INTERFACE = 2
_AT_BAD_LENGTH = 3

# Slots of the cursor, int64
_PLACE = 0
_ROWS = 1
_POSITION = 2
_UNTIMED_FRAMES = 3
_CURSOR_SLOTS = 4

_BAD_BLOCK = int(DropReason.BAD_BLOCK)


class _Columns(NamedTuple):
    """The columns of ``Frames`` being written, int64, shape (rows,)."""

    offset: NDArray[np.int64]
    captured: NDArray[np.int64]
    original: NDArray[np.int64]
    time: NDArray[np.int64]
    link_type: NDArray[np.int64]
    position: NDArray[np.int64]


class _Section(NamedTuple):
    """What blocks of a section are read by: ``little`` is 1 for the lowest octet first; interfaces are those of ``InterfaceTable``.

    ``is_known`` is 0 for a section of a version whose blocks mean nothing here.
    """

    little: int
    interfaces: NDArray[np.int64]
    interface_count: int
    is_known: int


class PcapngReader:
    """Finds the frames of one pcapng file, buffer by buffer. Every packet block has a number, also where it cannot be read."""

    def __init__(self, drops: NDArray[np.int64]) -> None:
        """Await a section header block; drops go to the drop table ``drops``."""
        self._drops = drops
        self._little = False
        self._is_known = True
        self._interfaces = InterfaceTable()
        self._cursor = np.zeros(_CURSOR_SLOTS, dtype=np.int64)
        self._broken = False

    def read(self, buffer: Octets, *, final: bool) -> tuple[Frames, int]:
        """Give the whole frames of ``buffer`` and the octets used up, all of them if nothing follows or nothing can be read any more.

        The first buffer begins with ``PCAPNG_MAGIC_NUMBER``.
        """
        columns = _Columns(*(np.empty(len(buffer) // (_SIMPLE_HEADER_LENGTH + 4) + 1, dtype=np.int64) for _ in _Columns._fields))
        self._cursor[[_PLACE, _ROWS]] = 0
        while not self._broken:
            section = _Section(int(self._little), self._interfaces.rows, self._interfaces.count, int(self._is_known))
            stop = _walk_blocks(buffer, self._cursor, section, columns, self._drops)
            if not self._settle(buffer, stop):
                break
        used = int(self._cursor[_PLACE])
        if final and used < len(buffer) and not self._broken:
            self._drop(DropReason.TRUNCATED_FILE)
        rows = int(self._cursor[_ROWS])
        return Frames(buffer, *(column[:rows] for column in columns)), len(buffer) if final or self._broken else used

    @property
    def untimed(self) -> int:
        """Frames so far whose time is not told or cannot be."""
        return int(self._cursor[_UNTIMED_FRAMES])

    def _settle(self, buffer: Octets, stop: int) -> bool:
        """Do what the walk stopped for; tell whether it can go on."""
        if stop == _AT_BAD_LENGTH:
            self._broken = True
            self._drop(DropReason.BAD_RECORD_LENGTH)
        if stop in (_NEEDS_MORE, _AT_BAD_LENGTH):
            return False
        return self._begin_section(buffer) if stop == _AT_SECTION else self._add_interface(buffer)

    def _begin_section(self, buffer: Octets) -> bool:
        place = int(self._cursor[_PLACE])
        if place + _LEAST_BLOCK > len(buffer):
            return False
        magic = buffer[place + 8 : place + 12].tobytes()
        little = magic == _LITTLE_MAGIC
        length = _read_length(buffer, place, little=little)
        if (not little and magic != _BIG_MAGIC) or not _LEAST_SECTION_HEADER <= length <= LONGEST_BLOCK or length % 4:
            return self._settle(buffer, _AT_BAD_LENGTH)
        if place + length > len(buffer):
            return False
        major = int.from_bytes(buffer[place + 12 : place + 14].tobytes(), "little" if little else "big")
        self._little, self._is_known, self._interfaces = little, major == _MAJOR_VERSION, InterfaceTable()
        if not self._is_known:
            self._drop(DropReason.UNKNOWN_VERSION)
        self._cursor[_PLACE] += length
        return True

    def _add_interface(self, buffer: Octets) -> bool:
        place = int(self._cursor[_PLACE])
        length = _read_length(buffer, place, little=self._little)
        if not self._interfaces.add(buffer[place : place + length], little=self._little):
            self._drop(DropReason.BAD_BLOCK)
        self._cursor[_PLACE] += length
        return True

    def _drop(self, reason: DropReason) -> None:
        add_drop(self._drops, reason, int(self._cursor[_POSITION]) + 1)


def _read_length(buffer: Octets, place: int, *, little: bool) -> int:
    return int.from_bytes(buffer[place + 4 : place + 8].tobytes(), "little" if little else "big")


@kernel
def _walk_blocks(buffer: Octets, cursor: NDArray[np.int64], section: _Section, columns: _Columns, drops: NDArray[np.int64]) -> int:
    """Fill the columns from the cursor on, until something has to be settled or no whole block is left; give why the walk stopped."""
    little = section.little
    while cursor[_PLACE] + 8 <= len(buffer):
        place = cursor[_PLACE]
        block_type = ordered_32(buffer, place, little)
        if block_type == _SECTION_HEADER:
            return _AT_SECTION
        length = ordered_32(buffer, place + 4, little)
        if not _LEAST_BLOCK <= length <= LONGEST_BLOCK or length & 3:
            return _AT_BAD_LENGTH
        if place + length > len(buffer):
            return _NEEDS_MORE
        whole = section.is_known == 0 or ordered_32(buffer, place + length - 4, little) == length
        is_packet = section.is_known != 0 and block_type in (_ENHANCED_PACKET, _SIMPLE_PACKET, _OBSOLETE_PACKET)
        if whole and section.is_known != 0 and block_type == _INTERFACE_DESCRIPTION:
            return _AT_INTERFACE
        if is_packet:
            cursor[_POSITION] += 1
            whole = whole and _read_packet(buffer, place, length, block_type, section, columns, cursor[_ROWS])
        if is_packet and whole:
            columns.position[cursor[_ROWS]] = cursor[_POSITION]
            cursor[_UNTIMED_FRAMES] += columns.time[cursor[_ROWS]] == UNTIMED
            cursor[_ROWS] += 1
        elif not whole:
            if drops[_BAD_BLOCK, 0] == 0:
                drops[_BAD_BLOCK, 1] = max(cursor[_POSITION], 1)
            drops[_BAD_BLOCK, 0] += 1
        cursor[_PLACE] = place + length
    return _NEEDS_MORE


@step
def _read_packet(buffer: Octets, place: int, length: int, block_type: int, section: _Section, columns: _Columns, row: int) -> bool:
    """Write the frame of a packet block to ``row``; tell whether the block makes sense."""
    little, interfaces = section.little, section.interfaces
    simple = block_type == _SIMPLE_PACKET
    header_length = _SIMPLE_HEADER_LENGTH if simple else _PACKET_HEADER_LENGTH
    if length < header_length + 4:
        return False
    interface = 0
    if block_type == _ENHANCED_PACKET:
        interface = ordered_32(buffer, place + 8, little)
    elif not simple:
        interface = ordered_16(buffer, place + 8, little)
    if interface >= section.interface_count or interfaces[interface, LINK_TYPE] == UNUSABLE:
        return False
    if simple:
        original = captured = ordered_32(buffer, place + 8, little)
        if interfaces[interface, SNAP_LENGTH] > 0:
            captured = min(original, interfaces[interface, SNAP_LENGTH])
        time = UNTIMED
    else:
        captured = ordered_32(buffer, place + 20, little)
        original = ordered_32(buffer, place + 24, little)
        ticks = np.uint64(ordered_32(buffer, place + 12, little)) << np.uint64(32) | np.uint64(ordered_32(buffer, place + 16, little))
        time = to_nanoseconds(interfaces, interface, ticks)
    if captured > length - header_length - 4:
        return False
    columns.offset[row] = place + header_length
    columns.captured[row] = captured
    columns.original[row] = max(captured, original)
    columns.time[row] = time
    columns.link_type[row] = interfaces[interface, LINK_TYPE]
    return True
