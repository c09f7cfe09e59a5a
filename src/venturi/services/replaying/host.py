"""The host of a replay: one device in memory, as metering sees hosts, and a clock that shows whatever time it is to be.

Owns nothing of what passes.
"""

from collections.abc import Collection, Hashable, Mapping

from venturi.adapters.drivers.memory_host import MemoryHost
from venturi.core.domain.generation import MeteredDevice
from venturi.core.meter.readings.timeline import BothClocks


class ReplayClock:
    """Shows the ``time`` that it is set to, in nanoseconds since the UTC epoch, on both of its clocks."""

    def __init__(self, time: int) -> None:
        self.time = time

    def look(self) -> BothClocks:
        """Show it."""
        return BothClocks(self.time, self.time)


class ReplayHost:
    """The devices of a ``MemoryHost``, which nobody else meters and nothing goes around."""

    def __init__(self, host: MemoryHost) -> None:
        self._host = host

    def list_namespaces(self) -> Collection[str]:
        """List the named namespaces."""
        return self._host.list_namespaces()

    def list_devices(self, namespace: str | None) -> Mapping[str, Hashable]:
        """Give the devices of a namespace with their numbers."""
        return {device.name: device.index for device in self._host.list_devices(namespace)}

    def hold(self, metered: MeteredDevice) -> bool:  # noqa: ARG002 - there is one host for each replay
        """Let anyone meter, for there is only one."""
        return True

    def release(self, metered: MeteredDevice) -> None:
        """Release nothing."""

    def has_bypass(self, metered: MeteredDevice) -> bool:  # noqa: ARG002 - everything passes the device
        """Say no."""
        return False
