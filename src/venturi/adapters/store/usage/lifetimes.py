"""Lifetimes: from when to when observation points were in the control plane, by the revisions that created and deleted them.

Owns the statements. What a report makes of a point's time is for the services.
"""

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import Connection, and_, exists, func, select

from venturi.adapters.store.schema.ledger_tables import LEDGER_POINT_VERSIONS
from venturi.adapters.store.schema.tables import OBSERVATION_POINTS, OBSERVATION_POINTS_HISTORY, REVISIONS
from venturi.core.domain.point import boundary_of


class Lifetime(NamedTuple):
    """An observation point as it is, or was last, with the times of its creation and, where it is gone, of its deletion.

    Times are in nanoseconds since the UTC epoch.
    """

    name: str
    project_id: str
    shared: bool
    created_at: int
    deleted_at: int | None
    boundary: str


class UnmeteredPoint(NamedTuple):
    """An observation point of which there is no record; ``host`` is that of an interface, None of others."""

    point_id: str
    name: str
    project_id: str
    kind: str
    host: str | None
    created_at: int


def read_unmetered(connection: Connection, before: int, most: int) -> list[UnmeteredPoint]:
    """List points without a record that were created before a time, the oldest first and ``most`` at most."""
    live, history, versions = OBSERVATION_POINTS.c, OBSERVATION_POINTS_HISTORY.c, LEDGER_POINT_VERSIONS.c
    began = select(func.min(history.valid_from)).where(history.id == live.id).correlate(OBSERVATION_POINTS).scalar_subquery()
    metered = exists().where(versions.point_id == live.id, ~versions.held)
    columns = (live.id, live.name, live.project_id, live.kind, live.host, REVISIONS.c.at)
    joined = OBSERVATION_POINTS.join(REVISIONS, REVISIONS.c.number == func.coalesce(began, live.valid_from))
    waiting = select(*columns).select_from(joined)
    wanted = waiting.where(~metered, REVISIONS.c.at < before).order_by(REVISIONS.c.at, live.id).limit(most)
    return [UnmeteredPoint._make(row) for row in connection.execute(wanted)]


def read_lifetimes(connection: Connection) -> Mapping[str, Lifetime]:
    """Read the lifetimes of all points that there are or were, by id."""
    live, history = OBSERVATION_POINTS.c, OBSERVATION_POINTS_HISTORY.c
    bounds = select(history.id, func.min(history.valid_from).label("first"), func.max(history.valid_to).label("last"))
    of_history = bounds.group_by(history.id).subquery()
    began, ended = REVISIONS.alias("began").c, REVISIONS.alias("ended").c
    past = (
        select(history.id, history.name, history.project_id, history.shared, began.at, ended.at, history.kind, history.boundary)
        .join(of_history, and_(of_history.c.id == history.id, of_history.c.last == history.valid_to))
        .join(began.number.table, began.number == of_history.c.first)
        .join(ended.number.table, ended.number == of_history.c.last)
    )
    columns = live.id, live.name, live.project_id, live.shared, REVISIONS.c.at, live.kind, live.boundary
    present = select(*columns).join(REVISIONS, REVISIONS.c.number == live.valid_from)
    found = {
        row[0]: Lifetime(row[1], row[2], bool(row[3]), row[4], row[5], boundary_of(row[6], row[0], row[7] or ""))
        for row in connection.execute(past)
    }
    for identifier, name, project_id, shared, at, kind, named in connection.execute(present):
        before = found.get(identifier)
        boundary = boundary_of(kind, identifier, named or "")
        found[identifier] = Lifetime(name, project_id, bool(shared), at if before is None else before.created_at, None, boundary)
    return found
