"""Filters of the clsact queueing discipline: the tc hook where the kernel has no tcx links (before Linux 6.6).

Owns the netlink of it. A filter stays until it is removed or its device goes, and is named for the kernel's number of its program.
"""

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from venturi.adapters.drivers.ebpf.bpf.links import program_id
from venturi.core.domain.errors import DriverError

_PARENTS = {"ingress": 0xFFFF_FFF2, "egress": 0xFFFF_FFF3}
_PRIORITY, _HANDLE = 200, 1
_PRIORITY_BITS = 16
_EVERY_PROTOCOL = 3
_EXISTS = 17
_NAME = "venturi_"


def add_filters(program: int, device: int) -> None:
    """Have a program see all that passes a device of the calling thread's namespace, both ways; raises ``DriverError``."""
    name = _name(program_id(program))
    try:
        with IPRoute() as route:
            _add_discipline(route, device)
            for parent in _PARENTS.values():
                _remove_left_behind(route, device, parent)
                route.tc("add-filter", "bpf", device, _HANDLE, fd=program, name=name, parent=parent, direct_action=True, **_place())
    except NetlinkError as error:
        message = f"the filters cannot be added to the device: {error}"
        raise DriverError(message) from error


def remove_filters(number: int, device: int) -> None:
    """Remove the filters of the program of a number, if they are there; raises ``DriverError``."""
    try:
        with IPRoute() as route:
            for parent in _PARENTS.values():
                if _name(number) in _names_at(route, device, parent):
                    route.tc("del-filter", "bpf", device, _HANDLE, parent=parent, **_place())
    except NetlinkError as error:
        message = f"the filters cannot be removed from the device: {error}"
        raise DriverError(message) from error


def has_filters(number: int, device: int) -> bool:
    """Tell whether the program of a number sees a device both ways; raises ``DriverError``."""
    try:
        with IPRoute() as route:
            return all(_name(number) in _names_at(route, device, parent) for parent in _PARENTS.values())
    except NetlinkError as error:
        message = f"the filters of the device cannot be listed: {error}"
        raise DriverError(message) from error


def earlier_filters(device: int) -> dict[str, bool]:
    """Tell for each direction in which venturi has a filter whether packets come to others before it; raises ``DriverError``."""
    try:
        with IPRoute() as route:
            return {
                direction: any(entry["info"] >> _PRIORITY_BITS < _PRIORITY for entry in route.get_filters(index=device, parent=parent))
                for direction, parent in _PARENTS.items()
                if _has_own(route, device, parent)
            }
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


def _remove_left_behind(route: IPRoute, device: int, parent: int) -> None:
    """Remove the filter of a process that died before it could say which device it was at."""
    if _has_own(route, device, parent):
        route.tc("del-filter", "bpf", device, _HANDLE, parent=parent, **_place())


def _has_own(route: IPRoute, device: int, parent: int) -> bool:
    return any(name and name.startswith(_NAME) for name in _names_at(route, device, parent))


def _name(number: int) -> str:
    return f"{_NAME}{number}"


def _names_at(route: IPRoute, device: int, parent: int) -> set[str | None]:
    return {entry.get_nested("TCA_OPTIONS", "TCA_BPF_NAME") for entry in route.get_filters(index=device, parent=parent)}
