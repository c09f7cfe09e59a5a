"""The vectorised engine: class pairs of whole flow batches.

Owns the look-up tables of one classifier for all directions, families and sides. Equal to ``reference`` by test.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from venturi.core.classify.compiler import CompiledClassifier
from venturi.core.classify.lookup import LookupV4, LookupV6, find_class_v4, find_class_v6, lay_out_v4, lay_out_v6
from venturi.core.classify.traffic_classes import ANY_CLASS, TrafficClasses
from venturi.core.domain.direction import COUNTED_DIRECTIONS, Direction, DirectionCode
from venturi.core.domain.flow_batch import FlowBatch
from venturi.core.kernel import kernel, step

_BOTH = int(DirectionCode.BOTH)


@dataclass(frozen=True)
class ClassPairs:
    """The traffic classes of a batch's flows: int32 columns of shape (n,), meaningful together with direction and family."""

    source_class: NDArray[np.int32]
    destination_class: NDArray[np.int32]


class BatchClassifier:
    """Finds class pairs by two searches per flow, whatever the number of labels."""

    def __init__(self, classifier: CompiledClassifier) -> None:
        """Take a classifier; its tables of unknown direction, twice as large, are laid out only if such a flow comes."""
        self._classifier = classifier
        self._lookups = cache(self._lay_out)

    def _lay_out(self, *, with_unknown: bool) -> tuple[LookupV4, LookupV6]:
        """Lay out the tables of both families, by direction in the order of the codes, source before destination."""
        directions = COUNTED_DIRECTIONS if with_unknown else COUNTED_DIRECTIONS[:-1]
        return lay_out_v4(self._sides(directions, 4)), lay_out_v6(self._sides(directions, 6))

    def _sides(self, directions: Sequence[Direction], family: int) -> list[TrafficClasses]:
        return [side for direction in directions for side in self._classifier.compiled(direction, family).sides]

    def classify(self, batch: FlowBatch, directions: NDArray[np.uint8]) -> ClassPairs:
        """Find the class pair of each flow in its direction (``DirectionCode``, uint8, shape (n,)).

        A flow that passes in both directions is classified as ingress; one that is not counted in any gets the pair (0, 0).
        """
        pairs = ClassPairs(np.empty(len(batch), dtype=np.int32), np.empty(len(batch), dtype=np.int32))
        addresses = (batch.source_high, batch.source_low, batch.destination_high, batch.destination_low)
        v4, v6 = self._lookups(with_unknown=bool(np.any(directions == DirectionCode.UNKNOWN)))
        _classify(batch.family, addresses, directions, (v4, v6), pairs.source_class, pairs.destination_class)
        return pairs


@kernel
def _classify(family, addresses, directions, lookups, source_class, destination_class) -> None:  # type: ignore[no-untyped-def] # noqa: ANN001
    source_high, source_low, destination_high, destination_low = addresses
    v4, v6 = lookups
    for row in range(len(family)):
        table = _table_of(directions[row])
        if table < 0:
            source_class[row] = destination_class[row] = ANY_CLASS
        elif family[row] == 4:
            source_class[row] = find_class_v4(v4, table, source_low[row])
            destination_class[row] = find_class_v4(v4, table + 1, destination_low[row])
        else:
            source_class[row] = find_class_v6(v6, table, source_high[row], source_low[row])
            destination_class[row] = find_class_v6(v6, table + 1, destination_high[row], destination_low[row])


@step
def _table_of(direction: int) -> int:
    """Give the source table of a direction code, -1 for one that is not counted."""
    if direction == _BOTH:
        return 0
    return 2 * direction if direction < _BOTH else -1
