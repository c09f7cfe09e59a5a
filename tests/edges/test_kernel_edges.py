"""Drivers, namespaces and devices: whatever the kernel answers, nothing but an error of venturi's leaves them."""

import errno
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from pyroute2.netlink.exceptions import NetlinkError

from tests.edges.holding import OCTETS, OS_ERRORS, hold, through
from tests.spec.build import label
from tests.support.injection import Scenario
from tests.support.kernel.bpf_folder import new_bpf_folder
from tests.support.kernel.drivers import new_driver
from tests.support.kernel.router import OUTER, Router, running_router
from venturi.adapters.drivers.ebpf.bpf.file_system import mount_bpf_file_system, passing_bpf_folder
from venturi.adapters.drivers.ebpf.configuration import EbpfConfig
from venturi.adapters.drivers.ebpf.driver import EbpfDriver
from venturi.adapters.drivers.ebpf.order import find_earlier_programs
from venturi.adapters.drivers.nftables.driver import NftablesDriver
from venturi.adapters.drivers.protocol import Driver
from venturi.adapters.laboratory.network import LaboratoryNetwork
from venturi.adapters.network.bypass import find_bypasses
from venturi.adapters.network.namespaces import list_devices, list_namespaces
from venturi.adapters.network.routes import list_default_devices
from venturi.adapters.network.watched_host import WatchedHost
from venturi.core.classify.compiler import CompiledClassifier
from venturi.core.domain.generation import Generation, MeteredDevice
from venturi.core.domain.point import Hook

CHOSEN: list[Exception] = [OSError(errno.ENOBUFS, "injected"), NetlinkError(errno.ENOBUFS), *OCTETS]
KERNEL: list[Exception] = [*OS_ERRORS, NetlinkError(errno.ENOBUFS), *OCTETS]


@pytest.fixture(scope="module")
def router() -> Iterator[Router]:
    with running_router() as running:
        yield running


@contextmanager
def closing_driver(driver: EbpfDriver) -> Iterator[EbpfDriver]:
    """Start a driver, and remove what it put in the kernel at the end of the block."""
    driver.start()
    try:
        yield driver
    finally:
        driver.purge()
        driver.stop()


def hold_driver(driver: Driver, router: Router) -> int:
    """Have a driver, which is started, do all that drivers do."""
    metered = MeteredDevice(point_id="p", device=OUTER, namespace=router.namespace)
    classifier = CompiledClassifier([label("web", "out 10.0.0.0/8 > *")])
    first, second = (Generation(id=digit * 32, spool_id="e" * 32, digest=digit * 64) for digit in "12")

    def prepare() -> None:
        driver.stop()
        driver.start()
        driver.purge()
        driver.stop()

    scenario: Scenario = [
        driver.start,
        partial(driver.apply, metered, classifier, first),
        partial(driver.is_counting, metered, first),
        partial(driver.apply, metered, classifier, second),
        partial(driver.read, metered, first),
        driver.find,
        partial(driver.retire, metered, first),
        partial(driver.retire, metered, second),
        driver.purge,
        driver.stop,
    ]
    try:
        return hold(scenario, KERNEL, "adapters/drivers", "adapters/network", prepare=prepare, chosen=CHOSEN)
    finally:
        prepare()


@pytest.mark.root
@through(EbpfDriver)
def test_the_ebpf_driver(router: Router) -> None:
    assert hold_driver(new_driver("ebpf"), router) > 20


@pytest.mark.root
@through(NftablesDriver)
def test_the_nftables_driver(router: Router) -> None:
    assert hold_driver(new_driver("nftables"), router) > 20


@pytest.mark.root
@through(find_earlier_programs, passing_bpf_folder)
def test_the_programs_before_venturi_and_a_passing_folder(router: Router, tmp_path: Path) -> None:
    config = EbpfConfig(bpffs=new_bpf_folder(f"edge-{router.namespace}"))
    metered = MeteredDevice(point_id="p", device=OUTER, namespace=router.namespace, hook=Hook.TC)
    folder = tmp_path / "bpf"

    def mount() -> None:
        with passing_bpf_folder(folder):
            mount_bpf_file_system(folder)

    def prepare() -> None:
        folder.rmdir() if folder.exists() else None

    with closing_driver(EbpfDriver(config)) as driver:
        driver.apply(
            metered, CompiledClassifier([label("web", "out 10.0.0.0/8 > *")]), Generation(id="1" * 32, spool_id="e" * 32, digest="1" * 64)
        )
        scenario: Scenario = [partial(find_earlier_programs, config, router.namespace, OUTER), mount]
        assert hold(scenario, KERNEL, "adapters/drivers", "adapters/network", prepare=prepare, chosen=CHOSEN) > 10


@pytest.mark.root
@through(list_namespaces, list_devices, list_default_devices, find_bypasses, WatchedHost)
def test_the_network(router: Router) -> None:
    metered = MeteredDevice(point_id="p", device=OUTER, namespace=router.namespace)

    def watch() -> None:
        host = WatchedHost(find_bypasses)
        try:
            host.list_namespaces()
            host.list_devices(router.namespace)
            host.list_devices(router.namespace)
            host.hold(metered)
            host.has_bypass(metered)
            host.release(metered)
        finally:
            host.stop()

    scenario: Scenario = [
        list_namespaces,
        partial(list_devices, router.namespace),
        list_default_devices,
        partial(find_bypasses, router.namespace, OUTER),
    ]
    assert hold([*scenario, watch], KERNEL, "adapters/network", "adapters/drivers/nftables", chosen=CHOSEN) > 20


@pytest.mark.root
@through(LaboratoryNetwork)
def test_the_laboratory() -> None:
    laboratory = LaboratoryNetwork(f"vt{secrets.token_hex(4)}", ("a",))
    scenario: Scenario = [laboratory.start, laboratory.renew_uplink, laboratory.renew_router, laboratory.stop]
    try:
        assert hold(scenario, KERNEL, "adapters/laboratory", prepare=laboratory.stop, by_turns=True) > 20
    finally:
        laboratory.stop()
