"""Pair totals: what a driver has counted of each class pair since it began, in columns.

Owns the columns and their order. What became of the totals since the last reading is for the meter.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from venturi.core.domain.counts import Counts


class ClassPair(NamedTuple):
    """What a count is kept by: the code of a direction, the family, and the classes of source and destination."""

    direction: int
    family: int
    source_class: int
    destination_class: int


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
    return pair_totals_of({})


def pair_totals_of(counted: Mapping[ClassPair, Counts]) -> PairTotals:
    """Put counts by class pair into columns, in order."""
    rows = np.array([(*pair, *counted[pair]) for pair in sorted(counted)], dtype=np.int64).reshape(-1, 6)
    directions, families, sources, destinations, packets, octets = rows.T
    return PairTotals(
        directions.astype(np.uint8),
        families.astype(np.uint8),
        sources.astype(np.int32),
        destinations.astype(np.int32),
        packets.copy(),
        octets.copy(),
    )
