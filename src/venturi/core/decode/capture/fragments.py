"""Reassembly of fragmented UDP datagrams (RFC 791 §3.2, RFC 8200 §4.5), within bounds.

Owns the fragments that wait for others. They are rare in export traffic; whoever sends nothing but fragments takes neither more memory than
``MOST_WAITING`` datagrams of at most 64 KiB nor more than a step of Python for each.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from venturi.core.decode.capture.udp import FRAGMENT_END, FRAGMENT_HEADER_PLACE, FRAGMENT_PLACE, UDP_HEADER_LENGTH
from venturi.core.decode.capture.words import Octets
from venturi.core.domain.drops import DropReason, add_drop

MOST_WAITING = 64
"""Datagrams that may wait for fragments; the oldest gives way."""

LONGEST_WAIT = 30_000_000_000
"""Nanoseconds of capture time that a datagram may wait."""

_LONGEST_DATAGRAM = 65_535
_MOST_PARTS = 256


class DatagramKey(NamedTuple):
    """What the fragments of one datagram have in common; addresses are unsigned integers."""

    family: int
    source: int
    destination: int
    identification: int


class Fragment(NamedTuple):
    """A fragment as its headers describe it; ``octets`` are those that were kept of ``length``."""

    key: DatagramKey
    offset: int
    has_more: bool
    length: int
    octets: bytes


class Reassembled(NamedTuple):
    """A whole datagram, UDP header included, and what its fragments had in common."""

    key: DatagramKey
    octets: bytes


@dataclass
class _Waiting:
    """Fragments of a datagram by their offset; ``length`` is that of the whole once its last fragment came."""

    first_position: int
    first_time: int
    parts: dict[int, bytes] = field(default_factory=dict)
    length: int | None = None

    @property
    def is_whole(self) -> bool:
        """Parts do not overlap, so they are the whole as soon as they sum to it."""
        return self.length == sum(map(len, self.parts.values()))


class Reassembler:
    """Joins the fragments of UDP datagrams; what cannot be joined is counted, fragment by fragment, as ``FRAGMENTED_EXPORT``."""

    def __init__(self, drops: NDArray[np.int64]) -> None:
        """Begin with nothing waiting; drops go to the drop table ``drops``."""
        self._drops = drops
        self._waiting: dict[DatagramKey, _Waiting] = {}

    def add(self, fragment: Fragment, *, time: int, position: int) -> Reassembled | None:
        """Take a fragment that came in the frame of ``time`` and ``position``; give the datagram if that makes it whole.

        Fragments that overlap, contradict each other or were cut by the capture never make a datagram (RFC 5722); a
        repeated one is dropped.
        """
        waiting = self._take(fragment.key, time) or _Waiting(position, time)
        if waiting.parts.get(fragment.offset) == fragment.octets:
            add_drop(self._drops, DropReason.FRAGMENTED_EXPORT, position)
        elif not _join(waiting, fragment):
            self._give_up(waiting)
            add_drop(self._drops, DropReason.FRAGMENTED_EXPORT, position)
            return None
        if waiting.is_whole:
            return self._finish(fragment.key, waiting)
        self._keep(fragment.key, waiting)
        return None

    def flush(self) -> None:
        """Give up all that still waits: nothing follows."""
        for waiting in self._waiting.values():
            self._give_up(waiting)
        self._waiting.clear()

    def _take(self, key: DatagramKey, time: int) -> _Waiting | None:
        """Take out what waits under ``key``, unless it is so old that its identification may have been used again."""
        waiting = self._waiting.pop(key, None)
        if waiting is not None and abs(time - waiting.first_time) > LONGEST_WAIT:
            self._give_up(waiting)
            return None
        return waiting

    def _keep(self, key: DatagramKey, waiting: _Waiting) -> None:
        self._waiting[key] = waiting
        if len(self._waiting) > MOST_WAITING:
            self._give_up(self._waiting.pop(next(iter(self._waiting))))

    def _finish(self, key: DatagramKey, waiting: _Waiting) -> Reassembled | None:
        octets = b"".join(part for _, part in sorted(waiting.parts.items()))
        if len(octets) >= UDP_HEADER_LENGTH:
            return Reassembled(key, octets)
        self._give_up(waiting)
        return None

    def _give_up(self, waiting: _Waiting) -> None:
        if waiting.parts:
            add_drop(self._drops, DropReason.FRAGMENTED_EXPORT, waiting.first_position, len(waiting.parts))


def _join(waiting: _Waiting, fragment: Fragment) -> bool:
    """Add a fragment to those waiting, unless it disagrees with them; tell whether it was added."""
    end = fragment.offset + fragment.length
    reach = max((start + len(other) for start, other in waiting.parts.items()), default=0)
    length = waiting.length if fragment.has_more else end
    if len(fragment.octets) < max(fragment.length, 1) or end > _LONGEST_DATAGRAM or len(waiting.parts) == _MOST_PARTS:
        return False
    if fragment.has_more and fragment.length % 8:
        return False
    if length is not None and (max(end, reach) > length or waiting.length not in (None, length)):
        return False
    if any(start < end and fragment.offset < start + len(other) for start, other in waiting.parts.items()):
        return False
    waiting.parts[fragment.offset] = fragment.octets
    waiting.length = length
    return True


def read_fragment(buffer: Octets, row: NDArray[np.int64], kept_end: int) -> Fragment:
    """Read what the IP headers of a fragment say; ``row`` is of a fragment table, ``kept_end`` where the frame ends in ``buffer``."""
    network, place, end = int(row[FRAGMENT_HEADER_PLACE]), int(row[FRAGMENT_PLACE]), int(row[FRAGMENT_END])
    header = buffer[network:place].tobytes()
    family = header[0] >> 4
    if family == 4:
        identification, field_value = int.from_bytes(header[4:6]), int.from_bytes(header[6:8])
        offset, more = (field_value & 0x1FFF) * 8, field_value & 0x2000
        first_address, address_length = 12, 4
    else:
        identification, field_value = int.from_bytes(header[-4:]), int.from_bytes(header[-6:-4])
        offset, more = field_value & 0xFFF8, field_value & 1
        first_address, address_length = 8, 16
    places = (first_address, first_address + address_length)
    source, destination = (int.from_bytes(header[start : start + address_length]) for start in places)
    key = DatagramKey(family, source, destination, identification)
    return Fragment(key, offset, bool(more), end - place, buffer[place : min(end, kept_end)].tobytes())
