"""Super-packets count as the segments on the wire that they stand for, or as iptables counts them."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.kernel.ebpf.conftest import MakeDriver
from tests.support.kernel.capturing import captured, read_capture
from tests.support.kernel.metering import new_generation
from tests.support.kernel.router import INNER, OUTER, Router, run, running_router
from tests.support.kernel.streams import stream
from tests.support.tools import needs
from venturi.adapters.drivers.ebpf.configuration import EbpfConfig
from venturi.adapters.drivers.protocol import Reading
from venturi.adapters.network.namespaces import inside
from venturi.core.classify.compiler import CompiledClassifier
from venturi.core.domain.counts import Counts
from venturi.core.domain.direction import Direction
from venturi.core.domain.generation import Segments
from venturi.core.domain.point import Hook

pytestmark = [pytest.mark.root, needs("ip", "clang", "ethtool", "iptables", "nft", "tcpdump")]

ETHERNET_OCTETS = 14
NOTHING = CompiledClassifier([])
FORWARDED = (Direction.INGRESS, Direction.EGRESS)


@pytest.fixture(scope="module")
def quiet_router() -> Iterator[Router]:
    """A router whose devices have said all that they say of multicast groups when they come up (RFC 3810 §9.11: twice, within 2 s)."""
    with running_router() as router:
        time.sleep(2.5)
        yield router


class Offloads(NamedTuple):
    """Who makes super-packets, how large they may become, and how many octets make them so large."""

    sender: str
    receiver: str
    largest: int = 65_536
    stream_octets: int = 4 << 20


OFFLOADS = {
    "of the sender": Offloads(sender="on", receiver="off"),
    "of the receive offload": Offloads(sender="off", receiver="on"),
    "beyond 64 KiB": Offloads(sender="on", receiver="off", largest=180_000, stream_octets=48 << 20),
}


def set_offloads(router: Router, offloads: Offloads) -> None:
    """Let the sender make super-packets or segments, and the router make super-packets of those; what leaves it is cut.

    The kernel takes the jumbo option of super-packets beyond 64 KiB for part of every segment when it compares them with the MTU.
    """
    run("ip", "-n", router.namespace, *f"link set dev {OUTER} mtu 1600".split())
    source, destination = f"{router.name}-source", f"{router.name}-destination"
    sizes = f"gso_max_size {offloads.largest} gro_max_size {offloads.largest}".split()
    for namespace, device in ((source, "source"), (router.namespace, INNER), (router.namespace, OUTER), (destination, "destination")):
        run("ip", "-n", namespace, "link", "set", "dev", device, *sizes)
    for namespace, device, settings in (
        (source, "source", f"tso {offloads.sender} gso {offloads.sender}"),
        (router.namespace, INNER, f"gro {offloads.receiver}"),
        (router.namespace, OUTER, "tso off gso off"),
        (destination, "destination", "gro off"),
    ):
        run("ip", "netns", "exec", namespace, "ethtool", "-K", device, *settings.split())


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
    for direction in FORWARDED:
        of_direction = reading.pairs.directions == direction.code
        sums[direction] = Counts(int(reading.pairs.packets[of_direction].sum()), int(reading.pairs.octets[of_direction].sum()))
    return sums


@contextmanager
def forward_rules(router: Router, family: int) -> Iterator[Callable[[], list[Counts]]]:
    """Give what counts, by iptables, all packets that leave by the outer device, and those beyond 64 KiB by nftables."""
    execute = ("ip", "netns", "exec", router.namespace)
    iptables = (*execute, "iptables-legacy" if family == 4 else "ip6tables-legacy")
    table = "add table inet large; add chain inet large f { type filter hook forward priority 0; };"
    rule = "add rule inet large f meta length > 65535 counter"
    run(*execute, "nft", f"{table} {rule}")
    run(*iptables, "-A", "FORWARD", "-o", OUTER)

    def read() -> list[Counts]:
        words = run(*execute, "nft", "list", "table", "inet", "large").split()
        large = Counts(int(words[words.index("packets") + 1]), int(words[words.index("bytes") + 1]))
        return [Counts(*map(int, run(*iptables, "-nvxL", "FORWARD").splitlines()[2].split()[:2])), large]

    yield read
    run(*execute, "nft", "delete", "table", "inet", "large")
    run(*iptables, "-F", "FORWARD")


@pytest.mark.parametrize("hook", Hook)
@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("offloads", OFFLOADS)
def test_super_packets(offloads: str, family: int, hook: Hook, quiet_router: Router, make_driver: MakeDriver) -> None:
    """By the wire they equal the device's own statistics; merged, what iptables counts, which sees fewer and larger ones."""
    set_offloads(quiet_router, OFFLOADS[offloads])
    metered = replace(quiet_router.metered(), hook=hook)
    drivers = {segments: make_driver(EbpfConfig(segments=segments)) for segments in Segments}
    generation = new_generation(NOTHING)
    for driver in drivers.values():
        driver.apply(metered, NOTHING, generation)
    with forward_rules(quiet_router, family) as read_rules:
        before = on_the_wire(quiet_router)
        stream(quiet_router, family, OFFLOADS[offloads].stream_octets)
        passed = {direction: _less(counts, before[direction]) for direction, counts in on_the_wire(quiet_router).items()}
        readings = {segments: driver.read(metered, generation) for segments, driver in drivers.items()}
        by_iptables, large = read_rules()
    assert by_direction(readings[Segments.WIRE]) == passed
    assert by_direction(readings[Segments.MERGED])[Direction.EGRESS] == by_iptables
    assert by_iptables.packets < passed[Direction.EGRESS].packets / 4
    assert (large.packets > 0) == (family == 6 and offloads == "beyond 64 KiB")
    assert {segments: reading.segments for segments, reading in readings.items()} == {segments: segments for segments in Segments}


@pytest.mark.parametrize("hook", Hook)
@pytest.mark.parametrize("offloads", OFFLOADS)
def test_segments_are_the_packets_that_tcpdump_sees(
    offloads: str, hook: Hook, quiet_router: Router, make_driver: MakeDriver, tmp_path: Path
) -> None:
    """Where they are received: both families, both directions."""
    set_offloads(quiet_router, OFFLOADS[offloads])
    driver, metered, generation = make_driver(EbpfConfig()), replace(quiet_router.metered(), hook=hook), new_generation(NOTHING)
    paths = {direction: tmp_path / direction for direction in FORWARDED}
    with ExitStack() as captures:
        for direction, path in paths.items():
            captures.enter_context(captured(quiet_router, direction, path))
        driver.apply(metered, NOTHING, generation)
        for family in (4, 6):
            stream(quiet_router, family, OFFLOADS[offloads].stream_octets // 4)
        await_silence(quiet_router)
    pairs = driver.read(metered, generation).pairs
    keys = zip(pairs.directions.tolist(), pairs.families.tolist(), strict=True)
    counted = dict(zip(keys, map(Counts, pairs.packets.tolist(), pairs.octets.tolist()), strict=True))
    seen = {(direction.code, family): counts for direction, path in paths.items() for family, counts in read_capture(path).items()}
    assert (len(seen), counted) == (4, seen)


def await_silence(router: Router) -> None:
    """Return once nothing has passed the outer device for a while: the last acknowledgements of a connection come late."""
    before = None
    while before != (now := on_the_wire(router)):
        before = now
        time.sleep(0.1)


def _less(after: Counts, before: Counts) -> Counts:
    return Counts(after.packets - before.packets, after.octets - before.octets)
