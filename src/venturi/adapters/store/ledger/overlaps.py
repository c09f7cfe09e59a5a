"""Times at which two agents metered one point.

Owns the query. Roll-ups of coverage and long intervals tell at once that nobody else metered the point then, which is so nearly always.
"""

from sqlalchemy import Connection, and_, exists, or_, select

from venturi.adapters.store.schema.ledger_tables import (
    LEDGER_COVERAGE_BINS,
    LEDGER_INTERVALS,
    LEDGER_LONG_INTERVALS,
    LEDGER_PLACES,
    LEDGER_POINT_VERSIONS,
)
from venturi.core.domain.interval import SECOND
from venturi.core.ledger.bins import HOUR

_BINS = LEDGER_COVERAGE_BINS.c
_INTERVALS = LEDGER_INTERVALS.c


def find_overlapping(connection: Connection, agent_id: str, point_id: str, start: int, end: int) -> list[tuple[int, int]]:
    """Give start and end of the intervals between two times that agents other than ``agent_id`` metered at a point."""
    versions = connection.execute(select(LEDGER_POINT_VERSIONS.c.id).where(LEDGER_POINT_VERSIONS.c.point_id == point_id)).scalars().all()
    others = LEDGER_PLACES.c.agent_id != agent_id
    hours = and_(_BINS.resolution == HOUR // SECOND, _BINS.start_at > start - HOUR - SECOND, _BINS.start_at < end + SECOND)
    at_all = exists().where(hours, _BINS.point_version.in_(versions), _BINS.place == LEDGER_PLACES.c.id, others)
    long_ones = LEDGER_LONG_INTERVALS.c
    of_long = exists().where(long_ones.end_at > start, long_ones.start_at < end, long_ones.point_version.in_(versions))
    if not versions or not connection.execute(select(or_(at_all, of_long))).scalar():
        return []
    within = and_(_INTERVALS.end_at > start, _INTERVALS.start_at < end)
    found = select(_INTERVALS.start_at, _INTERVALS.end_at).where(
        _INTERVALS.point_version.in_(versions), within, _INTERVALS.place == LEDGER_PLACES.c.id, others
    )
    return [(row.start_at, row.end_at) for row in connection.execute(found)]
