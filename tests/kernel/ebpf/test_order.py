"""At the tc hook, venturi's program comes first, and what somebody puts before it, which may keep packets from it, is told."""

from contextlib import ExitStack
from dataclasses import replace

import pytest

from tests.kernel.ebpf.conftest import MakeDriver
from tests.spec.build import label
from tests.support.kernel.bpf_folder import new_bpf_folder
from tests.support.kernel.metering import attribute, new_generation
from tests.support.kernel.router import OUTER, Router, run
from tests.support.kernel.tcx import NAME, passing_at
from tests.support.tools import needs
from venturi.adapters.drivers.ebpf.configuration import EbpfConfig
from venturi.adapters.drivers.ebpf.driver import EbpfDriver
from venturi.adapters.drivers.ebpf.order import find_earlier_programs
from venturi.core.classify.compiler import CompiledClassifier
from venturi.core.classify.reference import Passage
from venturi.core.domain.counts import Counts
from venturi.core.domain.direction import Direction
from venturi.core.domain.generation import Generation, MeteredDevice
from venturi.core.domain.point import Hook
from venturi.core.domain.prefix import parse_address

pytestmark = [pytest.mark.root, needs("ip", "tc", "clang")]

CLASSIFIER = CompiledClassifier([label("all", "out 10.0.0.0/8 > *")])
OUTWARD = Passage(Direction.EGRESS, 4, parse_address("10.0.0.5")[1], parse_address("192.0.2.1")[1])
EARLIER = f"has a tc program '{NAME}' before that of venturi (egress), which can pass packets on uncounted"
CHANGED = "had other programs at the tc hook since they were looked at last, which may have passed packets on uncounted"
FILTER = "has a tc filter before that of venturi (egress), which can pass packets on uncounted"


@pytest.fixture
def metered(own_router: Router) -> MeteredDevice:
    """The outer device of a router, metered at the tc hook."""
    return replace(own_router.metered(), hook=Hook.TC)


def counted(driver: EbpfDriver, metered: MeteredDevice, generation: Generation) -> int:
    """Give the packets of the label."""
    return attribute(CLASSIFIER, driver.read(metered, generation)).get(("all", Direction.EGRESS), Counts()).packets


def test_it_attaches_before_whatever_is_there(ebpf: EbpfDriver, metered: MeteredDevice, own_router: Router) -> None:
    with passing_at(metered):
        ebpf.apply(metered, CLASSIFIER, generation := new_generation(CLASSIFIER))
        own_router.send([OUTWARD] * 3)
        assert counted(ebpf, metered, generation) == 3
        assert ebpf.find_bypasses(metered, generation) == []


def test_what_is_put_before_it_is_told(make_driver: MakeDriver, metered: MeteredDevice, own_router: Router) -> None:
    config = EbpfConfig(bpffs=new_bpf_folder(f"order-{own_router.namespace}"))
    driver = make_driver(config)
    driver.apply(metered, CLASSIFIER, generation := new_generation(CLASSIFIER))
    assert driver.find_bypasses(metered, generation) == []
    with passing_at(metered):
        own_router.send([OUTWARD] * 3)
        assert counted(driver, metered, generation) == 0
        assert driver.is_counting(metered, generation)
        assert [driver.find_bypasses(metered, generation) for _ in range(2)] == [[EARLIER], [EARLIER]]
        assert find_earlier_programs(config, metered.namespace, OUTER) == [f"'{OUTER}' {EARLIER}"]
    own_router.send([OUTWARD] * 5)
    assert counted(driver, metered, generation) == 5
    assert [driver.find_bypasses(metered, generation) for _ in range(2)] == [[CHANGED], []]
    assert find_earlier_programs(config, metered.namespace, OUTER) == []


def test_what_came_and_went_between_two_looks_is_told(ebpf: EbpfDriver, metered: MeteredDevice, own_router: Router) -> None:
    ebpf.apply(metered, CLASSIFIER, generation := new_generation(CLASSIFIER))
    assert ebpf.find_bypasses(metered, generation) == []
    with passing_at(metered):
        own_router.send([OUTWARD])
    assert [ebpf.find_bypasses(metered, generation) for _ in range(2)] == [[CHANGED], []]


def test_what_came_and_went_while_no_agent_ran_is_told_by_the_next_one(
    make_driver: MakeDriver, metered: MeteredDevice, own_router: Router
) -> None:
    config = EbpfConfig(bpffs=new_bpf_folder(f"order-{own_router.namespace}"))
    first = make_driver(config)
    first.apply(metered, CLASSIFIER, generation := new_generation(CLASSIFIER))
    assert first.find_bypasses(metered, generation) == []
    with passing_at(metered):
        own_router.send([OUTWARD])
    second = make_driver(config)
    assert [second.find_bypasses(metered, generation) for _ in range(2)] == [[CHANGED], []]
    assert make_driver(config).find_bypasses(metered, generation) == []


def test_a_change_of_rules_is_no_change_of_programs(ebpf: EbpfDriver, metered: MeteredDevice) -> None:
    ebpf.apply(metered, CLASSIFIER, first := new_generation(CLASSIFIER))
    assert ebpf.find_bypasses(metered, first) == []
    ebpf.apply(metered, CLASSIFIER, second := new_generation(CLASSIFIER))
    assert ebpf.find_bypasses(metered, second) == []


def test_another_point_of_venturi_at_the_device_keeps_nothing_from_it(ebpf: EbpfDriver, metered: MeteredDevice, own_router: Router) -> None:
    other = replace(metered, point_id="p2")
    generations = [new_generation(CLASSIFIER) for _ in range(2)]
    for place, generation in zip((metered, other), generations, strict=True):
        ebpf.apply(place, CLASSIFIER, generation)
    own_router.send([OUTWARD] * 3)
    for place, generation in zip((metered, other), generations, strict=True):
        assert ebpf.find_bypasses(place, generation) == []
        assert counted(ebpf, place, generation) == 3


def test_what_is_before_filters_is_told(make_driver: MakeDriver, metered: MeteredDevice, own_router: Router) -> None:
    config = EbpfConfig(bpffs=new_bpf_folder(f"order-{own_router.namespace}"), tcx=False)
    driver = make_driver(config)
    driver.apply(metered, CLASSIFIER, generation := new_generation(CLASSIFIER))
    assert driver.find_bypasses(metered, generation) == []
    ahead = f"netns exec {own_router.namespace} tc filter add dev {OUTER} egress prio 7 protocol ip u32 match u32 0 0 flowid 1:1"
    with passing_at(metered), ExitStack() as stack:
        run("ip", *ahead.split())
        stack.callback(run, "ip", "netns", "exec", own_router.namespace, "tc", "filter", "del", "dev", OUTER, "egress", "prio", "7")
        own_router.send([OUTWARD] * 3)
        assert counted(driver, metered, generation) == 0
        assert driver.find_bypasses(metered, generation) == [EARLIER, FILTER]
        assert find_earlier_programs(config, metered.namespace, OUTER) == [f"'{OUTER}' {EARLIER}", f"'{OUTER}' {FILTER}"]
    assert driver.find_bypasses(metered, generation) == [CHANGED]
    later = f"netns exec {own_router.namespace} tc filter add dev {OUTER} egress prio 300 protocol ip u32 match u32 0 0 flowid 1:1"
    run("ip", *later.split())
    assert driver.find_bypasses(metered, generation) == []
