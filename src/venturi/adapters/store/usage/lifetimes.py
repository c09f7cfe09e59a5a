"""Lifetimes: from when to when observation points were in the control plane, by the revisions that created and deleted them.

Owns the statements. What a report makes of a point's time is for the services.
"""

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import Connection, and_, func, select

from venturi.adapters.store.schema.tables import OBSERVATION_POINTS, OBSERVATION_POINTS_HISTORY, REVISIONS


class Lifetime(NamedTuple):
    """An observation point as it is, or was last, with the times of its creation and, where it is gone, of its deletion.

    Times are in nanoseconds since the UTC epoch.
    """

    name: str
    project_id: str
    shared: bool
    created_at: int
    deleted_at: int | None


def read_lifetimes(connection: Connection) -> Mapping[str, Lifetime]:
    """Read the lifetimes of all points that there are or were, by id."""
    live, history = OBSERVATION_POINTS.c, OBSERVATION_POINTS_HISTORY.c
    bounds = select(history.id, func.min(history.valid_from).label("first"), func.max(history.valid_to).label("last"))
    of_history = bounds.group_by(history.id).subquery()
    began, ended = REVISIONS.alias("began").c, REVISIONS.alias("ended").c
    past = (
        select(history.id, history.name, history.project_id, history.shared, began.at, ended.at)
        .join(of_history, and_(of_history.c.id == history.id, of_history.c.last == history.valid_to))
        .join(began.number.table, began.number == of_history.c.first)
        .join(ended.number.table, ended.number == of_history.c.last)
    )
    present = select(live.id, live.name, live.project_id, live.shared, REVISIONS.c.at).join(REVISIONS, REVISIONS.c.number == live.valid_from)
    found = {row[0]: Lifetime(row[1], row[2], bool(row[3]), row[4], row[5]) for row in connection.execute(past)}
    for identifier, name, project_id, shared, at in connection.execute(present):
        before = found.get(identifier)
        found[identifier] = Lifetime(name, project_id, bool(shared), at if before is None else before.created_at, None)
    return found
