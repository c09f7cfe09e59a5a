"""Making roll-ups anew from the entries, an hour at a time, each in a transaction of its own, while postings go on.

Owns the order of pieces, and that a run that was interrupted goes on where it stood.
"""

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import Connection, delete, func, or_, select, update

from venturi.adapters.edges import STORE_EDGE
from venturi.adapters.store.ledger.bulk import insert_rows
from venturi.adapters.store.ledger.rolling.closing import CLOSED, sum_bins
from venturi.adapters.store.ledger.rolling.recomputing import RecomputedSums, Span
from venturi.adapters.store.maintenance.opening import writing_by_pieces
from venturi.adapters.store.migrations.running import require_head
from venturi.adapters.store.schema.ledger_tables import (
    LEDGER_COVERAGE_BINS,
    LEDGER_INTERVALS,
    LEDGER_LABEL_BINS,
    LEDGER_OWNER_BINS,
    LEDGER_POINT_BINS,
    LEDGER_ROLLER,
    RESOLUTIONS,
)
from venturi.core.ledger.bins import DAY, HOUR, JITTER
from venturi.core.ledger.roll_ups import roll_up

_BIN_TABLES = (*CLOSED, LEDGER_COVERAGE_BINS)


class Rebuilt(NamedTuple):
    """How far a rebuilding is: roll-ups are made anew up to ``reached``, of those from ``start`` to ``end``."""

    start: int
    reached: int
    end: int


@STORE_EDGE.function
def rebuild_roll_ups(url: str) -> Iterator[Rebuilt]:
    """Make all roll-ups anew, and tell after each hour how far that is; raises ``StoreError``.

    A rebuilding that was interrupted goes on. On an embedded database no server may write meanwhile.
    """
    with writing_by_pieces(url) as begin:
        with begin() as connection:
            require_head(connection)
            start, end = _bounds(connection)
            reached = _take_up(connection, start, end)
        while reached < end:
            with begin() as connection:
                reached = _rebuild(connection, reached, end)
            yield Rebuilt(start, reached, end)


def _bounds(connection: Connection) -> Span:
    """Give the whole days that entries lie in."""
    times = LEDGER_INTERVALS.c
    first, last = connection.execute(select(func.min(times.start_at), func.max(times.end_at))).one()
    return (0, 0) if first is None else ((first - JITTER) // DAY * DAY, (last + JITTER) // DAY * DAY + DAY)


def _take_up(connection: Connection, start: int, end: int) -> int:
    """Note that roll-ups are made anew; give from when on, and drop those of which there can be no entries."""
    reached = connection.execute(select(LEDGER_ROLLER.c.rebuilding).with_for_update()).scalar_one()
    if reached is None:
        reached = start
        connection.execute(update(LEDGER_ROLLER).values(rebuilding=start))
        for table in _BIN_TABLES:
            connection.execute(delete(table).where(or_(table.c.start_at < start, table.c.start_at >= end)))
    return max(int(reached), start)


def _rebuild(connection: Connection, hour: int, end: int) -> int:
    """Make the roll-ups of an hour anew, and with the last of a day those of the day; give the next hour that has any entries."""
    roller = connection.execute(select(LEDGER_ROLLER.c.rolled, LEDGER_ROLLER.c.closed_until).with_for_update()).one()
    rolled, closed = map(int, roller)
    span = hour, hour + HOUR
    sums = RecomputedSums(connection, rolled).sum(span)
    for table, added in (
        (LEDGER_LABEL_BINS, roll_up(sums.labels)),
        (LEDGER_OWNER_BINS, roll_up(sums.owners)),
        (LEDGER_POINT_BINS, roll_up(sums.points)),
        (LEDGER_COVERAGE_BINS, roll_up(sums.coverage, sums.coverage_of_hours)),
    ):
        columns = table.c
        within = columns.start_at >= hour, columns.start_at < span[1]
        connection.execute(delete(table).where(columns.resolution != RESOLUTIONS[DAY], *within))
        for rows in added:
            if table is LEDGER_COVERAGE_BINS or span[1] <= closed or not rows or rows[0][0] != RESOLUTIONS[HOUR]:
                insert_rows(connection, table, rows)
    if span[1] % DAY == 0:
        for table in CLOSED:
            day = table.c.resolution == RESOLUTIONS[DAY], table.c.start_at >= span[1] - DAY, table.c.start_at < span[1]
            connection.execute(delete(table).where(*day))
            if span[1] <= closed:
                sum_bins(connection, table, DAY, span[1] - DAY)
    connection.execute(update(LEDGER_ROLLER).values(rebuilding=span[1] if span[1] < end else None))
    return span[1]
