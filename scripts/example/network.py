"""The namespaces of the example, made and removed: one for each tenant, a router that forwards, and the outside behind its uplink.

Wiring only. Segmentation and receive offloads are off on every link, so that what is captured is what a wire would carry.
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from scripts.example import addresses
from scripts.example.addresses import OUTSIDE, ROUTER, Tenant

UPLINK_DEVICE = "uplink"
PREFIX_OF_NAMES = "venturi-example-"
OFFLOADS = ("tso", "gso", "gro", "tx", "rx", "sg")


def namespace(host: str) -> str:
    """Name the namespace of a host."""
    return PREFIX_OF_NAMES + host


def inside(host: str, *command: str) -> list[str]:
    """Give the command line that runs `command` in the namespace of a host."""
    return ["ip", "netns", "exec", namespace(host), *command]


@contextmanager
def network() -> Iterator[None]:
    """Make the network, and remove it whatever happens in between."""
    hosts = (ROUTER, OUTSIDE, *(tenant.name for tenant in addresses.TENANTS))
    try:
        for host in hosts:
            _run("ip", "netns", "add", namespace(host))
            _in(host, "ip link set lo up")
        _forward()
        _connect_outside()
        for tenant in addresses.TENANTS:
            _connect_tenant(tenant)
        yield
    finally:
        for host in hosts:
            subprocess.run(["ip", "netns", "del", namespace(host)], check=False, capture_output=True)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=30)


def _in(host: str, line: str) -> None:
    _run(*inside(host, *line.split()))


def _forward() -> None:
    for setting in ("net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"):
        path = "/proc/sys/" + setting.replace(".", "/")
        _run(*inside(ROUTER, "sh", "-c", f"echo 1 > {path}"))


def _link(router_device: str, host: str) -> None:
    _in(ROUTER, f"ip link add {router_device} type veth peer name eth0 netns {namespace(host)}")
    for owner, device in ((ROUTER, router_device), (host, "eth0")):
        _in(owner, f"ethtool -K {device} " + " ".join(f"{offload} off" for offload in OFFLOADS))
        _in(owner, f"ip link set {device} up")


def _assign(host: str, device: str, ipv4: tuple[str, ...], ipv6: tuple[str, ...], lengths: tuple[int, int]) -> None:
    for address in ipv4:
        _in(host, f"ip address add {address}/{lengths[0]} dev {device}")
    for address in ipv6:
        _in(host, f"ip -6 address add {address}/{lengths[1]} dev {device} nodad")


def _connect_tenant(tenant: Tenant) -> None:
    device = f"to-{tenant.name}"
    _link(device, tenant.name)
    gateway_ipv4, gateway_ipv6 = tenant.gateways
    _assign(ROUTER, device, (gateway_ipv4,), (gateway_ipv6,), (28, 64))
    _assign(tenant.name, "eth0", tenant.ipv4, tenant.ipv6, (28, 64))
    _in(tenant.name, f"ip route add default via {gateway_ipv4}")
    _in(tenant.name, f"ip -6 route add default via {gateway_ipv6}")


def _connect_outside() -> None:
    _link(UPLINK_DEVICE, OUTSIDE)
    _assign(ROUTER, UPLINK_DEVICE, addresses.UPLINK[:1], addresses.UPLINK[1:], (24, 64))
    _assign(OUTSIDE, "eth0", addresses.PUBLIC_IPV4, addresses.PUBLIC_IPV6, (24, 64))
    _assign(OUTSIDE, "lo", addresses.PARTNER_IPV4 + addresses.BRANCH_IPV4, addresses.PARTNER_IPV6, (32, 128))
    _in(OUTSIDE, f"ip route add {addresses.INSIDE_IPV4} via {addresses.UPLINK[0]}")
    _in(OUTSIDE, f"ip -6 route add {addresses.INSIDE_IPV6} via {addresses.UPLINK[1]}")
    _in(ROUTER, f"ip route add default via {addresses.PUBLIC_IPV4[0]}")
    _in(ROUTER, f"ip -6 route add default via {addresses.PUBLIC_IPV6[0]}")
