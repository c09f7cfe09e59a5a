"""Observation points in the store.

Owns reading and writing them; no two are at one place.
"""

from collections.abc import Collection as AnyOf
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, case, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from venturi.adapters.store.engines.violations import broken_constraint
from venturi.adapters.store.schema.tables import OBSERVATION_POINTS, OBSERVATION_POINTS_HISTORY, PLACE_KEY, POINT_ATTRIBUTES
from venturi.adapters.store.tables.history import close_rows, delete_rows
from venturi.adapters.store.tables.paging import Collection, read_page, searched, storable
from venturi.adapters.store.tables.point_rows import read_point, write_hosts, write_point
from venturi.adapters.store.transaction import Transaction
from venturi.core.domain.control.listing import Listing
from venturi.core.domain.errors import ConflictError, DuplicatePointError, PointNotFoundError
from venturi.core.domain.point import DEFAULT_BOUNDARIES, ObservationPoint, PointKind

_TABLE = OBSERVATION_POINTS
_COLUMNS = [_TABLE.c[name] for name in POINT_ATTRIBUTES]
_LISTED = ("id", "name", "project_id", "shared", "kind", "traffic")
_BOUNDARY = func.coalesce(_TABLE.c.boundary, case(dict(DEFAULT_BOUNDARIES), value=_TABLE.c.kind, else_=_TABLE.c.id))
_COLLECTION = Collection("observation point", _COLUMNS, {**{name: _TABLE.c[name] for name in _LISTED}, "boundary": _BOUNDARY})
_ASKED_AT_ONCE = 400
_FIND = select(*_COLUMNS).where(_TABLE.c.id == bindparam("identifier"))

Points = list[ObservationPoint]  # the method ``list`` hides the built-in type


class PointTable:
    """The observation points that one transaction sees."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._connection = transaction.connection

    def find(self, point_id: str) -> ObservationPoint | None:
        """Give a point, or None."""
        if not storable(point_id):
            return None
        row = self._connection.execute(_FIND, {"identifier": point_id}).first()
        return None if row is None else read_point(row)

    def list(self, listing: Listing, project_id: str | None = None, *, with_shared: bool = False, search: str = "") -> Points:
        """List points, with ``project_id`` those of the project and, ``with_shared``, shared ones.

        With ``search``, those alone whose name holds the text, or whose id it is. Raises ``NotFoundError`` for an unknown marker.
        """
        conditions: list[ColumnElement[bool]] = []
        if project_id is not None:
            own = _TABLE.c.project_id == project_id
            conditions.append(or_(own, _TABLE.c.shared.is_(True)) if with_shared else own)
        if search:
            conditions.append(searched(search, _TABLE.c.name, _TABLE.c.id))
        rows = read_page(self._transaction, _COLLECTION, listing, and_(*conditions) if conditions else None)
        return [read_point(row) for row in rows]

    def on_host(self, host: str) -> Points:
        """Give, by id, the points that are in the plan of a host.

        They are its interfaces, the routers that it meters or that have no host yet, and the exporters that its collector or any collector
        receives from.
        """
        if not storable(host):
            return []
        kind, collector, hosts = _TABLE.c.kind, _TABLE.c.collector_host, _TABLE.c.hosts
        free = or_(hosts.is_(None), hosts == "")
        here = or_(
            and_(kind == PointKind.INTERFACE.value, _TABLE.c.host == host),
            and_(kind == PointKind.ROUTER.value, or_(free, hosts.contains(write_hosts([host]), autoescape=True))),
            and_(kind == PointKind.EXPORTER.value, or_(collector.is_(None), collector == host)),
        )
        return [read_point(row) for row in self._connection.execute(select(*_COLUMNS).where(here).order_by(_TABLE.c.id))]

    def find_free_routers(self, point_ids: AnyOf[str]) -> set[str]:
        """Give those of the points that are routers without a host."""
        wanted, found = sorted(filter(storable, point_ids)), set[str]()
        free = _TABLE.c.kind == PointKind.ROUTER.value, or_(_TABLE.c.hosts.is_(None), _TABLE.c.hosts == "")
        for start in range(0, len(wanted), _ASKED_AT_ONCE):
            some = select(_TABLE.c.id).where(_TABLE.c.id.in_(wanted[start : start + _ASKED_AT_ONCE]), *free)
            found.update(self._connection.execute(some).scalars())
        return found

    def insert(self, point: ObservationPoint) -> None:
        """Add a point; raises ``DuplicatePointError`` if another is at its place, ``ConflictError`` if one has its id."""
        columns = write_point(point) | {"valid_from": self._transaction.change()}
        try:
            with self._connection.begin_nested():
                self._connection.execute(insert(_TABLE), [columns])
        except IntegrityError as error:
            raise self._refusal(error, columns) from error

    def update(self, point: ObservationPoint) -> None:
        """Give a point new attributes; nothing happens if it has them. Raises ``PointNotFoundError`` and ``DuplicatePointError``."""
        before = self.find(point.id)
        if before is None:
            message = f"Observation point '{point.id}' does not exist."
            raise PointNotFoundError(message)
        if before == point:
            return
        revision, itself = self._transaction.change(), _TABLE.c.id == point.id
        columns = write_point(point) | {"valid_from": revision}
        try:
            with self._connection.begin_nested():
                close_rows(self._connection, _TABLE, OBSERVATION_POINTS_HISTORY, itself, revision)
                self._connection.execute(update(_TABLE).where(itself).values(**columns))
        except IntegrityError as error:
            raise self._refusal(error, columns) from error

    def delete(self, point_id: str) -> bool:
        """Remove a point; tell whether there was one."""
        if self.find(point_id) is None:
            return False
        itself = _TABLE.c.id == point_id
        delete_rows(self._connection, _TABLE, OBSERVATION_POINTS_HISTORY, itself, self._transaction.change())
        return True

    def _refusal(self, error: IntegrityError, columns: dict[str, Any]) -> ConflictError:
        """Tell a place that is taken from an id that is, by the constraint's name or, without one, by the rows."""
        name = broken_constraint(error)
        placed = select(_TABLE.c.id).where(_TABLE.c.place_key == columns["place_key"], _TABLE.c.id != columns["id"])
        if name == PLACE_KEY or (name is None and self._connection.execute(placed).first() is not None):
            message = "Another observation point is at the same place."
            return DuplicatePointError(message)
        message = "there is an observation point of this id already"
        return ConflictError(message)
