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

TABLES = tuple(f"{way}_ipv{family}_{side}" for way in ("in", "out") for family in (4, 6) for side in ("from", "to"))
"""The maps that hold search tables: those of sources and of destinations of each set, in the order of ``PAIR_SETS``."""


class PairSet(NamedTuple):
    """Where the class pairs of one set are counted: at ``base + source class * columns + destination class``, or hashed."""

    rows: int
    columns: int
    base: int
    hashed: bool


class GenerationLayout(NamedTuple):
    """All that the programs of a generation are made by: ``tables`` in the order of ``TABLES``, ``sets`` in that of ``PAIR_SETS``."""

    tables: Sequence[SearchTable]
    sets: Sequence[PairSet]


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
        rows, columns = shapes[number]
        hashed = base + rows * columns > array_pairs
        sets[number] = PairSet(rows, columns, 0 if hashed else base, hashed)
        base += 0 if hashed else rows * columns
    return [sets[number] for number in range(len(shapes))]


def count_places(sets: Sequence[PairSet]) -> int:
    """Give the number of class pairs that have a place of their own."""
    return sum(entry.rows * entry.columns for entry in sets if not entry.hashed)


def sizes_of(layout: GenerationLayout, hashed_pairs: int) -> ProgramSizes:
    """Give the sizes of a generation's maps."""
    hashing = any(entry.hashed for entry in layout.sets)
    return ProgramSizes(
        value_octets={name: len(table.content) for name, table in zip(TABLES, layout.tables, strict=True)},
        entries={COUNTERS: max(1, count_places(layout.sets)), HASHED_PAIRS: hashed_pairs if hashing else 1},
    )


def root_constants(device: int) -> bytes:
    """Spell the constants of the program that stays attached; it needs the ifIndex alone."""
    return struct.pack("=34I", device, *[0] * 33)


def leaf_constants(device: int, segments: Segments, layout: GenerationLayout) -> bytes:
    """Spell the constants of a generation's program."""
    words = [device, int(segments is Segments.MERGED)]
    for number, placed in enumerate(layout.sets):
        sources, destinations = layout.tables[2 * number : 2 * number + 2]
        words += [
            sources.depth,
            destinations.depth,
            placed.base,
            placed.columns,
            int(placed.hashed),
            int(sources.narrow),
            int(destinations.narrow),
            0,
        ]
    return struct.pack("=34I", *words)
