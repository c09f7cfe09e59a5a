"""The driver that is asked for counts, or else the first that can."""

import pytest

from venturi.adapters.drivers.choice import DriverChoice
from venturi.adapters.drivers.memory import MemoryDriver
from venturi.adapters.drivers.memory_host import MemoryHost
from venturi.adapters.drivers.protocol import Answer, Driver, DriverName, Support
from venturi.adapters.drivers.selection import ProbedDriver, select_driver, select_drivers
from venturi.core.classify.compiler import CompiledClassifier
from venturi.core.domain.errors import DriverError
from venturi.core.domain.generation import Generation, MeteredDevice
from venturi.core.domain.point import Hook

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


BY_HOOK = {
    "one at every hook": ({"ebpf": "netfilter tc", "nftables": "netfilter"}, DriverChoice.AUTO, "ebpf"),
    "one at each hook": ({"ebpf": "tc", "nftables": "netfilter"}, DriverChoice.AUTO, "nftables at netfilter, ebpf at tc"),
    "one at a single hook": ({"ebpf": "netfilter tc", "nftables": "netfilter"}, DriverChoice.NFTABLES, "nftables"),
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


def at_hooks(able: dict[str, str]) -> list[Driver]:
    """Two drivers that can count at some hooks only."""

    def probe(driver: MemoryDriver, hook: Hook) -> Support:
        return YES if hook in able[driver.name].split() else Support(Answer.NO, "no such hook")

    names = (DriverName.EBPF, DriverName.NFTABLES)
    return [type("HookedDriver", (MemoryDriver,), {"name": name, "probe": probe})(MemoryHost()) for name in names]


@pytest.mark.parametrize(("able", "choice", "taken"), BY_HOOK.values(), ids=BY_HOOK)
def test_each_hook_has_a_driver_of_its_own(able: dict[str, str], choice: DriverChoice, taken: str) -> None:
    assert str(select_drivers(choice, at_hooks(able))) == taken


def test_what_no_driver_counts_at_is_told() -> None:
    drivers = select_drivers(DriverChoice.NFTABLES, at_hooks({"ebpf": "netfilter tc", "nftables": "netfilter"}))
    classifier = CompiledClassifier(())
    generation = Generation(id="0" * 32, spool_id="1" * 32, digest=classifier.digest)
    with pytest.raises(DriverError, match="at the hook 'tc', no driver can count on this host: nftables: no such hook"):
        drivers.apply(MeteredDevice(point_id="p", device="eth0", hook=Hook.TC), classifier, generation)
    with pytest.raises(DriverError, match="at the hook 'netfilter', no driver"):
        select_drivers(DriverChoice.AUTO, at_hooks({"ebpf": "", "nftables": ""}))
