"""Filters of the clsact queueing discipline: the tc hook where the kernel has no tcx links (before Linux 6.6).

Owns the netlink of it. A filter stays until it is removed or its device goes.
"""

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from venturi.core.domain.errors import DriverError

_PARENTS = {"ingress": 0xFFFF_FFF2, "egress": 0xFFFF_FFF3}
_PRIORITY, _HANDLE = 200, 1
_EVERY_PROTOCOL = 3
_NAME = "venturi"
_EXISTS = 17


def add_filters(program: int, device: int) -> None:
    """Have a program see all that passes a device of the calling thread's namespace, both ways; raises ``DriverError``."""
    try:
        with IPRoute() as route:
            _add_discipline(route, device)
            for parent in _PARENTS.values():
                route.tc("add-filter", "bpf", device, _HANDLE, fd=program, name=_NAME, parent=parent, direct_action=True, **_place())
    except NetlinkError as error:
        message = f"the filters cannot be added to the device: {error}"
        raise DriverError(message) from error


def remove_filters(program_id: int, device: int) -> None:
    """Remove the filters of a program, if they are there; raises ``DriverError``."""
    try:
        with IPRoute() as route:
            for parent in _PARENTS.values():
                if program_id in _programs_at(route, device, parent):
                    route.tc("del-filter", "bpf", device, _HANDLE, parent=parent, **_place())
    except NetlinkError as error:
        message = f"the filters cannot be removed from the device: {error}"
        raise DriverError(message) from error


def has_filters(program_id: int, device: int) -> bool:
    """Tell whether a program sees a device both ways; raises ``DriverError``."""
    try:
        with IPRoute() as route:
            return all(program_id in _programs_at(route, device, parent) for parent in _PARENTS.values())
    except NetlinkError as error:
        message = f"the filters of the device cannot be listed: {error}"
        raise DriverError(message) from error


def _place() -> dict[str, int]:
    return {"prio": _PRIORITY, "protocol": _EVERY_PROTOCOL}


def _add_discipline(route: IPRoute, device: int) -> None:
    try:
        route.tc("add", "clsact", device)
    except NetlinkError as error:
        if error.code != _EXISTS:
            raise


def _programs_at(route: IPRoute, device: int, parent: int) -> set[int]:
    filters = route.get_filters(index=device, parent=parent)
    return {entry.get_nested("TCA_OPTIONS", "TCA_BPF_ID") for entry in filters}
