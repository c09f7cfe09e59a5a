"""The columns between the stages of decoding: frames of a capture, and the datagrams that they carry.

Both refer to octets of one buffer and live no longer than it.
"""

from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

NO_TIME = -1
"""In a time column: the input has no time of receipt (a file of bare messages)."""


class Frames(NamedTuple):
    """Frames found in ``buffer`` (uint8); the other columns are of shape (n,).

    ``offset`` and ``captured`` (int64) locate the octets kept of each frame, ``original`` (int64) is its length on the wire,
    ``time`` (int64) its time in nanoseconds since the UTC epoch or ``UNTIMED``, ``link_type`` (int64) its LINKTYPE number,
    ``position`` (int64) its number in the file, from 1.
    """

    buffer: NDArray[np.uint8]
    offset: NDArray[np.int64]
    captured: NDArray[np.int64]
    original: NDArray[np.int64]
    time: NDArray[np.int64]
    link_type: NDArray[np.int64]
    position: NDArray[np.int64]

    @classmethod
    def none(cls, buffer: NDArray[np.uint8]) -> Self:
        """Give no frames of ``buffer``."""
        return cls(buffer, *(np.empty(0, dtype=np.int64) for _ in cls._fields[1:]))

    def first(self, most: int) -> Self:
        """Give the first frames, at most ``most``."""
        return type(self)(self.buffer, *(column[:most] for column in self[1:]))


class Datagrams(NamedTuple):
    """UDP payloads found in ``buffer`` (uint8), one row each; the other columns are of shape (n,).

    ``offset`` and ``length`` (int64) locate a payload; ``time`` (int64) is its receipt in nanoseconds since the UTC epoch or ``NO_TIME``.
    ``family`` (uint8) is 4 or 6, or 0 where the input names no exporter; addresses are two uint64 words; ports are int64.
    ``position`` (int64) is what a drop report names: the frame number, or the octet offset in a file of bare messages.
    """

    buffer: NDArray[np.uint8]
    offset: NDArray[np.int64]
    length: NDArray[np.int64]
    time: NDArray[np.int64]
    family: NDArray[np.uint8]
    source_high: NDArray[np.uint64]
    source_low: NDArray[np.uint64]
    destination_high: NDArray[np.uint64]
    destination_low: NDArray[np.uint64]
    source_port: NDArray[np.int64]
    destination_port: NDArray[np.int64]
    position: NDArray[np.int64]
