"""Look-up tables: the elementary intervals of many class tables laid out for one search per address.

Owns the layout and the search. A table is searched by a bucket number, the address's distance from the first border shifted right, and then
by halving among the borders of that bucket: a step or two where prefixes are spread, a plain binary search at worst.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from venturi.core.classify.traffic_classes import TrafficClasses
from venturi.core.domain.prefix import ADDRESS_BITS
from venturi.core.kernel import step

_WORD = (1 << 64) - 1
_MOST_BUCKET_BITS = 20


class Lookup(NamedTuple):
    """Several tables of one family behind each other.

    ``high`` and ``low`` (uint64, shape (borders,)) are the words of the interval starts, ``classes`` (int32, the same
    shape) their classes, ``buckets`` (int32) the last border before each bucket. Row t of ``tables`` (int64, shape
    (tables, 4)) is the first border of table t, its number of borders, its first bucket and its shift. IPv4 tables
    leave ``high`` zero.
    """

    high: NDArray[np.uint64]
    low: NDArray[np.uint64]
    classes: NDArray[np.int32]
    buckets: NDArray[np.int32]
    tables: NDArray[np.int64]


def lay_out(tables: Sequence[TrafficClasses]) -> Lookup:
    """Lay out class tables of one family; table t of the look-up is ``tables[t]``."""
    borders: list[int] = []
    classes: list[int] = []
    buckets: list[NDArray[np.int32]] = []
    rows: list[tuple[int, int, int, int]] = []
    first_border = first_bucket = 0
    for table in tables:
        shift, table_buckets = _bucket_borders(table)
        rows.append((first_border, len(table.starts), first_bucket, shift))
        borders.extend(table.starts)
        classes.extend(table.classes)
        buckets.append(table_buckets)
        first_border += len(table.starts)
        first_bucket += len(table_buckets)
    high = np.array([border >> 64 for border in borders], dtype=np.uint64)
    low = np.array([border & _WORD for border in borders], dtype=np.uint64)
    return Lookup(high, low, np.array(classes, dtype=np.int32), np.concatenate(buckets), np.array(rows, dtype=np.int64))


def _bucket_borders(table: TrafficClasses) -> tuple[int, NDArray[np.int32]]:
    """Choose the shift of a table and list, for each bucket and one beyond, the last border that lies before it."""
    if len(table.starts) == 1:
        return 0, np.zeros(1, dtype=np.int32)
    first, last = table.starts[1], table.starts[-1]
    bits = min(max(len(table.starts).bit_length() + 1, 1), _MOST_BUCKET_BITS, ADDRESS_BITS[table.family])
    shift = max((last - first).bit_length() - bits, 0)
    keys = np.array([(start - first) >> shift for start in table.starts[1:]], dtype=np.int64)
    return shift, np.searchsorted(keys, np.arange(keys[-1] + 2)).astype(np.int32)


@step
def find_class_v4(lookup: Lookup, table: int, address: np.uint64) -> np.int32:
    """Give the class of an IPv4 address in table ``table`` of an IPv4 look-up."""
    first = lookup.tables[table, 0]
    last = first + lookup.tables[table, 1] - 1
    left = first
    if first < last and address >= lookup.low[last]:
        left = last
    elif first < last and address >= lookup.low[first + 1]:
        distance = address - lookup.low[first + 1]
        bucket = lookup.tables[table, 2] + np.int64(distance >> np.uint64(lookup.tables[table, 3]))
        left = first + lookup.buckets[bucket]
        right = first + lookup.buckets[bucket + 1]
        while left < right:
            middle = (left + right + 1) >> 1
            if lookup.low[middle] <= address:
                left = middle
            else:
                right = middle - 1
    found: np.int32 = lookup.classes[left]
    return found


@step
def find_class_v6(lookup: Lookup, table: int, high: np.uint64, low: np.uint64) -> np.int32:
    """Give the class of an IPv6 address, two words, in table ``table`` of an IPv6 look-up."""
    first = lookup.tables[table, 0]
    last = first + lookup.tables[table, 1] - 1
    left = first
    if first < last and not _is_before(high, low, lookup, last):
        left = last
    elif first < last and not _is_before(high, low, lookup, first + 1):
        bucket = lookup.tables[table, 2] + _distance(high, low, lookup, first + 1, lookup.tables[table, 3])
        left = first + lookup.buckets[bucket]
        right = first + lookup.buckets[bucket + 1]
        while left < right:
            middle = (left + right + 1) >> 1
            if _is_before(high, low, lookup, middle):
                right = middle - 1
            else:
                left = middle
    found: np.int32 = lookup.classes[left]
    return found


@step
def _is_before(high: np.uint64, low: np.uint64, lookup: Lookup, border: int) -> bool:
    border_high: np.uint64 = lookup.high[border]
    border_low: np.uint64 = lookup.low[border]
    return bool(high < border_high or (high == border_high and low < border_low))


@step
def _distance(high: np.uint64, low: np.uint64, lookup: Lookup, border: int, shift: int) -> np.int64:
    """Subtract a border from an address at or after it, and shift right by ``shift`` (0 to 127)."""
    low_word = low - lookup.low[border]
    borrow = np.uint64(1) if low < lookup.low[border] else np.uint64(0)
    high_word = high - lookup.high[border] - borrow
    if shift >= 64:
        return np.int64(high_word >> np.uint64(shift - 64))
    if shift == 0:
        return np.int64(low_word)
    return np.int64((high_word << np.uint64(64 - shift)) | (low_word >> np.uint64(shift)))
