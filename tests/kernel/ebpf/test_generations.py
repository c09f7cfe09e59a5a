"""Generations come, go and are found again, whatever dies between; no packet is lost or counted twice."""

import os
import random
import secrets
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.kernel.ebpf.conftest import MakeDriver
from tests.spec.build import label
from tests.support.kernel.metering import new_generation
from tests.support.kernel.router import INNER, OUTER, Router, run
from tests.support.tools import needs
from venturi.adapters.drivers.ebpf.configuration import EbpfConfig
from venturi.adapters.drivers.ebpf.driver import EbpfDriver
from venturi.core.classify.compiler import CompiledClassifier
from venturi.core.classify.reference import Passage
from venturi.core.domain.direction import Direction
from venturi.core.domain.errors import DriverError
from venturi.core.domain.generation import Generation, MeteredDevice
from venturi.core.domain.prefix import parse_address

pytestmark = [pytest.mark.root, needs("ip", "clang")]

CLASSIFIERS = (
    CompiledClassifier([label("one", "out 10.0.0.0/8 > *", "out 2001:db8::/32 > *")]),
    CompiledClassifier([label("two", "out 10.0.0.0/24 > *", "out 10.0.1.0/24 > *", "in * > 10.0.0.0/8")]),
)
PACKETS = [
    Passage(Direction.EGRESS, family, parse_address(source)[1], parse_address(destination)[1])
    for family, source, destination in ((4, "10.0.0.1", "192.0.2.1"), (4, "10.0.1.1", "192.0.2.2"), (6, "2001:db8::1", "2001:db8:9::1"))
]


def apply_new(driver: EbpfDriver, metered: MeteredDevice, number: int = 0) -> Generation:
    """Switch a device to a generation of one of the classifiers."""
    classifier = CLASSIFIERS[number % len(CLASSIFIERS)]
    generation = new_generation(classifier)
    driver.apply(metered, classifier, generation)
    return generation


def count_packets(driver: EbpfDriver, metered: MeteredDevice, generations: Sequence[Generation]) -> int:
    """Sum up what generations counted."""
    return sum(int(driver.read(metered, generation).pairs.packets.sum()) for generation in generations)


def test_a_switch_under_load_loses_and_doubles_nothing(router: Router, ebpf: EbpfDriver, tmp_path: Path) -> None:
    """What a replaced generation says when it is first read is its last word: the grace period is over."""
    metered = router.metered()
    generations = [apply_new(ebpf, metered)]
    before = router.forwarded()
    last_words = []
    with router.traffic(PACKETS, tmp_path):
        for number in range(1, 16):
            generations.append(apply_new(ebpf, metered, number))
            last_words.append(count_packets(ebpf, metered, [generations[-2]]))
    assert [count_packets(ebpf, metered, [generation]) for generation in generations[:-1]] == last_words
    assert count_packets(ebpf, metered, generations) == router.forwarded() - before


def test_a_process_killed_while_it_applies_leaves_nothing_that_miscounts(router: Router, ebpf: EbpfDriver, tmp_path: Path) -> None:
    metered = router.metered()
    apply_new(ebpf, metered)
    before = router.forwarded()
    chance = random.Random(5)  # noqa: S311 - moments to die in are no secret
    with router.traffic(PACKETS, tmp_path):
        for _ in range(8):
            kill_while_applying(ebpf, metered, chance.uniform(0, 0.12))
            assert [found.counting for found in ebpf.find()].count(True) == 1
    found = ebpf.find()
    assert count_packets(ebpf, metered, [entry.generation for entry in found]) == router.forwarded() - before
    for entry in found:
        ebpf.retire(metered, entry.generation)
    assert list((ebpf._config.bpffs / "venturi").rglob("*/*")) == []


def kill_while_applying(driver: EbpfDriver, metered: MeteredDevice, seconds: float) -> None:
    """Let another process switch generations again and again, and kill it after a while."""
    process = os.fork()
    if process == 0:
        for number in range(1000):
            apply_new(driver, metered, number)
        os._exit(0)
    time.sleep(seconds)
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)


def test_a_process_killed_while_it_attaches_leaves_nothing(router: Router, ebpf: EbpfDriver) -> None:
    metered = router.metered()
    for seconds in (0, 0.002, 0.005, 0.01, 0.02, 0.03, 0.04):
        kill_while_applying(ebpf, metered, seconds)
        for entry in ebpf.find():
            ebpf.retire(metered, entry.generation)
        assert ebpf.find() == []
        assert list((ebpf._config.bpffs / "venturi").rglob("*/*")) == []


def test_what_a_killed_process_left_of_what_it_removed_is_no_generation(router: Router, ebpf: EbpfDriver) -> None:
    metered = router.metered()
    first, second = apply_new(ebpf, metered), apply_new(ebpf, metered, 1)
    (folder,) = (ebpf._config.bpffs / "venturi").rglob(first.id)
    removed = folder.rename(folder.with_name(f"removed_{first.id}"))
    (removed / "meta").unlink()
    with pytest.raises(DriverError, match="are gone"):
        ebpf.read(metered, first)
    assert [(entry.generation, entry.counting) for entry in ebpf.find()] == [(second, True)]
    assert not removed.exists()
    ebpf.retire(metered, second)
    assert list((ebpf._config.bpffs / "venturi").rglob("*/*")) == []


def test_counting_goes_on_without_the_process_and_is_found_again(router: Router, make_driver: MakeDriver, ebpf: EbpfDriver) -> None:
    metered = router.metered()
    generations = [apply_new(ebpf, metered), apply_new(ebpf, metered, 1)]
    ebpf.stop()
    router.send(PACKETS)
    next_driver = make_driver(ebpf._config)
    found = {entry.generation: (entry.metered, entry.counting) for entry in next_driver.find()}
    assert found == {generations[0]: (metered, False), generations[1]: (metered, True)}
    assert count_packets(next_driver, metered, generations) == len(PACKETS)
    ebpf.start()


def test_the_last_totals_outlive_the_namespace(own_router: Router, ebpf: EbpfDriver) -> None:
    metered = own_router.metered()
    generation = apply_new(ebpf, metered)
    own_router.send(PACKETS)
    own_router.stop()
    assert not ebpf.is_counting(metered, generation)
    assert count_packets(ebpf, metered, [generation]) == len(PACKETS)
    assert [entry.counting for entry in ebpf.find()] == [False]
    with pytest.raises(DriverError, match="cannot be entered"):
        apply_new(ebpf, metered)
    ebpf.retire(metered, generation)
    assert ebpf.find() == []


@pytest.mark.parametrize("change", ["link del {}", "link set {} name gone0", "link set {} netns {}-source"])
def test_a_device_that_went_is_noticed(change: str, own_router: Router, ebpf: EbpfDriver) -> None:
    device = "extra0"
    metered = own_router.metered(device)
    add = ("ip", "-n", own_router.namespace, "link", "add", device, "type", "veth", "peer", "name")
    run(*add, "first0")
    first = apply_new(ebpf, metered)
    assert ebpf.is_counting(metered, first)
    run("ip", "-n", own_router.namespace, *change.format(device, own_router.name).split())
    assert not ebpf.is_counting(metered, first)
    run(*add, "second0")
    assert not ebpf.is_counting(metered, first)
    second = apply_new(ebpf, metered)
    assert (ebpf.is_counting(metered, first), ebpf.is_counting(metered, second)) == (False, True)


def test_points_of_one_namespace_count_the_same_packet_each_their_way(router: Router, ebpf: EbpfDriver) -> None:
    classifier = CompiledClassifier([label("any", "out 0.0.0.0/0 > *", "in 0.0.0.0/0 > *")])
    points = {device: replace(router.metered(device), point_id=device) for device in (INNER, OUTER)}
    generations = {device: new_generation(classifier) for device in points}
    for device, metered in points.items():
        ebpf.apply(metered, classifier, generations[device])
    router.send(PACKETS[:2])
    readings = {device: ebpf.read(points[device], generations[device]).pairs for device in points}
    assert {device: (set(pairs.directions.tolist()), int(pairs.packets.sum())) for device, pairs in readings.items()} == {
        INNER: ({Direction.INGRESS.code}, 2),
        OUTER: ({Direction.EGRESS.code}, 2),
    }


def test_what_cannot_be_applied_leaves_everything_as_it_was(router: Router, ebpf: EbpfDriver, make_driver: MakeDriver) -> None:
    metered = router.metered()
    generation = apply_new(ebpf, metered)
    broken = make_driver(replace(ebpf._config, hashed_pairs=1 << 31, array_pairs=0))
    with pytest.raises(DriverError):
        apply_new(broken, metered, 1)
    router.send(PACKETS)
    assert [entry.generation for entry in ebpf.find()] == [generation]
    assert ebpf.is_counting(metered, generation)
    assert count_packets(ebpf, metered, [generation]) == len(PACKETS)


def test_purging_removes_everything(router: Router, ebpf: EbpfDriver) -> None:
    generations = [apply_new(ebpf, router.metered(device), number) for number, device in enumerate((INNER, OUTER, OUTER))]
    assert ebpf.purge() == len(generations)
    assert list(ebpf._config.bpffs.iterdir()) == []
    assert ebpf.find() == []
    with pytest.raises(DriverError, match="are gone"):
        ebpf.read(router.metered(), generations[-1])


def test_a_hundred_routers(ebpf: EbpfDriver) -> None:
    """Each in a namespace of its own, with links, tables and counters of its own."""
    name = f"vt{secrets.token_hex(4)}"
    namespaces = [f"{name}-{number}" for number in range(100)]
    with many_namespaces(namespaces):
        points = [MeteredDevice(point_id=namespace, device=OUTER, namespace=namespace) for namespace in namespaces]
        generations = [apply_new(ebpf, metered) for metered in points]
        assert all(ebpf.is_counting(*pair) for pair in zip(points, generations, strict=True))
        assert sorted(found.metered.point_id for found in ebpf.find() if found.counting) == sorted(namespaces)
        for metered, generation in zip(points, generations, strict=True):
            ebpf.retire(metered, generation)
    assert ebpf.find() == []


@contextmanager
def many_namespaces(names: Sequence[str]) -> Iterator[None]:
    """Make namespaces with a device each, in one go, for the block."""
    run("ip", "-batch", "-", stdin="\n".join(f"netns add {name}" for name in names))
    try:
        devices = (f"link add {OUTER} netns {name} type veth peer name {INNER} netns {name}" for name in names)
        run("ip", "-batch", "-", stdin="\n".join(devices))
        yield
    finally:
        run("ip", "-batch", "-", stdin="\n".join(f"netns del {name}" for name in names))


def test_many_points_of_one_namespace(router: Router, ebpf: EbpfDriver) -> None:
    """Each takes the next priority at the hooks, and none counts what passes another's device."""
    idle = [f"many{number}" for number in range(10)]
    lines = [f"link add {near} type veth peer name {far}" for near, far in zip(idle[::2], idle[1::2], strict=True)]
    run("ip", "-n", router.namespace, "-batch", "-", stdin="\n".join(lines))
    devices = (OUTER, *idle)
    points = [replace(router.metered(device), point_id=device) for device in devices]
    generations = [apply_new(ebpf, metered) for metered in points]
    router.send(PACKETS)
    counted = [count_packets(ebpf, metered, [generation]) for metered, generation in zip(points, generations, strict=True)]
    assert counted == [len(PACKETS), *[0] * len(idle)]


def test_a_newer_layout_reads_the_older_to_its_last_total(
    router: Router, ebpf: EbpfDriver, make_driver: MakeDriver, tmp_path: Path
) -> None:
    """What an older version pinned is found and counts on, is switched from like any other generation, and can be retired."""
    older = make_driver(replace(ebpf._config, layout_versions=("0",)))
    newer = make_driver(replace(ebpf._config, layout_versions=("1", "0")))
    metered, before = router.metered(), router.forwarded()
    first = apply_new(older, metered)
    with router.traffic(PACKETS, tmp_path):
        assert [(found.generation, found.counting) for found in newer.find()] == [(first, True)]
        second = apply_new(newer, metered, 1)
        last_total = count_packets(newer, metered, [first])
    assert count_packets(newer, metered, [first]) == last_total > 0
    assert [(found.generation, found.counting) for found in newer.find()] == [(second, True), (first, False)]
    newer.retire(metered, first)
    assert not (ebpf._config.bpffs / "venturi" / "0" / metered.point_id).exists()
    assert last_total + count_packets(newer, metered, [second]) == router.forwarded() - before


def test_settings_are_kept_with_a_generation(router: Router, make_driver: MakeDriver) -> None:
    hashing = make_driver(EbpfConfig(array_pairs=0))
    generation = apply_new(hashing, router.metered())
    router.send(PACKETS)
    placing = make_driver(replace(hashing._config, array_pairs=1000))
    assert count_packets(placing, router.metered(), [generation]) == len(PACKETS)
