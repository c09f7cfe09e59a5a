"""Versions: labels and points as they were when they were metered, and whether they are still there.

Owns their reading. Which of them a caller may see is for the services.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, FromClause, ScalarSelect, Table, and_, func, or_, select, true
from sqlalchemy.sql.elements import KeyedColumnElement

from venturi.adapters.store.schema.ledger_tables import LEDGER_INTERVALS, LEDGER_LABEL_VERSIONS, LEDGER_OWNERS, LEDGER_POINT_VERSIONS
from venturi.adapters.store.schema.tables import LABELS, REVISION_COUNTER
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


class LabelOwner(NamedTuple):
    """Whose labels are: ``owner`` stands in sums for all labels of a project that are ``shared``, or for all that are not."""

    owner: int
    project_id: str
    shared: bool


class LabelsAsked(NamedTuple):
    """Which labels: those of some ids and of some projects, None for any; ``visible_to`` is the project that sees no foreign ones.

    What is shared is foreign to nobody.
    """

    label_ids: frozenset[str] | None = None
    project_ids: frozenset[str] | None = None
    visible_to: str | None = None

    @property
    def all(self) -> bool:
        """Whether that is every label."""
        return self == (None, None, None)


ALL_LABELS = LabelsAsked()


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


def read_label_versions(connection: Connection, asked: LabelsAsked = ALL_LABELS) -> list[LabelVersion]:
    """List the versions of labels that something counts for, in the order in which they came: not those of what is held alone."""
    table = LEDGER_LABEL_VERSIONS
    owners = LEDGER_OWNERS.c
    columns: list[KeyedColumnElement[Any]] = [table.c.id, table.c.label_id, table.c.name, table.c.project_id, table.c.shared]
    chosen = ~table.c.held, *_chosen(table, asked)
    statement = select(*columns, owners.id, LABELS.c.id.is_(None)).select_from(table).where(*chosen).order_by(table.c.id)
    owned = statement.join(LEDGER_OWNERS, and_(owners.project_id == table.c.project_id, owners.shared == table.c.shared))
    rows = connection.execute(owned.outerjoin(LABELS, LABELS.c.id == table.c.label_id))
    return [LabelVersion(*row[:4], bool(row[4]), row[5], bool(row[6])) for row in rows]


def read_label_owners(connection: Connection, asked: LabelsAsked) -> list[LabelOwner]:
    """List the owners of labels; which of their labels is not asked."""
    owners = LEDGER_OWNERS
    statement = select(owners.c.id, owners.c.project_id, owners.c.shared).order_by(owners.c.id)
    rows = connection.execute(statement.where(*_chosen(owners, asked._replace(label_ids=None))))
    return [LabelOwner(row[0], row[1], bool(row[2])) for row in rows]


def read_naming_state(connection: Connection) -> tuple[int, ...]:
    """Give numbers that change whenever labels or their owners are named anew, or a label comes or goes."""
    counted = [select(func.max(table.c.id)).scalar_subquery() for table in (LEDGER_LABEL_VERSIONS, LEDGER_OWNERS)]
    row = connection.execute(select(*counted, select(REVISION_COUNTER.c.number).scalar_subquery())).one()
    return tuple(number or 0 for number in row)


def _chosen(table: Table, asked: LabelsAsked) -> list[ColumnElement[bool]]:
    """Give the conditions on a table of labels or of their owners."""
    conditions: list[ColumnElement[bool]] = []
    if asked.label_ids is not None:
        conditions.append(table.c.label_id.in_(sorted(asked.label_ids)))
    if asked.project_ids is not None:
        conditions.append(table.c.project_id.in_(sorted(asked.project_ids)))
    if asked.visible_to is not None:
        conditions.append(or_(table.c.project_id == asked.visible_to, table.c.shared))
    return conditions


def read_point_versions(connection: Connection, up_to: int | None = None) -> list[PointVersion]:
    """List the versions of points that have records, in the order in which they came; behind them the points without any, as they are.

    Records of postings after ``up_to`` are not looked at.
    """
    table = LEDGER_POINT_VERSIONS
    columns: list[KeyedColumnElement[Any]] = [table.c.id, table.c.point_id, table.c.name, table.c.project_id, table.c.shared]
    placed = [table.c.kind, table.c.boundary]
    statement = (
        select(*columns, _end(func.min, up_to), _end(func.max, up_to), _first_start(up_to), *placed)
        .where(~table.c.held)
        .order_by(table.c.id)
    )
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


def _posted(intervals: FromClause, up_to: int | None) -> ColumnElement[bool]:
    return true() if up_to is None else intervals.c.posting <= up_to


def _end(outermost: Callable[[ColumnElement[int]], ColumnElement[int]], up_to: int | None) -> ScalarSelect[int]:
    """Give the first or last end of a version's records, which the index answers with one seek."""
    ends = select(outermost(LEDGER_INTERVALS.c.end_at)).where(_of_version(LEDGER_INTERVALS), _posted(LEDGER_INTERVALS, up_to))
    return ends.correlate(LEDGER_POINT_VERSIONS).scalar_subquery()


def _first_start(up_to: int | None) -> ScalarSelect[int]:
    """Give the start of the record of a version that ends first; those of one device never overlap, so it is the first to start too."""
    ends = LEDGER_INTERVALS.alias("ends")
    first_end = (
        select(func.min(ends.c.end_at)).where(_of_version(ends), _posted(ends, up_to)).correlate(LEDGER_POINT_VERSIONS).scalar_subquery()
    )
    first = LEDGER_INTERVALS.c.end_at == first_end, _posted(LEDGER_INTERVALS, up_to)
    starts = select(func.min(LEDGER_INTERVALS.c.start_at)).where(_of_version(LEDGER_INTERVALS), *first)
    return starts.correlate(LEDGER_POINT_VERSIONS).scalar_subquery()
