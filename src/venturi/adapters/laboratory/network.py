"""A router in a namespace, with an outside host before it and the hosts of several projects behind it.

Owns the making and the removal of namespaces, devices, addresses and routes. What is sent is for ``traffic``.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from pathlib import Path
from typing import Self

from pyroute2 import IPRoute, netns
from pyroute2.netlink.exceptions import NetlinkError

from venturi.adapters.edges import KERNEL_EDGE
from venturi.adapters.network.namespaces import inside, list_namespaces
from venturi.core.domain.errors import DriverError

UPLINK = "uplink"
"""The router's device towards the outside: where traffic is metered."""

_HOST_DEVICE = "eth0"
_OUTSIDE_V4 = IPv4Network("203.0.113.0/24")
_OUTSIDE_V6 = IPv6Network("2001:db8:ffff::/64")
_PROJECTS_V4 = IPv4Network("10.0.0.0/8")
_PROJECTS_V6 = IPv6Network("2001:db8::/32")
_NO_DETECTION = 2
_FORWARDING = ("net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding")


@dataclass(frozen=True)
class LaboratoryHost:
    """A host of the laboratory: the namespace that it is in, its addresses and the prefixes around them."""

    name: str
    namespace: str
    ipv4: IPv4Address
    ipv6: IPv6Address
    prefix_v4: IPv4Network
    prefix_v6: IPv6Network


@KERNEL_EDGE.adapter
class LaboratoryNetwork:
    """The network of one laboratory; ``start`` makes it, ``stop`` removes all of it.

    ``name`` begins the names of its namespaces; ``projects`` names the hosts behind the router.
    """

    def __init__(self, name: str, projects: Sequence[str]) -> None:
        self._name = name
        self.router_namespace = f"{name}-router"
        self.outside = self._host("outside", _OUTSIDE_V4, _OUTSIDE_V6)
        self.projects = tuple(self._host(project, _nth_v4(number), _nth_v6(number)) for number, project in enumerate(projects, start=1))

    def start(self) -> None:
        """Make the network; raises ``DriverError`` where the rights are missing or its names are taken."""
        try:
            self._create()
        except (NetlinkError, OSError) as error:
            self.stop()
            message = f"the laboratory '{self._name}' cannot be made: {error}"
            raise DriverError(message) from error

    def stop(self) -> None:
        """Remove what there is of the network."""
        existing = set(list_namespaces())
        for namespace in self._namespaces:
            if namespace in existing:
                netns.remove(namespace)

    def renew_uplink(self) -> None:
        """Remove the cable to the outside host, and lay it anew; what is on its way is lost."""
        with inside(self.router_namespace), IPRoute() as route:
            route.link("del", ifname=UPLINK)
        self._join(self.outside, UPLINK)

    def renew_router(self) -> None:
        """Remove the router with its namespace, and make it anew; the hosts stay."""
        with inside(self.router_namespace), IPRoute() as route:
            for link in route.get_links(kind="veth"):
                route.link("del", index=link["index"])
        netns.remove(self.router_namespace)
        netns.create(self.router_namespace)
        self._join_all()

    def __enter__(self) -> Self:
        """Make the network for a block."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Remove it again."""
        self.stop()

    @property
    def _namespaces(self) -> list[str]:
        return [self.router_namespace, self.outside.namespace, *(host.namespace for host in self.projects)]

    def _host(self, name: str, prefix_v4: IPv4Network, prefix_v6: IPv6Network) -> LaboratoryHost:
        return LaboratoryHost(name, f"{self._name}-{name}", prefix_v4[2], prefix_v6[2], prefix_v4, prefix_v6)

    def _create(self) -> None:
        for namespace in self._namespaces:
            netns.create(namespace)
        self._join_all()

    def _join_all(self) -> None:
        self._join(self.outside, UPLINK)
        for number, host in enumerate(self.projects):
            self._join(host, f"project{number}")
        with inside(self.router_namespace):
            for setting in _FORWARDING:
                Path("/proc/sys", setting).write_text("1", encoding="ascii")

    def _join(self, host: LaboratoryHost, router_device: str) -> None:
        """Lay a cable between a host and the router, with the router as the host's way to everywhere."""
        with inside(self.router_namespace), IPRoute() as route:
            peer = {"ifname": _HOST_DEVICE, "net_ns_fd": host.namespace}
            route.link("add", ifname=router_device, kind="veth", peer=peer)
            _address(route, router_device, host, place=1)
        with inside(host.namespace), IPRoute() as route:
            _address(route, _HOST_DEVICE, host, place=2)
            route.route("add", dst="default", gateway=str(host.prefix_v4[1]))
            route.route("add", dst="::/0", gateway=str(host.prefix_v6[1]))


def laboratory_name() -> str:
    """Give a name that no other laboratory of this host has."""
    return f"venturi-{os.getpid()}"


def _address(route: IPRoute, device: str, host: LaboratoryHost, place: int) -> None:
    """Give a device the address at a place of the host's prefixes; IPv6 without detection of duplicates, which takes seconds."""
    index = route.link_lookup(ifname=device)[0]
    route.link("set", index=index, state="up")
    route.addr("add", index=index, address=str(host.prefix_v4[place]), prefixlen=host.prefix_v4.prefixlen)
    route.addr("add", index=index, address=str(host.prefix_v6[place]), prefixlen=host.prefix_v6.prefixlen, flags=_NO_DETECTION)


def _nth_v4(number: int) -> IPv4Network:
    return IPv4Network((int(_PROJECTS_V4.network_address) + (number << 8), 24))


def _nth_v6(number: int) -> IPv6Network:
    return IPv6Network((int(_PROJECTS_V6.network_address) + (number << 80), 64))
