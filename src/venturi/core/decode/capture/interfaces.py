"""Interface descriptions of a pcapng section, as rows that a walk can read.

Owns the description block and its options (draft-ietf-opsawg-pcapng §4.2) and what ticks of an interface's clock are worth.
"""

import struct
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from venturi.core.decode.capture.words import Octets
from venturi.core.domain.flow_batch import UNTIMED
from venturi.core.kernel import step

# Columns of an interface table, int64
LINK_TYPE = 0
SNAP_LENGTH = 1
MULTIPLIER = 2  # nanoseconds of a decimal tick
DIVISOR = 3  # decimal ticks of a nanosecond
BITS = 4  # a tick is 2^-BITS seconds; 0 for decimal ticks, negative for a clock that nobody can read
OFFSET = 5  # seconds to add
INTERFACE_COLUMNS = 6

UNUSABLE = -1
"""In column ``LINK_TYPE``: the description could not be understood, so no frame of the interface can."""

_FIXED_LENGTH = 16
_RESOLUTION_OPTION = 9
_TIME_OFFSET_OPTION = 14
_MICROSECONDS = 6
_FINEST_DECIMAL = 18
_FINEST_BINARY = 63
_FARTHEST_OFFSET = 1 << 33
_LATEST = 1 << 62
_SECOND = 1_000_000_000
_EXACT_BITS = 34
_UNREADABLE_CLOCK = (1, 1, -1, 0)


class InterfaceTable:
    """The interfaces of the current section; ``rows`` is int64, of shape (at least ``count``, INTERFACE_COLUMNS)."""

    MOST = 65_536
    """Interfaces that one section may describe."""

    def __init__(self) -> None:
        """Begin a section without interfaces."""
        self.rows: NDArray[np.int64] = np.zeros((4, INTERFACE_COLUMNS), dtype=np.int64)
        self.count = 0

    def add(self, block: Octets, *, little: bool) -> bool:
        """Add the interface that a whole description block describes; tell whether frames of it can be understood."""
        if self.count == self.MOST:
            return False
        if self.count == len(self.rows):
            self.rows = np.concatenate([self.rows, np.zeros_like(self.rows)])
        row = _describe(block.tobytes(), "<" if little else ">")
        self.rows[self.count] = row if row is not None else (UNUSABLE, 0, 1, 1, 0, 0)
        self.count += 1
        return row is not None


def _describe(block: bytes, order: str) -> tuple[int, int, int, int, int, int] | None:
    if len(block) < _FIXED_LENGTH + 4:
        return None
    link_type, _, snap_length = struct.unpack_from(f"{order}HHI", block, 8)
    resolution, offset = _MICROSECONDS, 0
    for code, value in _options(block[_FIXED_LENGTH:-4], order):
        if code == _RESOLUTION_OPTION and len(value) == 1:
            resolution = value[0]
        elif code == _TIME_OFFSET_OPTION and len(value) == 8:
            (offset,) = struct.unpack(f"{order}q", value)
        elif code in (None, _RESOLUTION_OPTION, _TIME_OFFSET_OPTION):
            return link_type, snap_length, *_UNREADABLE_CLOCK
    binary, exponent = divmod(resolution, 128)
    if exponent > (_FINEST_BINARY if binary else _FINEST_DECIMAL) or abs(offset) > _FARTHEST_OFFSET:
        return link_type, snap_length, *_UNREADABLE_CLOCK
    if binary and exponent:
        return link_type, snap_length, 1, 1, exponent, offset
    return link_type, snap_length, 10 ** max(9 - exponent, 0), 10 ** max(exponent - 9, 0), 0, offset


def _options(octets: bytes, order: str) -> Iterator[tuple[int | None, bytes]]:
    """List the options as codes and values; None stands for what is none."""
    place = 0
    while place < len(octets):
        if place + 4 > len(octets):
            yield None, b""
            return
        code, length = struct.unpack_from(f"{order}HH", octets, place)
        value = octets[place + 4 : place + 4 + length]
        if code == 0:
            return
        yield (code if len(value) == length else None), value
        place += 4 + (length + 3) // 4 * 4


@step
def to_nanoseconds(interfaces: NDArray[np.int64], interface: int, ticks: np.uint64) -> int:
    """Turn ticks of an interface's clock into nanoseconds since the UTC epoch, rounded down; ``UNTIMED`` where no such time is.

    Interfaces finer than 2^-34 seconds are read to that, which is 0.06 ns.
    """
    bits = interfaces[interface, BITS]
    second, latest = np.uint64(_SECOND), np.uint64(_LATEST)
    if bits < 0:
        return UNTIMED
    if bits == 0:
        multiplier = np.uint64(interfaces[interface, MULTIPLIER])
        whole = ticks // np.uint64(interfaces[interface, DIVISOR])
        fraction = np.uint64(0)
    else:
        multiplier = second
        whole = ticks >> np.uint64(bits)
        fraction = ticks & ((np.uint64(1) << np.uint64(bits)) - np.uint64(1))
        if bits > _EXACT_BITS:
            fraction >>= np.uint64(bits - _EXACT_BITS)
        fraction = fraction * second >> np.uint64(min(bits, _EXACT_BITS))
    if whole > latest // multiplier:
        return UNTIMED
    time = np.int64(whole * multiplier + fraction) + interfaces[interface, OFFSET] * _SECOND
    return time if 0 <= time <= _LATEST else UNTIMED
