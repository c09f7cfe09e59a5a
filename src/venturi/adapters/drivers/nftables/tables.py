"""The driver's tables as they are in one namespace: which generations they hold, which one counts, and what was counted.

Owns reading them back out of the kernel; nothing is remembered from one reading to the next.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from venturi.adapters.drivers.nftables.elements import CountedClass, read_elements, without_counts
from venturi.adapters.drivers.nftables.identity import (
    NO_CLASS,
    CountsPlace,
    KeptGeneration,
    fingerprint_name,
    owner_of,
    read_counts_name,
    read_fingerprint,
    read_generation,
    read_metered,
    read_rule,
)
from venturi.adapters.drivers.nftables.layout import hook_chains
from venturi.adapters.drivers.nftables.netlink import Connection, Verb, read_attributes, read_text, text
from venturi.adapters.drivers.protocol import Reading
from venturi.core.classify.pair_totals import ClassPair, pair_totals_of
from venturi.core.domain.counts import Counts
from venturi.core.domain.direction import Direction
from venturi.core.domain.generation import Generation, MeteredDevice, Segments

_NAME, _TABLE_FLAGS, _TABLE_HANDLE, _TABLE_USER_DATA = 1, 2, 4, 6
_SET_NAME, _SET_USER_DATA, _SET_HANDLE = 2, 13, 16
_CHAIN_TABLE, _CHAIN_HANDLE, _CHAIN_NAME, _CHAIN_HOOK = 1, 2, 3, 4
_RULE_CHAIN, _RULE_HANDLE, _RULE_EXPRESSIONS, _RULE_USER_DATA = 2, 3, 4, 7
_ELEMENTS = 3
_DORMANT = b"\1"
_NOTHING = memoryview(b"")

_Attributes = Mapping[int, memoryview]


class ListedTable(NamedTuple):
    """What a table is for, with its own attributes."""

    metered: MeteredDevice
    attributes: _Attributes


@dataclass(frozen=True)
class FoundTable:
    """A table of a metered device: the generations in it, and the id of the one that packets reach and whose rules are all there.

    ``current`` is "" where none is whole. ``sets``, ``chains`` and ``rules`` are as the kernel describes them, sets and chains by name.
    """

    name: str
    listed: ListedTable
    generations: tuple[KeptGeneration, ...]
    current: str
    sets: Mapping[str, _Attributes]
    chains: Mapping[str, _Attributes]
    rules: tuple[_Attributes, ...]

    @property
    def metered(self) -> MeteredDevice:
        """The device that the table is for."""
        return self.listed.metered

    def kept(self, generation: Generation) -> KeptGeneration | None:
        """Give what is kept of a generation, None where it is not in the table."""
        return next((kept for kept in self.generations if kept.generation.id == generation.id), None)

    def sets_of(self, generation_id: str) -> list[str]:
        """List the sets and maps of a generation."""
        return [name for name in self.sets if owner_of(name) == generation_id]

    def chains_of(self, generation_id: str) -> list[str]:
        """List the chains to which packets come by a generation from the hooks, each before those to which it leads.

        At first all generations had the same chains: they are of the one whose rules are in them.
        """
        common = {name for name in self.chains if not owner_of(name)} - set(hook_chains(self.metered))
        theirs = {_rule_owner(rule) for rule in self.rules if _rule_chain(rule) in common}
        chains = [name for name in self.chains if owner_of(name) == generation_id or (name in common and generation_id in theirs)]
        return sorted(chains, key=lambda name: name.count("_"))

    def left_behind(self) -> set[str]:
        """Give the ids of generations that were prepared and never switched on."""
        known = {kept.generation.id for kept in self.generations}
        return {owner_of(name) for name in (*self.sets, *self.chains)} - known - {""}

    def fingerprint_of(self, generation: Generation) -> str:
        """Give the fingerprint that was taken of a generation when it was made, "" where none was."""
        return read_fingerprint(self.sets.get(fingerprint_name(generation), {}).get(_SET_USER_DATA, _NOTHING))


def list_tables(connection: Connection, namespace: str | None, prefix: str) -> dict[str, ListedTable]:
    """Give what is metered by each table whose name begins with ``prefix`` and whose comment says so."""
    tables = {}
    for message in connection.dump(Verb.GET_TABLE):
        attributes = dict(read_attributes(message))
        name, metered = read_text(attributes[_NAME]), read_metered(attributes.get(_TABLE_USER_DATA, _NOTHING), namespace)
        if name.startswith(f"{prefix}_") and metered is not None:
            tables[name] = ListedTable(metered, attributes)
    return tables


def read_table(connection: Connection, name: str, listed: ListedTable) -> FoundTable:
    """Read which generations a table holds, and which one counts."""
    sets = {read_text(each[_SET_NAME]): each for each in _dump(connection, Verb.GET_SET, name)}
    chains = {read_text(each[_CHAIN_NAME]): each for each in _dump(connection, Verb.GET_CHAIN, name)}
    rules = tuple(_dump(connection, Verb.GET_RULE, name))
    generations = [kept for each, found in sets.items() if (kept := read_generation(each, found.get(_SET_USER_DATA, _NOTHING))) is not None]
    current = _find_current(listed, generations, rules)
    return FoundTable(name, listed, tuple(generations), current, sets, chains, rules)


def take_fingerprint(connection: Connection, table: FoundTable, generation: Generation) -> str:
    """Digest all by which packets come to the counters of a generation, but not the counts.

    The kernel's handles are part of it, which are given to nothing twice: what was removed and put back is not what it was.
    """
    digest = hashlib.blake2s()

    def add(*parts: bytes | memoryview) -> None:
        for part in parts:
            digest.update(len(part).to_bytes(4, "big"))
            digest.update(part)

    def add_attributes(attributes: _Attributes, *kinds: int) -> None:
        add(*(attributes.get(kind, _NOTHING) for kind in kinds))

    chains = {*hook_chains(table.metered), *table.chains_of(generation.id)}
    add_attributes(table.listed.attributes, _TABLE_HANDLE, _TABLE_FLAGS)
    for chain in sorted(chains):
        add(chain.encode())
        add_attributes(table.chains.get(chain, {}), _CHAIN_HANDLE, _CHAIN_HOOK)
    for rule in table.rules:
        if _rule_chain(rule) in chains:
            add_attributes(rule, _RULE_CHAIN, _RULE_HANDLE, _RULE_EXPRESSIONS)
    for name in sorted(set(table.sets_of(generation.id)) - {fingerprint_name(generation)}):
        add_attributes(table.sets[name], _SET_NAME, _SET_HANDLE)
        for elements in _dump_elements(connection, table.name, name):
            add(without_counts(elements))
    return digest.hexdigest()


def read_reading(connection: Connection, table: FoundTable, generation: Generation) -> Reading:
    """Read what the sets of a generation have counted."""
    pairs, unattributed = defaultdict[ClassPair, Counts](Counts), defaultdict[Direction, Counts](Counts)
    for name in table.sets:
        place = read_counts_name(name, generation)
        if place is not None:
            for counted in _read_counts(connection, table.name, name):
                if place.outer_class == NO_CLASS:
                    unattributed[place.direction] += counted.counts
                else:
                    pairs[_pair_of(place, counted.class_number)] += counted.counts
    return Reading(generation, pair_totals_of(pairs), dict(unattributed), Segments.MERGED)


def _dump(connection: Connection, verb: Verb, table: str) -> Iterator[_Attributes]:
    """Give the attributes of each message about a table; of chains, the kernel gives those of all tables."""
    for message in connection.dump(verb, text(1, table)):
        attributes = dict(read_attributes(message))
        if read_text(attributes[_NAME]) == table:
            yield attributes


def _find_current(listed: ListedTable, generations: list[KeptGeneration], rules: tuple[_Attributes, ...]) -> str:
    """Give the id of the generation that has all of its rules, those at the hooks too, which only one can have.

    "" where there is none, where rules of others are among them, and where the table is switched off.
    """
    asleep = bytes(listed.attributes.get(_TABLE_FLAGS, _NOTHING)).endswith(_DORMANT)
    placed = [(_rule_chain(rule), _rule_owner(rule)) for rule in rules]
    hooks = set(hook_chains(listed.metered))
    current = next((owner for chain, owner in placed if chain in hooks), "")
    passed = hooks | {chain for chain, owner in placed if current in {owner, owner_of(chain)}}
    owners = Counter(owner for chain, owner in placed if chain in passed)
    whole = any(owners == {current: kept.rules} for kept in generations if kept.generation.id == current)
    return current if whole and not asleep else ""


def _dump_elements(connection: Connection, table: str, name: str) -> Iterator[memoryview]:
    for message in connection.dump(Verb.GET_ELEMENTS, text(1, table) + text(2, name)):
        for kind, elements in read_attributes(message):
            if kind == _ELEMENTS:
                yield elements


def _read_counts(connection: Connection, table: str, name: str) -> Iterator[CountedClass]:
    """Give what the elements of a set counted, where that is something."""
    for elements in _dump_elements(connection, table, name):
        yield from read_elements(elements)


def _pair_of(place: CountsPlace, inner_class: int) -> ClassPair:
    classes = (place.outer_class, inner_class) if place.outer_side == 0 else (inner_class, place.outer_class)
    return ClassPair(place.direction.code, place.family, *classes)


def _rule_owner(rule: _Attributes) -> str:
    return read_rule(rule.get(_RULE_USER_DATA, _NOTHING))


def _rule_chain(rule: _Attributes) -> str:
    return read_text(rule[_RULE_CHAIN])
