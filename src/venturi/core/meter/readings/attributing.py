"""The attribution of what was counted between two readings: by direction, what passed the point and which labels count it.

Owns the sums. Class pairs are attributed by the classifier that counted them, whatever applies by now.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from venturi.core.classify.attribution import Attribution
from venturi.core.classify.compiler import CompiledClassifier
from venturi.core.classify.pair_totals import PairTotals
from venturi.core.domain.counts import Counts
from venturi.core.domain.direction import COUNTED_DIRECTIONS, Direction
from venturi.core.meter.readings.totals import Totals, select_pairs

_FAMILIES = (4, 6)


class DirectionUsage(NamedTuple):
    """The traffic of one direction.

    ``counted`` is all that passed; ``unmatched``, which counts for no label, and ``unattributed`` are parts of it. ``labels`` (int64,
    ascending) numbers the labels of the classifier that had traffic, ``packets`` and ``octets`` (int64) are theirs; shape (labels,).
    """

    direction: Direction
    counted: Counts
    unmatched: Counts
    unattributed: Counts
    labels: NDArray[np.int64]
    packets: NDArray[np.int64]
    octets: NDArray[np.int64]


def attribute(counted: Totals, classifier: CompiledClassifier) -> list[DirectionUsage]:
    """Give the usage of each direction that had traffic, in the order of direction codes."""
    usages = (_attribute_direction(counted, classifier, direction) for direction in COUNTED_DIRECTIONS)
    return [usage for usage in usages if any(usage.counted)]


def _attribute_direction(counted: Totals, classifier: CompiledClassifier, direction: Direction) -> DirectionUsage:
    sums = np.zeros((2, len(classifier.labels)), dtype=np.int64)
    unattributed = counted.unattributed.get(direction, Counts())
    passed, unmatched = unattributed, Counts()
    for family in _FAMILIES:
        chosen = (counted.pairs.directions == direction.code) & (counted.pairs.families == family)
        if chosen.any():
            pairs = select_pairs(counted.pairs, chosen)
            passed += Counts(int(pairs.packets.sum()), int(pairs.octets.sum()))
            unmatched += _add_to_labels(pairs, classifier.compiled(direction, family).attribution, sums)
    labels = np.flatnonzero(sums.any(axis=0))
    return DirectionUsage(direction, passed, unmatched, unattributed, labels, sums[0, labels], sums[1, labels])


def _add_to_labels(pairs: PairTotals, attribution: Attribution, sums: NDArray[np.int64]) -> Counts:
    """Add the counts of each pair to all of its labels (``sums``: packets and octets by label); give those of pairs that have none."""
    unmatched = Counts()
    for attributed in attribution.attribute(pairs.source_classes, pairs.destination_classes):
        part = slice(attributed.first, attributed.first + len(attributed.sizes))
        packets, octets = pairs.packets[part], pairs.octets[part]
        np.add.at(sums[0], attributed.labels, np.repeat(packets, attributed.sizes))
        np.add.at(sums[1], attributed.labels, np.repeat(octets, attributed.sizes))
        unlabelled = attributed.sizes == 0
        unmatched += Counts(int(packets[unlabelled].sum()), int(octets[unlabelled].sum()))
    return unmatched
