"""Rules by class pair, in arrays: which labels have a rule at a source class and a destination class.

Owns the arrays and the search for many class pairs at once. Which rules include and which exclude is for ``attribution``.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from venturi.core.classify.ranges import join_ranges
from venturi.core.classify.traffic_classes import ANY_CLASS, TrafficClasses
from venturi.core.domain.label import MeteringLabelRule

KEY_BITS = 32
"""Bits of the lower number of a key of two numbers; keys are ascending by the higher one first."""

LOWER = (1 << KEY_BITS) - 1
"""Takes the lower number out of a key."""

_Numbers = NDArray[np.int64]


class Matches(NamedTuple):
    """Where class pairs match rules, int64 columns of shape (matches,), ascending by row.

    Row ``rows[i]`` of the class pairs asked for matches the ``sizes[i]`` labels that have rules at place ``places[i]`` of the table.
    """

    rows: _Numbers
    places: _Numbers
    sizes: _Numbers

    def within(self, first_row: int, end_row: int) -> "Matches":
        """Give the matches of some rows."""
        part = slice(*np.searchsorted(self.rows, (first_row, end_row)))
        return Matches(*(column[part] for column in self))


class RuleTable:
    """Rules of one kind by the classes of their two prefixes; one without a prefix stands at ``ANY_CLASS``, which is around every class.

    ``pairs`` (int64, ascending) are the keys of the source and destination classes at which they stand.
    """

    def __init__(
        self, sources: TrafficClasses, destinations: TrafficClasses, rules: Sequence[MeteringLabelRule], label_numbers: Mapping[str, int]
    ) -> None:
        """Take rules whose prefixes the classes were cut at; ``label_numbers`` numbers the labels by id."""
        self._source_parents = np.array(sources.parents)
        self._destination_parents = np.array(destinations.parents)
        at_source = np.array([sources.class_of(rule.source_ip_prefix) for rule in rules], dtype=np.int64)
        at_destination = np.array([destinations.class_of(rule.destination_ip_prefix) for rule in rules], dtype=np.int64)
        pairs, places = np.unique(joined(at_source, at_destination), return_inverse=True)
        labels = np.array([label_numbers[rule.metering_label_id] for rule in rules], dtype=np.int64)
        self.pairs = pairs
        self._labels = np.unique(joined(places, labels))
        self._firsts = np.searchsorted(self._labels, joined(np.arange(len(pairs) + 1), np.int64(0)))

    def match(self, sources: _Numbers, destinations: _Numbers) -> Matches:
        """Find the rules that stand at a class of the source's lineage and one of the destination's, for each class pair."""
        found = list(self._search(sources, destinations)) if len(self.pairs) else []
        rows = np.concatenate([np.zeros(0, dtype=np.int64), *(rows for rows, _ in found)])
        places = np.concatenate([np.zeros(0, dtype=np.int64), *(places for _, places in found)])
        order = np.argsort(rows, kind="stable")
        places = places[order]
        return Matches(rows[order], places, self._firsts[places + 1] - self._firsts[places])

    def labels_of(self, matches: Matches) -> _Numbers:
        """Give the labels matched, as keys of row and label: int64, ascending, each once."""
        keys = np.sort(self._list_labels(matches))
        return np.concatenate([keys[:1], keys[1:][keys[1:] != keys[:-1]]])

    def without(self, labels: _Numbers, matches: Matches) -> _Numbers:
        """Leave out of ``labels``, such as ``labels_of`` gives, those matched here.

        For each match the fewer are searched for among the more: the labels given for its row, or those at its place.
        """
        firsts, ends = np.searchsorted(labels, joined(np.stack([matches.rows, matches.rows + 1]), np.int64(0)))
        given = ends - firsts
        fewer = given <= matches.sizes
        rows = join_ranges(firsts[fewer], given[fewer])
        _, are_here = _find(joined(np.repeat(matches.places[fewer], given[fewer]), labels[rows] & LOWER), self._labels)
        others, are_given = _find(self._list_labels(Matches(*(column[~fewer] for column in matches))), labels)
        kept = np.ones(len(labels), dtype=np.bool_)
        kept[rows[are_here]] = kept[others[are_given]] = False
        return labels[kept]

    def _list_labels(self, matches: Matches) -> _Numbers:
        """List the labels matched, as keys of row and label."""
        labels = self._labels[join_ranges(self._firsts[matches.places], matches.sizes)] & LOWER
        return joined(np.repeat(matches.rows, matches.sizes), labels)

    def _search(self, sources: _Numbers, destinations: _Numbers) -> Iterator[tuple[_Numbers, _Numbers]]:
        """Go up both lineages of all pairs at once; give the rows that meet rules at each pair of classes on the way, and their places."""
        source_rows = np.arange(len(sources))
        while len(source_rows):
            rows, source, destination = source_rows, sources, destinations[source_rows]
            while len(rows):
                places, found = _find(joined(source, destination), self.pairs)
                yield rows[found], places[found]
                below = destination != ANY_CLASS
                rows, source, destination = rows[below], source[below], self._destination_parents[destination[below]]
            below = sources != ANY_CLASS
            source_rows, sources = source_rows[below], self._source_parents[sources[below]]


def joined(higher: _Numbers, lower: _Numbers | np.int64) -> _Numbers:
    """Join two columns of numbers below 2^31 into one of keys."""
    return higher << KEY_BITS | lower


def _find(sought: _Numbers, among: _Numbers) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Find numbers among ascending ones: the place of each, and whether it is there; an absent one has any place."""
    places = np.minimum(np.searchsorted(among, sought), len(among) - 1)
    return places, among[places] == sought
