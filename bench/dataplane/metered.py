"""venturi's layouts: a driver of its own at a hook, with the classifier compiled from the same labels.

Owns the reading of class pairs into counts of labels, and what is measured besides forwarding: reading all counters, and changing a rule.
"""

import secrets
import statistics
import time
from collections.abc import Sequence

from bench.dataplane.drivers import MeteringWay
from bench.dataplane.figures import Operations
from bench.dataplane.labels import FAMILIES, change_one, labelled_prefix
from bench.dataplane.layouts import LabelCounts, no_counts
from bench.dataplane.routers import EXTERNAL_DEVICE
from venturi.core.classify.compiler import CompiledClassifier
from venturi.core.domain.direction import COUNTED_DIRECTIONS, Direction
from venturi.core.domain.generation import Generation, MeteredDevice
from venturi.core.domain.label import LabelWithRules

_IDENTITY_OCTETS = 16
_SPOOL = secrets.token_hex(_IDENTITY_OCTETS)
_COMPILED_DIRECTIONS = (Direction.INGRESS, Direction.EGRESS)


class VenturiLayout:
    """A driver at the external device of a router."""

    def __init__(self, way: MeteringWay, labels: Sequence[LabelWithRules]) -> None:
        """Compile the labels; nothing is installed yet. The driver is started and stopped by the caller."""
        self.name = way.name
        self._driver = way.driver
        self._hook = way.hook
        self._labels = labels
        self._classifier = _compile(labels)
        self._generation = _new_generation(self._classifier)
        self._metered = MeteredDevice(point_id=way.name, device=EXTERNAL_DEVICE)

    def install(self, namespace: str) -> None:
        """Begin to count at the router's external device."""
        self._metered = MeteredDevice(point_id=secrets.token_hex(4), device=EXTERNAL_DEVICE, namespace=namespace, hook=self._hook)
        self._driver.apply(self._metered, self._classifier, self._generation)

    def counts(self) -> LabelCounts:
        """Attribute what the class pairs have counted."""
        pairs = self._driver.read(self._metered, self._generation).pairs
        counts = no_counts(len(self._labels))
        for direction, family, source, destination, packets, octets in zip(*(column.tolist() for column in pairs), strict=True):
            compiled = self._classifier.compiled(COUNTED_DIRECTIONS[direction], family)
            numbers = compiled.attribution.labels(source, destination)
            counts.packets[numbers] += packets
            counts.octets[numbers] += octets
        return counts

    def remove(self) -> None:
        """Stop counting and remove the tables."""
        self._driver.retire(self._metered, self._generation)

    def measure_operations(self, turns: int) -> Operations:
        """Read all counters ``turns`` times; then change one rule after the other, and each time read what was counted before."""
        readings = [self._measure_reading(self._generation) for _ in range(turns)]
        compilations, changes, last_readings = zip(*(self._measure_change(turn) for turn in range(turns)), strict=True)
        return Operations(
            family=labelled_prefix(self._labels[0]).family,
            labels=len(self._labels),
            layout=self.name,
            reading=statistics.median(readings),
            compilation=statistics.median(compilations),
            change=statistics.median(changes),
            last_reading=statistics.median(last_readings),
        )

    def _measure_reading(self, generation: Generation) -> float:
        began = time.perf_counter()
        self._driver.read(self._metered, generation)
        return time.perf_counter() - began

    def _measure_change(self, turn: int) -> tuple[float, float, float]:
        """Give the seconds of compiling the changed rules, of their application, and of the last reading before them."""
        began = time.perf_counter()
        classifier = _compile(change_one(self._labels, turn))
        before, after = self._generation, _new_generation(classifier)
        compiled = time.perf_counter()
        self._driver.apply(self._metered, classifier, after)
        applied = time.perf_counter()
        self._classifier, self._generation = classifier, after
        last_reading = self._measure_reading(before)
        self._driver.retire(self._metered, before)
        return compiled - began, applied - compiled, last_reading


def _compile(labels: Sequence[LabelWithRules]) -> CompiledClassifier:
    """Compile all that a driver asks for, so that it finds it done."""
    classifier = CompiledClassifier(labels)
    for direction in _COMPILED_DIRECTIONS:
        for family in FAMILIES:
            classifier.compiled(direction, family)
    return classifier


def _new_generation(classifier: CompiledClassifier) -> Generation:
    return Generation(id=secrets.token_hex(_IDENTITY_OCTETS), spool_id=_SPOOL, digest=classifier.digest)
