"""Settlement: the sums of class pairs into usage of labels.

Owns the step from what was counted (pairs, as observed) to what it counts for (labels, as estimated).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from venturi.core.classify.compiler import CompiledClassifier
from venturi.core.domain.counts import Counts
from venturi.core.domain.direction import COUNTED_DIRECTIONS, DirectionCode
from venturi.core.meter.pair_counts import CLASS_BITS
from venturi.core.meter.scaling import RunningScale, join_limbs, to_limbs
from venturi.core.meter.summing import OUTSIDE_WINDOW_CODE, unpack_origins, unpack_pairs
from venturi.core.meter.usage_sums import UsageSums, sum_by_key

_MOST_LABEL_NUMBERS = 1 << 23
_MOST_EXPANDED_ROWS = 1 << 18
_CODE_SHIFT = 2 * CLASS_BITS + 1
_ESTIMATE_LIMBS = 4
_NO_LABELS = np.empty(0, dtype=np.int32)


@dataclass
class SettledTotals:
    """What the traffic of one source came to besides usage; estimates where the source sampled."""

    unmatched: Counts = Counts()
    not_crossing: Counts = Counts()
    outside_window: Counts = Counts()
    unknown_direction: Counts = Counts()


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

    def __init__(self, classifier: CompiledClassifier, usage: UsageSums, grouping: Grouping, sampling_rates: Sequence[Fraction]) -> None:
        """Take what counts are attributed by, the rows that they are added to, and the growing table of sampling rates."""
        self.totals = SettledTotals()
        self._classifier = classifier
        self._usage = usage
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
        counts = np.concatenate([self._scaled(keys, sums), to_limbs(sums[:, 0]), to_limbs(sums[:, 1]), estimated], axis=1)
        places = np.stack([keys[:, 0] >> _CODE_SHIFT, keys[:, 1], points[exporters]], axis=1)
        grouped = (self._grouping.direction, self._grouping.interval, self._grouping.observation_point)
        places[:, [not kept for kept in grouped]] = -1
        return _Entries(keys[:, 0], places, counts)

    def _scaled(self, keys: NDArray[np.int64], sums: NDArray[np.int64]) -> NDArray[np.int64]:
        """Scale the sums of each origin and direction in turn: limbs of packets and octets, int64, shape (n, 4)."""
        scaled = np.concatenate([to_limbs(sums[:, 0]), to_limbs(sums[:, 1])], axis=1)
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
        """Settle runs of rows of one pair each, which begin at ``firsts``.

        Usage is posted before the label numbers held grow beyond their bound.
        """
        ends = [*firsts[1:].tolist(), len(entries.pairs)]
        label_sets: dict[bytes, tuple[int, NDArray[np.int32]]] = {}
        set_of_row = np.full(len(entries.pairs), -1, dtype=np.int64)
        unlabelled = np.zeros(len(entries.pairs), dtype=np.bool_)
        held = 0
        for start, end, labels in zip(firsts.tolist(), ends, self._labels_of(entries.pairs[firsts]), strict=True):
            if not len(labels):
                unlabelled[start:end] = True
                continue
            identity = labels.tobytes()
            if identity not in label_sets:
                label_sets[identity] = (len(label_sets), labels)
                held += len(labels)
            set_of_row[start:end] = label_sets[identity][0]
            if held > _MOST_LABEL_NUMBERS:
                self._post(entries, set_of_row, [labels for _, labels in label_sets.values()])
                label_sets, held = {}, 0
                set_of_row.fill(-1)
        self._post(entries, set_of_row, [labels for _, labels in label_sets.values()])
        self._add_totals(entries, unlabelled)

    def _labels_of(self, pairs: NDArray[np.int64]) -> Iterator[NDArray[np.int32]]:
        """Give the numbers of the labels that each pair counts for."""
        columns = (column.tolist() for column in unpack_pairs(pairs))
        for code, family, source_class, destination_class in zip(*columns, strict=True):
            if code > DirectionCode.UNKNOWN:
                yield _NO_LABELS
            else:
                yield self._classifier.compiled(COUNTED_DIRECTIONS[code], family).attribution.labels(source_class, destination_class)

    def _add_totals(self, entries: _Entries, unlabelled: NDArray[np.bool_]) -> None:
        """Add to the totals what counts for no label, by why, and what has no known direction."""
        codes = entries.pairs >> _CODE_SHIFT
        totals = self.totals
        totals.outside_window += _total(entries.counts[unlabelled & (codes == OUTSIDE_WINDOW_CODE)])
        totals.not_crossing += _total(entries.counts[unlabelled & (codes == DirectionCode.NOT_CROSSING)])
        totals.unmatched += _total(entries.counts[unlabelled & (codes <= DirectionCode.UNKNOWN)])
        totals.unknown_direction += _total(entries.counts[codes == DirectionCode.UNKNOWN])

    def _post(self, entries: _Entries, set_of_row: NDArray[np.int64], label_sets: Sequence[NDArray[np.int32]]) -> None:
        """Add the rows that have a label set to the usage, once for each label of the set."""
        rows = np.flatnonzero(set_of_row >= 0)
        if not len(rows):
            return
        keys = np.concatenate([set_of_row[rows, np.newaxis], entries.places[rows]], axis=1)
        keys, counts = sum_by_key(keys, entries.counts[rows])
        sizes = np.array([len(labels) for labels in label_sets])
        for part in _parts_of(sizes[keys[:, 0]]):
            repeats = sizes[keys[part, 0]]
            labels = np.concatenate([label_sets[number] for number in keys[part, 0]]).astype(np.int64)
            places = np.repeat(keys[part, 1:], repeats, axis=0)
            self._usage.add(np.concatenate([labels[:, np.newaxis], places], axis=1), np.repeat(counts[part], repeats, axis=0))


def _parts_of(sizes: NDArray[np.int64]) -> Iterator[slice]:
    """Cut rows of these sizes into runs whose sizes sum to about the most that may be expanded at once."""
    numbers = np.cumsum(sizes) // _MOST_EXPANDED_ROWS
    borders = np.flatnonzero(np.diff(numbers)) + 1
    for start, end in zip([0, *borders.tolist()], [*borders.tolist(), len(sizes)], strict=True):
        yield slice(start, end)


def _total(counts: NDArray[np.int64]) -> Counts:
    return Counts(*join_limbs(counts[:, :_ESTIMATE_LIMBS].sum(axis=0)))
