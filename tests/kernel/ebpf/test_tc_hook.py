"""At the tc hook, by links as by filters, packets count as they pass the device: by addresses on the wire, the host's own too."""

from dataclasses import replace
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.kernel.ebpf.conftest import MakeDriver
from tests.spec.build import label
from tests.spec.strategies import label_sets, passages
from tests.support.kernel.frames import frame_of
from tests.support.kernel.metering import expect, meter, new_generation
from tests.support.kernel.router import OUTER, Router, is_forwarded, run
from tests.support.tools import needs
from venturi.adapters.drivers.ebpf.configuration import EbpfConfig
from venturi.adapters.drivers.ebpf.driver import EbpfDriver
from venturi.core.classify.compiler import CompiledClassifier
from venturi.core.classify.reference import Passage
from venturi.core.domain.counts import Counts
from venturi.core.domain.direction import Direction
from venturi.core.domain.generation import MeteredDevice
from venturi.core.domain.label import LabelWithRules
from venturi.core.domain.point import Hook
from venturi.core.domain.prefix import parse_address

pytestmark = [pytest.mark.root, needs("ip", "clang", "iptables")]

WITHIN, WITHOUT = parse_address("10.0.0.1")[1], parse_address("192.0.2.1")[1]
FROM_WITHIN, FROM_WITHOUT = Passage(Direction.EGRESS, 4, WITHIN, WITHOUT), Passage(Direction.INGRESS, 4, WITHOUT, WITHIN)


@pytest.fixture(params=[True, False], ids=["tcx links", "clsact filters"])
def tc_driver(request: pytest.FixtureRequest) -> EbpfDriver:
    """A driver that attaches to devices in either way."""
    make_driver: MakeDriver = request.getfixturevalue("make_driver")
    return make_driver(EbpfConfig(tcx=request.param))


def metered_at_tc(router: Router) -> MeteredDevice:
    """Give the outer device of a router as one that is metered at the tc hook."""
    return replace(router.metered(), hook=Hook.TC)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(labels=label_sets(), packets=st.lists(passages(), min_size=1, max_size=30))
def test_any_rules_and_any_packets(labels: list[LabelWithRules], packets: list[Passage], router: Router, tc_driver: EbpfDriver) -> None:
    forwarded = [packet for packet in packets if is_forwarded(packet)]
    counted = meter(tc_driver, metered_at_tc(router), labels, forwarded, router.send)
    expected = expect(labels, forwarded)
    assert {key: counted.get(key) for key in expected if key[0]} == {key: counts for key, counts in expected.items() if key[0]}


def test_addresses_are_those_on_the_wire(own_router: Router, tc_driver: EbpfDriver) -> None:
    rule = f"-t nat -A POSTROUTING -o {OUTER} -s 10.0.0.0/8 -j SNAT --to-source 198.18.2.1"
    run("ip", "netns", "exec", own_router.namespace, "iptables-legacy", *rule.split())
    labels = [label("before", "out 10.0.0.0/8 > *"), label("after", "out 198.18.2.1 > 192.0.2.0/24")]
    counted = meter(tc_driver, metered_at_tc(own_router), labels, [FROM_WITHIN], own_router.send)
    assert {name: counts for (name, _), counts in counted.items() if name} == {"after": Counts(1, 60)}


def test_the_routers_own_packets_count(own_router: Router, tc_driver: EbpfDriver) -> None:
    labels = [label("own", "out 198.18.2.1 > 198.18.2.2")]
    command = f"ip netns exec {own_router.namespace} bash -c 'printf 12345678 > /dev/udp/198.18.2.2/9'"

    def send(*_: object) -> None:
        run("bash", "-c", command)

    counted = meter(tc_driver, metered_at_tc(own_router), labels, [], send)
    assert counted["own", Direction.EGRESS] == Counts(1, 36)


def test_tagged_and_padded_packets_count_by_their_own_length(own_router: Router, tc_driver: EbpfDriver) -> None:
    """Neither the tag of a VLAN that has no device here nor what fills the smallest frame is of the packet."""
    mac = own_router.router_mac(Direction.INGRESS)
    frames = [frame_of(FROM_WITHOUT, 60, destination_mac=mac, vlan=7), frame_of(FROM_WITHOUT, 28, destination_mac=mac) + bytes(18)]
    labels = [label("tagged", "in 192.0.2.1 > *")]
    send = partial(own_router.send_frames, frames, Direction.INGRESS, forwarded=1)
    counted = meter(tc_driver, metered_at_tc(own_router), labels, [], lambda *_: send())
    assert counted["tagged", Direction.INGRESS] == Counts(2, 60 + 28)


def test_attachments_are_seen_and_go(own_router: Router, tc_driver: EbpfDriver) -> None:
    metered, classifier = metered_at_tc(own_router), CompiledClassifier([])
    first, second = new_generation(classifier), new_generation(classifier)
    tc_driver.apply(metered, classifier, first)
    tc_driver.apply(metered, classifier, second)
    assert [tc_driver.is_counting(metered, generation) for generation in (first, second)] == [False, True]
    tc_driver.retire(metered, second)
    assert "venturi" not in run("ip", "netns", "exec", own_router.namespace, "tc", "filter", "show", "dev", OUTER, "egress")
    tc_driver.retire(metered, first)
    tc_driver.apply(metered, classifier, third := new_generation(classifier))
    run("ip", "-n", own_router.namespace, "link", "del", OUTER)
    assert not tc_driver.is_counting(metered, third)
