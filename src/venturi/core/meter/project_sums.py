"""Project sums: what each project used, each packet once, and what it used alone.

Owns the sums while they grow. Whose own labels count a class pair is for ``classify.partition``.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from venturi.core.classify.partition import LabelOwners, PairPartition
from venturi.core.domain.counts import Counts
from venturi.core.meter.scaling import Limbs, join_limbs

_COLUMNS = 4


class ProjectCounts(NamedTuple):
    """What at least one own label of a project counted, and the part of it that own labels of no other project did."""

    project_id: str
    used: Counts
    alone: Counts


class ProjectSums:
    """Sums of projects over all sources of a run."""

    def __init__(self, owners: LabelOwners) -> None:
        """Begin at zero for each project that has labels of its own."""
        self._owners = owners
        self._used: Limbs = np.zeros((len(owners.projects), _COLUMNS), dtype=np.int64)
        self._alone: Limbs = np.zeros_like(self._used)

    def add(self, partition: PairPartition, counts: Limbs) -> None:
        """Add the ``counts`` of class pairs (limbs of packets and octets, shape (pairs, 4)) to the projects that used them."""
        self._add(self._used, partition.projects, counts[partition.pairs])
        self._add(self._alone, partition.projects[partition.alone], counts[partition.pairs[partition.alone]])

    def __iter__(self) -> Iterator[ProjectCounts]:
        """Go through the projects that used anything, in the order of their ids."""
        used, alone = (join_limbs(sums).tolist() for sums in (self._used, self._alone))
        for project_id, of_all, of_itself in zip(self._owners.projects, used, alone, strict=True):
            if any(of_all):
                yield ProjectCounts(project_id, Counts(*of_all), Counts(*of_itself))

    @staticmethod
    def _add(sums: Limbs, projects: NDArray[np.int64], counts: Limbs) -> None:
        np.add.at(sums, projects, counts)
