"""The partition of traffic by whose own labels count it: each packet is in one part, whichever labels overlap.

Owns what ``used``, ``alone``, ``several`` and ``shared`` mean for class pairs. Which labels count a pair is for ``attribution``.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from venturi.core.classify.attribution import AttributedPairs
from venturi.core.classify.rule_table import KEY_BITS, LOWER
from venturi.core.domain.label import MeteringLabel

SHARED = -1
"""Stands for the project of a label that is shared."""


class LabelOwners(NamedTuple):
    """Whose own each label is: the ``projects`` that have labels of their own, and for each label (int64) the place of its one.

    It is ``SHARED`` for a label that is nobody's own.
    """

    projects: tuple[str, ...]
    of_labels: NDArray[np.int64]


class PairPartition(NamedTuple):
    """Of class pairs, whose own labels count them.

    Row i (int64, shape (rows,)) says that at least one own label of ``projects[i]`` counts pair ``pairs[i]``: the project *used* it, and
    ``alone[i]`` (bool) if no other project did. For each pair (bool, shape (pairs,)): ``several`` projects used it, or only ``shared``
    labels count it. A pair in none of these parts is counted by no label.
    """

    pairs: NDArray[np.int64]
    projects: NDArray[np.int64]
    alone: NDArray[np.bool_]
    several: NDArray[np.bool_]
    shared: NDArray[np.bool_]


def find_owners(labels: Sequence[MeteringLabel]) -> LabelOwners:
    """Give whose own labels are; projects are in the order of their ids, so that the order of labels means nothing."""
    projects = sorted({label.project_id for label in labels if not label.shared})
    places = {project: place for place, project in enumerate(projects)}
    of_labels = [SHARED if label.shared else places[label.project_id] for label in labels]
    return LabelOwners(tuple(projects), np.array(of_labels, dtype=np.int64))


def part_pairs(attributed: AttributedPairs, owners: LabelOwners) -> PairPartition:
    """Part class pairs by whose own labels count them, in one pass over their labels.

    A stable sort takes the runs that labels come in as they are, so it costs little where labels of a project follow each other.
    """
    sizes = attributed.sizes
    pairs, projects = np.repeat(np.arange(len(sizes)), sizes), owners.of_labels[attributed.labels]
    own = projects != SHARED
    keys = np.sort(pairs[own] << KEY_BITS | projects[own], kind="stable")
    keys = keys[np.concatenate([[True], keys[1:] != keys[:-1]])] if len(keys) else keys
    using, users = keys >> KEY_BITS, keys & LOWER
    numbers = np.bincount(using, minlength=len(sizes))
    return PairPartition(using, users, numbers[using] == 1, numbers > 1, (numbers == 0) & (sizes > 0))
