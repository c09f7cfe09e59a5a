"""The meter: flow batches in, usage and totals out.

Owns the order of the steps (direction, classes, sums, settlement) and the bound of every table in between.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from venturi.core.classify.batch import BatchClassifier, ClassPairs
from venturi.core.classify.compiler import CompiledClassifier
from venturi.core.classify.directions import DirectionEvidence, tell_directions
from venturi.core.domain.counts import Counts
from venturi.core.domain.direction import DirectionCode
from venturi.core.domain.drops import DropReason, add_drop
from venturi.core.domain.flow_batch import Exporter, FlowBatch, FlowTables
from venturi.core.domain.point import ObservationPoint
from venturi.core.meter.pair_counts import clear, entries_of, grown, new_pair_table, room_of
from venturi.core.meter.project_sums import ProjectSums
from venturi.core.meter.settlement import Grouping, SettledTotals, Settlement
from venturi.core.meter.summing import Borders, flow_columns, sum_flows
from venturi.core.meter.usage_sums import UsageSums

_FIRST_SLOTS = 1 << 15
_MOST_SLOTS = 1 << 20
_MOST_SUM = 1 << 62


@dataclass(frozen=True)
class MeterConfig:
    """What a meter counts and how it tells usage apart."""

    borders: Borders = field(default_factory=Borders)
    grouping: Grouping = field(default_factory=Grouping)


class Meter:
    """Meters several sources by one classifier into ``usage`` and ``projects``; ``points`` are the observation points by number."""

    def __init__(self, config: MeterConfig, classifier: CompiledClassifier, evidence: DirectionEvidence, tables: FlowTables) -> None:
        """Take what is counted, by what, how directions are told, and the tables that the batches index."""
        self.usage = UsageSums()
        self.projects = ProjectSums(classifier.owners)
        self.points: list[ObservationPoint] = []
        self.classifier = classifier
        self.config = config
        self._batch_classifier = BatchClassifier(classifier)
        self._evidence = evidence
        self._tables = tables
        self._point_numbers: dict[ObservationPoint, int] = {}

    def source(self, point_of: Callable[[Exporter], ObservationPoint]) -> "SourceMeter":
        """Begin a source (a file); ``point_of`` gives the observation point of the flows of an exporter in it."""
        return SourceMeter(self, point_of)

    def classify(self, batch: FlowBatch, directions: NDArray[np.uint8]) -> ClassPairs:
        """Find the class pairs of a batch in given directions."""
        return self._batch_classifier.classify(batch, directions)

    def directions(self, batch: FlowBatch) -> NDArray[np.uint8]:
        """Tell the directions of a batch."""
        return tell_directions(batch, self._evidence)

    @property
    def exporters(self) -> Sequence[Exporter]:
        """The exporters by number."""
        return self._tables.exporters

    @property
    def sampling_rates(self) -> Sequence[Fraction]:
        """The sampling rates by number."""
        return self._tables.sampling_rates

    def point_number(self, point: ObservationPoint) -> int:
        """Give the number of an observation point, a new one where the point is new."""
        if point not in self._point_numbers:
            self._point_numbers[point] = len(self.points)
            self.points.append(point)
        return self._point_numbers[point]


class SourceMeter:
    """Meters the batches of one source."""

    def __init__(self, meter: Meter, point_of: Callable[[Exporter], ObservationPoint]) -> None:
        """Begin with empty tables; use ``Meter.source``."""
        self._meter = meter
        self._point_of = point_of
        self._settlement = Settlement(meter.classifier, (meter.usage, meter.projects), meter.config.grouping, meter.sampling_rates)
        self._table = new_pair_table(_FIRST_SLOTS)
        self._bound = 0
        self._observed: dict[int, Counts] = {}
        self._notes = np.zeros(2, dtype=np.int64)
        self._points = np.empty(0, dtype=np.int64)
        self.duplicates = 0

    def add(self, batch: FlowBatch) -> None:
        """Meter the flows of a batch; the int64 sums in between cannot overflow, however large the counts are."""
        if not len(batch):
            return
        peak = max(int(batch.octets.max()), int(batch.packets.max()), 1)
        rows = min(_MOST_SUM // peak, len(batch))
        for start in range(0, len(batch), rows):
            if self._bound + peak * rows > _MOST_SUM:
                self._settle()
            self._bound += peak * rows
            self._add_bounded(batch if rows == len(batch) else batch.take(slice(start, start + rows)))

    def finish(self, drops: NDArray[np.int64]) -> SettledTotals:
        """Settle what is left, count the flows outside the window and the duplicate exports as drops, and give the totals."""
        self._settle()
        for reason, count in ((DropReason.OUTSIDE_WINDOW, int(self._notes[0])), (DropReason.DUPLICATE_EXPORT, self.duplicates)):
            if count:
                add_drop(drops, reason, 0, count)
        return self._settlement.totals

    @property
    def observed(self) -> Counts:
        """All flows of the source but duplicate exports, as observed."""
        return sum(self._observed.values(), Counts())

    @property
    def estimated(self) -> Counts:
        """All flows of the source but duplicate exports, scaled by their sampling rates."""
        return sum((_scaled(counts, self._meter.sampling_rates[rate]) for rate, counts in self._observed.items()), Counts())

    @property
    def unsplit_flows(self) -> int:
        """Flows that spanned too many intervals and were counted whole in their last one."""
        return int(self._notes[1])

    def _add_bounded(self, batch: FlowBatch) -> None:
        batch, directions = self._without_duplicates(batch, self._meter.directions(batch))
        self._observe(batch)
        self._sum(batch, directions, self._notes)
        leaving_too = directions == DirectionCode.BOTH
        if leaving_too.any():
            again = batch.take(leaving_too)
            noted_before = np.zeros_like(self._notes)
            self._sum(again, np.full(len(again), DirectionCode.EGRESS, dtype=np.uint8), noted_before)

    def _without_duplicates(self, batch: FlowBatch, directions: NDArray[np.uint8]) -> tuple[FlowBatch, NDArray[np.uint8]]:
        """Leave out the flows that were metered elsewhere too; they are counted as drops only."""
        duplicates = directions == DirectionCode.DUPLICATE_EXPORT
        if not duplicates.any():
            return batch, directions
        self.duplicates += int(np.count_nonzero(duplicates))
        return batch.take(~duplicates), directions[~duplicates]

    def _sum(self, batch: FlowBatch, directions: NDArray[np.uint8], notes: NDArray[np.int64]) -> None:
        columns = flow_columns(batch, directions, self._meter.classify(batch, directions))
        row = 0
        while row < len(batch):
            row = sum_flows(columns, self._meter.config.borders.compiled, self._table, room_of(self._table), row, notes)
            if row < len(batch):
                self._make_room()

    def _make_room(self) -> None:
        slots = len(self._table.slots)
        if slots < _MOST_SLOTS:
            self._table = grown(self._table, 4 * slots)
        else:
            self._settle()

    def _settle(self) -> None:
        self._settlement.settle(*entries_of(self._table), self._point_numbers())
        clear(self._table)
        self._bound = 0

    def _point_numbers(self) -> NDArray[np.int64]:
        """Give the numbers of the observation points of the exporters known by now: int64, by exporter number."""
        if self._meter.config.grouping.observation_point:
            new = [self._meter.point_number(self._point_of(exporter)) for exporter in self._meter.exporters[len(self._points) :]]
        else:
            new = [0] * (len(self._meter.exporters) - len(self._points))
        self._points = np.concatenate([self._points, np.array(new, dtype=np.int64)])
        return self._points

    def _observe(self, batch: FlowBatch) -> None:
        """Add the batch to the totals, rate by rate."""
        if not batch.sampling.any():
            self._observe_rate(0, batch)
            return
        for rate in np.unique(batch.sampling).tolist():
            self._observe_rate(rate, batch.take(batch.sampling == rate))

    def _observe_rate(self, rate: int, batch: FlowBatch) -> None:
        self._observed[rate] = self._observed.get(rate, Counts()) + Counts(int(batch.packets.sum()), int(batch.octets.sum()))


def _scaled(counts: Counts, rate: Fraction) -> Counts:
    return Counts(_rounded(counts.packets * rate), _rounded(counts.octets * rate))


def _rounded(estimate: Fraction) -> int:
    return int((2 * estimate + 1) // 2)
