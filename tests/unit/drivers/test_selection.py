"""The driver that is asked for counts, or else the first that can."""

import pytest

from venturi.adapters.drivers.choice import DriverChoice
from venturi.adapters.drivers.memory import MemoryDriver
from venturi.adapters.drivers.memory_host import MemoryHost
from venturi.adapters.drivers.protocol import Answer, DriverName, Support
from venturi.adapters.drivers.selection import ProbedDriver, select_driver
from venturi.core.domain.errors import DriverError

YES, NO, UNKNOWN = Support(Answer.YES), Support(Answer.NO, "the kernel is old"), Support(Answer.UNKNOWN, "no memory")

CHOICES = {
    "auto takes eBPF": (DriverChoice.AUTO, YES, YES, DriverName.EBPF),
    "auto takes nftables where eBPF cannot": (DriverChoice.AUTO, NO, YES, DriverName.NFTABLES),
    "auto takes nothing of which it could not tell": (DriverChoice.AUTO, UNKNOWN, YES, DriverName.NFTABLES),
    "nftables on request": (DriverChoice.NFTABLES, YES, YES, DriverName.NFTABLES),
    "eBPF on request": (DriverChoice.EBPF, YES, YES, DriverName.EBPF),
}
REFUSED = {
    "none can": (DriverChoice.AUTO, NO, UNKNOWN, "ebpf: the kernel is old; nftables: no memory"),
    "the one on request cannot": (DriverChoice.EBPF, NO, YES, "ebpf: the kernel is old$"),
}


def probed(ebpf: Support, nftables: Support) -> list[ProbedDriver]:
    """Two drivers under the names of those in the kernel."""
    drivers = []
    for name, support in ((DriverName.EBPF, ebpf), (DriverName.NFTABLES, nftables)):
        driver_type = type("NamedDriver", (MemoryDriver,), {"name": name})
        drivers.append(ProbedDriver(driver_type(MemoryHost()), support))
    return drivers


@pytest.mark.parametrize(("choice", "ebpf", "nftables", "taken"), CHOICES.values(), ids=CHOICES)
def test_selection(choice: DriverChoice, ebpf: Support, nftables: Support, taken: DriverName) -> None:
    assert select_driver(choice, probed(ebpf, nftables)).name == taken


@pytest.mark.parametrize(("choice", "ebpf", "nftables", "because"), REFUSED.values(), ids=REFUSED)
def test_no_driver(choice: DriverChoice, ebpf: Support, nftables: Support, because: str) -> None:
    with pytest.raises(DriverError, match=because):
        select_driver(choice, probed(ebpf, nftables))
