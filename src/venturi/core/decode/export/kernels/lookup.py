"""Hash tables of fixed-width integer keys, read by the walks and filled by Python.

Owns hashing, probing and growth. What keys mean is their users' affair. A table is int64, shape (slots, words + 1): the words
of the key, then the value, ``FREE`` or ``REMOVED``.
"""

from collections.abc import Sequence

import numpy as np

from venturi.core.decode.export.kernels import state
from venturi.core.decode.export.kernels.state import KEY_WORDS, Words
from venturi.core.kernel import kernel, step

FREE = -1
REMOVED = -2
_MULTIPLIER = -7046029254386353131  # 2^64 divided by the golden ratio, as a signed word
_SHIFT = 29
_SHIFTED = (1 << (64 - _SHIFT)) - 1
_SMALLEST = 64


@kernel
def find_slot(table: Words, key: Words, first: int) -> int:
    """Give the slot that holds the key that begins at ``first`` of ``key``, or the free slot where it would go."""
    slots = table.shape[0]
    words = table.shape[1] - 1
    digest = 0
    for word in range(words):
        digest = (digest ^ key[first + word]) * _MULTIPLIER
        digest ^= (digest >> _SHIFT) & _SHIFTED
    slot: int = digest & (slots - 1)
    while table[slot, words] != FREE:
        same = True
        for word in range(words):
            same &= table[slot, word] == key[first + word]
        if same:
            return slot
        slot = (slot + 1) & (slots - 1)
    return slot


@step
def find(table: Words, cursor: Words) -> int:
    """Give the value kept under the key in the cursor, or a negative number."""
    value: int = table[find_slot(table, cursor, state.KEY), table.shape[1] - 1]
    return value


@step
def find_number(table: Words, kind: int, first: int, second: int, cursor: Words) -> int:
    """Give the value kept under a key of three words, or a negative number; the key is left in the cursor."""
    cursor[state.KEY] = kind
    cursor[state.KEY + 1] = first
    cursor[state.KEY + 2] = second
    return find(table, cursor)


class KeyIndex:
    """A growing hash table; ``table`` is what kernels read, replaced whenever it grows."""

    def __init__(self, words: int) -> None:
        """Make an empty table for keys of ``words`` words."""
        self._words = words
        self._used = 0
        self.table = self._empty(_SMALLEST)

    def __setitem__(self, words: Sequence[int], value: int) -> None:
        """Keep ``value`` (0 or more) under a key of signed 64-bit words."""
        key = self._key(words)
        slot = find_slot(self.table, key, 0)
        self._used += int(self.table[slot, -1] == FREE)
        self.table[slot, :-1] = key[: self._words]
        self.table[slot, -1] = value
        if 2 * self._used > len(self.table):
            self._rebuild()

    def __getitem__(self, words: Sequence[int]) -> int:
        """Give the value kept under a key, or a negative number."""
        return int(self.table[find_slot(self.table, self._key(words), 0), -1])

    def remove(self, words: Sequence[int]) -> None:
        """Forget a key, if it is kept."""
        slot = find_slot(self.table, self._key(words), 0)
        if self.table[slot, -1] != FREE:
            self.table[slot, -1] = REMOVED

    def _rebuild(self) -> None:
        kept = self.table[self.table[:, -1] >= 0]
        slots = _SMALLEST
        while slots < 4 * len(kept):
            slots *= 2
        self.table = self._empty(slots)
        self._used = len(kept)
        for entry in kept:
            self.table[find_slot(self.table, entry, 0)] = entry

    def _empty(self, slots: int) -> Words:
        return np.full((slots, self._words + 1), FREE, dtype=np.int64)

    def _key(self, words: Sequence[int]) -> Words:
        key = np.zeros(KEY_WORDS, dtype=np.int64)
        key[: self._words] = words
        return key
