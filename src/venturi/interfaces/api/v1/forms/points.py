"""Wire forms of observation points: one for each kind, one for changes, one for answers.

Owns their fields and their translation. Whether a point may be made is the service's affair.
"""

import ipaddress
import uuid
from collections.abc import Iterable, Mapping
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from venturi.core.domain.errors import InvalidPointError
from venturi.core.domain.point import (
    HIGHEST_LINE_RATE,
    LONGEST_BOUNDARY,
    METERED_KINDS,
    MOST_HOSTS,
    ExporterPlace,
    Hook,
    InterfacePlace,
    ObservationPoint,
    PointPlace,
    PointTraffic,
    RouterPlace,
)
from venturi.core.rules.checks import printable
from venturi.interfaces.api.v1.forms.reading import read_variant
from venturi.interfaces.api.v1.forms.texts import PRINTABLE, Address, Device, Host, Identifier, Name, Namespace, Number32, ProjectId
from venturi.services.control.points import NewPoint, PointChanges

OutsideInterfaces = Annotated[
    list[Number32],
    Meta(max_length=1024, description="The ifIndex (RFC 2863) of each interface at which traffic enters and leaves the network."),
]
Shared = Annotated[bool, Meta(description="Whether it carries the traffic of many projects, so that the labels of all apply.")]
Traffic = Annotated[
    PointTraffic, Meta(description="Which packets count: those passed on, those that the host sends and receives itself, or both.")
]
HookName = Annotated[
    Hook,
    Meta(
        description="Where its packets are seen: after routing and filtering, by the addresses inside (netfilter), or at the device, by the"
        " addresses on the wire and with the host's own traffic, whatever `traffic` says (tc, which only eBPF can)."
    ),
]

RouterHosts = Annotated[
    list[Host],
    Meta(
        max_length=MOST_HOSTS,
        description="The hosts that meter the router: only their plans have it, and only they are believed. Without any, it is in every"
        " plan, and the first host that posts packets of it becomes its host.",
    ),
]
LineRate = (
    Annotated[
        int,
        Meta(
            ge=1,
            le=HIGHEST_LINE_RATE,
            description="The most that can pass in one direction, in bits per second; an interval that counts more is held. null for the"
            " server's default.",
        ),
    ]
    | None
)
Boundary = (
    Annotated[
        str,
        Meta(
            min_length=1,
            max_length=LONGEST_BOUNDARY,
            pattern=PRINTABLE,
            description="The boundary that it is part of: a packet passes at most one point of a boundary in each direction. null for the"
            " default: `routers` for a router, else a boundary of its own, which its id names.",
        ),
    ]
    | None
)


class InterfacePlaceForm(Struct, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="interface"):
    """A network device of a host; without a namespace, in that of the host."""

    host: Host
    device: Device
    namespace: Namespace | None = None
    hook: HookName = Hook.NETFILTER

    @property
    def place(self) -> PointPlace:
        """The place described."""
        return InterfacePlace(host=self.host.lower(), device=self.device, namespace=self.namespace, hook=self.hook)


class RouterPlaceForm(Struct, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="router"):
    """A Neutron router, metered by the agents of its hosts that find its namespace."""

    router_id: uuid.UUID
    hook: HookName = Hook.NETFILTER
    hosts: RouterHosts = msgspec.field(default_factory=list)

    @property
    def place(self) -> PointPlace:
        """The router meant."""
        return RouterPlace(router_id=str(self.router_id), hook=self.hook, hosts=_hosts(self.hosts))


class ExporterPlaceForm(Struct, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="exporter"):
    """Interfaces of an exporter of flow records; every collector listens to it unless one is named."""

    address: Address
    observation_domain: Number32 | None = None
    outside_interfaces: OutsideInterfaces = msgspec.field(default_factory=list)
    collector_host: Host | None = None

    @property
    def place(self) -> PointPlace:
        """The exporter and its interfaces."""
        return ExporterPlace(
            address=_address(self.address),
            observation_domain=self.observation_domain,
            outside_interfaces=tuple(sorted(set(self.outside_interfaces))),
            collector_host=None if self.collector_host is None else self.collector_host.lower(),
        )


class NewInterfaceForm(InterfacePlaceForm, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="interface"):
    """An interface to observe."""

    name: Name
    project_id: ProjectId | UnsetType = UNSET
    shared: Shared = False
    traffic: Traffic = PointTraffic.FORWARDED
    line_rate: LineRate = None
    boundary: Boundary = None


class NewRouterForm(RouterPlaceForm, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="router"):
    """A router to observe."""

    name: Name
    project_id: ProjectId | UnsetType = UNSET
    shared: Shared = False
    traffic: Traffic = PointTraffic.FORWARDED
    line_rate: LineRate = None
    boundary: Boundary = None


class NewExporterForm(ExporterPlaceForm, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="exporter"):
    """An exporter to observe; refused, since nothing meters one yet."""

    name: Name
    project_id: ProjectId | UnsetType = UNSET
    shared: Shared = False
    traffic: Traffic = PointTraffic.FORWARDED
    line_rate: LineRate = None
    boundary: Boundary = None


NewPointForm = Annotated[
    NewInterfaceForm | NewRouterForm | NewExporterForm,
    Meta(extra_json_schema={"properties": {"kind": {"enum": sorted(METERED_KINDS)}}}),
]
"""A point to observe, of a kind that something meters."""


class PointChangesForm(Struct, kw_only=True, forbid_unknown_fields=True):
    """What changes of a point: its name, what counts there and, of the fields of its kind, where it is."""

    name: Name | UnsetType = UNSET
    shared: Shared | UnsetType = UNSET
    traffic: Traffic | UnsetType = UNSET
    line_rate: LineRate | UnsetType = UNSET
    boundary: Boundary | UnsetType = UNSET
    host: Host | UnsetType = UNSET
    device: Device | UnsetType = UNSET
    namespace: Namespace | UnsetType | None = UNSET
    hook: HookName | UnsetType = UNSET
    router_id: uuid.UUID | UnsetType = UNSET
    hosts: RouterHosts | UnsetType = UNSET
    address: Address | UnsetType = UNSET
    observation_domain: Number32 | UnsetType | None = UNSET
    outside_interfaces: OutsideInterfaces | UnsetType = UNSET
    collector_host: Host | UnsetType | None = UNSET


class InterfacePoint(NewInterfaceForm, kw_only=True, tag_field="kind", tag="interface"):
    """An interface that is observed."""

    id: Identifier


class RouterPoint(NewRouterForm, kw_only=True, tag_field="kind", tag="router"):
    """A router that is observed."""

    id: Identifier


class ExporterPoint(NewExporterForm, kw_only=True, tag_field="kind", tag="exporter"):
    """An exporter that is observed."""

    id: Identifier


PointForm = InterfacePoint | RouterPoint | ExporterPoint


class PointList(Struct, kw_only=True):
    """A page of observation points; ``next`` is the marker of the page after it, null on the last."""

    observation_points: list[PointForm]
    next: str | None


def read_new_point(body: bytes) -> NewInterfaceForm | NewRouterForm | NewExporterForm:
    """Read the point that a request asks for, of whatever kind."""
    form: NewInterfaceForm | NewRouterForm | NewExporterForm = read_variant(body, NewPointForm)
    return form


def new_point(form: NewInterfaceForm | NewRouterForm | NewExporterForm) -> NewPoint:
    """Translate the point that a caller asks for."""
    return NewPoint(
        name=form.name,
        project_id=None if form.project_id is UNSET else form.project_id,
        shared=form.shared,
        traffic=form.traffic,
        place=form.place,
        line_rate=form.line_rate,
        boundary=form.boundary or "",
    )


def point_changes(form: PointChangesForm) -> PointChanges:
    """Translate the changes of a point; the fields of its place are checked against its kind once that is known."""
    given: dict[str, object] = {name: value for name, value in msgspec.structs.asdict(form).items() if value is not UNSET}
    own: dict[str, object] = {name: given.pop(name) for name in ("name", "shared", "traffic", "line_rate") if name in given}
    if "boundary" in given:
        own["named_boundary"] = given.pop("boundary") or ""
    return PointChanges(own=own, place={name: _place_value(name, value) for name, value in given.items()})


def point_fields(point: ObservationPoint) -> dict[str, object]:
    """Spell a point as it is answered; what has no value is null."""
    fields: dict[str, object] = {
        "id": point.id,
        "name": point.name,
        "project_id": point.project_id,
        "shared": point.shared,
        "traffic": str(point.traffic),
        "line_rate": point.line_rate,
        "boundary": point.boundary,
        "kind": str(point.kind),
    }
    place: Mapping[str, object] = {} if point.place is None else vars(point.place)
    return fields | {name: list(value) if isinstance(value, tuple) else value for name, value in place.items()}


def _place_value(name: str, value: object) -> object:
    if name == "outside_interfaces" and isinstance(value, list):
        return tuple(sorted(set(value)))
    if name == "hosts" and isinstance(value, list):
        return _hosts(value)
    if name == "address" and isinstance(value, str):
        return _address(value)
    if name in {"host", "collector_host"} and isinstance(value, str):
        return value.lower()
    return str(value) if isinstance(value, uuid.UUID) else value


def _hosts(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({name.lower() for name in names}))


def _address(text: str) -> str:
    """Spell an address in its canonical form."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError as error:
        message = f"address: '{printable(text)}' is no IPv4 or IPv6 address"
        raise InvalidPointError(message) from error
    if getattr(address, "scope_id", None) is not None:
        message = f"address: '{printable(text)}' names an IPv6 zone, which no exporter's address has"
        raise InvalidPointError(message)
    return str(address)
