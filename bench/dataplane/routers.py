"""A router in network namespaces: a sender before it, a receiver behind it, and their removal.

Owns devices, addresses and routes. Nothing leaves the namespaces; what reaches the receiver is addressed to no device there, and dropped at
once.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pyroute2 import IPRoute, netns

from bench.dataplane.traffic import NOBODYS_MAC, RECEIVER_MAC, ROUTER_MAC, ROUTER_OUT_MAC, SENDER_MAC
from venturi.adapters.network.namespaces import inside

EXTERNAL_DEVICE = "external"
"""The device of the router that is metered."""

SENDING_DEVICE = "sending"
RECEIVING_DEVICE = "receiving"
_INTERNAL_DEVICE = "internal"

_GATEWAYS = {4: "192.168.2.2", 6: "fd00:2::2"}
_ADDRESSES = (
    (_INTERNAL_DEVICE, "192.168.1.1", 24),
    (EXTERNAL_DEVICE, "192.168.2.1", 24),
    (_INTERNAL_DEVICE, "fd00:1::1", 64),
    (EXTERNAL_DEVICE, "fd00:2::1", 64),
)
_SETTINGS = ("ipv4/ip_forward=1", "ipv6/conf/all/forwarding=1", "ipv4/conf/all/rp_filter=0", f"ipv4/conf/{_INTERNAL_DEVICE}/rp_filter=0")
_NO_DETECTION = 0x02
_PERMANENT = 0x80


@dataclass(frozen=True)
class Router:
    """The names of the three namespaces."""

    sender: str
    router: str
    receiver: str

    def received(self) -> int:
        """Give the packets that have come to the receiver's device."""
        with inside(self.receiver), IPRoute() as route:
            statistics = route.link("get", ifname=RECEIVING_DEVICE)[0].get("stats64")
        return int(statistics["rx_packets"])


@contextmanager
def running_router(name: str) -> Iterator[Router]:
    """Make a router and its neighbours, and remove them at the end of the block."""
    sides = ("sender", "router", "receiver")
    router = Router(*(f"venturi-bench-{os.getpid()}-{name}-{side}" for side in sides))
    namespaces = (router.sender, router.router, router.receiver)
    try:
        for namespace in namespaces:
            netns.create(namespace)
        _connect(router.sender, SENDING_DEVICE, SENDER_MAC, router.router, _INTERNAL_DEVICE, ROUTER_MAC)
        _connect(router.receiver, RECEIVING_DEVICE, RECEIVER_MAC, router.router, EXTERNAL_DEVICE, ROUTER_OUT_MAC)
        with inside(router.router):
            _set_up_routing()
        yield router
    finally:
        for namespace in set(namespaces) & set(netns.listnetns()):
            netns.remove(namespace)


def _connect(namespace: str, device: str, address: bytes, peer_namespace: str, peer: str, peer_address: bytes) -> None:
    """Join two namespaces by a pair of devices, both up."""
    with inside(namespace), IPRoute() as route:
        end = {"ifname": peer, "address": peer_address.hex(":"), "net_ns_fd": peer_namespace}
        route.link("add", ifname=device, kind="veth", address=address.hex(":"), peer=end)
        _switch_on(route, device)
    with inside(peer_namespace), IPRoute() as route:
        _switch_on(route, peer)


def _switch_on(route: IPRoute, device: str) -> None:
    route.link("set", index=route.link_lookup(ifname=device)[0], state="up")


def _set_up_routing() -> None:
    """Forward everything to the receiver, at an address that is not its own."""
    for setting in _SETTINGS:
        path, _, chosen = setting.partition("=")
        Path("/proc/sys/net", path).write_text(chosen, encoding="ascii")
    with IPRoute() as route:
        for device, address, length in _ADDRESSES:
            route.addr("add", index=route.link_lookup(ifname=device)[0], address=address, prefixlen=length, flags=_NO_DETECTION)
        external = route.link_lookup(ifname=EXTERNAL_DEVICE)[0]
        for gateway in _GATEWAYS.values():
            route.neigh("add", dst=gateway, lladdr=NOBODYS_MAC.hex(":"), ifindex=external, state=_PERMANENT)
            route.route("add", dst="default", gateway=gateway)
