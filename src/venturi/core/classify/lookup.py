"""Look-up tables: the elementary intervals of many class tables laid out for one search per address.

Owns the layout and the search. An address falls into a bucket, its distance from the first border shifted right, and the few borders of
that bucket are halved without a branch: no guess can be wrong, so that the processor waits for the memory of many look-ups at once.
Only a crowded bucket is halved by branches first.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from venturi.core.classify.traffic_classes import TrafficClasses
from venturi.core.domain.prefix import ADDRESS_BITS
from venturi.core.kernel import step

_WORD = (1 << 64) - 1
_WORD_BITS = 64
_MOST_BUCKET_BITS = 20
_PADDING = 8
_WINDOWS = {4: 7, 6: 3}
"""By family, how many borders of a bucket are searched without a branch: one less than a power of two."""

_WINDOW_V4 = np.uint64(_WINDOWS[4])
_WINDOW_V6 = np.uint64(_WINDOWS[6])
_ZERO, _ONE, _TWO, _FOUR, _SIXTY_FOUR, _ENDLESS = (np.uint64(number) for number in (0, 1, 2, 4, 64, _WORD))


class LookupV4(NamedTuple):
    """Several IPv4 tables behind each other; tables that are alike are laid out once.

    ``borders`` (uint32, shape (borders,)) are the interval starts, ``classes`` (int32, the same shape) their classes; behind each table
    stand a few borders more, at the last address and of its class. ``buckets`` (uint32) is the last border before each bucket. Row t
    of ``tables`` (uint64, shape (tables, 5)) holds the columns of ``_Row`` for table t.
    """

    borders: NDArray[np.uint32]
    classes: NDArray[np.int32]
    buckets: NDArray[np.uint32]
    tables: NDArray[np.uint64]


class LookupV6(NamedTuple):
    """Several IPv6 tables like those of ``LookupV4``; ``high`` and ``low`` (uint64) are the two words of the borders."""

    high: NDArray[np.uint64]
    low: NDArray[np.uint64]
    classes: NDArray[np.int32]
    buckets: NDArray[np.uint32]
    tables: NDArray[np.uint64]


class _Row(NamedTuple):
    """How a table finds a bucket: both words of its first border, the shift of a distance, its last bucket and its first in ``buckets``."""

    first_high: int
    first_low: int
    shift: int
    last_bucket: int
    first_bucket: int


class _Layout:
    """Tables of one family on their way into a look-up."""

    def __init__(self, tables: Sequence[TrafficClasses]) -> None:
        self.starts: list[int] = []
        self._classes: list[int] = []
        self._buckets: list[NDArray[np.int64]] = []
        self._first_bucket = 0
        known: dict[TrafficClasses, _Row] = {}
        for table in tables:
            if table not in known:
                known[table] = self._append(table)
        self._rows = [known[table] for table in tables]

    @property
    def parts(self) -> tuple[NDArray[np.int32], NDArray[np.uint32], NDArray[np.uint64]]:
        """The classes, the buckets and the rows, as both families have them."""
        buckets = np.concatenate(self._buckets).astype(np.uint32)
        return np.array(self._classes, dtype=np.int32), buckets, np.array(self._rows, dtype=np.uint64)

    def _append(self, table: TrafficClasses) -> _Row:
        first, shift, buckets = _bucket_borders(table)
        row = _Row(first >> _WORD_BITS, first & _WORD, shift, len(buckets) - 2, self._first_bucket)
        self._buckets.append(buckets + len(self.starts))
        self._first_bucket += len(buckets)
        self.starts += [*table.starts, *[(1 << ADDRESS_BITS[table.family]) - 1] * _PADDING]
        self._classes += [*table.classes, *[table.classes[-1]] * _PADDING]
        return row


def lay_out_v4(tables: Sequence[TrafficClasses]) -> LookupV4:
    """Lay out IPv4 class tables; table t of the look-up is ``tables[t]``."""
    layout = _Layout(tables)
    return LookupV4(np.array(layout.starts, dtype=np.uint32), *layout.parts)


def lay_out_v6(tables: Sequence[TrafficClasses]) -> LookupV6:
    """Lay out IPv6 class tables; table t of the look-up is ``tables[t]``."""
    layout = _Layout(tables)
    high = np.array([start >> _WORD_BITS for start in layout.starts], dtype=np.uint64)
    low = np.array([start & _WORD for start in layout.starts], dtype=np.uint64)
    return LookupV6(high, low, *layout.parts)


def _bucket_borders(table: TrafficClasses) -> tuple[int, int, NDArray[np.int64]]:
    """Choose where the buckets of a table begin and their shift, and list, for each bucket and one beyond, the last border before it.

    Where a bucket is of whole high words, the first begins at one, so that low words play no part in finding it.
    """
    if len(table.starts) == 1:
        return 0, 0, np.zeros(2, dtype=np.int64)
    first, last = table.starts[1], table.starts[-1]
    borders_wanted = (_WINDOWS[table.family] + 1) // 4
    bits = min((2 * len(table.starts) // borders_wanted).bit_length(), _MOST_BUCKET_BITS)
    shift = max((last - first).bit_length() - bits, 0)
    if shift >= _WORD_BITS:
        first &= ~_WORD
    keys = np.array([(start - first) >> shift for start in table.starts[1:]], dtype=np.int64)
    return first, shift, np.searchsorted(keys, np.arange(keys[-1] + 2))


@step
def find_class_v4(lookup: LookupV4, table: int, address: np.uint64) -> np.int32:
    """Give the class of an IPv4 address in table ``table`` of an IPv4 look-up."""
    borders, classes, buckets, tables = lookup
    first, shift, last_bucket, first_bucket = tables[table, 1], tables[table, 2], tables[table, 3], tables[table, 4]
    bucket = first_bucket + min((max(address, first) - first) >> shift, last_bucket)
    left, right = np.uint64(buckets[bucket]), np.uint64(buckets[bucket + _ONE])
    while right - left > _WINDOW_V4:
        middle = (left + right + _ONE) >> _ONE
        if borders[middle] <= address:
            left = middle
        else:
            right = middle - _ONE
    left += np.uint64(borders[left + _FOUR] <= address) << _TWO
    left += np.uint64(borders[left + _TWO] <= address) << _ONE
    left += np.uint64(borders[left + _ONE] <= address)
    found: np.int32 = classes[left]
    return found


@step
def find_class_v6(lookup: LookupV6, table: int, high: np.uint64, low: np.uint64) -> np.int32:
    """Give the class of an IPv6 address, two words, in table ``table`` of an IPv6 look-up."""
    highs, lows, classes, buckets, tables = lookup
    last_bucket, first_bucket = tables[table, 3], tables[table, 4]
    bucket = first_bucket + min(_bucket_v6(tables, table, high, low), last_bucket)
    left, right = np.uint64(buckets[bucket]), np.uint64(buckets[bucket + _ONE])
    while right - left > _WINDOW_V6:
        middle = (left + right + _ONE) >> _ONE
        if _reaches(highs, lows, middle, high, low):
            left = middle
        else:
            right = middle - _ONE
    left += _reaches(highs, lows, left + _TWO, high, low) << _ONE
    left += _reaches(highs, lows, left + _ONE, high, low)
    found: np.int32 = classes[left]
    return found


@step
def _reaches(highs: NDArray[np.uint64], lows: NDArray[np.uint64], border: np.uint64, high: np.uint64, low: np.uint64) -> np.uint64:
    """Give one if an address lies at or behind a border, else zero."""
    border_high, border_low = highs[border], lows[border]
    return np.uint64((border_high < high) | ((border_high == high) & (border_low <= low)))


@step
def _bucket_v6(tables: NDArray[np.uint64], table: int, high: np.uint64, low: np.uint64) -> np.uint64:
    """Give the bucket of an address as if there were no last one; that of an address before the first border is 0."""
    first_high, first_low, shift = tables[table, 0], tables[table, 1], tables[table, 2]
    if shift >= _SIXTY_FOUR:
        bucket: np.uint64 = (max(high, first_high) - first_high) >> (shift - _SIXTY_FOUR)
        return bucket
    if high < first_high or (high == first_high and low < first_low):
        return _ZERO
    low_word = low - first_low
    high_word = high - first_high - np.uint64(low < first_low)
    if high_word >> shift:
        return _ENDLESS
    joined: np.uint64 = low_word >> shift | (high_word << _ONE) << (_SIXTY_FOUR - _ONE - shift)
    return joined
