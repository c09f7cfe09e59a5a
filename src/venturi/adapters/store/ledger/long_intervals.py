"""Long intervals in the store: which are named, and their entries as readers of roll-ups take them.

Owns the statements. Which intervals are long, and how entries are spread, is for ``core.ledger.long_intervals``.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Integer, Join, Table, and_, cast, delete, exists, func, select, true

from venturi.adapters.store.ledger.held import Decision
from venturi.adapters.store.schema.ledger_tables import (
    LEDGER_CORRECTIONS,
    LEDGER_GENERATIONS,
    LEDGER_HELD,
    LEDGER_INTERVALS,
    LEDGER_LABEL_VERSIONS,
    LEDGER_LONG_INTERVALS,
    LEDGER_OWNERS,
    LEDGER_POINT_VERSIONS,
    LEDGER_PROJECT_USAGE,
    LEDGER_TOTALS,
    LEDGER_USAGE,
)
from venturi.core.domain.coverage import Coverage, CoverageReason
from venturi.core.domain.errors import LedgerError
from venturi.core.domain.generation import Segments
from venturi.core.ledger.bins import JITTER
from venturi.core.ledger.long_intervals import Counts, LongCoverage, LongRecord

_LONG = LEDGER_LONG_INTERVALS.c
_HELD = and_(
    LEDGER_HELD.c.held_posting == _LONG.posting,
    LEDGER_HELD.c.held_ordinal == _LONG.ordinal,
    LEDGER_HELD.c.decision == Decision.HELD.value,
)
_AT_ONCE = 5_000
_DECIDED_AT_ONCE = 400
Window = tuple[int, int]
EntryName = tuple[int, int]
"""Posting and ordinal of an entry."""


def overlaps_window(window: Window) -> ColumnElement[bool]:
    """Give the condition that a long interval has time in common with a window, if its bounds are snapped too."""
    return and_(_LONG.end_at > window[0] - JITTER, _LONG.start_at < window[1] + JITTER)


def read_long_records(
    connection: Connection,
    table: Table,
    counts: Sequence[str],
    by: Sequence[str],
    where: ColumnElement[bool],
    window: Window,
    *,
    corrected_until: int | None = None,
) -> Iterator[LongRecord]:
    """Read entries of ``table``, totals or usage, of the long intervals that meet a window, with what was corrected of them.

    ``by`` names columns of entries, ``point_version``, and of usage of labels ``owner`` and ``parted`` (0 or 1); ``where`` is a condition
    on these. Corrections after the posting ``corrected_until`` are left out.
    """
    within = overlaps_window(window)
    if not connection.execute(select(_LONG.posting).where(within).limit(1)).first():
        return
    added_until = true() if corrected_until is None else LEDGER_CORRECTIONS.c.posting <= corrected_until
    corrected = _read_corrections(connection, counts, and_(within, added_until))
    keys = [_key_column(table, name) for name in by]
    columns = _LONG.start_at, _LONG.end_at, table.c.posting, table.c.ordinal, *keys, *(table.c[name] for name in counts)
    chosen = select(*columns).select_from(_entries_of(table)).where(within, where)
    first = 4 + len(keys)
    with connection.execute(chosen.order_by(_LONG.posting, table.c.ordinal).execution_options(yield_per=_AT_ONCE)) as rows:
        for row in rows:
            counted = tuple(map(int, row[first:]))
            added = corrected.get((row[2], row[3]))
            if added is not None:
                counted = tuple(one + other for one, other in zip(counted, added, strict=True))
            yield LongRecord(row[0], row[1], tuple(row[4:first]), counted)


def read_long_coverage(connection: Connection, where: ColumnElement[bool], window: Window) -> list[LongCoverage]:
    """Read what the long intervals that meet a window tell of coverage; ``where`` is a condition on ``LEDGER_LONG_INTERVALS``.

    The time of those that are held is a gap.
    """
    intervals = LEDGER_INTERVALS.c
    same = and_(intervals.posting == _LONG.posting, intervals.ordinal == _LONG.ordinal)
    columns = (intervals.place, intervals.coverage, intervals.reason, LEDGER_GENERATIONS.c.segments, intervals.overlapping)
    counted_by = LEDGER_GENERATIONS.c.id == intervals.generation
    joined = LEDGER_LONG_INTERVALS.join(LEDGER_INTERVALS, same).join(LEDGER_GENERATIONS, counted_by).outerjoin(LEDGER_HELD, _HELD)
    told = select(_LONG.start_at, _LONG.end_at, _LONG.point_version, *columns, LEDGER_HELD.c.decision).select_from(joined)
    rows = connection.execute(told.where(overlaps_window(window), where)).all()
    return [_gap(row) if row.decision else LongCoverage(*row[:4], Coverage(row[4]), row[5], row[6], bool(row[7])) for row in rows]


def _gap(row: Any) -> LongCoverage:  # noqa: ANN401 - a row of a long interval
    return LongCoverage(
        row.start_at,
        row.end_at,
        row.point_version,
        row.place,
        Coverage.GAP,
        CoverageReason.HELD.value,
        Segments.WIRE.value,
        overlapping=False,
    )


def count_long_gaps(connection: Connection, point_version: int) -> int:
    """Give how many long intervals that are held are named at a version of a point."""
    named = select(func.count()).select_from(LEDGER_LONG_INTERVALS).where(_LONG.point_version == point_version)
    return int(connection.execute(named.where(_LONG.last_ordinal == _LONG.ordinal, exists().where(_HELD))).scalar_one())


def end_long_gaps(connection: Connection, positions: Collection[EntryName]) -> None:
    """Name long intervals no more that are held no more; ``positions`` has their postings and ordinals."""
    ordinals: dict[int, list[int]] = {}
    for posting, ordinal in positions:
        ordinals.setdefault(posting, []).append(ordinal)
    for posting, several in ordinals.items():
        for first in range(0, len(several), _DECIDED_AT_ONCE):
            some = _LONG.ordinal.in_(several[first : first + _DECIDED_AT_ONCE])
            connection.execute(delete(LEDGER_LONG_INTERVALS).where(_LONG.posting == posting, some))


def prove_long_intervals(connection: Connection, since: int = 0) -> int:
    """Raise ``LedgerError`` for the first long interval, of postings after one, that is not as its entries say; give how many there are."""
    count = 0
    held = exists().where(_HELD).label("held")
    named = select(LEDGER_LONG_INTERVALS, held).where(_LONG.posting > since)
    for row in connection.execute(named.order_by(_LONG.posting, _LONG.ordinal)).all():
        count += 1
        if tuple(row)[2:6] != (_recompute_gap if row.held else _recompute)(connection, row):
            message = f"ledger_long_intervals: entry {row.ordinal} of posting {row.posting} is not the interval that is kept of it"
            raise LedgerError(message)
    return count


def _recompute(connection: Connection, row: Any) -> tuple[int, ...] | None:  # noqa: ANN401 - a row of the table
    """Give what the table has to say of a long interval that counts."""
    columns = LEDGER_INTERVALS.c
    named = select(columns.point_version, columns.start_at, columns.end_at)
    interval = connection.execute(named.where(columns.posting == row.posting, columns.ordinal == row.ordinal)).first()
    last = max(row.ordinal, *(_last_ordinal(connection, table, row) for table in (LEDGER_TOTALS, LEDGER_USAGE, LEDGER_PROJECT_USAGE)))
    return interval and (last, *interval)


def _recompute_gap(connection: Connection, row: Any) -> tuple[int, ...] | None:  # noqa: ANN401 - a row of the table
    """Give what the table has to say of one that is held and not decided about: no entries, and a version of its point that counts."""
    columns, at, shown = LEDGER_INTERVALS.c, LEDGER_POINT_VERSIONS, LEDGER_POINT_VERSIONS.alias("shown")
    joined = LEDGER_INTERVALS.join(at, at.c.id == columns.point_version).join(shown, shown.c.point_id == at.c.point_id)
    decided = exists().where(
        LEDGER_HELD.c.held_posting == row.posting, LEDGER_HELD.c.held_ordinal == row.ordinal, LEDGER_HELD.c.decision != Decision.HELD.value
    )
    wanted = columns.posting == row.posting, columns.ordinal == row.ordinal, shown.c.id == row.point_version, ~shown.c.held, ~decided
    interval = connection.execute(select(shown.c.id, columns.start_at, columns.end_at).select_from(joined).where(*wanted)).first()
    return interval and (row.ordinal, *interval)


def _last_ordinal(connection: Connection, table: Table, row: Any) -> int:  # noqa: ANN401 - a row of the table
    of_interval = table.c.posting == row.posting, table.c.interval_ordinal == row.ordinal
    return int(connection.execute(select(func.coalesce(func.max(table.c.ordinal), 0)).where(*of_interval)).scalar_one())


def _entries_of(table: Table) -> Join:
    """Join long intervals with their entries, which are sought by the key of their table.

    Those of usage of labels are joined with the owners of these and with what tells whether intervals are parted.
    """
    theirs = and_(
        table.c.posting == _LONG.posting,
        table.c.ordinal > _LONG.ordinal,
        table.c.ordinal <= _LONG.last_ordinal,
        table.c.interval_ordinal == _LONG.ordinal,
    )
    joined = LEDGER_LONG_INTERVALS.join(table, theirs)
    if table is not LEDGER_USAGE:
        return joined
    labels, owners = LEDGER_LABEL_VERSIONS.c, LEDGER_OWNERS.c
    owned = and_(owners.project_id == labels.project_id, owners.shared == labels.shared)
    joined = joined.join(LEDGER_LABEL_VERSIONS, labels.id == LEDGER_USAGE.c.label_version).join(LEDGER_OWNERS, owned)
    interval = and_(LEDGER_INTERVALS.c.posting == _LONG.posting, LEDGER_INTERVALS.c.ordinal == _LONG.ordinal)
    return joined.join(LEDGER_INTERVALS, interval).join(LEDGER_GENERATIONS, LEDGER_GENERATIONS.c.id == LEDGER_INTERVALS.c.generation)


def _key_column(table: Table, name: str) -> ColumnElement[Any]:
    if table is LEDGER_USAGE and name == "owner":
        return LEDGER_OWNERS.c.id
    if name == "parted":
        return cast(LEDGER_GENERATIONS.c.parted, Integer)
    return _LONG.point_version if name == "point_version" else table.c[name]


def _read_corrections(connection: Connection, counts: Sequence[str], within: ColumnElement[bool]) -> Mapping[EntryName, Counts]:
    added = LEDGER_CORRECTIONS.c
    theirs = and_(
        added.corrected_posting == _LONG.posting,
        added.corrected_ordinal > _LONG.ordinal,
        added.corrected_ordinal <= _LONG.last_ordinal,
    )
    name = added.corrected_posting, added.corrected_ordinal
    sums = [func.sum(added[count]) for count in counts]
    statement = select(*name, *sums).select_from(LEDGER_CORRECTIONS.join(LEDGER_LONG_INTERVALS, theirs)).where(within).group_by(*name)
    return {(row[0], row[1]): tuple(map(int, row[2:])) for row in connection.execute(statement)}
