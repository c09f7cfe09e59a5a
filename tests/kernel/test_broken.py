"""What somebody takes away from a driver it notices, whatever it is, and counts again afterwards."""

import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.spec.build import label
from tests.support.kernel.bpf_folder import new_bpf_folder
from tests.support.kernel.breaking import BREAKAGES, Breakage, Scene
from tests.support.kernel.metering import attribute, new_generation
from tests.support.kernel.router import INNER, Router, run
from tests.support.tools import needs
from venturi.adapters.drivers.ebpf.configuration import EbpfConfig
from venturi.adapters.drivers.ebpf.driver import EbpfDriver
from venturi.adapters.drivers.nftables.driver import NftablesConfig, NftablesDriver
from venturi.adapters.drivers.protocol import Driver
from venturi.core.classify.compiler import CompiledClassifier
from venturi.core.classify.reference import Passage
from venturi.core.domain.counts import Counts
from venturi.core.domain.direction import Direction
from venturi.core.domain.generation import MeteredDevice
from venturi.core.domain.point import Hook
from venturi.core.domain.prefix import parse_address

pytestmark = [pytest.mark.root, needs("ip", "clang", "nft", "tc", "bpftool")]

OUT = Direction.EGRESS
OUTWARD = Passage(OUT, 4, parse_address("10.0.0.5")[1], parse_address("192.0.2.1")[1])
RULES = [f"{way} 10.0.{number}.0/24 > 192.0.{number}.0/24" for way in ("in", "out") for number in range(4)]
CLASSIFIER = CompiledClassifier([label("web", "out 10.0.0.0/8 > *", *RULES, "in 2001:db8::/32 > 2001:db8:1::/48")])


@pytest.fixture
def pins() -> Path:
    """A folder of pins of this test alone."""
    return new_bpf_folder(f"vtpins{secrets.token_hex(4)}")


@pytest.fixture
def broken(  # noqa: PLR0206 - a fixture is no property
    request: pytest.FixtureRequest, own_router: Router, pins: Path
) -> Iterator[tuple[Breakage, Driver, Scene]]:
    """Give a breakage of the table with a driver for it."""
    breakage: Breakage = request.param
    name = pins.name.replace("pins", "")
    driver: Driver = NftablesDriver(NftablesConfig(table_prefix=name))
    if breakage.driver == "ebpf":
        driver = EbpfDriver(EbpfConfig(bpffs=pins, tcx=breakage.tcx))
    driver.start()
    yield breakage, driver, Scene(own_router, pins)
    driver.purge()
    driver.stop()


@pytest.mark.parametrize("broken", BREAKAGES.values(), ids=BREAKAGES, indirect=True)
def test_it_is_noticed_and_mended(broken: tuple[Breakage, Driver, Scene], own_router: Router) -> None:
    breakage, driver, scene = broken
    metered = replace(own_router.metered(), hook=Hook(breakage.hook))
    driver.apply(metered, CLASSIFIER, generation := new_generation(CLASSIFIER))
    assert driver.is_counting(metered, generation)
    own_router.send([OUTWARD])
    breakage.do(scene)
    assert not driver.is_counting(metered, generation)
    assert [found.counting for found in driver.find()] in ([False], [])
    driver.apply(metered, CLASSIFIER, following := new_generation(CLASSIFIER))
    assert driver.is_counting(metered, following)
    if "other0" not in run("ip", "-n", own_router.namespace, "link"):
        own_router.send([OUTWARD] * 3)
        assert attribute(CLASSIFIER, driver.read(metered, following))["web", OUT] == Counts(3, 180)


def test_links_of_two_points_are_told_apart(own_router: Router, pins: Path) -> None:
    """Both are detached; the one that is attached again first takes the place at the hook, which the other had, and is not taken for it."""
    driver, scene = EbpfDriver(EbpfConfig(bpffs=pins)), Scene(own_router, pins)
    driver.start()
    points = [
        MeteredDevice(point_id=device, device=device, namespace=own_router.namespace) for device in (own_router.metered().device, INNER)
    ]
    generations = [new_generation(CLASSIFIER) for _ in points]
    try:
        for metered, generation in zip(points, generations, strict=True):
            driver.apply(metered, CLASSIFIER, generation)
        for pin in scene.pins.rglob("forward_ipv*"):
            run("bpftool", "link", "detach", "pinned", str(pin))
        driver.apply(points[1], CLASSIFIER, following := new_generation(CLASSIFIER))
        assert driver.is_counting(points[1], following)
        assert not driver.is_counting(points[0], generations[0])
    finally:
        driver.purge()
        driver.stop()
