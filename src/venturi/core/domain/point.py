"""Observation points: the places where packets are seen (RFC 7011 §2).

Owns what makes one valid and what tells where it is. Which labels apply there is for ``label``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from venturi.core.domain.errors import InvalidPointError
from venturi.core.domain.prefix import parse_address

_HIGHEST_NUMBER = 0xFFFF_FFFF

MOST_HOSTS = 250
"""How many hosts may meter a router: their names fit into a text of any database."""

HIGHEST_LINE_RATE = 10**15
"""The highest line rate, in bits per second."""

LONGEST_BOUNDARY = 64
"""How many characters the name of a boundary has at most."""

DEFAULT_BOUNDARIES: Mapping[str, str] = MappingProxyType({"router": "routers", "port": "ports"})
"""The boundary of points of a kind that are in none that was named; a ledger that says nothing else means these, so they never change."""


class PointKind(StrEnum):
    """What an observation point is."""

    INTERFACE = "interface"
    ROUTER = "router"
    EXPORTER = "exporter"
    CAPTURE = "capture"


def boundary_of(kind: str, identity: str, named: str) -> str:
    """Give the boundary of a point: the one that was ``named``, else that of its kind, else one of its own, which its id names."""
    return named or DEFAULT_BOUNDARIES.get(kind, identity)


class PointTraffic(StrEnum):
    """Which packets count at a point: those that the host passes on, those that it sends and receives itself, or both."""

    FORWARDED = "forwarded"
    LOCAL = "local"
    BOTH = "both"


class Hook(StrEnum):
    """Where in the kernel packets are seen."""

    NETFILTER = "netfilter"
    """After routing and filtering, by the addresses inside: before source NAT, after destination NAT."""
    TC = "tc"
    """At the device, by the addresses on the wire, with the host's own traffic."""


@dataclass(frozen=True, kw_only=True)
class InterfacePlace:
    """A network device of a host, in a network namespace or, without one, in that of the host; its packets are seen at ``hook``."""

    host: str
    device: str
    namespace: str | None = None
    hook: Hook = Hook.NETFILTER


@dataclass(frozen=True, kw_only=True)
class RouterPlace:
    """A Neutron router: an agent that finds the namespace ``qrouter-<router_id>`` meters its gateway devices at ``hook``.

    ``hosts`` are the hosts whose agents may do so, in order; without any, every agent may until one has counted packets.
    """

    router_id: str
    hook: Hook = Hook.NETFILTER
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ExporterPlace:
    """Interfaces of an exporter of flow records.

    ``observation_domain`` is None for all domains of the exporter, ``collector_host`` None for every collector.
    Traffic enters and leaves the network through ``outside_interfaces``, given by ifIndex (RFC 2863).
    """

    address: str
    observation_domain: int | None = None
    outside_interfaces: tuple[int, ...] = ()
    collector_host: str | None = None

    def __post_init__(self) -> None:
        """Refuse numbers of more than 32 bits with ``InvalidPointError``, and an address that is none with ``InvalidPrefixError``."""
        parse_address(self.address)
        for number in (*self.outside_interfaces, self.observation_domain or 0):
            if not 0 <= number <= _HIGHEST_NUMBER:
                message = f"{number} is no interface and no observation domain: they go from 0 to {_HIGHEST_NUMBER}"
                raise InvalidPointError(message)


PointPlace = InterfacePlace | RouterPlace | ExporterPlace
"""Where a point is, according to its kind."""

_KINDS: dict[type, PointKind] = {
    InterfacePlace: PointKind.INTERFACE,
    RouterPlace: PointKind.ROUTER,
    ExporterPlace: PointKind.EXPORTER,
}


@dataclass(frozen=True, kw_only=True)
class ObservationPoint:
    """A place where packets are seen; a ``shared`` one carries the traffic of many projects.

    ``id`` is empty and ``place`` None for points that no server keeps: captures, and exporters met in a file. ``line_rate`` is the most
    that can pass in one direction, in bits per second, None if nobody said. ``named_boundary`` is the boundary that an operator put it in,
    empty if nobody did.
    """

    name: str
    kind: PointKind
    project_id: str = ""
    shared: bool = True
    id: str = ""
    traffic: PointTraffic = PointTraffic.FORWARDED
    place: PointPlace | None = None
    line_rate: int | None = None
    named_boundary: str = ""

    @property
    def boundary(self) -> str:
        """The points that it belongs to, of which each packet passes one at most in each direction."""
        return boundary_of(self.kind, self.id or self.name, self.named_boundary)

    def __post_init__(self) -> None:
        """Refuse a place of another kind with ``InvalidPointError``."""
        if self.place is not None and _KINDS[type(self.place)] is not self.kind:
            message = f"a point of kind {self.kind} cannot be described as {_KINDS[type(self.place)]}"
            raise InvalidPointError(message)
