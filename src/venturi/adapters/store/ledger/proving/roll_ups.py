"""Proving roll-ups: recomputed from the entries up to the watermark with their corrections, some hours at a time, and compared row by row.

Entries of long intervals are in no roll-up; which intervals those are is proved too.

Owns which hours are taken together, so that memory stays bounded, and what of the entries belongs to them.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Table, and_, func, literal, or_, select, type_coerce, union_all

from venturi.adapters.store.ledger.long_intervals import prove_long_intervals
from venturi.adapters.store.ledger.rolling.closing import CLOSED
from venturi.adapters.store.ledger.rolling.recomputing import ENDLESS, RecomputedSums, Span
from venturi.adapters.store.schema.ledger_tables import (
    LEDGER_CORRECTIONS,
    LEDGER_COVERAGE_BINS,
    LEDGER_HELD,
    LEDGER_INTERVALS,
    LEDGER_LABEL_BINS,
    LEDGER_OWNER_BINS,
    LEDGER_POINT_BINS,
    LEDGER_ROLLER,
    RESOLUTIONS,
)
from venturi.core.domain.errors import LedgerError
from venturi.core.domain.interval import format_time
from venturi.core.domain.progress import Progress
from venturi.core.ledger.bins import DAY, HOUR
from venturi.core.ledger.roll_ups import roll_up

_ROWS_AT_ONCE = 40_000
_INTERVALS = LEDGER_INTERVALS.c


def prove_roll_ups(connection: Connection, progress: Progress, since: int = 0) -> int:
    """Raise ``LedgerError`` for the first row that is not the sum of the entries up to the watermark; give how many rows there are.

    With ``since``, a posting, only bins are proved from the first on that a later posting adds to.
    """
    count = prove_long_intervals(connection, since)
    rolled, closed = map(int, connection.execute(select(LEDGER_ROLLER.c.rolled, LEDGER_ROLLER.c.closed_until)).one())
    entries = RecomputedSums(connection, rolled)
    first = -DAY if not since else _first_touched(connection, since)
    spans = [] if first is None else list(_spans(connection, first))
    progress.begin("proving roll-ups", len(spans))
    for number, span in enumerate(spans):
        progress.update(number)
        sums = entries.sum(span)
        for table, added in (
            (LEDGER_LABEL_BINS, roll_up(sums.labels)),
            (LEDGER_OWNER_BINS, roll_up(sums.owners)),
            (LEDGER_POINT_BINS, roll_up(sums.points)),
            (LEDGER_COVERAGE_BINS, roll_up(sums.coverage, sums.coverage_of_hours)),
        ):
            open_from = ENDLESS if table is LEDGER_COVERAGE_BINS else closed
            recomputed = {row for rows in added for row in rows if row[0] != RESOLUTIONS[HOUR] or int(row[1]) < open_from}
            count += _compare(table, _rows_of(connection, table, span), recomputed)
    for table in CLOSED:
        count += 0 if first is None else prove_days(connection, table, first, closed // DAY * DAY)
    return count


def prove_days(connection: Connection, table: Table, first: int, closed: int) -> int:
    """Raise ``LedgerError`` for a day, of those that are not over at ``first``, that is not the sum of its hours; give how many rows.

    From ``closed`` on, there are no days yet.
    """
    columns, counted = table.c, [column.name for column in table.c if not column.primary_key]
    keys = [column.name for column in table.primary_key if column.name not in {"resolution", "start_at"}]
    start = first // DAY * DAY
    days, hours = (and_(columns.resolution == RESOLUTIONS[width], columns.start_at >= start) for width in (DAY, HOUR))
    last = connection.execute(select(func.max(columns.start_at)).where(or_(days, hours))).scalar()
    rows = connection.execute(select(func.count()).select_from(table).where(days)).scalar_one()
    for day in range(start, (-1 if last is None else last) + 1, DAY) if start >= 0 else _days_of(connection, table):
        within = columns.start_at >= day, columns.start_at < day + DAY
        kept = select(*(columns[key] for key in keys), *(columns[name] for name in counted)).where(days, *within)
        there = and_(hours, columns.start_at < closed)
        summed = select(*(columns[key] for key in keys), *(-columns[name] for name in counted)).where(there, *within)
        both = union_all(kept, summed).subquery("both")
        sums = [func.sum(both.c[name]) for name in counted]
        grouped = select(*(both.c[key] for key in keys)).group_by(*(both.c[key] for key in keys))
        wrong = connection.execute(grouped.having(or_(*(each != 0 for each in sums))).limit(1)).first()
        if wrong is not None:
            named = dict(zip(keys, wrong, strict=True))
            message = f"{table.name}: the roll-up of the day from {format_time(day)} is not what its hours sum to: {named}"
            raise LedgerError(message)
    return int(rows)


def _days_of(connection: Connection, table: Table) -> list[int]:
    """Give the days of which there is an hour or a day."""
    start = table.c.start_at
    day = type_coerce(start - start % literal(DAY, start.type), start.type)
    there = table.c.resolution.in_([RESOLUTIONS[DAY], RESOLUTIONS[HOUR]])
    return [int(row[0]) for row in connection.execute(select(day.label("day")).where(there).distinct().order_by("day"))]


def _first_touched(connection: Connection, since: int) -> int | None:
    """Give the hour before the first that postings after one add to, None if there are none."""
    first = connection.execute(select(func.min(_INTERVALS.start_at)).where(_INTERVALS.posting > since)).scalar()
    named = _INTERVALS.posting == LEDGER_CORRECTIONS.c.corrected_posting
    corrected = select(func.min(_INTERVALS.start_at)).select_from(LEDGER_CORRECTIONS.join(LEDGER_INTERVALS, named))
    earlier = connection.execute(corrected.where(LEDGER_CORRECTIONS.c.posting > since)).scalar()
    decided = (_INTERVALS.posting == LEDGER_HELD.c.held_posting) & (_INTERVALS.ordinal == LEDGER_HELD.c.held_ordinal)
    gaps = select(func.min(_INTERVALS.start_at)).select_from(LEDGER_HELD.join(LEDGER_INTERVALS, decided))
    undone = connection.execute(gaps.where(LEDGER_HELD.c.posting > since)).scalar()
    found = [int(each) for each in (first, earlier, undone) if each is not None]
    return min(found) // HOUR * HOUR - HOUR if found else None


def _spans(connection: Connection, first: int) -> Iterator[Span]:
    """Give spans of whole hours from ``first`` on that hold so many rows together; they leave out no time."""
    bins = LEDGER_LABEL_BINS.c
    hour_of = type_coerce(bins.start_at - bins.start_at % literal(HOUR, bins.start_at.type), bins.start_at.type).label("hour")
    hours = select(hour_of, func.count()).where(bins.resolution != RESOLUTIONS[DAY], bins.start_at >= first)
    start, held = first, 0
    for hour, count in connection.execute(hours.group_by(hour_of).order_by(hour_of)).all():
        if held and held + count > _ROWS_AT_ONCE:
            yield start, hour
            start, held = hour, 0
        held += count
    yield start, ENDLESS


def _rows_of(connection: Connection, table: Table, span: Span) -> set[tuple[Any, ...]]:
    """Give the rows of hours and 5 minutes in a span."""
    wanted = select(table).where(table.c.resolution != RESOLUTIONS[DAY], table.c.start_at >= span[0], table.c.start_at < span[1])
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
