"""The layout of a table: chains at the hooks, and from there to the sets that count.

Owns which chains and rules there are. A table belongs to one metered device and outlives generations: one transaction puts the rules of a
new generation in place of the old one's, so that each packet meets the rules of just one. The sets in which the old one counted stay until
it is retired; chains stay for the next.

A packet goes from the hook to the chain of its direction, from there by its class on one side to a chain of that class, and there into the
set whose element for its class on the other side counts it.
"""

from collections.abc import Iterator
from typing import NamedTuple

from venturi.adapters.drivers.nftables import expressions as step
from venturi.adapters.drivers.nftables.counting import address_mask, count_by_inner_class
from venturi.adapters.drivers.nftables.elements import jump_element
from venturi.adapters.drivers.nftables.identity import (
    NO_CLASS,
    CountsPlace,
    KeptGeneration,
    chain_name,
    counts_name,
    marker_name,
    marker_user_data,
    rule_user_data,
    table_user_data,
)
from venturi.adapters.drivers.nftables.netlink import Change, Verb, attribute, nested, number, text
from venturi.adapters.drivers.nftables.pair_sets import PairSet, PairSets, choose_pair_sets
from venturi.adapters.drivers.nftables.set_changes import JUMP_MAP, SetChanges
from venturi.core.classify.compiler import CompiledClassifier
from venturi.core.domain.direction import Direction
from venturi.core.domain.generation import Generation, MeteredDevice
from venturi.core.domain.point import PointTraffic
from venturi.core.domain.prefix import ADDRESS_BITS

_PRIORITY = 200
"""After filtering and after firewalld: what is dropped there is not counted."""

_ACCEPT = 1
_DIRECTIONS = (Direction.INGRESS, Direction.EGRESS)
_ADDRESS_OFFSETS = {4: (12, 16), 6: (8, 24)}
"""Where the network header has the addresses of source and destination, by family."""


class _Hook(NamedTuple):
    """A chain at a hook of the kernel, and the directions in which packets pass the device there."""

    chain: str
    number: int
    directions: tuple[Direction, ...]


_FORWARDED = (_Hook("forward", 2, _DIRECTIONS),)
_LOCAL = (_Hook("input", 1, (Direction.INGRESS,)), _Hook("output", 3, (Direction.EGRESS,)))
_HOOKS = {PointTraffic.FORWARDED: _FORWARDED, PointTraffic.LOCAL: _LOCAL, PointTraffic.BOTH: _FORWARDED + _LOCAL}
_DEVICE_KEYS = {Direction.INGRESS: step.IN_DEVICE, Direction.EGRESS: step.OUT_DEVICE}


def generation_changes(
    table: str, metered: MeteredDevice, classifier: CompiledClassifier, generation: Generation, device_index: int
) -> list[Change]:
    """Make the table where it is not there, and put the rules of a generation in place of all that it has."""
    layout = _GenerationLayout(table, generation)
    layout.jump_from_hooks(metered)
    for direction in _DIRECTIONS:
        for family in ADDRESS_BITS:
            layout.count(direction, family, choose_pair_sets(classifier.compiled(direction, family)))
    layout.mark(device_index)
    return [*_table_changes(table, metered), *layout.chains, *layout.sets.changes, flush(table), *layout.rules]


def flush(table: str) -> Change:
    """Remove all rules of a table; its sets stay."""
    return Change(Verb.DELETE_RULE, text(1, table))


def _table_changes(table: str, metered: MeteredDevice) -> Iterator[Change]:
    yield Change(Verb.NEW_TABLE, text(1, table) + attribute(6, table_user_data(metered)))
    for direction in _DIRECTIONS:
        yield Change(Verb.NEW_CHAIN, text(1, table) + text(3, direction))
    for hook in _HOOKS[metered.traffic]:
        place = nested(4, number(1, hook.number), number(2, _PRIORITY))
        yield Change(Verb.NEW_CHAIN, text(1, table) + text(3, hook.chain) + place + number(5, _ACCEPT) + text(7, "filter"))


class _GenerationLayout:
    """Collects the chains, sets and rules of one generation."""

    def __init__(self, table: str, generation: Generation) -> None:
        self._table = text(1, table)
        self._generation = generation
        self.chains: list[Change] = []
        self.sets = SetChanges(table)
        self.rules: list[Change] = []

    def mark(self, device_index: int) -> None:
        """Leave word of the generation, once all of its rules are there."""
        kept = KeptGeneration(self._generation, device_index, len(self.rules))
        self.sets.add_marker(marker_name(self._generation), marker_user_data(kept))

    def jump_from_hooks(self, metered: MeteredDevice) -> None:
        """Send the packets of the device from the hooks to the chains of their directions."""
        for hook in _HOOKS[metered.traffic]:
            for direction in hook.directions:
                self._add_rule(hook.chain, step.device_is(_DEVICE_KEYS[direction], metered.device), step.jump(direction))

    def count(self, direction: Direction, family: int, pair_sets: PairSets) -> None:
        """Count the packets of a direction and family by their outer class, and then by their inner one."""
        chains = {}
        for pair_set in pair_sets.sets:
            place = CountsPlace(direction, family, pair_sets.outer_side, pair_set.outer_class)
            chains[pair_set.outer_class] = self._count_at(place, pair_set, pair_sets)
        fallback = ""
        if len(chains) < len(pair_sets.outer.parents):
            place = CountsPlace(direction, family, pair_sets.outer_side, NO_CLASS)
            fallback = self._count_at(place, PairSet(NO_CLASS, ()), pair_sets)
        ways = [chains.get(class_number, fallback) for class_number in pair_sets.outer.classes]
        self._add_rule(direction, step.family_is(family), self._lead(family, pair_sets, ways))

    def _count_at(self, place: CountsPlace, pair_set: PairSet, pair_sets: PairSets) -> str:
        """Make the chain that counts for one outer class, and give its name."""
        chain = chain_name(place)
        self.chains.append(Change(Verb.NEW_CHAIN, self._table + text(3, chain)))
        offset = _ADDRESS_OFFSETS[place.family][1 - place.outer_side]

        def name(length: int) -> str:
            return counts_name(self._generation, place, length)

        for steps in count_by_inner_class(self.sets, name, pair_sets.inner, pair_set.inner_classes, offset):
            self._add_rule(chain, steps)
        return chain

    def _lead(self, family: int, pair_sets: PairSets, ways: list[str]) -> bytes:
        """Give the steps that lead a packet to the chain of its outer class; ``ways`` are the chains of the outer intervals."""
        if len(ways) == 1:
            return step.jump(ways[0])
        octets = ADDRESS_BITS[family] // 8
        elements = [jump_element(start.to_bytes(octets, "big"), way) for start, way in zip(pair_sets.outer.starts, ways, strict=True)]
        set_id = self.sets.add_jumps(family, elements)
        offset = _ADDRESS_OFFSETS[family][pair_sets.outer_side]
        return step.take_address(offset, address_mask(family, ADDRESS_BITS[family])) + step.jump_by(JUMP_MAP, set_id)

    def _add_rule(self, chain: str, *steps: bytes) -> None:
        user_data = attribute(7, rule_user_data(self._generation))
        self.rules.append(Change(Verb.NEW_RULE, self._table + text(2, chain) + nested(4, *steps) + user_data))
