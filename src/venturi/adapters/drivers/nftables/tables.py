"""The driver's tables as they are in one namespace: which generations they hold, which one counts, and what was counted.

Owns reading them back out of the kernel; nothing is remembered from one reading to the next.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from venturi.adapters.drivers.nftables.elements import CountedClass, read_elements
from venturi.adapters.drivers.nftables.identity import (
    NO_CLASS,
    CountsPlace,
    KeptGeneration,
    marker_name,
    read_counts_name,
    read_generation,
    read_metered,
    read_rule,
)
from venturi.adapters.drivers.nftables.netlink import Connection, Verb, read_attributes, read_text, text
from venturi.adapters.drivers.protocol import Reading
from venturi.core.classify.pair_totals import ClassPair, pair_totals_of
from venturi.core.domain.counts import Counts
from venturi.core.domain.direction import Direction
from venturi.core.domain.generation import Generation, MeteredDevice, Segments

_NAME, _TABLE_USER_DATA = 1, 6
_SET_NAME, _SET_USER_DATA = 2, 13
_RULE_USER_DATA = 7
_ELEMENTS = 3
_NOTHING = memoryview(b"")


@dataclass(frozen=True)
class FoundTable:
    """A table of a metered device: the generations in it, the names of its sets, and the id of the generation whose rules are all there.

    ``current`` is "" where none is whole.
    """

    name: str
    metered: MeteredDevice
    generations: tuple[KeptGeneration, ...]
    set_names: tuple[str, ...]
    current: str

    def kept(self, generation: Generation) -> KeptGeneration | None:
        """Give what is kept of a generation, None where it is not in the table."""
        return next((kept for kept in self.generations if kept.generation.id == generation.id), None)

    def sets_of(self, generation: Generation) -> list[str]:
        """List the sets of a generation."""
        return [name for name in self.set_names if name == marker_name(generation) or read_counts_name(name, generation) is not None]


def list_tables(connection: Connection, namespace: str | None, prefix: str) -> dict[str, MeteredDevice]:
    """Give what is metered by each table whose name begins with ``prefix`` and whose comment says so."""
    tables = {}
    for message in connection.dump(Verb.GET_TABLE):
        attributes = dict(read_attributes(message))
        name, metered = read_text(attributes[_NAME]), read_metered(attributes.get(_TABLE_USER_DATA, _NOTHING), namespace)
        if name.startswith(f"{prefix}_") and metered is not None:
            tables[name] = metered
    return tables


def read_table(connection: Connection, name: str, metered: MeteredDevice) -> FoundTable:
    """Read which generations a table holds, and which one counts."""
    sets = {}
    for message in connection.dump(Verb.GET_SET, text(1, name)):
        attributes = dict(read_attributes(message))
        sets[read_text(attributes[_SET_NAME])] = attributes.get(_SET_USER_DATA, _NOTHING)
    generations = [kept for set_name, user_data in sets.items() if (kept := read_generation(set_name, user_data)) is not None]
    rules = Counter(_rule_generation(message) for message in connection.dump(Verb.GET_RULE, text(1, name)))
    current = next((kept.generation.id for kept in generations if rules == {kept.generation.id: kept.rules}), "")
    return FoundTable(name, metered, tuple(generations), tuple(sets), current)


def read_reading(connection: Connection, table: FoundTable, generation: Generation) -> Reading:
    """Read what the sets of a generation have counted."""
    pairs, unattributed = defaultdict[ClassPair, Counts](Counts), defaultdict[Direction, Counts](Counts)
    for name in table.set_names:
        place = read_counts_name(name, generation)
        if place is not None:
            for counted in _read_counts(connection, table.name, name):
                if place.outer_class == NO_CLASS:
                    unattributed[place.direction] += counted.counts
                else:
                    pairs[_pair_of(place, counted.class_number)] += counted.counts
    return Reading(generation, pair_totals_of(pairs), dict(unattributed), Segments.MERGED)


def _read_counts(connection: Connection, table: str, name: str) -> Iterator[CountedClass]:
    """Give what the elements of a set counted, where that is something."""
    for message in connection.dump(Verb.GET_ELEMENTS, text(1, table) + text(2, name)):
        for kind, elements in read_attributes(message):
            if kind == _ELEMENTS:
                yield from read_elements(elements)


def _pair_of(place: CountsPlace, inner_class: int) -> ClassPair:
    classes = (place.outer_class, inner_class) if place.outer_side == 0 else (inner_class, place.outer_class)
    return ClassPair(place.direction.code, place.family, *classes)


def _rule_generation(message: memoryview) -> str:
    return read_rule(dict(read_attributes(message)).get(_RULE_USER_DATA, _NOTHING))
