"""The attribution of what was counted between two readings: by direction, what passed the point, and which labels and projects count it.

Owns the sums. Class pairs are attributed by the classifier that counted them, whatever applies by now.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from venturi.core.classify.attribution import AttributedPairs, Attribution
from venturi.core.classify.compiler import CompiledClassifier
from venturi.core.classify.pair_totals import PairTotals
from venturi.core.classify.partition import LabelOwners, part_pairs
from venturi.core.domain.counts import Counts
from venturi.core.domain.direction import COUNTED_DIRECTIONS, Direction
from venturi.core.meter.project_sums import ProjectCounts
from venturi.core.meter.readings.totals import Totals, select_pairs

_FAMILIES = (4, 6)


class DirectionUsage(NamedTuple):
    """The traffic of one direction.

    ``counted`` is all that passed. Parts of it are ``unmatched``, which counts for no label, ``unattributed``, ``several``, which own
    labels of two or more projects count, and ``shared``, which shared labels alone count. ``labels`` (int64, ascending) numbers the
    labels of the classifier that had traffic, ``packets`` and ``octets`` (int64) are theirs; shape (labels,). ``projects`` have what each
    used.
    """

    direction: Direction
    counted: Counts
    unmatched: Counts
    unattributed: Counts
    several: Counts
    shared: Counts
    labels: NDArray[np.int64]
    packets: NDArray[np.int64]
    octets: NDArray[np.int64]
    projects: list[ProjectCounts]


class _Sums:
    """What counts in one direction, while it grows: packets and octets of labels (int64, shape (2, labels)), of projects, and of parts."""

    def __init__(self, labels: int, owners: LabelOwners) -> None:
        self.owners = owners
        self.labels = np.zeros((2, labels), dtype=np.int64)
        self.used = np.zeros((2, len(owners.projects)), dtype=np.int64)
        self.alone = np.zeros_like(self.used)
        self.unmatched = self.several = self.shared = Counts()

    def add(self, attributed: AttributedPairs, counts: NDArray[np.int64]) -> None:
        """Add the counts of class pairs (packets and octets, int64, shape (2, pairs)) to what counts them."""
        partition = part_pairs(attributed, self.owners)
        _add_at(self.labels, attributed.labels, np.repeat(counts, attributed.sizes, axis=1))
        used = counts[:, partition.pairs]
        _add_at(self.used, partition.projects, used)
        _add_at(self.alone, partition.projects[partition.alone], used[:, partition.alone])
        self.unmatched += _sum(counts, attributed.sizes == 0)
        self.several += _sum(counts, partition.several)
        self.shared += _sum(counts, partition.shared)

    def projects(self) -> list[ProjectCounts]:
        """Give what each project used that used anything, in the order of their ids."""
        columns = zip(self.owners.projects, self.used.T.tolist(), self.alone.T.tolist(), strict=True)
        return [ProjectCounts(project_id, Counts(*used), Counts(*alone)) for project_id, used, alone in columns if any(used)]


def attribute(counted: Totals, classifier: CompiledClassifier, owners: LabelOwners) -> list[DirectionUsage]:
    """Give the usage of each direction that had traffic, in the order of direction codes; ``owners`` says whose own the labels are."""
    usages = (_attribute_direction(counted, classifier, owners, direction) for direction in COUNTED_DIRECTIONS)
    return [usage for usage in usages if any(usage.counted)]


def _attribute_direction(counted: Totals, classifier: CompiledClassifier, owners: LabelOwners, direction: Direction) -> DirectionUsage:
    sums = _Sums(len(classifier.labels), owners)
    unattributed = passed = counted.unattributed.get(direction, Counts())
    for family in _FAMILIES:
        chosen = (counted.pairs.directions == direction.code) & (counted.pairs.families == family)
        if chosen.any():
            pairs = select_pairs(counted.pairs, chosen)
            passed += Counts(int(pairs.packets.sum()), int(pairs.octets.sum()))
            _add_pairs(pairs, classifier.compiled(direction, family).attribution, sums)
    labels = np.flatnonzero(sums.labels.any(axis=0))
    parts = sums.unmatched, unattributed, sums.several, sums.shared
    return DirectionUsage(direction, passed, *parts, labels, sums.labels[0, labels], sums.labels[1, labels], sums.projects())


def _add_pairs(pairs: PairTotals, attribution: Attribution, sums: _Sums) -> None:
    counts = np.stack([pairs.packets.astype(np.int64), pairs.octets.astype(np.int64)])
    for attributed in attribution.attribute(pairs.source_classes, pairs.destination_classes):
        sums.add(attributed, counts[:, attributed.first : attributed.first + len(attributed.sizes)])


def _add_at(sums: NDArray[np.int64], places: NDArray[np.int64], counts: NDArray[np.int64]) -> None:
    for row, added in zip(sums, counts, strict=True):
        np.add.at(row, places, added)


def _sum(counts: NDArray[np.int64], chosen: NDArray[np.bool_]) -> Counts:
    return Counts(*counts[:, chosen].sum(axis=1).tolist())
