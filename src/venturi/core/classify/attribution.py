"""Attribution: which labels a pair of source and destination class counts for, exactly.

Owns the order of rules, including ones before excluding ones, and the bound of memory. Done once per pair that occurs, never per packet.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from venturi.core.classify.ranges import cut_into_parts
from venturi.core.classify.rule_table import KEY_BITS, LOWER, RuleTable
from venturi.core.classify.traffic_classes import TrafficClasses
from venturi.core.domain.label import MeteringLabelRule

MOST_AT_ONCE = 1 << 20
"""About how many matches of pairs and rules are held at once."""

_Classes = NDArray[np.int32] | NDArray[np.int64]


class AttributedPairs(NamedTuple):
    """The labels of class pairs that follow each other.

    ``first`` is the number of the first pair; ``sizes`` (int64, shape (pairs,)) are the numbers of labels of each, and ``labels`` (int64,
    shape (sum of sizes,)) their numbers, ascending for each pair.
    """

    first: int
    sizes: NDArray[np.int64]
    labels: NDArray[np.int64]


class Attribution:
    """Attributes class pairs of one direction and family to labels.

    A rule without a source or destination prefix stands at ``ANY_CLASS``, which lies around every class. A pair is
    therefore matched by just the rules at a class of its source's lineage and one of its destination's. One attribution
    takes time in proportion to the product of the two lineages, at most 33 x 33 or 129 x 129, and to the labels of the rules matched.
    """

    def __init__(
        self, sources: TrafficClasses, destinations: TrafficClasses, rules: Sequence[MeteringLabelRule], label_numbers: Mapping[str, int]
    ) -> None:
        """Take the rules that the classes were cut by; ``label_numbers`` numbers the labels by id."""
        including, excluding = ([rule for rule in rules if rule.excluded == excluded] for excluded in (False, True))
        self._including = RuleTable(sources, destinations, including, label_numbers)
        self._excluding = RuleTable(sources, destinations, excluding, label_numbers)
        self._source_depths = _depths(sources)
        self._destination_depths = _depths(destinations)

    def attribute(self, sources: _Classes, destinations: _Classes) -> Iterator[AttributedPairs]:
        """Give the labels that count each pair of a source and a destination class (shape (pairs,)), part after part in order.

        What is held at once is bounded, as far as one pair by itself is within the bound.
        """
        sources, destinations = sources.astype(np.int64), destinations.astype(np.int64)
        searched = self._source_depths[sources] * self._destination_depths[destinations]
        for part in cut_into_parts(searched, MOST_AT_ONCE):
            for attributed in self._attribute(sources[part], destinations[part]):
                yield attributed._replace(first=part.start + attributed.first)

    def labels(self, source_class: int, destination_class: int) -> NDArray[np.int64]:
        """Give the numbers of the labels that count one class pair: int64, ascending, shape (labels,).

        Many pairs at once take ``attribute`` a hundredth of the time.
        """
        (attributed,) = self.attribute(np.array([source_class]), np.array([destination_class]))
        return attributed.labels

    def rule_pairs(self) -> list[tuple[int, int]]:
        """List the source and destination class of each place where some rule stands, including or excluding."""
        keys = np.concatenate([self._including.pairs, self._excluding.pairs])
        return list(zip((keys >> KEY_BITS).tolist(), (keys & LOWER).tolist(), strict=True))

    def _attribute(self, sources: NDArray[np.int64], destinations: NDArray[np.int64]) -> Iterator[AttributedPairs]:
        """Attribute pairs whose matches can be held all at once, part by part of as many labels as can be held at once."""
        including, excluding = (table.match(sources, destinations) for table in (self._including, self._excluding))
        matched = [np.bincount(matches.rows, matches.sizes, len(sources)) for matches in (including, excluding)]
        for part in cut_into_parts((matched[0] + matched[1]).astype(np.int64), MOST_AT_ONCE):
            included = self._including.labels_of(including.within(part.start, part.stop))
            counted = self._excluding.without(included, excluding.within(part.start, part.stop))
            sizes = np.bincount((counted >> KEY_BITS) - part.start, minlength=part.stop - part.start)
            yield AttributedPairs(part.start, sizes, counted & LOWER)


def _depths(classes: TrafficClasses) -> NDArray[np.int64]:
    """Tell for each class how many classes its lineage has."""
    depths = [1]
    for parent in classes.parents[1:]:
        depths.append(depths[parent] + 1)
    return np.array(depths)
