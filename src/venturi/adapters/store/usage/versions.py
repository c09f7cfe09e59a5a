"""Versions: labels and points as they were when they were metered, and whether they are still there.

Owns their reading. Which of them a caller may see is for the services.
"""

from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, func, select
from sqlalchemy.sql.elements import KeyedColumnElement

from venturi.adapters.store.schema.ledger_tables import LEDGER_INTERVALS, LEDGER_LABEL_VERSIONS, LEDGER_OWNERS, LEDGER_POINT_VERSIONS
from venturi.adapters.store.schema.tables import LABELS, OBSERVATION_POINTS
from venturi.core.domain.point import boundary_of


class LabelVersion(NamedTuple):
    """A label as it was; ``version`` stands for it in sums, and grows from one version to the next, ``owner`` for whose it is."""

    version: int
    label_id: str
    name: str
    project_id: str
    shared: bool
    owner: int
    deleted: bool


class PointVersion(NamedTuple):
    """An observation point as it was, with the ends of its first and its last record, in nanoseconds since the UTC epoch."""

    version: int
    point_id: str
    name: str
    project_id: str
    shared: bool
    deleted: bool
    first: int
    last: int
    boundary: str


def read_label_versions(connection: Connection) -> list[LabelVersion]:
    """List all versions of labels that something counts for, in the order in which they came: not those of what is held alone."""
    table = LEDGER_LABEL_VERSIONS
    owners = LEDGER_OWNERS.c
    columns: list[KeyedColumnElement[Any]] = [table.c.id, table.c.label_id, table.c.name, table.c.project_id, table.c.shared]
    statement = select(*columns, owners.id, LABELS.c.id.is_(None)).select_from(table).where(~table.c.held).order_by(table.c.id)
    owned = statement.join(LEDGER_OWNERS, and_(owners.project_id == table.c.project_id, owners.shared == table.c.shared))
    rows = connection.execute(owned.outerjoin(LABELS, LABELS.c.id == table.c.label_id))
    return [LabelVersion._make((*row[:4], bool(row[4]), row[5], bool(row[6]))) for row in rows]


def read_point_versions(connection: Connection) -> list[PointVersion]:
    """List the versions of points that have records, in the order in which they came."""
    table = LEDGER_POINT_VERSIONS
    gone = OBSERVATION_POINTS.c.id.is_(None)
    columns: list[KeyedColumnElement[Any]] = [table.c.id, table.c.point_id, table.c.name, table.c.project_id, table.c.shared]
    placed = [table.c.kind, table.c.boundary]
    bounds = [_bound(func.min), _bound(func.max)]
    statement = select(*columns, gone, *bounds, *placed).outerjoin_from(
        table, OBSERVATION_POINTS, OBSERVATION_POINTS.c.id == table.c.point_id
    )
    rows = connection.execute(statement.where(~table.c.held).order_by(table.c.id))
    return [
        PointVersion(*row[:4], bool(row[4]), bool(row[5]), *row[6:8], boundary_of(row.kind, row.point_id, row.boundary))
        for row in rows
        if row[6] is not None
    ]


def _bound(outermost: Any) -> Any:  # noqa: ANN401 - an aggregate function
    """Give the first or last end of a version's records, which the index answers with one seek."""
    of_version = LEDGER_INTERVALS.c.point_version == LEDGER_POINT_VERSIONS.c.id
    return select(outermost(LEDGER_INTERVALS.c.end_at)).where(of_version).correlate(LEDGER_POINT_VERSIONS).scalar_subquery()
