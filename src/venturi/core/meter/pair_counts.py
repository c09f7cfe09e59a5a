"""Counts by class pair: the table that flows are summed into.

Owns an open-addressed hash table of exact int64 sums. What a pair stands for is worked out when the table is emptied.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from venturi.core.kernel import kernel, prefetcher, step

CLASS_BITS = 24
"""Bits of a class number in a pair key: 16 million prefixes a side."""

_FREE = -1

_prefetch = prefetcher()

Count = int | np.int64
"""A count in compiled code."""

PairKey = tuple[Count, Count, Count]
"""What counts are summed by: pair key, interval number and origin."""


class PairTable(NamedTuple):
    """An open-addressed table of a power of two of slots.

    A row of ``slots`` (int64, shape (slots, 5)) is pair key, interval number, origin, packets and octets; a free one has
    -1 as its pair key. ``used`` (int64, shape (1,)) counts the slots taken.
    """

    slots: NDArray[np.int64]
    used: NDArray[np.int64]


def new_pair_table(slots: int) -> PairTable:
    """Make an empty table of ``slots``, a power of two."""
    table = PairTable(np.empty((slots, 5), dtype=np.int64), np.zeros(1, dtype=np.int64))
    clear(table)
    return table


def room_of(table: PairTable) -> int:
    """Give the number of slots that may be taken before the table should grow or be emptied: half of all."""
    return len(table.slots) // 2


def entries_of(table: PairTable) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Copy the taken slots: keys (n, 3) and sums (n, 2)."""
    taken = table.slots[table.slots[:, 0] != _FREE]
    return taken[:, :3], taken[:, 3:]


def grown(table: PairTable, slots: int) -> PairTable:
    """Give a table of ``slots`` with the same entries."""
    larger = new_pair_table(slots)
    _insert(larger, table.slots[table.slots[:, 0] != _FREE])
    return larger


def clear(table: PairTable) -> None:
    """Empty the table in place."""
    table.slots.fill(0)
    table.slots[:, 0] = _FREE
    table.used.fill(0)


@kernel
def _insert(table: PairTable, entries: NDArray[np.int64]) -> None:
    slots, used = table
    for row in range(len(entries)):
        key = (entries[row, 0], entries[row, 1], entries[row, 2])
        add_counts(slots, used, key, entries[row, 3], entries[row, 4])


@step
def add_counts(slots: NDArray[np.int64], used: NDArray[np.int64], key: PairKey, packets: Count, octets: Count) -> None:
    """Add to the sums of a key (pair, interval, origin); the caller has seen to it that a slot is free."""
    pair, interval, origin = key
    mask = len(slots) - 1
    slot = _hash(np.uint64(pair), np.uint64(interval), np.uint64(origin)) & mask
    while slots[slot, 0] != _FREE and not (slots[slot, 0] == pair and slots[slot, 1] == interval and slots[slot, 2] == origin):
        slot = (slot + 1) & mask
    if slots[slot, 0] == _FREE:
        slots[slot, 0] = pair
        slots[slot, 1] = interval
        slots[slot, 2] = origin
        used[0] += 1
    slots[slot, 3] += packets
    slots[slot, 4] += octets


@step
def announce_key(slots: NDArray[np.int64], key: PairKey) -> None:
    """Have the slot at which the search for a key begins brought into the cache, for counts that come soon."""
    pair, interval, origin = key
    _prefetch(slots, _hash(np.uint64(pair), np.uint64(interval), np.uint64(origin)) & (len(slots) - 1))


@step
def _hash(pair: np.uint64, interval: np.uint64, origin: np.uint64) -> np.int64:
    """Mix the three words by odd multipliers and shifts; the sign bit is cleared."""
    mixed = (pair * np.uint64(0x9E3779B97F4A7C15)) ^ (interval * np.uint64(0xC2B2AE3D27D4EB4F)) ^ (origin * np.uint64(0x165667B19E3779F9))
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    return np.int64((mixed ^ (mixed >> np.uint64(32))) & np.uint64(0x7FFF_FFFF_FFFF_FFFF))
