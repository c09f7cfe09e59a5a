"""The engines under test, each as a function of the same form."""

from collections.abc import Callable, Sequence

import numpy as np

from venturi.core.classify.batch import BatchClassifier
from venturi.core.classify.compiler import CompiledClassifier
from venturi.core.classify.reference import Passage, counting_labels
from venturi.core.domain.flow_batch import FlowBatch
from venturi.core.domain.label import LabelWithRules

Engine = Callable[[Sequence[LabelWithRules], Sequence[Passage]], list[list[str]]]
"""Gives, for each packet, the ids of the labels that count it, in the order of the labels."""

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


ENGINES: dict[str, Engine] = {"reference": run_reference, "batch": run_batch}
