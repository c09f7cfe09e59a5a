"""Usage sums: what each label counted, by direction, interval and observation point.

Owns the rows of a report while they grow, in arrays, and their bound.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from venturi.core.domain.counts import Counts
from venturi.core.domain.errors import UsageTooLargeError
from venturi.core.meter.scaling import join_limbs

MOST_ROWS = 1_000_000
"""Rows of usage that one run may have."""

_MERGE_ROWS = 1 << 16
_ROWS_AT_ONCE = 4096


class UsageKey(NamedTuple):
    """What a row is of: label number, direction code, interval number and point number; -1 where rows are summed over all."""

    label: int
    direction: int
    interval: int
    point: int


class UsageRow(NamedTuple):
    """One row of usage."""

    key: UsageKey
    counts: Counts
    observed: Counts
    estimated: bool


class SummedColumns(NamedTuple):
    """Rows of usage in columns: ``keys`` (int64, shape (n, 4)) in the order of ``UsageKey``, the others of n exact numbers each."""

    keys: NDArray[np.int64]
    packets: Sequence[int]
    octets: Sequence[int]
    observed_packets: Sequence[int]
    observed_octets: Sequence[int]
    estimated: Sequence[bool]


COUNT_COLUMNS = 9
"""Columns of a row's counts: the limbs of packets, octets, observed packets and observed octets, and how many parts are estimates."""


class UsageSums:
    """Sums rows of equal key; keys are int64 of shape (n, 4) in the order of ``UsageKey``, counts int64 of shape (n, ``COUNT_COLUMNS``)."""

    def __init__(self, most_rows: int = MOST_ROWS) -> None:
        """Start empty; ``most_rows`` bounds the number of different keys."""
        self._most_rows = most_rows
        self._keys = np.empty((0, 4), dtype=np.int64)
        self._counts = np.empty((0, COUNT_COLUMNS), dtype=np.int64)
        self._waiting: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
        self._waiting_rows = 0

    def add(self, keys: NDArray[np.int64], counts: NDArray[np.int64]) -> None:
        """Add rows; raises ``UsageTooLargeError`` once there are too many different keys."""
        self._waiting.append((keys, counts))
        self._waiting_rows += len(keys)
        if self._waiting_rows > max(_MERGE_ROWS, len(self._keys) // 2):
            self._merge()

    def __len__(self) -> int:
        """Count the rows."""
        self._merge()
        return len(self._keys)

    def __getitem__(self, number: int) -> UsageRow:
        """Give row ``number``; rows are in ascending order of label, direction, interval and point."""
        keys, packets, octets, observed_packets, observed_octets, estimated = self.columns_of(slice(number, number + 1))
        key = UsageKey(*keys[0].tolist())
        return UsageRow(key, Counts(packets[0], octets[0]), Counts(observed_packets[0], observed_octets[0]), estimated[0])

    def columns(self) -> Iterator[SummedColumns]:
        """Go through the rows in columns, some thousands at once, many times faster than one by one by number."""
        self._merge()
        for first in range(0, len(self._keys), _ROWS_AT_ONCE):
            yield self.columns_of(slice(first, first + _ROWS_AT_ONCE))

    def columns_of(self, rows: slice) -> SummedColumns:
        """Give some rows in columns; rows are in ascending order of label, direction, interval and point."""
        self._merge()
        packets, octets, observed_packets, observed_octets = join_limbs(self._counts[rows, :-1]).T.tolist()
        estimated = (self._counts[rows, -1] > 0).tolist()
        return SummedColumns(self._keys[rows], packets, octets, observed_packets, observed_octets, estimated)

    def label_numbers(self) -> list[int]:
        """List the numbers of the labels that have a row."""
        self._merge()
        numbers = self._keys[:, 0]
        listed: list[int] = numbers[np.diff(numbers, prepend=-1) != 0].tolist()
        return listed

    def _merge(self) -> None:
        if not self._waiting:
            return
        keys = np.concatenate([self._keys, *(keys for keys, _ in self._waiting)])
        counts = np.concatenate([self._counts, *(counts for _, counts in self._waiting)])
        self._waiting, self._waiting_rows = [], 0
        self._keys, self._counts = sum_by_key(keys, counts)
        if len(self._keys) > self._most_rows:
            message = f"the usage has more than {self._most_rows:,} rows; choose a longer interval, a narrower window or a coarser grouping"
            raise UsageTooLargeError(message)


def sum_by_key(keys: NDArray[np.int64], counts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Sum the ``counts`` (n, c) of equal ``keys`` (n, k); give the distinct keys in ascending order, first column first, and their sums."""
    if not len(keys):
        return keys, counts
    order = np.lexsort(keys.T[::-1])
    keys, counts = keys[order], counts[order]
    firsts = np.flatnonzero(np.concatenate([[True], np.any(keys[1:] != keys[:-1], axis=1)]))
    return keys[firsts], np.add.reduceat(counts, firsts, axis=0)
