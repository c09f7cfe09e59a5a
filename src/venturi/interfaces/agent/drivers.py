"""The drivers of this host: which ones an agent counts by, and the removal of what all of them left.

Owns the choice. What a host can run is for the drivers to say.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from venturi.adapters.drivers.ebpf.configuration import EbpfConfig
from venturi.adapters.drivers.ebpf.driver import EbpfDriver
from venturi.adapters.drivers.hook_drivers import HookDrivers
from venturi.adapters.drivers.nftables.driver import NftablesConfig, NftablesDriver
from venturi.adapters.drivers.protocol import Answer, Driver
from venturi.adapters.drivers.selection import select_drivers
from venturi.adapters.network.bypass import find_bypasses
from venturi.adapters.network.watched_host import WatchedHost
from venturi.core.domain.errors import DriverError
from venturi.core.domain.point import Hook
from venturi.services.agent.configuration import AgentSettings


def choose_drivers(settings: AgentSettings) -> HookDrivers:
    """Give for each hook the driver that was chosen, or the first that this host can run there.

    Raises ``DriverError`` with the reasons of all if none can at any.
    """
    return select_drivers(settings.driver, list_drivers(settings))


def purge_all(settings: AgentSettings) -> int:
    """Remove all generations of all drivers, and give their number; raises ``DriverError`` while an agent meters by one of them."""
    removed = 0
    for driver in list_drivers(settings):
        if driver.probe(Hook.NETFILTER).answer is Answer.YES:
            with _started(driver):
                _require_unused(driver)
                removed += driver.purge()
    return removed


def list_drivers(settings: AgentSettings) -> list[Driver]:
    """List the drivers, in the order of preference."""
    return [EbpfDriver(ebpf_config(settings)), NftablesDriver(NftablesConfig())]


def ebpf_config(settings: AgentSettings) -> EbpfConfig:
    """Give what the eBPF driver is told."""
    return EbpfConfig(bpffs=settings.bpffs, mount_bpffs=settings.mount_bpffs, segments=settings.segments)


def _require_unused(driver: Driver) -> None:
    host = WatchedHost(find_bypasses)
    try:
        for found in driver.find():
            there = found.metered.device in host.list_devices(found.metered.namespace)
            if there and not host.hold(found.metered):
                message = f"an agent meters '{found.metered.place}'; stop it first"
                raise DriverError(message)
    finally:
        host.stop()


@contextmanager
def _started(driver: Driver) -> Iterator[None]:
    driver.start()
    try:
        yield
    finally:
        driver.stop()
