"""What the tests of the eBPF driver share: drivers with settings, each in a folder of pins of its own."""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from tests.support.kernel.bpf_folder import new_bpf_folder
from venturi.adapters.drivers.ebpf.configuration import EbpfConfig
from venturi.adapters.drivers.ebpf.driver import EbpfDriver

MakeDriver = Callable[[EbpfConfig], EbpfDriver]


@pytest.fixture
def make_driver() -> Iterator[MakeDriver]:
    """Start a driver with settings; ``bpffs`` is chosen where it is not given, and at the end nothing is left there."""
    drivers: list[EbpfDriver] = []

    def make(config: EbpfConfig) -> EbpfDriver:
        given = config.bpffs != EbpfConfig().bpffs
        drivers.append(EbpfDriver(config if given else replace(config, bpffs=new_bpf_folder(f"vt{secrets.token_hex(4)}"))))
        drivers[-1].start()
        return drivers[-1]

    yield make
    for driver in drivers:
        driver.purge()
        driver.stop()


@pytest.fixture
def ebpf(make_driver: MakeDriver) -> EbpfDriver:
    """A driver with the settings that hosts have."""
    return make_driver(EbpfConfig())
