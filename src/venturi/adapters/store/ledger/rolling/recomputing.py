"""Sums of entries, recomputed by the definition of roll-ups: what proves them and makes them anew.

Owns which entries belong to a span of time, and that finding them costs no more than what lies in it.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, Table, exists, func, select

from venturi.adapters.store.ledger.corrected import COUNT_NAMES
from venturi.adapters.store.ledger.held import Decision
from venturi.adapters.store.ledger.rolling.entries import PROJECT_COUNTS, USAGE_COUNTS
from venturi.adapters.store.ledger.versions import read_owners
from venturi.adapters.store.schema.ledger_tables import (
    LEDGER_CORRECTIONS,
    LEDGER_GENERATIONS,
    LEDGER_HELD,
    LEDGER_INTERVALS,
    LEDGER_LONG_INTERVALS,
    LEDGER_POINT_VERSIONS,
    LEDGER_PROJECT_USAGE,
    LEDGER_TOTALS,
    LEDGER_USAGE,
)
from venturi.core.domain.coverage import Coverage
from venturi.core.ledger.bins import JITTER, Part, cut
from venturi.core.ledger.roll_ups import Owner, OwnerCounts, PointCounts, RollUps, Told, held_coverage

ENDLESS = 1 << 62
"""A time after all others."""

_ROWS_AT_ONCE = 40_000
_FEW_BETWEEN = 16
_INTERVALS = LEDGER_INTERVALS.c
_LONG = LEDGER_LONG_INTERVALS.c
_METERED = (
    select(LEDGER_INTERVALS, LEDGER_GENERATIONS.c.segments, LEDGER_GENERATIONS.c.parted)
    .join(LEDGER_GENERATIONS, LEDGER_GENERATIONS.c.id == LEDGER_INTERVALS.c.generation)
    .join(LEDGER_POINT_VERSIONS, LEDGER_POINT_VERSIONS.c.id == LEDGER_INTERVALS.c.point_version)
    .where(~LEDGER_POINT_VERSIONS.c.held, ~exists().where(_LONG.posting == _INTERVALS.posting, _LONG.ordinal == _INTERVALS.ordinal))
)
"""The intervals that are in roll-ups."""
Span = tuple[int, int]
Corrections = Mapping[tuple[int, int], Mapping[str, int]]
_NOTHING: tuple[int, list[Part], bool] = (0, [], False)
_NOBODY = Owner(0, shared=False)


def _shown_as_held(rolled: int) -> Select[Any]:
    """Give the intervals whose time is a gap, since they are held as of a posting."""
    later = LEDGER_HELD.alias("later")
    decided = exists().where(
        later.c.held_posting == LEDGER_HELD.c.held_posting,
        later.c.held_ordinal == LEDGER_HELD.c.held_ordinal,
        later.c.decision != Decision.HELD.value,
        later.c.posting <= rolled,
    )
    same = (LEDGER_HELD.c.held_posting == _INTERVALS.posting) & (LEDGER_HELD.c.held_ordinal == _INTERVALS.ordinal)
    shown = select(LEDGER_INTERVALS, LEDGER_HELD.c.gap_version).join(LEDGER_HELD, same)
    held = LEDGER_HELD.c.decision == Decision.HELD.value, LEDGER_HELD.c.gap_version != 0, LEDGER_HELD.c.posting <= rolled
    return shown.where(*held, ~decided)


class RecomputedSums:
    """The entries up to the watermark, as they are summed anew."""

    def __init__(self, connection: Connection, rolled: int) -> None:
        self._connection = connection
        self._rolled = rolled
        longest = _METERED.with_only_columns(func.max(_INTERVALS.end_at - _INTERVALS.start_at))
        self._longest = int(connection.execute(longest).scalar() or 0)
        self._owners = read_owners(connection)

    def sum(self, span: Span) -> RollUps:
        """Sum what entries add to the bins of a span."""
        sums = RollUps()
        start, end = span
        # Intervals are sought by their ends, which an index has, so no span costs more than what lies in it.
        within = (
            _INTERVALS.end_at >= start - JITTER,
            _INTERVALS.end_at <= end + JITTER + self._longest,
            _INTERVALS.start_at <= end + JITTER,
        )
        for row in self._connection.execute(_shown_as_held(self._rolled).where(*within)):
            parts = [part for part in cut(row.start_at, row.end_at) if start <= part.bin_start < end]
            sums.add_coverage(parts, held_coverage(row.gap_version, row.place))
        metered: dict[tuple[int, int], tuple[int, list[Part], bool]] = {}
        for row in self._connection.execute(_METERED.where(*within, _INTERVALS.posting <= self._rolled)):
            parts = [part for part in cut(row.start_at, row.end_at) if start <= part.bin_start < end]
            if parts:
                metered[row.posting, row.ordinal] = row.point_version, parts, bool(row.parted)
            sums.add_coverage(parts, Told(row.point_version, row.place, Coverage(row.coverage), row.reason, row.segments, row.overlapping))
        for postings in _runs(sorted({posting for posting, _ in metered})):
            self._add_entries(sums, metered, postings)
        return sums

    def _add_entries(self, sums: RollUps, metered: Mapping[tuple[int, int], tuple[int, list[Part], bool]], postings: Span) -> None:
        """Add the entries of some postings; ``metered`` has point, parts and whether an interval is parted by its posting and ordinal."""
        corrections = _read_corrections(self._connection, postings, self._rolled)
        for row in _entries_of(self._connection, LEDGER_USAGE, postings):
            point, parts, parted = metered.get((row.posting, row.interval_ordinal), _NOTHING)
            packets, octets = _corrected(row, (row.packets, row.octets), corrections, USAGE_COUNTS)
            sums.add_usage(parts, point, [(row.label_version, row.direction, packets, octets)])
            owner = self._owners.get(row.label_version, _NOBODY)
            if parts and (owner.shared or not parted):
                counts = OwnerCounts(packets, octets, unparted_packets=packets, unparted_octets=octets)
                sums.add_usage_of_owner(parts, point, owner.number, row.direction, counts)
        for row in _entries_of(self._connection, LEDGER_PROJECT_USAGE, postings):
            point, parts, _ = metered.get((row.posting, row.interval_ordinal), _NOTHING)
            used = OwnerCounts(*_corrected(row, tuple(row)[-len(PROJECT_COUNTS) :], corrections, PROJECT_COUNTS))
            sums.add_usage_of_owner(parts, point, row.owner, row.direction, used)
        for row in _entries_of(self._connection, LEDGER_TOTALS, postings):
            point, parts, _ = metered.get((row.posting, row.interval_ordinal), _NOTHING)
            counts_of_point = _corrected(row, tuple(row)[-len(PointCounts._fields) :], corrections, PointCounts._fields)
            sums.add_totals(parts, point, row.direction, PointCounts(*counts_of_point))


def _runs(postings: Sequence[int]) -> Iterator[Span]:
    """Give the first and last of those that stand side by side, few others between them."""
    place = 0
    while place < len(postings):
        end = place
        while end + 1 < len(postings) and postings[end + 1] - postings[end] <= _FEW_BETWEEN:
            end += 1
        yield postings[place], postings[end]
        place = end + 1


def _entries_of(connection: Connection, table: Table, postings: Span) -> Iterator[Row[Any]]:
    first, last = postings
    statement = select(table).where(table.c.posting >= first, table.c.posting <= last)
    with connection.execute(statement.execution_options(yield_per=_ROWS_AT_ONCE)) as rows:
        yield from rows


def _corrected(row: Row[Any], counts: tuple[int, ...], corrections: Corrections, names: Sequence[str]) -> tuple[int, ...]:
    added = corrections.get((row.posting, row.ordinal))
    return counts if added is None else tuple(count + added[name] for count, name in zip(counts, names, strict=True))


def _read_corrections(connection: Connection, postings: Span, rolled: int) -> Corrections:
    columns = LEDGER_CORRECTIONS.c
    key = columns.corrected_posting, columns.corrected_ordinal
    statement = select(*key, *(func.sum(columns[name]) for name in COUNT_NAMES)).group_by(*key)
    wanted = statement.where(columns.corrected_posting.between(*postings), columns.posting <= rolled)
    return {(row[0], row[1]): dict(zip(COUNT_NAMES, map(int, row[2:]), strict=True)) for row in connection.execute(wanted)}
