"""Settlement: the sums of class pairs into usage of labels.

Owns the step from what was counted (pairs, as observed) to what it counts for (labels, as estimated).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

import numpy as np
from numpy.typing import NDArray

from venturi.core.classify.attribution import AttributedPairs
from venturi.core.classify.compiler import CompiledClassifier
from venturi.core.classify.partition import part_pairs
from venturi.core.classify.ranges import cut_into_parts, join_ranges
from venturi.core.domain.counts import Counts
from venturi.core.domain.direction import COUNTED_DIRECTIONS, DirectionCode
from venturi.core.domain.prefix import ADDRESS_BITS
from venturi.core.meter.pair_counts import CLASS_BITS
from venturi.core.meter.project_sums import ProjectSums
from venturi.core.meter.scaling import Limbs, RunningScale, join_limbs, to_limbs
from venturi.core.meter.summing import OUTSIDE_WINDOW_CODE, unpack_origins, unpack_pairs
from venturi.core.meter.usage_sums import UsageSums

_MOST_EXPANDED_ROWS = 1 << 18
_CODE_SHIFT = 2 * CLASS_BITS + 1
_ESTIMATE_LIMBS = 4


@dataclass
class SettledTotals:
    """What the traffic of one source came to besides usage; estimates where the source sampled.

    Own labels of ``several`` projects counted the one, only ``shared`` labels the other.
    """

    unmatched: Counts = Counts()
    not_crossing: Counts = Counts()
    outside_window: Counts = Counts()
    unknown_direction: Counts = Counts()
    several: Counts = Counts()
    shared: Counts = Counts()


@dataclass(frozen=True)
class Grouping:
    """By what usage is told apart besides the label."""

    direction: bool = True
    interval: bool = False
    observation_point: bool = False


@dataclass(frozen=True)
class _Entries:
    """Settled-to-be sums of class pairs, ascending by pair: pairs (n,), places (n, 3: direction, interval, point) and counts (n, 9)."""

    pairs: NDArray[np.int64]
    places: NDArray[np.int64]
    counts: NDArray[np.int64]


class Settlement:
    """Settles the pair tables of one source; ``totals`` is what did not become usage."""

    def __init__(
        self, classifier: CompiledClassifier, sums: tuple[UsageSums, ProjectSums], grouping: Grouping, sampling_rates: Sequence[Fraction]
    ) -> None:
        """Take what counts are attributed by, the sums that they are added to, and the growing table of sampling rates."""
        self.totals = SettledTotals()
        self._classifier = classifier
        self._usage, self._projects = sums
        self._grouping = grouping
        self._sampling_rates = sampling_rates
        self._scales: dict[tuple[int, int, int], RunningScale] = {}

    def settle(self, keys: NDArray[np.int64], sums: NDArray[np.int64], points: NDArray[np.int64]) -> None:
        """Settle the entries of a pair table, keys (n, 3) and observed sums (n, 2).

        ``points`` (int64) gives the number of the observation point by exporter number.
        """
        entries = self._entries(keys, sums, points)
        if len(entries.pairs):
            self._settle_runs(entries, np.flatnonzero(np.concatenate([[True], np.diff(entries.pairs) != 0])))

    def _entries(self, keys: NDArray[np.int64], sums: NDArray[np.int64], points: NDArray[np.int64]) -> _Entries:
        order = np.lexsort((keys[:, 1], keys[:, 2], keys[:, 0]))
        keys, sums = keys[order], sums[order]
        exporters, rates = unpack_origins(keys[:, 2])
        estimated = (rates != 0).astype(np.int64)[:, np.newaxis]
        observed = np.concatenate([to_limbs(sums[:, 0]), to_limbs(sums[:, 1])], axis=1)
        counts = np.concatenate([self._scaled(keys, sums, observed), observed, estimated], axis=1)
        places = np.stack([keys[:, 0] >> _CODE_SHIFT, keys[:, 1], points[exporters]], axis=1)
        grouped = (self._grouping.direction, self._grouping.interval, self._grouping.observation_point)
        places[:, [not kept for kept in grouped]] = -1
        return _Entries(keys[:, 0], places, counts)

    def _scaled(self, keys: NDArray[np.int64], sums: NDArray[np.int64], observed: Limbs) -> Limbs:
        """Scale the sums of each origin and direction in turn; ``observed`` and what is given are limbs of packets and octets, (n, 4)."""
        scaled = observed.copy()
        _, rates = unpack_origins(keys[:, 2])
        sampled = np.flatnonzero(rates)
        wholes = np.stack([keys[sampled, 2], keys[sampled, 0] >> _CODE_SHIFT], axis=1)
        for origin, code in np.unique(wholes, axis=0).tolist():
            rows = sampled[(wholes[:, 0] == origin) & (wholes[:, 1] == code)]
            for column in (0, 1):
                scaled[rows, 2 * column : 2 * column + 2] = self._scale_of(origin, code, column).scale(sums[rows, column])
        return scaled

    def _scale_of(self, origin: int, code: int, column: int) -> RunningScale:
        whole = (origin, code, column)
        if whole not in self._scales:
            _, rate = unpack_origins(np.array([origin]))
            self._scales[whole] = RunningScale(self._sampling_rates[int(rate[0])])
        return self._scales[whole]

    def _settle_runs(self, entries: _Entries, firsts: NDArray[np.intp]) -> None:
        """Settle runs of rows of one pair each, which begin at ``firsts``: each row is added to the usage of every label of its pair."""
        lengths = np.diff(firsts, append=len(entries.pairs))
        unlabelled = np.ones(len(entries.pairs), dtype=np.bool_)
        for attributed in self._attributed(entries.pairs[firsts]):
            runs = slice(attributed.first, attributed.first + len(attributed.sizes))
            rows = join_ranges(firsts[runs], lengths[runs])
            sizes = np.repeat(attributed.sizes, lengths[runs])
            first_labels = np.repeat(np.cumsum(attributed.sizes) - attributed.sizes, lengths[runs])
            unlabelled[rows] = sizes == 0
            self._add_parts(attributed, np.add.reduceat(entries.counts[rows, :_ESTIMATE_LIMBS], np.cumsum(lengths[runs]) - lengths[runs]))
            for part in cut_into_parts(sizes, _MOST_EXPANDED_ROWS):
                labels = attributed.labels[join_ranges(first_labels[part], sizes[part])]
                again = np.repeat(rows[part], sizes[part])
                self._usage.add(np.concatenate([labels[:, np.newaxis], entries.places[again]], axis=1), entries.counts[again])
        self._add_totals(entries, unlabelled)

    def _add_parts(self, attributed: AttributedPairs, counts: Limbs) -> None:
        """Add the ``counts`` of pairs (limbs, shape (pairs, 4)) to the projects that used them, or to what is no single project's."""
        partition = part_pairs(attributed, self._classifier.owners)
        self._projects.add(partition, counts)
        self.totals.several += _total(counts[partition.several])
        self.totals.shared += _total(counts[partition.shared])

    def _attributed(self, pairs: NDArray[np.int64]) -> Iterator[AttributedPairs]:
        """Give the labels of ascending pairs, part after part; pairs that are counted in no direction are left out."""
        codes, families, sources, destinations = unpack_pairs(pairs)
        for direction, family in product(COUNTED_DIRECTIONS, ADDRESS_BITS):
            alike = np.flatnonzero((codes == direction.code) & (families == family))
            if len(alike):
                attribution = self._classifier.compiled(direction, family).attribution
                for attributed in attribution.attribute(sources[alike], destinations[alike]):
                    yield attributed._replace(first=attributed.first + int(alike[0]))

    def _add_totals(self, entries: _Entries, unlabelled: NDArray[np.bool_]) -> None:
        """Add to the totals what counts for no label, by why, and what has no known direction."""
        codes = entries.pairs >> _CODE_SHIFT
        totals = self.totals
        totals.outside_window += _total(entries.counts[unlabelled & (codes == OUTSIDE_WINDOW_CODE)])
        totals.not_crossing += _total(entries.counts[unlabelled & (codes == DirectionCode.NOT_CROSSING)])
        can_match = (codes <= DirectionCode.UNKNOWN) | (codes == DirectionCode.NO_ADDRESSES)
        totals.unmatched += _total(entries.counts[unlabelled & can_match])
        totals.unknown_direction += _total(entries.counts[codes == DirectionCode.UNKNOWN])


def _total(counts: NDArray[np.int64]) -> Counts:
    return Counts(*join_limbs(counts[:, :_ESTIMATE_LIMBS].sum(axis=0)).tolist())
