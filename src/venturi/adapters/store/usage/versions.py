"""Versions: labels and points as they were when they were metered, and whether they are still there.

Owns their reading. Which of them a caller may see is for the services.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, FromClause, ScalarSelect, and_, func, select
from sqlalchemy.sql.elements import KeyedColumnElement

from venturi.adapters.store.schema.ledger_tables import LEDGER_INTERVALS, LEDGER_LABEL_VERSIONS, LEDGER_OWNERS, LEDGER_POINT_VERSIONS
from venturi.adapters.store.schema.tables import LABELS
from venturi.adapters.store.usage.lifetimes import read_lifetimes
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
    """An observation point as it was; ``version`` stands for it in sums.

    ``first`` is the start of its first record and ``last`` the end of its last, ``created_at`` and ``deleted_at`` are the bounds of the
    point in the control plane; all in nanoseconds since the UTC epoch, None where there is none. A point without records has a version
    that is in no sum, below zero.
    """

    version: int
    point_id: str
    name: str
    project_id: str
    shared: bool
    deleted: bool
    first: int | None
    last: int | None
    created_at: int | None = None
    deleted_at: int | None = None
    boundary: str = ""


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
    """List the versions of points that have records, in the order in which they came; behind them the points without any, as they are."""
    table = LEDGER_POINT_VERSIONS
    columns: list[KeyedColumnElement[Any]] = [table.c.id, table.c.point_id, table.c.name, table.c.project_id, table.c.shared]
    placed = [table.c.kind, table.c.boundary]
    statement = select(*columns, _end(func.min), _end(func.max), _first_start(), *placed).where(~table.c.held).order_by(table.c.id)
    lifetimes = read_lifetimes(connection)
    found, metered = [], set()
    for row in connection.execute(statement):
        version, point_id, name, project_id, shared, first_end, last, first, kind, named = tuple(row)
        if first_end is None:
            continue
        metered.add(point_id)
        life = lifetimes.get(point_id)
        created_at, deleted_at = (None, None) if life is None else (life.created_at, life.deleted_at)
        deleted = life is None or deleted_at is not None
        known = (version, point_id, name, project_id, bool(shared), deleted, first, last, created_at, deleted_at)
        found.append(PointVersion(*known, boundary_of(kind, point_id, named)))
    for number, point_id in enumerate(sorted(lifetimes.keys() - metered), 1):
        life = lifetimes[point_id]
        now = life.name, life.project_id, life.shared, life.deleted_at is not None
        found.append(PointVersion(-number, point_id, *now, None, None, life.created_at, life.deleted_at, life.boundary))
    return found


def _of_version(intervals: FromClause) -> ColumnElement[bool]:
    return intervals.c.point_version == LEDGER_POINT_VERSIONS.c.id


def _end(outermost: Callable[[ColumnElement[int]], ColumnElement[int]]) -> ScalarSelect[int]:
    """Give the first or last end of a version's records, which the index answers with one seek."""
    ends = select(outermost(LEDGER_INTERVALS.c.end_at)).where(_of_version(LEDGER_INTERVALS))
    return ends.correlate(LEDGER_POINT_VERSIONS).scalar_subquery()


def _first_start() -> ScalarSelect[int]:
    """Give the start of the record of a version that ends first; those of one device never overlap, so it is the first to start too."""
    ends = LEDGER_INTERVALS.alias("ends")
    first_end = select(func.min(ends.c.end_at)).where(_of_version(ends)).correlate(LEDGER_POINT_VERSIONS).scalar_subquery()
    starts = select(func.min(LEDGER_INTERVALS.c.start_at)).where(_of_version(LEDGER_INTERVALS), LEDGER_INTERVALS.c.end_at == first_end)
    return starts.correlate(LEDGER_POINT_VERSIONS).scalar_subquery()
