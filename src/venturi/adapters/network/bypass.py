"""Bypasses: ways around the hook that packets of a device can take, uncounted.

Owns what is looked for. What becomes of a point's coverage is for the agent; it is ``CoverageReason.BYPASS`` as long as one is found.
"""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from venturi.adapters.drivers.nftables.netlink import ANY_FAMILY, Connection, Verb, read_attributes, read_text
from venturi.adapters.edges import KERNEL_EDGE
from venturi.adapters.network.namespaces import inside
from venturi.core.domain.errors import DriverError
from venturi.core.domain.point import Hook

_FLOWTABLE_NAME, _FLOWTABLE_HOOK, _HOOK_DEVICES = 2, 3, 3
_DEVICE_PREFIX = 2
_INGRESS, _EGRESS = 0xFFFF_FFF2, 0xFFFF_FFF3
_REDIRECTIONS = (1, 3)
_IN_HARDWARE = 1 << 2

_MASTERS = {
    "bridge": "is a port of the bridge '{}', which passes packets on below the network layer",
    "openvswitch": "is a port of Open vSwitch, which passes packets on below the network layer",
    "bond": "belongs to the bond '{}', at which its packets are seen instead",
    "team": "belongs to the team '{}', at which its packets are seen instead",
    "vrf": "belongs to the VRF '{}', at which the packets that come in are seen instead",
}


@KERNEL_EDGE.function
def find_bypasses(namespace: str | None, device: str, hook: Hook = Hook.NETFILTER) -> list[str]:
    """Say, a sentence for each, what lets packets of a device go around a hook uncounted; nothing where there is no such device.

    Raises ``DriverError`` where the namespace cannot be entered or asked.
    """
    try:
        with inside(namespace), IPRoute() as route:
            links = {link["index"]: link for link in route.get_links()}
            index = next((index for index, link in links.items() if link.get("ifname") == device), None)
            if index is None:
                return []
            found = [*_by_xdp(links[index]), *_by_filters(route, index)]
            below = list(_by_master(links, index))
    except NetlinkError as error:
        message = f"what goes around the hook at '{device}' cannot be told: {error}"
        raise DriverError(message) from error
    if hook is Hook.NETFILTER:
        found += [*below, *_by_flowtables(namespace, device)]
    return [f"'{device}' {way}" for way in found]


def _by_master(links: dict[int, Any], index: int) -> Iterator[str]:
    master = links.get(links[index].get("master"))
    if master is not None:
        sentence = _MASTERS.get(master.get(("linkinfo", "kind")) or "")
        if sentence is not None:
            yield sentence.format(master.get("ifname"))


def _by_xdp(link: Any) -> Iterator[str]:  # noqa: ANN401 - a message of pyroute2, which has no types
    if link.get(("xdp", "attached")):
        yield "has an XDP program, which can pass packets on before the network layer sees them"


def _by_filters(route: IPRoute, index: int) -> Iterator[str]:
    filters = [found for parent in (_INGRESS, _EGRESS) for found in route.get_filters(index, parent=parent)]
    names = list[str]()
    for name, value in (pair for found in filters for pair in _walk(found)):
        if name == "TCA_MIRRED_PARMS" and value["eaction"] in _REDIRECTIONS:
            names.append("has a tc filter that redirects packets to another device")
        if name.startswith("TCA_") and name.endswith("_FLAGS") and isinstance(value, int) and value & _IN_HARDWARE:
            names.append("has a tc filter in hardware, which can pass packets on unseen")
    yield from dict.fromkeys(names)


def _walk(message: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - a message of pyroute2, which has no types
    """Give all attributes of a message, those within others too."""
    if isinstance(message, dict):
        for name, value in message.get("attrs", ()):
            yield name, value
            yield from _walk(value)


def _by_flowtables(namespace: str | None, device: str) -> Iterator[str]:
    with closing(Connection(namespace)) as connection:
        for message in connection.dump(Verb.GET_FLOWTABLE, family=ANY_FAMILY):
            attributes = dict(read_attributes(message))
            devices = dict(read_attributes(attributes[_FLOWTABLE_HOOK])).get(_HOOK_DEVICES, memoryview(b""))
            if any(_is_named(device, kind, read_text(name)) for kind, name in read_attributes(devices)):
                yield f"is in the flowtable '{read_text(attributes[_FLOWTABLE_NAME])}' of nftables, which passes on what it knows"


def _is_named(device: str, kind: int, name: str) -> bool:
    """Tell whether a flowtable's entry names a device: by its name, or by how it begins."""
    return device.startswith(name) if kind == _DEVICE_PREFIX else device == name
