"""Pair sets: which class pairs need counters of their own, and in which sets they stand.

Owns the choice; nothing here is encoded. Counters are kept for each class of one side, the *outer* one, by the prefixes of the other side
that matter there: those of rules that stand at the class or around it. Pairs that no rule tells apart share a counter, which is reported
as the pair of the outer class and the innermost prefix that matters.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from venturi.core.classify.compiler import CompiledDirection
from venturi.core.classify.traffic_classes import ANY_CLASS, TrafficClasses

MOST_COUNTERS = 1 << 17
"""Counters that one direction and family may have; the classes for which there is no room count as unattributed."""

MOST_CHAINS = 1 << 12


class PairSet(NamedTuple):
    """The counters of one outer class: the inner classes besides ``ANY_CLASS`` that have one."""

    outer_class: int
    inner_classes: tuple[int, ...]


class PairSets(NamedTuple):
    """The counters of a direction and family; ``outer_side`` is 0 where the outer classes are those of sources, 1 of destinations."""

    outer_side: int
    outer: TrafficClasses
    inner: TrafficClasses
    sets: tuple[PairSet, ...]


def choose_pair_sets(compiled: CompiledDirection) -> PairSets:
    """Choose counters for all class pairs, as far as there is room; the side of fewer classes is the outer one."""
    sources, destinations = compiled.sides
    outer_side = 0 if len(sources.parents) < len(destinations.parents) else 1
    outer, inner = (sources, destinations) if outer_side == 0 else (destinations, sources)
    standing = defaultdict[int, set[int]](set)
    for pair in compiled.attribution.rule_pairs():
        standing[pair[outer_side]].add(pair[1 - outer_side])
    return PairSets(outer_side, outer, inner, tuple(_with_room(outer, standing)))


def _with_room(outer: TrafficClasses, standing: dict[int, set[int]]) -> Iterator[PairSet]:
    room = MOST_COUNTERS
    for outer_class in range(min(len(outer.parents), MOST_CHAINS)):
        classes = set[int]().union(*(standing.get(around, ()) for around in outer.lineage(outer_class))) - {ANY_CLASS}
        if len(classes) < room:
            room -= len(classes) + 1
            yield PairSet(outer_class, tuple(sorted(classes)))
