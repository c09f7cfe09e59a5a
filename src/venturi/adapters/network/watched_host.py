"""The namespaces and devices of this host as they are now, known at next to no cost while nothing changes.

Owns what is remembered of each namespace. A device is told from every other by its namespace's identity and its ifIndex there.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field

from venturi.adapters.edges import KERNEL_EDGE
from venturi.adapters.network.device_locks import DeviceLocks
from venturi.adapters.network.link_events import LinkEvents
from venturi.adapters.network.namespaces import list_devices, list_namespaces, namespace_identity
from venturi.core.domain.errors import DriverError
from venturi.core.domain.generation import MeteredDevice
from venturi.core.domain.point import Hook


@dataclass
class _Watched:
    identity: tuple[int, int]
    events: LinkEvents
    devices: Mapping[str, Hashable] = field(default_factory=dict)


@KERNEL_EDGE.adapter
class WatchedHost:
    """This host, as metering sees it (``services.agent.metering.places.HostView``); used by one thread."""

    def __init__(self, find_bypasses: Callable[[str | None, str, Hook], Sequence[str]]) -> None:
        """Have ``find_bypasses`` say what lets packets of a device, in a namespace, go around a hook (``bypass``)."""
        self._find_bypasses = find_bypasses
        self._locks = DeviceLocks()
        self._watched: dict[str | None, _Watched] = {}

    def stop(self) -> None:
        """Watch no more, and give up all locks."""
        for namespace in list(self._watched):
            self._forget(namespace)
        self._locks.release_all()

    def list_namespaces(self) -> frozenset[str]:
        """List the named namespaces, and forget those that went."""
        names = frozenset(list_namespaces())
        for namespace in [known for known in self._watched if known is not None and known not in names]:
            self._forget(namespace)
        return names

    def list_devices(self, namespace: str | None) -> Mapping[str, Hashable]:
        """Give the devices of a namespace by name, each with its identity; none where the namespace is not there or cannot be entered."""
        try:
            return self._look(namespace)
        except DriverError:
            self._forget(namespace)
            return {}

    def hold(self, metered: MeteredDevice) -> bool:
        """Take the right to meter a device."""
        try:
            return self._locks.hold(metered, namespace_identity(metered.namespace))
        except DriverError:
            return False

    def release(self, metered: MeteredDevice) -> None:
        """Give up the right to meter a device."""
        self._locks.release(metered)

    def has_bypass(self, metered: MeteredDevice) -> bool:
        """Tell whether packets can take a way around the hook at a device; where it is gone, none can."""
        try:
            return bool(self._find_bypasses(metered.namespace, metered.device, metered.hook))
        except DriverError:
            return False

    def _look(self, namespace: str | None) -> Mapping[str, Hashable]:
        identity = namespace_identity(namespace)
        watched = self._watched.get(namespace)
        if watched is not None and watched.identity == identity and not watched.events.changed():
            return watched.devices
        if watched is None or watched.identity != identity:
            self._forget(namespace)
            watched = self._watched[namespace] = _Watched(identity, LinkEvents(namespace))
        watched.devices = {device.name: (identity, device.index) for device in list_devices(namespace)}
        return watched.devices

    def _forget(self, namespace: str | None) -> None:
        watched = self._watched.pop(namespace, None)
        if watched is not None:
            watched.events.stop()
