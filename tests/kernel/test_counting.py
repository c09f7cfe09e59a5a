"""What every driver sees of packets: addresses inside of NAT, whole packets and fragments, nothing that was dropped."""

from collections.abc import Callable

import pytest

from tests.spec.build import label
from tests.support.kernel.frames import SMALLEST_OCTETS, fragments_of, frame_of
from tests.support.kernel.metering import Counted, attribute, new_generation
from tests.support.kernel.router import OUTER, Router, run
from tests.support.tools import needs
from venturi.adapters.drivers.protocol import Driver
from venturi.core.classify.compiler import CompiledClassifier
from venturi.core.classify.reference import Passage
from venturi.core.domain.counts import Counts
from venturi.core.domain.direction import Direction
from venturi.core.domain.generation import MeteredDevice
from venturi.core.domain.label import LabelWithRules
from venturi.core.domain.point import PointTraffic
from venturi.core.domain.prefix import parse_address

pytestmark = [pytest.mark.root, needs("ip", "nft")]

IN, OUT = Direction.INGRESS, Direction.EGRESS
WEB = label("web", "out 10.0.0.0/24 > *", "in * > 10.0.0.0/24")
ROUTER_ADDRESS = "198.18.2.1"


def packet(direction: Direction, source: str, destination: str) -> Passage:
    """Give a packet between addresses as people write them."""
    (family, first), (_, second) = parse_address(source), parse_address(destination)
    return Passage(direction, family, first, second)


def count(driver: Driver, metered: MeteredDevice, send: Callable[[], None], *labels: LabelWithRules) -> Counted:
    """Count what ``send`` lets pass, by labels."""
    classifier = CompiledClassifier(labels or (WEB,))
    generation = new_generation(classifier)
    driver.apply(metered, classifier, generation)
    send()
    return attribute(classifier, driver.read(metered, generation))


def add_rules(router: Router, table: str) -> None:
    """Give the router rules besides those of venturi."""
    run("ip", "netns", "exec", router.namespace, "nft", "-f", "-", stdin=f"{table}\n")


OUTWARD = packet(OUT, "10.0.0.5", "192.0.2.1")
ADDRESSES_INSIDE = {
    "source NAT": ("oifname outer0 snat ip to 198.18.2.1", "postrouting", OUTWARD, OUT),
    "destination NAT": ("ip daddr 203.0.113.9 dnat ip to 10.0.0.5", "prerouting", packet(IN, "192.0.2.1", "203.0.113.9"), IN),
}


@pytest.mark.parametrize(("rule", "hook", "sent", "direction"), ADDRESSES_INSIDE.values(), ids=ADDRESSES_INSIDE)
def test_nat(rule: str, hook: str, sent: Passage, direction: Direction, own_router: Router, driver: Driver) -> None:
    table = f"table inet nat {{ chain {hook} {{ type nat hook {hook} priority 100; {rule}; }}; }}"
    add_rules(own_router, table)
    counted = count(driver, own_router.metered(), lambda: own_router.send([sent]))
    assert counted["web", direction] == Counts(1, SMALLEST_OCTETS)


@pytest.mark.parametrize(("tracked", "packets"), [(False, 2), (True, 1)], ids=["as they come", "put together by connection tracking"])
def test_fragments(tracked: bool, packets: int, own_router: Router, driver: Driver) -> None:
    if tracked:
        table = "table inet t { chain c { type filter hook forward priority 0; ct state invalid counter; }; }"
        add_rules(own_router, table)
    mac = own_router.router_mac(OUT) + bytes(6) + b"\x08\0"
    frames = [mac + fragment for fragment in fragments_of(OUTWARD, 1220, 800)]
    counted = count(driver, own_router.metered(), lambda: own_router.send_frames(frames, OUT, forwarded=packets))
    assert counted["web", OUT] == Counts(packets, 1220 if tracked else 1240)


def test_what_a_firewall_dropped_is_not_counted(own_router: Router, driver: Driver) -> None:
    table = "table inet t { chain c { type filter hook forward priority 10; ip daddr 192.0.2.1 drop; }; }"
    add_rules(own_router, table)
    frames = [frame_of(OUTWARD, destination_mac=own_router.router_mac(OUT))]
    assert count(driver, own_router.metered(), lambda: own_router.send_frames(frames, OUT, forwarded=0)) == {}
    assert count(driver, own_router.metered(), lambda: own_router.send([packet(OUT, "10.0.0.5", "192.0.2.2")]))["web", OUT].packets == 1


LOCAL_LABEL = label("router", f"in * > {ROUTER_ADDRESS}", f"out {ROUTER_ADDRESS} > *")
TRAFFIC = {PointTraffic.FORWARDED: ([("web", OUT)]), PointTraffic.LOCAL: ([("router", IN), ("router", OUT)])}
TRAFFIC[PointTraffic.BOTH] = TRAFFIC[PointTraffic.FORWARDED] + TRAFFIC[PointTraffic.LOCAL]


@pytest.mark.parametrize("traffic", PointTraffic)
def test_traffic_of_the_router_itself(traffic: PointTraffic, own_router: Router, driver: Driver) -> None:
    """The router answers a packet to a port at which nobody listens."""
    metered = MeteredDevice(point_id="point", device=OUTER, namespace=own_router.namespace, traffic=traffic)

    frames = [frame_of(packet(IN, "198.18.2.2", ROUTER_ADDRESS), destination_mac=own_router.router_mac(IN))]

    def send() -> None:
        own_router.send_frames(frames, IN, forwarded=0)
        own_router.send([OUTWARD])

    counted = count(driver, metered, send, WEB, LOCAL_LABEL)
    assert {key: counts.packets for key, counts in counted.items() if key[0]} == dict.fromkeys(TRAFFIC[traffic], 1)


def test_vlan_devices(own_router: Router, driver: Driver) -> None:
    """A VLAN device is a device like any other: its packets are those of its tag."""
    command = ("ip", "-n", own_router.namespace, "link", "add", "link", OUTER, "name", "vlan7", "type", "vlan", "id", "7")
    run_or_skip(*command)
    batch = "link set vlan7 up\naddress add 198.18.7.1/24 dev vlan7\nneighbour add 198.18.7.2 lladdr 02:00:00:00:07:02 dev vlan7\n"
    run("ip", "-n", own_router.namespace, "-batch", "-", stdin=batch + "route add 203.0.113.0/24 via 198.18.7.2")
    sent = packet(OUT, "10.0.0.5", "203.0.113.1")
    assert count(driver, own_router.metered("vlan7"), lambda: own_router.send([sent, OUTWARD]))["web", OUT].packets == 1


def run_or_skip(*command: str) -> None:
    """Run a command that needs something of the kernel that this one may not have."""
    try:
        run(*command)
    except AssertionError as error:
        if "Unknown device type" in str(error) or "not supported" in str(error):
            pytest.skip("the kernel has no VLAN devices (CONFIG_VLAN_8021Q)")
        raise
