"""The layout of a table: chains at the hooks, and from there to the sets that count.

Owns which chains and rules there are, and the two transactions that bring a generation into force. A table belongs to one metered device
and outlives generations. The first transaction makes sets, maps and chains of the new generation, which no packet reaches; the second
one puts its jumps at the hooks in place of the old generation's, so that each packet meets the rules of just one. Sets of intervals miss
what they hold while the transaction that makes them commits (docs/decisions/nftables-transactions.md), so none is searched before that
has ended. The sets in which the old one counted stay until it is retired.

A packet goes from the hook to the chain of its direction, from there by its class on one side to a chain of that class, and there into the
set whose element for its class on the other side counts it.
"""

from collections.abc import Iterator
from typing import NamedTuple

from venturi.adapters.drivers.nftables import expressions as step
from venturi.adapters.drivers.nftables.counting import address_mask, count_by_inner_class
from venturi.adapters.drivers.nftables.elements import interval_end, jump_element
from venturi.adapters.drivers.nftables.identity import (
    NO_CLASS,
    CountsPlace,
    KeptGeneration,
    chain_name,
    counts_name,
    direction_chain,
    jumps_name,
    marker_name,
    marker_user_data,
    rule_user_data,
    table_user_data,
)
from venturi.adapters.drivers.nftables.netlink import Change, Verb, attribute, nested, number, text
from venturi.adapters.drivers.nftables.pair_sets import PairSet, PairSets, choose_pair_sets
from venturi.adapters.drivers.nftables.set_changes import SetChanges
from venturi.core.classify.compiler import CompiledClassifier
from venturi.core.domain.direction import Direction
from venturi.core.domain.generation import Generation, MeteredDevice
from venturi.core.domain.point import PointTraffic
from venturi.core.domain.prefix import ADDRESS_BITS

_PRIORITY = 200
"""After filtering and after firewalld: what is dropped there is not counted."""

_ACCEPT = 1
_AWAKE = 0
"""The flags of a table that nobody has switched off."""

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


class GenerationChanges(NamedTuple):
    """The transactions that bring a generation into force: what no packet reaches yet, and then the switch."""

    preparation: list[Change]
    switch: list[Change]


def generation_changes(
    table: str, metered: MeteredDevice, classifier: CompiledClassifier, generation: Generation, device_index: int
) -> GenerationChanges:
    """Make the table where it is not there, with all that a generation needs, and then send the packets of the device there.

    The generation is there, for whoever looks, from the switch on.
    """
    layout = _GenerationLayout(table, generation)
    for direction in _DIRECTIONS:
        layout.begin(direction)
        for family in ADDRESS_BITS:
            layout.count(direction, family, choose_pair_sets(classifier.compiled(direction, family)))
    preparation = [*_table_changes(table, metered), *layout.chains, *layout.sets.changes, *layout.rules]
    jumps = layout.jumps_from_hooks(metered)
    kept = KeptGeneration(generation, device_index, len(layout.rules) + len(jumps))
    marker = SetChanges(table)
    marker.add_marker(marker_name(generation), marker_user_data(kept))
    return GenerationChanges(preparation, [*stop_changes(table, metered), *jumps, *marker.changes])


def stop_changes(table: str, metered: MeteredDevice) -> list[Change]:
    """Send no more packets of the device to any generation."""
    return [Change(Verb.DELETE_RULE, text(1, table) + text(2, chain)) for chain in hook_chains(metered)]


def hook_chains(metered: MeteredDevice) -> list[str]:
    """Name the chains at the hooks."""
    return [hook.chain for hook in _HOOKS[metered.traffic]]


def _table_changes(table: str, metered: MeteredDevice) -> Iterator[Change]:
    yield Change(Verb.NEW_TABLE, text(1, table) + number(2, _AWAKE) + attribute(6, table_user_data(metered)))
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

    def jumps_from_hooks(self, metered: MeteredDevice) -> list[Change]:
        """Send the packets of the device from the hooks to the chains of their directions."""
        return [
            self._rule(hook.chain, step.device_is(_DEVICE_KEYS[direction], metered.device), step.jump(self._first_chain(direction)))
            for hook in _HOOKS[metered.traffic]
            for direction in hook.directions
        ]

    def begin(self, direction: Direction) -> None:
        """Make the chain to which packets of a direction come first."""
        self._add_chain(self._first_chain(direction))

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
        self._add_rule(self._first_chain(direction), step.family_is(family), self._lead(direction, family, pair_sets, ways))

    def _count_at(self, place: CountsPlace, pair_set: PairSet, pair_sets: PairSets) -> str:
        """Make the chain that counts for one outer class, and give its name."""
        chain = chain_name(self._generation, place)
        self._add_chain(chain)
        offset = _ADDRESS_OFFSETS[place.family][1 - place.outer_side]

        def name(length: int) -> str:
            return counts_name(self._generation, place, length)

        for steps in count_by_inner_class(self.sets, name, pair_sets.inner, pair_set.inner_classes, offset):
            self._add_rule(chain, steps)
        return chain

    def _lead(self, direction: Direction, family: int, pair_sets: PairSets, ways: list[str]) -> bytes:
        """Give the steps that lead a packet to the chain of its outer class; ``ways`` are the chains of the outer intervals."""
        if len(ways) == 1:
            return step.jump(ways[0])
        octets = ADDRESS_BITS[family] // 8
        starts = [start.to_bytes(octets, "big") for start in pair_sets.outer.starts]
        elements = [jump_element(starts[0], ways[0])]
        for start, way in zip(starts[1:], ways[1:], strict=True):
            elements += [interval_end(start), jump_element(start, way)]
        name = jumps_name(self._generation, direction, family)
        set_id = self.sets.add_jumps(name, family, elements)
        offset = _ADDRESS_OFFSETS[family][pair_sets.outer_side]
        return step.take_address(offset, address_mask(family, ADDRESS_BITS[family])) + step.jump_by(name, set_id)

    def _first_chain(self, direction: Direction) -> str:
        return direction_chain(self._generation, direction)

    def _add_chain(self, name: str) -> None:
        self.chains.append(Change(Verb.NEW_CHAIN, self._table + text(3, name)))

    def _add_rule(self, chain: str, *steps: bytes) -> None:
        self.rules.append(self._rule(chain, *steps))

    def _rule(self, chain: str, *steps: bytes) -> Change:
        user_data = attribute(7, rule_user_data(self._generation))
        return Change(Verb.NEW_RULE, self._table + text(2, chain) + nested(4, *steps) + user_data)
