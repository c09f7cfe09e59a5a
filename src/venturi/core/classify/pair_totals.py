"""Pair totals: what a driver has counted of each class pair since it began, in columns.

Owns the columns and their order. What became of the totals since the last reading is for the meter.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class PairTotals(NamedTuple):
    """Cumulative counts, one row for each class pair that was seen, ascending by direction, family, source and destination class.

    ``directions`` (uint8) holds the codes of ``DirectionCode``, ``families`` (uint8) 4 or 6, ``source_classes`` and
    ``destination_classes`` (int32) the classes of the classifier that counted, ``packets`` and ``octets`` (int64) the counts; all have
    the shape (pairs,).
    """

    directions: NDArray[np.uint8]
    families: NDArray[np.uint8]
    source_classes: NDArray[np.int32]
    destination_classes: NDArray[np.int32]
    packets: NDArray[np.int64]
    octets: NDArray[np.int64]


def no_pair_totals() -> PairTotals:
    """Give the totals of a driver that has seen nothing."""
    empty = np.zeros(0, dtype=np.int64)
    return PairTotals(empty.astype(np.uint8), empty.astype(np.uint8), empty.astype(np.int32), empty.astype(np.int32), empty, empty)
