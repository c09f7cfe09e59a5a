"""The drivers of this host: which one an agent counts by, and the removal of what all of them left.

Owns the choice. What a host can run is for the drivers to say.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from venturi.adapters.drivers.ebpf.configuration import EbpfConfig
from venturi.adapters.drivers.ebpf.driver import EbpfDriver
from venturi.adapters.drivers.nftables.driver import NftablesConfig, NftablesDriver
from venturi.adapters.drivers.protocol import Answer, Driver
from venturi.adapters.drivers.selection import probe_drivers, select_driver
from venturi.adapters.network.bypass import find_bypasses
from venturi.adapters.network.watched_host import WatchedHost
from venturi.core.domain.errors import DriverError
from venturi.core.domain.generation import Hook
from venturi.services.agent.configuration import AgentSettings


def choose_driver(settings: AgentSettings) -> Driver:
    """Give the driver that was chosen, or the first that this host can run; raises ``DriverError`` with the reasons of all if none can."""
    return select_driver(settings.driver, probe_drivers(list_drivers(settings), Hook.NETFILTER))


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
    ebpf = EbpfConfig(bpffs=settings.bpffs, mount_bpffs=settings.mount_bpffs, segments=settings.segments)
    return [EbpfDriver(ebpf), NftablesDriver(NftablesConfig())]


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
