"""``python -m bench.measure.in_memory SCALE RUNS``: classifying flows that are already in memory, by venturi and by numpy.

Owns the two searches and their proof: both must find the same classes. Every label's rule names a prefix inside and one outside, so that
each of a flow's addresses is looked up in a table of full size. Prints figures as JSON.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.inputs.flows import Flows, make_chunks
from bench.inputs.prefixes import INSIDE_V4, allocate
from bench.scale import PREFIX_COUNTS, SCALES
from venturi.core.classify.batch import BatchClassifier, ClassPairs
from venturi.core.classify.compiler import CompiledClassifier
from venturi.core.classify.traffic_classes import TrafficClasses
from venturi.core.domain.direction import Direction, DirectionCode
from venturi.core.domain.flow_batch import FlowBatch
from venturi.core.domain.label import LabelWithRules, MeteringLabel, MeteringLabelRule
from venturi.core.domain.prefix import Prefix

MOST_FLOWS = 3_000_000
_CHUNKS_IN_BATCH = 3


@dataclass(frozen=True)
class Batch:
    """A batch with its directions, and for numpy its two addresses (uint32, shape (n,)) told apart beforehand."""

    flows: FlowBatch
    directions: NDArray[np.uint8]
    inside: NDArray[np.uint32]
    outside: NDArray[np.uint32]


@dataclass(frozen=True)
class SortedBorders:
    """Interval starts (uint32) and classes (int32) of one side, as ``numpy.searchsorted`` needs them."""

    starts: NDArray[np.uint32]
    classes: NDArray[np.int32]

    @classmethod
    def of(cls, classes: TrafficClasses) -> "SortedBorders":
        """Take the borders of a side."""
        return cls(np.array(classes.starts, dtype=np.uint32), np.array(classes.classes, dtype=np.int32))

    def find(self, addresses: NDArray[np.uint32]) -> NDArray[np.int32]:
        """Find the classes of addresses."""
        return self.classes[np.searchsorted(self.starts, addresses, side="right") - 1]


def make_labels(count: int) -> list[LabelWithRules]:
    """Make ``count`` labels of one prefix inside and one outside each, in both directions."""
    inside = allocate(count)
    chance = np.random.default_rng(5)
    outside = chance.integers(11 << 24, 224 << 24, size=count).tolist()
    lengths = chance.choice((12, 16, 18, 20, 22, 24), size=count, p=(0.02, 0.08, 0.1, 0.2, 0.2, 0.4)).tolist()
    labels = []
    for number, (offset, length) in enumerate(zip(inside.offsets.tolist(), inside.lengths.tolist(), strict=True)):
        near, far = Prefix(4, INSIDE_V4 + offset, length), Prefix(4, outside[number], lengths[number])
        name = str(number)
        rules = (
            MeteringLabelRule(id="e", metering_label_id=name, direction=Direction.EGRESS, source_ip_prefix=near, destination_ip_prefix=far),
            MeteringLabelRule(
                id="i", metering_label_id=name, direction=Direction.INGRESS, source_ip_prefix=far, destination_ip_prefix=near
            ),
        )
        labels.append(LabelWithRules(MeteringLabel(id=name, name=name), rules))
    return labels


def make_batches(total: int) -> list[Batch]:
    """Make the first flows of the exports as batches of about as many rows as the decoder gives."""
    chunks = list(make_chunks(total))
    return [_join(chunks[first : first + _CHUNKS_IN_BATCH]) for first in range(0, len(chunks), _CHUNKS_IN_BATCH)]


def _join(chunks: Sequence[Flows]) -> Batch:
    leaving = np.concatenate([flows.leaving for flows in chunks])
    source = np.concatenate([flows.source for flows in chunks])
    destination = np.concatenate([flows.destination for flows in chunks])
    batch = FlowBatch.empty(len(leaving))
    batch.family.fill(4)
    batch.source_low[:] = source
    batch.destination_low[:] = destination
    directions = np.where(leaving, DirectionCode.EGRESS, DirectionCode.INGRESS).astype(np.uint8)
    inside, outside = np.where(leaving, source, destination), np.where(leaving, destination, source)
    return Batch(batch, directions, inside.astype(np.uint32), outside.astype(np.uint32))


def compare(count: int, batches: Sequence[Batch], runs: int) -> list[dict[str, float | str]]:
    """Measure both searches with ``count`` labels, by turns, in one thread and in two."""
    classifier = CompiledClassifier(make_labels(count))
    engine = BatchClassifier(classifier)
    compiled = classifier.compiled(Direction.EGRESS, 4)
    near, far = SortedBorders.of(compiled.sources), SortedBorders.of(compiled.destinations)

    def by_venturi(batch: Batch) -> ClassPairs:
        return engine.classify(batch.flows, batch.directions)

    def by_numpy(batch: Batch) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        return near.find(batch.inside), far.find(batch.outside)

    _prove_equal(batches[0], by_venturi(batches[0]), by_numpy(batches[0]))
    flows = sum(len(batch.flows) for batch in batches)
    rates: dict[tuple[str, int], list[float]] = {}
    for _ in range(runs):
        for threads in (1, 2):
            for name, search in (("venturi", by_venturi), ("numpy", by_numpy)):
                rates.setdefault((name, threads), []).append(flows / _seconds(search, batches, threads))
    return [
        {"name": name, "prefixes": count, "threads": threads, "rate": statistics.median(measured)}
        for (name, threads), measured in rates.items()
    ]


def _prove_equal(batch: Batch, pairs: ClassPairs, found: tuple[NDArray[np.int32], NDArray[np.int32]]) -> None:
    leaving = batch.directions == DirectionCode.EGRESS
    near = np.where(leaving, pairs.source_class, pairs.destination_class)
    far = np.where(leaving, pairs.destination_class, pairs.source_class)
    if not (np.array_equal(near, found[0]) and np.array_equal(far, found[1])):
        message = "venturi and numpy found different classes"
        raise SystemExit(message)


def _seconds(search: Callable[[Batch], object], batches: Sequence[Batch], threads: int) -> float:
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(search, batches[:threads]))
        began = time.perf_counter()
        list(map(search, batches)) if threads == 1 else list(pool.map(search, batches))
        return time.perf_counter() - began


def main(scale_name: str, runs: str) -> None:
    """Measure all sizes and print the figures."""
    batches = make_batches(min(SCALES[scale_name].flow_records, MOST_FLOWS))
    print(json.dumps([figures for count in PREFIX_COUNTS for figures in compare(count, batches, int(runs))]))


if __name__ == "__main__":
    main(*sys.argv[1:])
