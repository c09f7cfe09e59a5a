"""Totals and what was counted between two of them.

Owns telling later totals of the same counters from others. When totals are read, and what a gap is called, is for whoever reads.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from venturi.core.classify.pair_totals import PairTotals, no_pair_totals
from venturi.core.domain.counts import Counts
from venturi.core.domain.direction import COUNTED_DIRECTIONS, Direction

_CLASS_BITS = 30
_FAMILIES = 2

_NO_COUNTS = Counts()


class Totals(NamedTuple):
    """Counts of a generation by class pair, and by direction what a full table could not class; the latter is in no pair."""

    pairs: PairTotals
    unattributed: Mapping[Direction, Counts]


NOTHING_COUNTED = Totals(no_pair_totals(), {})
"""The totals of a generation that has just begun."""


def subtract(later: Totals, earlier: Totals) -> Totals | None:
    """Give what was counted from ``earlier`` to ``later``, class pairs without traffic left out.

    None where any count has gone back: then these are not totals of the same counters (they were reset, wrapped or made anew), and nothing
    is known of the time between.
    """
    pairs = _subtract_pairs(later.pairs, earlier.pairs)
    unattributed = {direction: _difference(later, earlier, direction) for direction in COUNTED_DIRECTIONS}
    if pairs is None or any(count < 0 for counts in unattributed.values() for count in counts):
        return None
    return Totals(pairs, {direction: counts for direction, counts in unattributed.items() if any(counts)})


def select_pairs(pairs: PairTotals, chosen: NDArray[np.bool_]) -> PairTotals:
    """Give the rows of class pairs for which ``chosen`` (bool, shape (pairs,)) says so."""
    return PairTotals(
        pairs.directions[chosen],
        pairs.families[chosen],
        pairs.source_classes[chosen],
        pairs.destination_classes[chosen],
        pairs.packets[chosen],
        pairs.octets[chosen],
    )


def _subtract_pairs(later: PairTotals, earlier: PairTotals) -> PairTotals | None:
    keys, known = _keys(later), _keys(earlier)
    places = np.searchsorted(keys, known)
    if len(known) and (places[-1] == len(keys) or not np.array_equal(keys[places], known)):
        return None
    packets = _grown(later.packets, places, earlier.packets)
    octets = _grown(later.octets, places, earlier.octets)
    if packets is None or octets is None:
        return None
    return select_pairs(later._replace(packets=packets, octets=octets), (packets > 0) | (octets > 0))


def _grown(later: NDArray[np.int64], places: NDArray[np.int64], earlier: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """Subtract the counts before from those at their places, None where one is less. The kernel counts to 2^64, so both are unsigned."""
    if (later[places].view(np.uint64) < earlier.view(np.uint64)).any():
        return None
    grown = later.copy()
    grown[places] -= earlier
    return grown


def _keys(pairs: PairTotals) -> NDArray[np.int64]:
    """Give each class pair as one number, in the order of the rows; a side has fewer than 2^30 classes."""
    keys: NDArray[np.int64] = pairs.directions.astype(np.int64) * _FAMILIES + (pairs.families == 6)
    for classes in (pairs.source_classes, pairs.destination_classes):
        keys = keys << _CLASS_BITS | classes
    return keys


def _difference(later: Totals, earlier: Totals, direction: Direction) -> Counts:
    after, before = (totals.unattributed.get(direction, _NO_COUNTS) for totals in (later, earlier))
    return Counts(after.packets - before.packets, after.octets - before.octets)
