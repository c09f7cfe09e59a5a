"""A packet counts no more than its frame held: the table of lengths, by real packets at every driver and hook."""

import secrets
import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

import pytest

from tests.spec.build import label
from tests.spec.cases import LENGTH_CASES, LengthCase
from tests.support.kernel.drivers import KERNEL_DRIVERS
from tests.support.kernel.frames import SMALLEST_OCTETS
from tests.support.kernel.metering import attribute, new_generation
from tests.support.kernel.router import OUTER, Router
from tests.support.tools import needs
from venturi.adapters.drivers.ebpf.driver import EbpfDriver
from venturi.adapters.drivers.protocol import Driver
from venturi.adapters.network.namespaces import inside
from venturi.core.classify.compiler import CompiledClassifier
from venturi.core.classify.reference import Passage
from venturi.core.domain.counts import Counts
from venturi.core.domain.direction import Direction
from venturi.core.domain.point import Hook
from venturi.core.domain.prefix import parse_address

pytestmark = [pytest.mark.root, needs("ip", "clang", "nft")]

IN, OUT = Direction.INGRESS, Direction.EGRESS
CLASSIFIER = CompiledClassifier([label("any", "in 10.0.0.1 > *", "in 2001:db8::1 > *", "out 10.0.0.1 > *", "out 2001:db8::1 > *")])
LAST = Passage(IN, 4, parse_address("172.16.0.1")[1], parse_address("192.0.2.1")[1])
"""A packet of no label, behind which nothing is on its way any more."""

MTU = 1500
ETHERNET_TYPES = {4: b"\x08\0", 6: b"\x86\xdd"}
SHORT_CASES = [case for case in LENGTH_CASES if case.frame <= MTU]


def frame_of(case: LengthCase, destination_mac: bytes) -> bytes:
    """Give the frame of a case, with nothing behind its headers."""
    return destination_mac + b"\x02\0\0\0\0\x99" + ETHERNET_TYPES[case.family] + case.headers().ljust(case.frame, b"\0")


def passed_by_the_kernel(case: LengthCase) -> int | None:
    """Give the octets of what the kernel's IP input makes of a packet whose header states no length, which is no super-packet."""
    unstated = case.octets is not None and case.claimed == 0 and case.next_header != 59
    return ({4: None, 6: 40}[case.family]) if unstated else case.octets


@pytest.fixture(params=["tcx links", "clsact filters"])
def tc_driver(request: pytest.FixtureRequest) -> Iterator[EbpfDriver]:
    """A driver that attaches to devices in either way."""
    driver = KERNEL_DRIVERS["ebpf"](f"vt{secrets.token_hex(4)}")
    assert isinstance(driver, EbpfDriver)
    driver = EbpfDriver(replace(driver._config, tcx=request.param == "tcx links"))
    driver.start()
    yield driver
    driver.purge()
    driver.stop()


def count(driver: Driver, router: Router, hook: Hook, send: Callable[[], None]) -> tuple[dict[Direction, Counts], dict[Direction, Counts]]:
    """Count what ``send`` lets pass: by direction what counts for the label, and what does not for its header."""
    metered, generation = replace(router.metered(), hook=hook), new_generation(CLASSIFIER)
    driver.apply(metered, CLASSIFIER, generation)
    try:
        send()
        router.send([LAST])
        reading = driver.read(metered, generation)
    finally:
        driver.retire(metered, generation)
    counted = {direction: counts for (name, direction), counts in attribute(CLASSIFIER, reading).items() if name == "any"}
    return counted, dict(reading.bad_ip_headers)


@pytest.mark.parametrize("case", SHORT_CASES, ids=[case.name for case in SHORT_CASES])
def test_at_netfilter_the_kernel_has_dropped_it(case: LengthCase, router: Router, driver: Driver) -> None:
    octets = passed_by_the_kernel(case)
    send = partial(router.send_frames, [frame_of(case, router.router_mac(IN))], IN, forwarded=0 if octets is None else 1)
    assert count(driver, router, Hook.NETFILTER, send) == ({} if octets is None else {IN: Counts(1, octets)}, {})


@pytest.mark.parametrize("case", SHORT_CASES, ids=[case.name for case in SHORT_CASES])
def test_at_the_device_it_is_counted_apart(case: LengthCase, router: Router, tc_driver: EbpfDriver) -> None:
    send = partial(router.send_frames, [frame_of(case, router.router_mac(IN))], IN, forwarded=0)
    counted = ({}, {IN: Counts(1, case.frame)}) if case.octets is None else ({IN: Counts(1, case.octets)}, {})
    assert count(tc_driver, router, Hook.TC, send) == counted


def send_from_router(router: Router, frames: Sequence[bytes]) -> None:
    """Send frames out of the router's outer device, through its queueing discipline."""
    with inside(router.namespace), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as packet_socket:
        packet_socket.bind((OUTER, 0))
        for frame in frames:
            packet_socket.send(frame)


def test_a_hundred_frames_that_claim_all_they_can(router: Router, tc_driver: EbpfDriver) -> None:
    """Both ways, and without a name: counted by their claims, they would be 6,553,500 octets."""
    case = next(each for each in SHORT_CASES if (each.claimed, each.frame) == (65_535, SMALLEST_OCTETS))
    inward, outward = ([frame_of(case, router.router_mac(way))] * 100 for way in (IN, OUT))

    def send() -> None:
        router.send_frames(inward, IN, forwarded=0)
        send_from_router(router, outward)

    assert count(tc_driver, router, Hook.TC, send) == ({}, {IN: Counts(100, 6000), OUT: Counts(100, 6000)})


@pytest.mark.parametrize(("ethertype", "first"), [(b"\x08\0", b"\x60"), (b"\x86\xdd", b"\x45")], ids=["IPv6 in IPv4", "IPv4 in IPv6"])
def test_a_version_that_was_not_announced(ethertype: bytes, first: bytes, router: Router, tc_driver: EbpfDriver) -> None:
    frame = router.router_mac(IN) + b"\x02\0\0\0\0\x99" + ethertype + first.ljust(60, b"\0")
    assert count(tc_driver, router, Hook.TC, partial(router.send_frames, [frame], IN, forwarded=0)) == ({}, {IN: Counts(1, 60)})


def test_a_packet_behind_two_tags(router: Router, tc_driver: EbpfDriver) -> None:
    """The inner tag, whose priority looks like a version of IP, is not taken for a packet; that which follows it is."""
    case = SHORT_CASES[0]
    plain = frame_of(case, router.router_mac(IN))
    frame = plain[:12] + b"\x88\xa8\x40\x07\x81\0\x40\x08" + plain[12:]
    assert count(tc_driver, router, Hook.TC, partial(router.send_frames, [frame], IN, forwarded=0)) == ({IN: Counts(1, 60)}, {})
