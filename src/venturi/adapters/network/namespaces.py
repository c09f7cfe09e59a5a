"""Network namespaces: entering them in the calling thread, and listing them and their devices.

Owns nothing of what is done inside. A thread is back in its own namespace when the block ends, whatever happened in it.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError
from pyroute2.netns import setns

from venturi.adapters.edges import KERNEL_EDGE
from venturi.core.domain.errors import DriverError

NAMESPACE_FOLDER = Path("/run/netns")
"""Where ``ip netns`` and OpenStack keep the names of namespaces."""

_OWN_NAMESPACE = "/proc/thread-self/ns/net"


@dataclass(frozen=True)
class NetworkDevice:
    """A device of a namespace: its name, its ifIndex there and the kind of link that the kernel gives it ("" for hardware)."""

    name: str
    index: int
    kind: str


@contextmanager
def inside(namespace: str | None) -> Iterator[None]:
    """Run the block with the calling thread in a namespace, None for the one that it is in.

    Raises ``DriverError`` where there is no such namespace or the rights to enter it are missing.
    """
    if namespace is None:
        yield
        return
    own = os.open(_OWN_NAMESPACE, os.O_RDONLY)
    try:
        _enter(namespace)
        try:
            yield
        finally:
            setns(own)
    finally:
        os.close(own)


@KERNEL_EDGE.function
def list_namespaces() -> list[str]:
    """List the named namespaces of this host, in order; raises ``DriverError`` where they may not be looked at."""
    try:
        return sorted(entry.name for entry in NAMESPACE_FOLDER.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        message = f"the network namespaces in {NAMESPACE_FOLDER} cannot be listed: {error.strerror}"
        raise DriverError(message) from error


@KERNEL_EDGE.function
def namespace_identity(namespace: str | None) -> tuple[int, int]:
    """Give device and inode of a namespace, which no other has while it exists; raises ``DriverError`` where there is none."""
    try:
        status = Path(_OWN_NAMESPACE if namespace is None else NAMESPACE_FOLDER / namespace).stat()
    except OSError as error:
        message = f"network namespace '{namespace}' cannot be entered: {error.strerror}"
        raise DriverError(message) from error
    return status.st_dev, status.st_ino


@KERNEL_EDGE.function
def list_devices(namespace: str | None) -> list[NetworkDevice]:
    """List the devices of a namespace; raises ``DriverError`` where it cannot be entered or asked."""
    try:
        with inside(namespace), IPRoute() as route:
            return [
                NetworkDevice(_spell(link.get("ifname")), link["index"], link.get(("linkinfo", "kind")) or "") for link in route.get_links()
            ]
    except NetlinkError as error:
        message = f"the devices of network namespace '{namespace}' cannot be listed: {error}"
        raise DriverError(message) from error


@KERNEL_EDGE.function
def device_index(namespace: str | None, device: str) -> int | None:
    """Give the ifIndex of a device, None where there is no such device; raises ``DriverError`` where the namespace cannot be entered."""
    with inside(namespace):
        try:
            return socket.if_nametoindex(device)
        except OSError:
            return None


def _spell(name: str | bytes) -> str:
    """Spell the name of a device, which may hold any octets, as text; one that is no UTF-8 can be shown so, and no more."""
    return name if isinstance(name, str) else name.decode(errors="backslashreplace")


def _enter(namespace: str) -> None:
    path = NAMESPACE_FOLDER / namespace
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError as error:
        message = f"network namespace '{namespace}' cannot be entered: {error.strerror}"
        raise DriverError(message) from error
    try:
        setns(descriptor)
    except OSError as error:
        message = f"network namespace '{namespace}' cannot be entered: {error.strerror}"
        raise DriverError(message) from error
    finally:
        os.close(descriptor)
