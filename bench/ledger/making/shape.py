"""What a made ledger holds: which labels at which points, and what each counted, at any resolution, by arithmetic.

Owns the counts. They repeat with a period, so those of a bin of any length are looked up rather than added up, and coarse bins are the sums
of the fine ones that may not even be there.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from venturi.core.domain.direction import Direction
from venturi.core.domain.interval import SECOND
from venturi.core.ledger.bins import DAY

DIRECTIONS = (Direction.INGRESS.code, Direction.EGRESS.code)
READING = 60 * SECOND
"""The length of an interval between two readings, in nanoseconds."""

OCTETS = 700
"""The octets of each packet."""

UNMATCHED = 10
"""The packets that no label counted between two readings of a point in one direction."""

_PERIOD = 1_000
_OF_LABEL, _OF_READING = 7, 13

Numbers: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class LedgerShape:
    """``labels`` of ``projects`` as many as there are points: label i is of project i modulo their number, and counts at its router.

    The ledger ends at ``end``, a midnight in nanoseconds since the UTC epoch. It has sums of ``days``, of hours in the last ``hourly`` of
    them and of 5 minutes in the last ``fine``. Of the last ``entered`` days, and of the first and last 5 minutes, it has entries.
    """

    labels: int
    projects: int
    end: int
    days: int
    hourly: int
    fine: int
    entered: int

    def start(self, days: int) -> int:
        """Give when the last ``days`` begin."""
        return self.end - days * DAY

    def bins(self, width: int, days: int, rows: int) -> Iterator[Numbers]:
        """Give the starts of the bins of ``width`` in the last ``days``, so many at a time that there are about ``rows`` of them."""
        starts = np.arange(self.start(days), self.end, width, dtype=np.int64)
        at_once = max(1, rows // (self.labels * len(DIRECTIONS)))
        for place in range(0, len(starts), at_once):
            yield starts[place : place + at_once]

    def packets(self, starts: Numbers, width: int) -> Numbers:
        """Give the packets in bins of ``width`` by start, label and direction."""
        reading = (starts // READING) % _PERIOD
        labels = np.arange(self.labels, dtype=np.int64)
        places = reading[:, None, None] * _OF_READING + labels[None, :, None] * _OF_LABEL + np.array(DIRECTIONS)[None, None, :]
        found: Numbers = _sums(width // READING)[places % _PERIOD]
        return found

    def packets_of_projects(self, packets: Numbers) -> Numbers:
        """Add up what ``packets`` gives over the labels of each project, which are those at its point."""
        return np.stack([packets[:, project :: self.projects].sum(axis=1) for project in range(self.projects)], axis=1)

    @cached_property
    def project_of(self) -> Numbers:
        """The number of the project of each label, from 0 on; so is its point's."""
        return np.arange(self.labels, dtype=np.int64) % self.projects


def _sums(readings: int) -> Numbers:
    """Give the packets of successive readings by where in the period the first of them is."""
    whole, rest = divmod(readings, _PERIOD)
    counts = 1 + np.arange(_PERIOD, dtype=np.int64)
    sums = np.full(_PERIOD, whole * counts.sum(), dtype=np.int64)
    for reading in range(rest):
        sums += np.roll(counts, -reading * _OF_READING)
    return sums
