"""Closing hours and days: summed once from 5 minutes and hours when they are over, where each fold would write them again.

Owns the statements and ``closed_until``, which moves in the same transaction. Until then readers sum 5 minutes; what is folded later into
what is closed is added there by ``folding``.
"""

from sqlalchemy import Connection, Table, func, insert, literal, literal_column, select, update

from venturi.adapters.store.schema.ledger_tables import (
    LEDGER_COVERAGE_BINS,
    LEDGER_LABEL_BINS,
    LEDGER_OWNER_BINS,
    LEDGER_POINT_BINS,
    LEDGER_ROLLER,
    RESOLUTIONS,
)
from venturi.core.ledger.bins import BIN, DAY, HOUR

CLOSED = (LEDGER_LABEL_BINS, LEDGER_OWNER_BINS, LEDGER_POINT_BINS)
"""The roll-ups that have hours and days once these are over."""

_FINER = {HOUR: BIN, DAY: HOUR}
_TOLD = (LEDGER_COVERAGE_BINS, LEDGER_POINT_BINS, LEDGER_OWNER_BINS)
"""Roll-ups whose key begins with the time; whatever labels counted is in some of them too."""


def close_next_hour(connection: Connection, until: int) -> int:
    """Sum the next hour before ``until`` that holds anything, and each day that is over then; give up to when all are closed now.

    Raises ``DBAPIError`` where a sum is too large. Times are borders of hours, in nanoseconds since the UTC epoch.
    """
    closed = int(connection.execute(select(LEDGER_ROLLER.c.closed_until)).scalar_one())
    if closed >= until:
        return closed
    first = _first_bin(connection, closed)
    hour = None if first is None or first >= until else first // HOUR * HOUR
    reached = until if hour is None else hour + HOUR
    for table in CLOSED:
        if hour is not None:
            sum_bins(connection, table, HOUR, hour)
        for day in sorted({closed // DAY, (closed if hour is None else hour) // DAY}):
            if (day + 1) * DAY <= reached:
                sum_bins(connection, table, DAY, day * DAY)
    connection.execute(update(LEDGER_ROLLER).values(closed_until=reached))
    return reached


def sum_bins(connection: Connection, table: Table, width: int, start: int) -> None:
    """Write the hour or day that begins at ``start``, of which there is nothing yet: the sum of its 5 minutes or hours."""
    columns = table.c
    keys = [column for column in table.primary_key if column.name not in {"resolution", "start_at"}]
    sums = [column for column in columns if not column.primary_key]
    within = columns.resolution == RESOLUTIONS[_FINER[width]], columns.start_at >= start, columns.start_at < start + width
    chosen = select(literal_column(str(RESOLUTIONS[width])), literal(start, columns.start_at.type), *keys, *map(func.sum, sums))
    names = ["resolution", "start_at", *(column.name for column in (*keys, *sums))]
    connection.execute(insert(table).from_select(names, chosen.where(*within).group_by(*keys).order_by(*keys)))


def _first_bin(connection: Connection, since: int) -> int | None:
    """Give the start of the first 5 minutes from ``since`` on that hold anything."""
    found = []
    for table in _TOLD:
        fine = table.c.resolution == RESOLUTIONS[BIN], table.c.start_at >= since
        found.append(connection.execute(select(func.min(table.c.start_at)).where(*fine)).scalar())
    return min((int(start) for start in found if start is not None), default=None)
