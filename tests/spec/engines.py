"""The engines under test, each as a function of the same form."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from venturi.core.classify.batch import BatchClassifier
from venturi.core.classify.compiler import CompiledClassifier
from venturi.core.classify.partition import LabelOwners, PairPartition, find_owners, part_pairs
from venturi.core.classify.reference import Part, Passage, counting_labels, part_of, using_projects
from venturi.core.domain.flow_batch import FlowBatch
from venturi.core.domain.label import LabelWithRules

Engine = Callable[[Sequence[LabelWithRules], Sequence[Passage]], list[list[str]]]
"""Gives, for each packet, the ids of the labels that count it, in the order of the labels."""

Parted = tuple[list[str], Part]
"""The projects that used a packet, and the part of the traffic that it is in."""

_LOW = (1 << 64) - 1


def run_reference(labels: Sequence[LabelWithRules], passages: Sequence[Passage]) -> list[list[str]]:
    """Run the readable engine."""
    return [[label.id for label in counting_labels(labels, passage)] for passage in passages]


def run_batch(labels: Sequence[LabelWithRules], passages: Sequence[Passage]) -> list[list[str]]:
    """Run the vectorised engine, then attribute its class pairs."""
    classifier = CompiledClassifier(labels)
    directions = np.array([passage.direction.code for passage in passages], dtype=np.uint8)
    pairs = BatchClassifier(classifier).classify(batch_of(passages), directions)
    counted = []
    for passage, source_class, destination_class in zip(passages, pairs.source_class, pairs.destination_class, strict=True):
        attribution = classifier.compiled(passage.direction, passage.family).attribution
        counted.append([classifier.labels[number].id for number in attribution.labels(int(source_class), int(destination_class))])
    return counted


def partition_by_reference(labels: Sequence[LabelWithRules], passages: Sequence[Passage]) -> list[Parted]:
    """Part packets by the readable definition."""
    return [(using_projects(labels, passage), part_of(labels, passage)) for passage in passages]


def partition_by_batch(labels: Sequence[LabelWithRules], passages: Sequence[Passage]) -> list[Parted]:
    """Classify packets, attribute all class pairs of a direction and family at once, and part them."""
    classifier = CompiledClassifier(labels)
    owners = find_owners(classifier.labels)
    directions = np.array([passage.direction.code for passage in passages], dtype=np.uint8)
    pairs = BatchClassifier(classifier).classify(batch_of(passages), directions)
    found: dict[int, Parted] = {}
    for direction, family in {(passage.direction, passage.family) for passage in passages}:
        alike = [row for row, passage in enumerate(passages) if (passage.direction, passage.family) == (direction, family)]
        attribution = classifier.compiled(direction, family).attribution
        for attributed in attribution.attribute(pairs.source_class[alike], pairs.destination_class[alike]):
            rows = alike[attributed.first : attributed.first + len(attributed.sizes)]
            found |= zip(rows, _parted(part_pairs(attributed, owners), owners), strict=True)
    return [found[row] for row in range(len(passages))]


def _parted(partition: PairPartition, owners: LabelOwners) -> Iterator[Parted]:
    """Say of each pair what the partition says of it, and hold it to one part."""
    for pair, (several, shared) in enumerate(zip(partition.several, partition.shared, strict=True)):
        rows = np.flatnonzero(partition.pairs == pair)
        alone = bool(partition.alone[rows].any())
        parts = [part for part, is_in in ((Part.ALONE, alone), (Part.SEVERAL, several), (Part.SHARED, shared)) if is_in]
        assert len(parts) <= 1
        assert alone == (len(rows) == 1)
        yield [owners.projects[number] for number in partition.projects[rows]], parts[0] if parts else Part.UNMATCHED


def batch_of(passages: Sequence[Passage]) -> FlowBatch:
    """Make a flow batch of one packet of 100 octets for each passage."""
    batch = FlowBatch.empty(len(passages))
    batch.packets.fill(1)
    batch.octets.fill(100)
    for row, passage in enumerate(passages):
        batch.family[row] = passage.family
        batch.source_high[row], batch.source_low[row] = passage.source >> 64, passage.source & _LOW
        batch.destination_high[row], batch.destination_low[row] = passage.destination >> 64, passage.destination & _LOW
    return batch


PARTITIONS = {"reference": partition_by_reference, "batch": partition_by_batch}

ENGINES: dict[str, Engine] = {"reference": run_reference, "batch": run_batch}
