"""The layout of a generation: its tables, where its class pairs are counted, and the constants that tell the programs so.

Owns the order of the sets and of the constants (``bpf/generation.h``).
"""

import struct
from collections.abc import Sequence
from typing import NamedTuple

from venturi.adapters.drivers.ebpf.bpf.program import ProgramSizes
from venturi.adapters.drivers.ebpf.tables import SearchTable, lay_out
from venturi.core.classify.compiler import CompiledClassifier
from venturi.core.domain.direction import Direction
from venturi.core.domain.generation import Segments

PAIR_SETS = tuple((direction, family) for direction in (Direction.INGRESS, Direction.EGRESS) for family in (4, 6))
"""Direction and family of each set of class pairs, by number."""

COUNTERS, HASHED_PAIRS, UNATTRIBUTED = "counters", "hashed_pairs", "unattributed"
"""The maps that hold counts."""

BAD_IP_HEADERS = "bad_ip_headers"
"""The map that holds what does not count, by direction; at netfilter there is none, as the kernel drops such packets before."""

TABLES = tuple(f"{way}_ipv{family}_{side}" for way in ("in", "out") for family in (4, 6) for side in ("from", "to"))
"""The maps that hold search tables: those of sources and of destinations of each set, in the order of ``PAIR_SETS``."""

_CONSTANT_WORDS = 6 + 4 * (2 * 10 + 4)
_LINE_PLACES = 4
_PLACE_OCTETS = 16


class PairSet(NamedTuple):
    """Where the class pairs of one set of ``sources`` times ``destinations`` classes are counted: from ``base`` on, or hashed.

    The side with more classes is the inner one, so that the places of what is busy lie close together.
    """

    sources: int
    destinations: int
    base: int
    hashed: bool

    @property
    def size(self) -> int:
        """The number of class pairs."""
        return self.sources * self.destinations

    @property
    def strides(self) -> tuple[int, int]:
        """How far the next source class and the next destination class are."""
        return (1, self.sources) if self.sources >= self.destinations else (self.destinations, 1)


class GenerationLayout(NamedTuple):
    """All that the programs of a generation are made by: ``tables`` in the order of ``TABLES``, ``sets`` in that of ``PAIR_SETS``."""

    tables: Sequence[SearchTable]
    sets: Sequence[PairSet]


class LeafMetering(NamedTuple):
    """What a generation's program is told beside its classes.

    It counts at the ``device`` of an ifIndex, super-packets as ``segments`` says; ``interruptible`` is whether another packet may be
    counted on the same CPU while one is.
    """

    device: int
    segments: Segments
    interruptible: bool


def plan_layout(classifier: CompiledClassifier, array_pairs: int) -> GenerationLayout:
    """Lay a classifier out, with up to ``array_pairs`` class pairs in places of their own."""
    compiled = [classifier.compiled(direction, family) for direction, family in PAIR_SETS]
    shapes = [tuple(len(side.networks) + 1 for side in entry.sides) for entry in compiled]
    tables = [lay_out(side) for entry in compiled for side in entry.sides]
    return GenerationLayout(tables, _place_sets(shapes, array_pairs))


def _place_sets(shapes: Sequence[tuple[int, ...]], array_pairs: int) -> list[PairSet]:
    """Give places to the smallest sets first."""
    sets: dict[int, PairSet] = {}
    base = 0
    for number in sorted(range(len(shapes)), key=lambda number: shapes[number][0] * shapes[number][1]):
        sources, destinations = shapes[number]
        hashed = base + sources * destinations > array_pairs
        sets[number] = PairSet(sources, destinations, 0 if hashed else base, hashed)
        base += 0 if hashed else sets[number].size
    return [sets[number] for number in range(len(shapes))]


def count_places(sets: Sequence[PairSet]) -> int:
    """Give the number of places for each CPU, in whole cache lines."""
    used = sum(entry.size for entry in sets if not entry.hashed)
    return -(-max(1, used) // _LINE_PLACES) * _LINE_PLACES


def sizes_of(layout: GenerationLayout, hashed_pairs: int, cpus: int) -> ProgramSizes:
    """Give the sizes of a generation's maps."""
    hashing = any(entry.hashed for entry in layout.sets)
    return ProgramSizes(
        value_octets={name: len(table.content) for name, table in zip(TABLES, layout.tables, strict=True)}
        | {COUNTERS: cpus * count_places(layout.sets) * _PLACE_OCTETS},
        entries={HASHED_PAIRS: hashed_pairs if hashing else 1},
    )


def root_constants(device: int) -> bytes:
    """Spell the constants of the program that stays attached; it needs the ifIndex alone."""
    return _spell([device])


def leaf_constants(metering: LeafMetering, layout: GenerationLayout, cpus: int) -> bytes:
    """Spell the constants of a generation's program."""
    places = count_places(layout.sets)
    merged = metering.segments is Segments.MERGED
    words = [metering.device, int(merged), places, cpus * places, int(metering.interruptible), 0]
    for number, placed in enumerate(layout.sets):
        for table in layout.tables[2 * number : 2 * number + 2]:
            words += [table.levels, table.inner_mask, table.leaf_mask, table.leaf_start, table.keys.form]
            words += [int(table.only_class is not None), table.only_class or 0, table.keys.shift, *_halves(table.keys.base)]
        words += [placed.base, *placed.strides, int(placed.hashed)]
    return _spell(words)


def _halves(word: int) -> tuple[int, ...]:
    """Cut a word of 64 bits in the order in which it lies in memory."""
    return struct.unpack("=2I", struct.pack("=Q", word))


def _spell(words: Sequence[int]) -> bytes:
    return struct.pack(f"={_CONSTANT_WORDS}I", *words, *[0] * (_CONSTANT_WORDS - len(words)))
