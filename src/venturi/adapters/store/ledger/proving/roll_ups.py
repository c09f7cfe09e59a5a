"""Proving roll-ups: recomputed from the entries with their corrections, some hours at a time, and compared row by row.

Entries of long intervals are in no roll-up; which intervals those are is proved too.

Owns which hours are taken together, so that memory stays bounded, and what of the entries belongs to them.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, Row, Table, exists, func, select

from venturi.adapters.store.ledger.corrected import COUNT_NAMES
from venturi.adapters.store.ledger.held import Decision
from venturi.adapters.store.ledger.long_intervals import prove_long_intervals
from venturi.adapters.store.ledger.versions import read_owners
from venturi.adapters.store.schema.ledger_tables import (
    LEDGER_CORRECTIONS,
    LEDGER_COVERAGE_BINS,
    LEDGER_GENERATIONS,
    LEDGER_HELD,
    LEDGER_INTERVALS,
    LEDGER_LABEL_BINS,
    LEDGER_LONG_INTERVALS,
    LEDGER_OWNER_BINS,
    LEDGER_POINT_BINS,
    LEDGER_POINT_VERSIONS,
    LEDGER_TOTALS,
    LEDGER_USAGE,
)
from venturi.core.domain.coverage import Coverage
from venturi.core.domain.errors import LedgerError
from venturi.core.domain.interval import SECOND, format_time
from venturi.core.domain.progress import Progress
from venturi.core.ledger.bins import HOUR, JITTER, Part, cut
from venturi.core.ledger.roll_ups import PointCounts, RollUps, Told, held_coverage, roll_up, sum_owners

_ROWS_AT_ONCE = 40_000
_ENDLESS = 1 << 62
_INTERVALS = LEDGER_INTERVALS.c
_LONG = LEDGER_LONG_INTERVALS.c
_METERED = (
    select(LEDGER_INTERVALS, LEDGER_GENERATIONS.c.segments)
    .join(LEDGER_GENERATIONS, LEDGER_GENERATIONS.c.id == LEDGER_INTERVALS.c.generation)
    .join(LEDGER_POINT_VERSIONS, LEDGER_POINT_VERSIONS.c.id == LEDGER_INTERVALS.c.point_version)
    .where(~LEDGER_POINT_VERSIONS.c.held, ~exists().where(_LONG.posting == _INTERVALS.posting, _LONG.ordinal == _INTERVALS.ordinal))
)
"""The intervals that are in roll-ups."""
_LATER = LEDGER_HELD.alias("later")
_SHOWN_AS_HELD = (
    select(LEDGER_INTERVALS, LEDGER_HELD.c.gap_version)
    .join(LEDGER_HELD, (LEDGER_HELD.c.held_posting == _INTERVALS.posting) & (LEDGER_HELD.c.held_ordinal == _INTERVALS.ordinal))
    .where(LEDGER_HELD.c.decision == Decision.HELD.value, LEDGER_HELD.c.gap_version != 0)
    .where(
        ~exists().where(
            _LATER.c.held_posting == LEDGER_HELD.c.held_posting,
            _LATER.c.held_ordinal == LEDGER_HELD.c.held_ordinal,
            _LATER.c.decision != Decision.HELD.value,
        )
    )
)
"""The intervals whose time is a gap, since they are held."""
Span = tuple[int, int]
Corrections = Mapping[tuple[int, int], tuple[int, ...]]


def prove_roll_ups(connection: Connection, progress: Progress) -> int:
    """Raise ``LedgerError`` for the first row that is not the sum of its entries; give how many rows there are."""
    count = prove_long_intervals(connection)
    corrections, owners = _read_corrections(connection), read_owners(connection)
    spans = list(_spans(connection))
    progress.begin("proving roll-ups", len(spans))
    for number, span in enumerate(spans):
        progress.update(number)
        sums = _recompute(connection, span, corrections)
        for table, added in (
            (LEDGER_LABEL_BINS, roll_up(sums.labels)),
            (LEDGER_OWNER_BINS, roll_up(sum_owners(sums.labels, owners))),
            (LEDGER_POINT_BINS, roll_up(sums.points)),
            (LEDGER_COVERAGE_BINS, roll_up(sums.coverage, sums.coverage_of_hours)),
        ):
            count += _compare(table, _rows_of(connection, table, span), {row for rows in added for row in rows})
    return count


def _spans(connection: Connection) -> Iterator[Span]:
    """Give spans of whole hours that hold so many rows together; they leave out no time."""
    bins = LEDGER_LABEL_BINS.c
    hours = select(bins.start_at, func.count()).where(bins.resolution == HOUR // SECOND).group_by(bins.start_at).order_by(bins.start_at)
    start, held = -HOUR, 0
    for hour, count in connection.execute(hours).all():
        if held and held + count > _ROWS_AT_ONCE:
            yield start, hour
            start, held = hour, 0
        held += count
    yield start, _ENDLESS


def _recompute(connection: Connection, span: Span, corrections: Corrections) -> RollUps:
    sums = RollUps()
    start, end = span
    within_span = _INTERVALS.end_at >= start - JITTER, _INTERVALS.start_at <= end + JITTER
    for row in connection.execute(_SHOWN_AS_HELD.where(*within_span)):
        within = [part for part in cut(row.start_at, row.end_at) if start <= part.bin_start < end]
        sums.add_coverage(within, held_coverage(row.gap_version, row.place))
    metered: dict[tuple[int, int], tuple[int, list[Part]]] = {}
    for row in connection.execute(_METERED.where(*within_span)):
        within = [part for part in cut(row.start_at, row.end_at) if start <= part.bin_start < end]
        metered[row.posting, row.ordinal] = row.point_version, within
        sums.add_coverage(within, Told(row.point_version, row.place, Coverage(row.coverage), row.reason, row.segments, row.overlapping))
    if metered:
        postings = min(metered)[0], max(metered)[0]
        _add_usage(connection, sums, metered, postings, corrections)
        _add_totals(connection, sums, metered, postings, corrections)
    return sums


def _add_usage(
    connection: Connection, sums: RollUps, metered: Mapping[Span, tuple[int, list[Part]]], postings: Span, corrections: Corrections
) -> None:
    for row in _entries_of(connection, LEDGER_USAGE, postings):
        point, parts = metered.get((row.posting, row.interval_ordinal), (0, []))
        packets, octets = _corrected(row, (row.packets, row.octets), corrections)
        sums.add_usage(parts, point, [(row.label_version, row.direction, packets, octets)])


def _add_totals(
    connection: Connection, sums: RollUps, metered: Mapping[Span, tuple[int, list[Part]]], postings: Span, corrections: Corrections
) -> None:
    for row in _entries_of(connection, LEDGER_TOTALS, postings):
        point, parts = metered.get((row.posting, row.interval_ordinal), (0, []))
        counts = _corrected(row, tuple(row)[-len(COUNT_NAMES) :], corrections)
        sums.add_totals(parts, point, row.direction, PointCounts(*counts))


def _entries_of(connection: Connection, table: Table, postings: Span) -> Iterator[Row[Any]]:
    first, last = postings
    statement = select(table).where(table.c.posting >= first, table.c.posting <= last)
    with connection.execute(statement.execution_options(yield_per=_ROWS_AT_ONCE)) as rows:
        yield from rows


def _corrected(row: Row[Any], counts: tuple[int, ...], corrections: Corrections) -> tuple[int, ...]:
    added = corrections.get((row.posting, row.ordinal))
    return counts if added is None else tuple(one + other for one, other in zip(counts, added, strict=False))


def _read_corrections(connection: Connection) -> Corrections:
    columns = LEDGER_CORRECTIONS.c
    key = columns.corrected_posting, columns.corrected_ordinal
    statement = select(*key, *(func.sum(columns[name]) for name in COUNT_NAMES)).group_by(*key)
    return {(row[0], row[1]): tuple(map(int, row[2:])) for row in connection.execute(statement)}


def _rows_of(connection: Connection, table: Table, span: Span) -> set[tuple[Any, ...]]:
    wanted = select(table).where(table.c.start_at >= span[0], table.c.start_at < span[1])
    return {tuple(row) for row in connection.execute(wanted)}


def _compare(table: Table, kept: set[tuple[Any, ...]], recomputed: set[tuple[Any, ...]]) -> int:
    """Compare rows, those without counts left out, since whether there is one makes no difference."""
    keys = len(table.primary_key)
    differing = sorted(row for row in kept ^ recomputed if any(row[keys:]))
    if differing:
        row = differing[0]
        named = dict(zip((column.name for column in table.c), row, strict=True))
        where = f"{named.pop('resolution')} seconds from {format_time(named.pop('start_at'))}"
        message = (
            f"{table.name}: the roll-up of {where} is {'not what its entries sum to' if row in kept else 'lost or too small'}: {named}"
        )
        raise LedgerError(message)
    return len(kept)
