"""Where a plan is to be metered on a host as it is now: the devices of its points, whether they are there or not.

Owns what finds the devices of a point. Metering them is for ``metering``.
"""

from collections.abc import Collection, Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from venturi.core.domain.generation import MeteredDevice
from venturi.core.domain.point import PointKind, PointTraffic
from venturi.core.ledger.batch import BatchPoint
from venturi.services.agent.classification import Classification
from venturi.services.agent.plan import AgentPlan, batch_point, planned_hook
from venturi.services.control.planning.form import PlannedPoint

ROUTER_NAMESPACE = "qrouter-"
"""What the namespace of a Neutron router is called, before the router's id."""

GATEWAY_DEVICE = "qg-"
"""How the names of a Neutron router's gateway devices begin."""

_CLOSED = {GATEWAY_DEVICE: None}
"""Stands for the devices of a router that cannot be seen. Every namespace has a loopback, so one without devices cannot be entered."""


class HostView(Protocol):
    """Namespaces and devices of a host; asked once a second, so it must cost next to nothing while nothing changes."""

    def list_namespaces(self) -> Collection[str]:
        """List the named network namespaces."""
        ...

    def list_devices(self, namespace: str | None) -> Mapping[str, Hashable]:
        """Give the devices of a namespace by name, each with what no other device ever is; none where there is no such namespace."""
        ...

    def hold(self, metered: MeteredDevice) -> bool:
        """Take the right to meter a device, for as long as this process lives; False while another process has it."""
        ...

    def release(self, metered: MeteredDevice) -> None:
        """Give that right up; nothing happens where it was not taken."""
        ...

    def has_bypass(self, metered: MeteredDevice) -> bool:
        """Tell whether packets can take a way around the hook at a device."""
        ...


@dataclass(frozen=True, kw_only=True)
class ExpectedPlace:
    """A device at which a point is to be metered; ``identity`` is that of the device, None while there is none of its name.

    It is None, too, at a point that this version cannot meter (``unknown``): its time is known to be unknown.
    """

    metered: MeteredDevice
    point: BatchPoint
    classification: Classification
    revision: int
    identity: Hashable | None
    unknown: bool = False


def expected_places(plan: AgentPlan, host: HostView) -> dict[MeteredDevice, ExpectedPlace]:
    """Find where ``plan`` is to be metered. A router that is not on this host has no place here; the device of an interface always has.

    A router whose namespace cannot be entered has one, at no device, so that its traffic is known to be unknown.
    """
    namespaces = frozenset(host.list_namespaces())
    metered = [(point, False) for point in plan.points]
    unknown = [(point.located, True) for point in plan.unknown if point.located is not None]
    return {
        device: ExpectedPlace(
            metered=device,
            point=batch_point(point),
            classification=plan.classifications[point.classifier],
            revision=plan.revision,
            identity=None if is_unknown else identity,
            unknown=is_unknown,
        )
        for point, is_unknown in (*metered, *unknown)
        for device, identity in _find_devices(point, namespaces, host)
    }


def _find_devices(point: PlannedPoint, namespaces: Collection[str], host: HostView) -> Iterator[tuple[MeteredDevice, Hashable | None]]:
    namespace = point.namespace or None
    if point.kind == PointKind.INTERFACE and point.device:
        there = namespace is None or namespace in namespaces
        yield _metered(point, namespace, point.device), host.list_devices(namespace).get(point.device) if there else None
    elif point.kind == PointKind.ROUTER and f"{ROUTER_NAMESPACE}{point.router_id}" in namespaces:
        namespace = f"{ROUTER_NAMESPACE}{point.router_id}"
        for device, identity in (host.list_devices(namespace) or _CLOSED).items():
            if device.startswith(GATEWAY_DEVICE):
                yield _metered(point, namespace, device), identity


def _metered(point: PlannedPoint, namespace: str | None, device: str) -> MeteredDevice:
    traffic = PointTraffic(point.traffic)
    return MeteredDevice(point_id=point.id, device=device, namespace=namespace, traffic=traffic, hook=planned_hook(point))
