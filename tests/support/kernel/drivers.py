"""The drivers that count in this kernel, each with a name of its own for all that it puts there.

Owns how tests make them; every test that takes the fixture ``driver`` runs on each.
"""

import secrets
from collections.abc import Callable, Mapping

from tests.support.kernel.bpf_folder import new_bpf_folder
from venturi.adapters.drivers.ebpf.configuration import EbpfConfig
from venturi.adapters.drivers.ebpf.driver import EbpfDriver
from venturi.adapters.drivers.nftables.driver import NftablesConfig, NftablesDriver
from venturi.adapters.drivers.protocol import Driver

KERNEL_DRIVERS: Mapping[str, Callable[[str], Driver]] = {
    "ebpf": lambda name: EbpfDriver(EbpfConfig(bpffs=new_bpf_folder(name))),
    "nftables": lambda name: NftablesDriver(NftablesConfig(table_prefix=name)),
}
"""Makes a driver, by its name, whose tables and pins are named for a test."""


def new_driver(kind: str, name: str | None = None) -> Driver:
    """Make and start a driver; without the name of another one's tables and pins, no other test meets it in the kernel."""
    driver = KERNEL_DRIVERS[kind](name or f"vt{secrets.token_hex(4)}")
    driver.start()
    return driver
