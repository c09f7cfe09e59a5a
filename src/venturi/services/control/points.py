"""Observation points: their making, changing and removal, by policy.

Owns what a caller may do with points and the transactions of it. What makes a point valid is the domain's affair.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace

from venturi.adapters.store.store import Store
from venturi.core.domain.control.listing import Listing
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.errors import InvalidPointError, PointNotFoundError
from venturi.core.domain.point import (
    METERED_KINDS,
    ExporterPlace,
    InterfacePlace,
    ObservationPoint,
    PointKind,
    PointPlace,
    PointTraffic,
    RouterPlace,
)
from venturi.services.control.policy import Operation, listed_project, permits, require

_KINDS: Mapping[type, PointKind] = {
    InterfacePlace: PointKind.INTERFACE,
    RouterPlace: PointKind.ROUTER,
    ExporterPlace: PointKind.EXPORTER,
}


@dataclass(frozen=True, kw_only=True)
class NewPoint:
    """The point that a caller asks for; ``project_id`` None is the caller's own project, ``boundary`` empty the default."""

    name: str
    place: PointPlace
    project_id: str | None = None
    shared: bool = False
    traffic: PointTraffic = PointTraffic.FORWARDED
    line_rate: int | None = None
    boundary: str = ""


@dataclass(frozen=True, kw_only=True)
class PointChanges:
    """New values of a point's own attributes and of those of its place, by name."""

    own: Mapping[str, object]
    place: Mapping[str, object]


class PointControl:
    """What callers do with observation points."""

    def __init__(self, store: Store) -> None:
        """Keep points in ``store``."""
        self._store = store

    def create(self, caller: Principal, asked: NewPoint) -> ObservationPoint:
        """Make a point; raises ``ForbiddenError``, and ``DuplicatePointError`` if another one is at that place.

        Raises ``InvalidPointError`` for a kind that nothing meters.
        """
        point = ObservationPoint(
            id=str(uuid.uuid4()),
            name=asked.name,
            kind=_KINDS[type(asked.place)],
            project_id=caller.project_id if asked.project_id is None else asked.project_id,
            shared=asked.shared,
            traffic=asked.traffic,
            place=asked.place,
            line_rate=asked.line_rate,
            named_boundary=asked.boundary,
        )
        require(caller, Operation.CREATE_POINT, project_id=point.project_id, shared=point.shared)
        if point.kind not in METERED_KINDS:
            message = f"kind: nothing meters points of kind {point.kind} yet; there can be {' and '.join(sorted(METERED_KINDS))}"
            raise InvalidPointError(message)
        with self._store.writing(caller) as writer:
            writer.points.insert(point)
        return point

    def find(self, caller: Principal, point_id: str) -> ObservationPoint:
        """Give a point that the caller may see; else ``PointNotFoundError``."""
        with self._store.reading() as reader:
            return _visible(caller, reader.points.find(point_id), point_id)

    def list_points(self, caller: Principal, listing: Listing, search: str = "") -> list[ObservationPoint]:
        """List the points that the caller may see, with ``search`` those that a text finds.

        Raises ``ForbiddenError`` to whoever may see none.
        """
        project_id = listed_project(caller, Operation.LIST_POINTS)
        with self._store.reading() as reader:
            return reader.points.list(listing, project_id=project_id, with_shared=False, search=search)

    def update(self, caller: Principal, point_id: str, changes: PointChanges) -> ObservationPoint:
        """Change a point; nothing happens if it is so already. Raises as ``create`` and ``find`` do."""
        with self._store.writing(caller) as writer:
            before = _visible(caller, writer.points.find(point_id), point_id)
            require(caller, Operation.UPDATE_POINT, project_id=before.project_id, shared=before.shared)
            after = _changed(before, changes)
            require(caller, Operation.UPDATE_POINT, project_id=after.project_id, shared=after.shared)
            if after != before:
                writer.points.update(after)
        return after

    def delete(self, caller: Principal, point_id: str) -> None:
        """Remove a point; what was counted there stays. Raises ``PointNotFoundError`` and ``ForbiddenError``."""
        with self._store.writing(caller) as writer:
            point = _visible(caller, writer.points.find(point_id), point_id)
            require(caller, Operation.DELETE_POINT, project_id=point.project_id, shared=point.shared)
            writer.points.delete(point_id)


def sees_point(caller: Principal, point: ObservationPoint) -> bool:
    """Tell whether a point exists as far as the caller is concerned: one of another project does only where the policy says so."""
    return permits(caller, Operation.SHOW_POINT, point.project_id, shared=point.shared)


def _visible(caller: Principal, point: ObservationPoint | None, point_id: str) -> ObservationPoint:
    """Give a point that the caller may see; whoever may see none hears so, whether there is one or not."""
    require(caller, Operation.SHOW_POINT)
    if point is None or not sees_point(caller, point):
        message = f"Observation point '{point_id}' does not exist."
        raise PointNotFoundError(message)
    return point


def _changed(point: ObservationPoint, changes: PointChanges) -> ObservationPoint:
    place = point.place
    foreign = [name for name in changes.place if not hasattr(place, name)]
    if foreign:
        message = f"{foreign[0]}: a point of kind {point.kind} has no such field"
        raise InvalidPointError(message)
    if place is not None and changes.place:
        place = replace(place, **dict(changes.place))  # type: ignore[arg-type]  # checked by the wire form, field by field
    return replace(point, place=place, **dict(changes.own))  # type: ignore[arg-type]  # likewise
