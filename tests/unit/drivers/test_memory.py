"""The memory driver counts, forgets and refuses as a kernel does."""

import pytest

from tests.spec.build import label
from venturi.adapters.drivers.memory import MemoryDriver
from venturi.adapters.drivers.memory_host import MemoryHost, PassingPackets
from venturi.adapters.drivers.protocol import Answer, Driver
from venturi.core.classify.compiler import CompiledClassifier
from venturi.core.domain.counts import Counts
from venturi.core.domain.direction import Direction
from venturi.core.domain.errors import DriverError
from venturi.core.domain.generation import Generation, MeteredDevice
from venturi.core.domain.point import Hook, PointTraffic
from venturi.core.domain.prefix import parse_address

CLASSIFIER = CompiledClassifier([label("web", "out 10.0.0.0/24 > *", "in * > 10.0.0.0/24")])
UPLINK = MeteredDevice(point_id="uplink", device="eth0", namespace="router")
FIRST, SECOND = (Generation(id=digit * 32, spool_id="0" * 32, digest=CLASSIFIER.digest) for digit in "12")


def passing(source: str, destination: str, in_device: str | None = "lan0", out_device: str | None = "eth0") -> PassingPackets:
    """One packet of 100 octets through the router."""
    (family, first), (_, second) = parse_address(source), parse_address(destination)
    return PassingPackets(
        in_device=in_device, out_device=out_device, family=family, source=first, destination=second, octets=100, namespace="router"
    )


OUTWARD = passing("10.0.0.1", "192.0.2.1")


@pytest.fixture
def host() -> MemoryHost:
    """A router with an uplink and room for two class pairs."""
    host = MemoryHost(pair_limit=2)
    for device in ("eth0", "lan0"):
        host.add_device(device, "router")
    return host


@pytest.fixture
def driver(host: MemoryHost) -> Driver:
    """A driver that counts by the first generation."""
    driver = MemoryDriver(host)
    driver.start()
    driver.apply(UPLINK, CLASSIFIER, FIRST)
    return driver


def rows(driver: Driver, generation: Generation = FIRST) -> list[tuple[int, ...]]:
    """List what was counted, pair by pair."""
    pairs = driver.read(UPLINK, generation).pairs
    return list(zip(*(column.tolist() for column in pairs), strict=True))


def test_both_directions_are_counted_by_class_pair(host: MemoryHost, driver: Driver) -> None:
    for packet in (OUTWARD, OUTWARD, passing("192.0.2.1", "10.0.0.1", "eth0", "lan0"), passing("10.0.0.1", "192.0.2.1", "lan0", "lan1")):
        host.count(packet)
    assert rows(driver) == [(0, 4, 0, 1, 1, 100), (1, 4, 1, 0, 2, 200)]


def test_what_finds_no_room_is_unattributed(host: MemoryHost, driver: Driver) -> None:
    for packet in (OUTWARD, passing("10.1.0.1", "192.0.2.1"), passing("2001:db8::1", "2001:db8::2"), OUTWARD):
        host.count(packet)
    assert [row[-2:] for row in rows(driver)] == [(1, 100), (2, 200)]
    assert driver.read(UPLINK, FIRST).unattributed == {Direction.EGRESS: Counts(1, 100)}


@pytest.mark.parametrize(
    ("traffic", "hook", "packets"),
    [
        (PointTraffic.FORWARDED, Hook.NETFILTER, 1),
        (PointTraffic.LOCAL, Hook.NETFILTER, 2),
        (PointTraffic.BOTH, Hook.NETFILTER, 3),
        (PointTraffic.FORWARDED, Hook.TC, 3),
    ],
)
def test_traffic_of_the_host_itself(host: MemoryHost, traffic: PointTraffic, hook: Hook, packets: int) -> None:
    metered = MeteredDevice(point_id="uplink", device="eth0", namespace="router", traffic=traffic, hook=hook)
    driver = MemoryDriver(host)
    driver.apply(metered, CLASSIFIER, FIRST)
    for packet in (OUTWARD, passing("192.0.2.1", "10.0.0.1", "eth0", None), passing("10.0.0.1", "192.0.2.1", None, "eth0")):
        host.count(packet)
    assert driver.read(metered, FIRST).pairs.packets.sum() == packets


def test_a_replaced_generation_stays_until_it_is_retired(host: MemoryHost, driver: Driver) -> None:
    host.count(OUTWARD)
    driver.apply(UPLINK, CLASSIFIER, SECOND)
    host.count(OUTWARD)
    assert rows(driver) == rows(driver, SECOND) == [(1, 4, 1, 0, 1, 100)]
    assert [driver.is_counting(UPLINK, generation) for generation in (FIRST, SECOND)] == [False, True]
    driver.retire(UPLINK, FIRST)
    with pytest.raises(DriverError):
        driver.read(UPLINK, FIRST)


def test_a_refusal_leaves_everything_as_it_was(host: MemoryHost, driver: Driver) -> None:
    host.refuse("out of memory")
    with pytest.raises(DriverError, match="out of memory"):
        driver.apply(UPLINK, CLASSIFIER, SECOND)
    host.count(OUTWARD)
    assert rows(driver) == [(1, 4, 1, 0, 1, 100)]


def test_a_device_made_anew_is_another(host: MemoryHost, driver: Driver) -> None:
    host.count(OUTWARD)
    host.remove_device("eth0", "router")
    with pytest.raises(DriverError):
        driver.apply(UPLINK, CLASSIFIER, SECOND)
    host.add_device("eth0", "router")
    host.count(OUTWARD)
    assert not driver.is_counting(UPLINK, FIRST)
    assert rows(driver) == [(1, 4, 1, 0, 1, 100)]


@pytest.mark.parametrize("survive", [True, False])
def test_a_namespace_takes_its_tables_along_unless_they_are_pinned(host: MemoryHost, driver: Driver, survive: bool) -> None:
    assert [device.name for device in host.list_devices("router")] == ["eth0", "lan0"]
    host.remove_namespace("router", counters_survive=survive)
    assert host.list_namespaces() == []
    assert [found.counting for found in driver.find()] == [False] * survive
    with pytest.raises(DriverError):
        host.list_devices("router")


def test_the_next_driver_finds_what_counts(host: MemoryHost, driver: Driver) -> None:
    driver.stop()
    following = MemoryDriver(host)
    host.count(OUTWARD)
    (found,) = following.find()
    assert (found.metered, found.generation, found.counting) == (UPLINK, FIRST, True)
    assert following.probe(Hook.NETFILTER).answer is Answer.YES
    assert rows(following) == [(1, 4, 1, 0, 1, 100)]
    assert following.purge() == 1
    assert following.find() == []
