"""Coalescing: intervals that wait become fewer and longer, and no count is lost.

Owns which of them are summed first: those within a minute, then within the 5 minutes and the hour of a roll-up, then within a day, so that
distribution over time is given up last where the ledger would show it. Sealed batches are never touched: they may have reached the ledger.
"""

from pysqlite3.dbapi2 import Connection

from venturi.adapters.spool.tables.intervals import drop_intervals, put_interval, read_intervals
from venturi.core.domain.interval import SECOND
from venturi.core.ledger.recorded import join_intervals

SPANS = (60 * SECOND, 300 * SECOND, 3600 * SECOND, 86400 * SECOND)
"""The spans within which intervals are summed, one after the other; an interval lies where its middle does."""

_GROUPS = 64
"""The most groups of one transaction: it must fit in what is left of the disk."""

_FIND = """
    SELECT DISTINCT a.kind, (a.start + a.end) / 2 / :span AS place FROM intervals a JOIN intervals b ON b.kind = a.kind AND b.start = a.end
    WHERE (b.start + b.end) / 2 / :span = place LIMIT :groups"""
_MEMBERS = "SELECT id FROM intervals WHERE kind = ? AND (start + end) / 2 / ? = ? ORDER BY start"


def coalesce(connection: Connection, shortest: int = SPANS[0]) -> tuple[int, int]:
    """Sum some groups of intervals that adjoin, within the shortest span that has any, from ``shortest`` on.

    Gives that span, to go on from, and the number of intervals that there are fewer; 0 where nothing adjoins.
    """
    for span in SPANS[SPANS.index(shortest) :]:
        groups = connection.execute(_FIND, {"span": span, "groups": _GROUPS}).fetchall()
        if groups:
            return span, sum(_coalesce_group(connection, kind, span, place) for kind, place in groups)
    return shortest, 0


def _coalesce_group(connection: Connection, kind: bytes, span: int, place: int) -> int:
    names = [row[0] for row in connection.execute(_MEMBERS, (kind, span, place))]
    joined = join_intervals(list(read_intervals(connection, names)))
    drop_intervals(connection, names)
    for name, entry in zip(names, joined, strict=False):
        put_interval(connection, name, entry)
    return len(names) - len(joined)
