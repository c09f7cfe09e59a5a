"""Runs packets past any driver and attributes what it counts, beside what the readable reference says.

Owns the comparison. Where packets come from is the caller's affair, so that kernels and memory are held to the same.
"""

import secrets
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from venturi.adapters.drivers.protocol import Driver, Reading
from venturi.core.classify.compiler import CompiledClassifier
from venturi.core.classify.reference import Passage, counting_labels
from venturi.core.domain.counts import Counts
from venturi.core.domain.direction import COUNTED_DIRECTIONS, Direction
from venturi.core.domain.generation import Generation, MeteredDevice
from venturi.core.domain.label import LabelWithRules

Sender = Callable[[Sequence[Passage], Sequence[int]], None]
"""Lets packets of the given octets pass the device, and returns once all have."""

Counted = Mapping[tuple[str, Direction], Counts]
"""Counts by label id and direction; the label ``TOTAL`` is everything."""

TOTAL = ""


def new_generation(classifier: CompiledClassifier, spool_id: str = "5" * 32) -> Generation:
    """Make an identity that no other test has."""
    return Generation(id=secrets.token_hex(16), spool_id=spool_id, digest=classifier.digest)


def octets_for(passages: Sequence[Passage]) -> list[int]:
    """Choose lengths of packets that tell them apart."""
    return [60 + number for number in range(len(passages))]


def meter(driver: Driver, metered: MeteredDevice, labels: Sequence[LabelWithRules], passages: Sequence[Passage], send: Sender) -> Counted:
    """Count packets under a generation of their own, and retire it."""
    classifier = CompiledClassifier(labels)
    generation = new_generation(classifier)
    driver.apply(metered, classifier, generation)
    try:
        send(passages, octets_for(passages))
        return attribute(classifier, driver.read(metered, generation))
    finally:
        driver.retire(metered, generation)


def attribute(classifier: CompiledClassifier, reading: Reading) -> Counted:
    """Give each label what its class pairs counted."""
    counted: defaultdict[tuple[str, Direction], Counts] = defaultdict(Counts)
    for code, family, source, destination, packets, octets in zip(*(column.tolist() for column in reading.pairs), strict=True):
        direction, counts = COUNTED_DIRECTIONS[code], Counts(packets, octets)
        counted[TOTAL, direction] += counts
        for number in classifier.compiled(direction, family).attribution.labels(source, destination):
            counted[classifier.labels[number].id, direction] += counts
    for direction, counts in reading.unattributed.items():
        counted[TOTAL, direction] += counts
    return _without_nothing(counted)


def expect(labels: Sequence[LabelWithRules], passages: Sequence[Passage]) -> Counted:
    """Give each label what the reference counts for it."""
    counted: defaultdict[tuple[str, Direction], Counts] = defaultdict(Counts)
    for passage, octets in zip(passages, octets_for(passages), strict=True):
        for name in (TOTAL, *(label.id for label in counting_labels(labels, passage))):
            counted[name, passage.direction] += Counts(1, octets)
    return _without_nothing(counted)


def _without_nothing(counted: Mapping[tuple[str, Direction], Counts]) -> Counted:
    return {key: counts for key, counts in counted.items() if counts != Counts()}
