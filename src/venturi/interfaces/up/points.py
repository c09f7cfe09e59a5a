"""Points for whoever has none: the devices of the default routes, on a server that knows no point of this host.

Owns the offer. What is metered at them is for the server's labels.
"""

from collections.abc import Sequence

from venturi.adapters.client.collections import POINTS
from venturi.adapters.client.resources import Resources
from venturi.core.domain.point import PointKind, PointTraffic


def offer_points(resources: Resources, host: str, devices: Sequence[str]) -> list[str]:
    """Make a shared point of each device, with the host's own traffic and what it passes on, and give their names.

    Nothing is made where the server has points of the host, or routers, which may be on it.
    """
    present = resources.find_all(POINTS)
    if any(point.get("host") == host or point.get("kind") == PointKind.ROUTER for point in present):
        return []
    return [str(resources.create(POINTS, _point(host, device))["name"]) for device in devices]


def offer_point(resources: Resources, host: str, device: str, name: str) -> None:
    """Make a shared point of a device for traffic that is passed on, unless the server has one of that name."""
    if not resources.find_all(POINTS, (("name", name),)):
        resources.create(POINTS, {**_point(host, device), "name": name, "traffic": PointTraffic.FORWARDED})


def _point(host: str, device: str) -> dict[str, object]:
    return {
        "name": f"{host}-{device}",
        "kind": PointKind.INTERFACE,
        "host": host,
        "device": device,
        "traffic": PointTraffic.BOTH,
        "shared": True,
    }
