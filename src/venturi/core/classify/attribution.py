"""Attribution: which labels a pair of source and destination class counts for, exactly.

Owns the rules indexed by class and the bounded memo. Done once per pair that occurs, never per packet.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from venturi.core.classify.traffic_classes import TrafficClasses
from venturi.core.domain.label import MeteringLabelRule

DEFAULT_MEMO_LIMIT = 32 << 20
"""Octets that the memo of one attribution may hold."""

_MEMO_ENTRY_OCTETS = 200
"""What one remembered pair takes besides its label numbers: a key, a dictionary entry and an array header."""

RuleIndex = Mapping[int, Mapping[int, frozenset[int]]]
"""Label numbers by source class and destination class of their rules."""


class Attribution:
    """Attributes class pairs of one direction and family to labels.

    A rule without a source or destination prefix stands at ``ANY_CLASS``, which lies around every class. A pair is
    therefore matched by just the rules at a class of its source's lineage and one of its destination's. One attribution
    takes time in proportion to the product of the two lineages that hold rules, at most 33 x 33 or 129 x 129, and to the
    labels included.
    """

    def __init__(
        self,
        sources: TrafficClasses,
        destinations: TrafficClasses,
        rules: Sequence[MeteringLabelRule],
        label_numbers: Mapping[str, int],
        memo_limit: int = DEFAULT_MEMO_LIMIT,
    ) -> None:
        """Index ``rules`` by class; ``label_numbers`` numbers the labels by id; ``memo_limit`` is in octets."""
        self._sources = sources
        self._destinations = destinations
        self._including = self._index(rules, label_numbers, excluded=False)
        self._excluding = self._index(rules, label_numbers, excluded=True)
        self._memo: dict[tuple[int, int], NDArray[np.int32]] = {}
        self._memo_limit = memo_limit
        self._memo_octets = 0

    @property
    def memo_octets(self) -> int:
        """The octets that the memo holds now, never above its limit by more than one entry."""
        return self._memo_octets

    def labels(self, source_class: int, destination_class: int) -> NDArray[np.int32]:
        """Give the numbers of the labels that count a class pair: int32, ascending, shape (labels,)."""
        pair = (source_class, destination_class)
        known = self._memo.get(pair)
        return self._remember(pair, self._attribute(*pair)) if known is None else known

    def _attribute(self, source_class: int, destination_class: int) -> NDArray[np.int32]:
        sources = self._sources.lineage(source_class)
        destinations = self._destinations.lineage(destination_class)
        included = _matching(self._including, sources, destinations)
        if included and self._excluding:
            included -= _matching(self._excluding, sources, destinations)
        return np.array(sorted(included), dtype=np.int32)

    def _remember(self, pair: tuple[int, int], labels: NDArray[np.int32]) -> NDArray[np.int32]:
        if self._memo_octets >= self._memo_limit:
            self._memo.clear()
            self._memo_octets = 0
        self._memo[pair] = labels
        self._memo_octets += _MEMO_ENTRY_OCTETS + labels.nbytes
        return labels

    def _index(self, rules: Sequence[MeteringLabelRule], label_numbers: Mapping[str, int], *, excluded: bool) -> RuleIndex:
        index: dict[int, dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
        for rule in rules:
            if rule.excluded == excluded:
                source = self._sources.class_of(rule.source_ip_prefix)
                destination = self._destinations.class_of(rule.destination_ip_prefix)
                index[source][destination].add(label_numbers[rule.metering_label_id])
        return {source: {end: frozenset(labels) for end, labels in ends.items()} for source, ends in index.items()}


def _matching(index: RuleIndex, sources: Sequence[int], destinations: Sequence[int]) -> set[int]:
    """Join the label numbers of the rules that stand at one of ``sources`` and one of ``destinations``."""
    numbers: set[int] = set()
    for source in sources:
        row = index.get(source)
        if row is not None:
            for destination in destinations:
                if destination in row:
                    numbers |= row[destination]
    return numbers
