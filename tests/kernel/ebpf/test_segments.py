"""Super-packets count as the segments on the wire that they stand for, or as iptables counts them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.kernel.ebpf.conftest import MakeDriver
from tests.support.kernel.metering import new_generation
from tests.support.kernel.router import INNER, OUTER, Router, run
from tests.support.kernel.streams import stream
from tests.support.tools import needs
from venturi.adapters.drivers.ebpf.configuration import EbpfConfig
from venturi.adapters.drivers.protocol import Reading
from venturi.adapters.network.namespaces import inside
from venturi.core.classify.compiler import CompiledClassifier
from venturi.core.domain.counts import Counts
from venturi.core.domain.direction import Direction
from venturi.core.domain.generation import Hook, Segments

pytestmark = [pytest.mark.root, needs("ip", "clang", "ethtool", "iptables")]

ETHERNET_OCTETS = 14
LARGEST_LENGTH = 65_535
STREAM_OCTETS = 8 << 20
NOTHING = CompiledClassifier([])


def offload(namespace: str, device: str, *settings: str) -> None:
    """Switch offloads of a device on and off."""
    run("ip", "netns", "exec", namespace, "ethtool", "-K", device, *settings)


def from_sender(router: Router) -> None:
    """Let the sender's super-packets reach the hook (GSO), to be cut at the router's outer device."""
    offload(router.namespace, OUTER, "tso", "off", "gso", "off")


def from_receive_offload(router: Router) -> None:
    """Let the router make super-packets of what comes in segments (GRO)."""
    offload(f"{router.name}-source", "source", "tso", "off", "gso", "off")
    offload(router.namespace, INNER, "gro", "on")
    offload(router.namespace, OUTER, "tso", "off", "gso", "off")


def beyond_64_kib(router: Router) -> None:
    """Let the sender make super-packets larger than the length fields of IP can say (BIG TCP)."""
    for namespace, device in ((f"{router.name}-source", "source"), (router.namespace, OUTER)):
        run("ip", "-n", namespace, "link", "set", "dev", device, "gso_max_size", "180000", "gro_max_size", "180000")
    from_sender(router)


def on_the_wire(router: Router) -> dict[Direction, Counts]:
    """Count what passed the outer device, by its own statistics: behind all offloads, or before them."""
    with inside(router.namespace):
        lines = Path("/proc/thread-self/net/dev").read_text(encoding="ascii").splitlines()
    figures = next(line.split(":")[1].split() for line in lines if line.strip().startswith(OUTER))
    received, sent = (int(figures[0]), int(figures[1])), (int(figures[8]), int(figures[9]))
    return {
        direction: Counts(packets, octets - ETHERNET_OCTETS * packets)
        for direction, (octets, packets) in ((Direction.INGRESS, received), (Direction.EGRESS, sent))
    }


def by_direction(reading: Reading) -> dict[Direction, Counts]:
    """Sum a reading up, both families together."""
    sums = {}
    for direction in (Direction.INGRESS, Direction.EGRESS):
        of_direction = reading.pairs.directions == direction.code
        sums[direction] = Counts(int(reading.pairs.packets[of_direction].sum()), int(reading.pairs.octets[of_direction].sum()))
    return sums


@pytest.mark.parametrize("hook", Hook)
@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("offloads", [from_sender, from_receive_offload, beyond_64_kib])
def test_super_packets(offloads: Callable[[Router], None], family: int, hook: Hook, own_router: Router, make_driver: MakeDriver) -> None:
    """By the wire they equal the device's own statistics; merged, what iptables counts, which sees fewer and larger ones."""
    offloads(own_router)
    execute = ("ip", "netns", "exec", own_router.namespace, "iptables-legacy" if family == 4 else "ip6tables-legacy")
    run(*execute, "-A", "FORWARD", "-o", OUTER)
    metered = replace(own_router.metered(), hook=hook)
    drivers = {segments: make_driver(EbpfConfig(segments=segments)) for segments in Segments}
    generation = new_generation(NOTHING)
    for driver in drivers.values():
        driver.apply(metered, NOTHING, generation)
    before = on_the_wire(own_router)
    stream(own_router, family, STREAM_OCTETS)
    passed = {direction: _less(counts, before[direction]) for direction, counts in on_the_wire(own_router).items()}
    readings = {segments: driver.read(metered, generation) for segments, driver in drivers.items()}
    assert {segments: reading.segments for segments, reading in readings.items()} == {segments: segments for segments in Segments}
    assert by_direction(readings[Segments.WIRE]) == passed
    merged = by_direction(readings[Segments.MERGED])[Direction.EGRESS]
    assert merged.packets < passed[Direction.EGRESS].packets / 4
    if hook is Hook.NETFILTER:
        assert merged == Counts(*map(int, run(*execute, "-nvxL", "FORWARD").splitlines()[2].split()[:2]))
    if offloads is beyond_64_kib and family == 6:
        assert merged.octets / merged.packets > LARGEST_LENGTH


def _less(after: Counts, before: Counts) -> Counts:
    return Counts(after.packets - before.packets, after.octets - before.octets)
