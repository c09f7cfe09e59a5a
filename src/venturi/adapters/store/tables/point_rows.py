"""Rows to observation points and back.

Owns the columns of each kind of place, and what makes two places the same.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec

from venturi.core.domain.errors import InvalidPointError
from venturi.core.domain.point import (
    ExporterPlace,
    Hook,
    InterfacePlace,
    ObservationPoint,
    PointKind,
    PointPlace,
    PointTraffic,
    RouterPlace,
)
from venturi.core.domain.prefix import format_address, parse_address

_EXPORTER_COLUMNS = ("address", "observation_domain", "outside_interfaces", "collector_host")
_PLACE_COLUMNS = ("host", "namespace", "device", "router_id", "hook", "hosts", *_EXPORTER_COLUMNS)
_NO_PART_OF_PLACE = ("hook", "hosts")


def read_point(row: Any) -> ObservationPoint:  # noqa: ANN401 - a row of ``POINT_ATTRIBUTES``
    """Make a point of a row."""
    return ObservationPoint(
        id=row.id,
        name=row.name,
        kind=PointKind(row.kind),
        project_id=row.project_id,
        shared=row.shared,
        traffic=PointTraffic(row.traffic),
        place=_read_place(row),
        line_rate=row.line_rate,
        named_boundary=row.boundary or "",
    )


def write_point(point: ObservationPoint) -> dict[str, object]:
    """Give the columns of a point; raises ``InvalidPointError`` for one that is nowhere."""
    place = _write_place(point)
    return {
        "id": point.id,
        "name": point.name,
        "project_id": point.project_id,
        "shared": point.shared,
        "kind": point.kind.value,
        "traffic": point.traffic.value,
        **dict.fromkeys(_PLACE_COLUMNS),
        **place,
        "line_rate": point.line_rate,
        "boundary": point.named_boundary or None,
        "place_key": _place_key(point),
    }


def read_hosts(column: str | None) -> tuple[str, ...]:
    """Read the hosts of a router, which stand between blanks, so that each can be found as ``write_hosts`` spells it alone."""
    return tuple((column or "").split())


def write_hosts(hosts: Sequence[str]) -> str:
    """Spell the hosts of a router; none are an empty text."""
    return f" {' '.join(hosts)} " if hosts else ""


def _read_place(row: Any) -> PointPlace:  # noqa: ANN401 - a row of ``POINT_ATTRIBUTES``
    if row.kind == PointKind.INTERFACE:
        return InterfacePlace(host=row.host, device=row.device, namespace=row.namespace, hook=Hook(row.hook))
    if row.kind == PointKind.ROUTER:
        return RouterPlace(router_id=row.router_id, hook=Hook(row.hook), hosts=read_hosts(row.hosts))
    return ExporterPlace(
        address=row.address,
        observation_domain=row.observation_domain,
        outside_interfaces=tuple(int(number) for number in (row.outside_interfaces or "").split(",") if number),
        collector_host=row.collector_host,
    )


def _write_place(point: ObservationPoint) -> dict[str, object]:
    match point.place:
        case InterfacePlace() as place:
            return {"host": place.host, "namespace": place.namespace, "device": place.device, "hook": place.hook.value}
        case RouterPlace() as place:
            return {"router_id": place.router_id, "hook": place.hook.value, "hosts": write_hosts(place.hosts)}
        case ExporterPlace() as place:
            return {
                "address": place.address,
                "observation_domain": place.observation_domain,
                "outside_interfaces": ",".join(map(str, place.outside_interfaces)),
                "collector_host": place.collector_host,
            }
        case None:
            message = f"the observation point '{point.name}' is nowhere, so it cannot be kept"
            raise InvalidPointError(message)


def _place_key(point: ObservationPoint) -> str:
    """Digest a place in such a way that all spellings of it have one digest; at which hook and by whom it is metered is no part of it."""
    place = {name: column for name, column in _write_place(point).items() if name not in _NO_PART_OF_PLACE}
    if isinstance(point.place, ExporterPlace):
        place["address"] = format_address(*parse_address(point.place.address))
        place["outside_interfaces"] = sorted(set(point.place.outside_interfaces))
    return hashlib.sha256(msgspec.json.encode([point.kind.value, place], order="sorted")).hexdigest()
