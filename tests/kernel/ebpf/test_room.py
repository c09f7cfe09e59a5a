"""Class pairs are counted in places or hashed, alike; what finds no room is counted as unattributed."""

import pytest

from tests.kernel.ebpf.conftest import MakeDriver
from tests.spec.build import label
from tests.support.kernel.metering import TOTAL, attribute, expect, meter, new_generation, octets_for
from tests.support.kernel.router import Router
from tests.support.tools import needs
from venturi.adapters.drivers.ebpf.configuration import EbpfConfig
from venturi.core.classify.compiler import CompiledClassifier
from venturi.core.classify.reference import Passage
from venturi.core.domain.counts import Counts
from venturi.core.domain.direction import Direction
from venturi.core.domain.prefix import parse_address

pytestmark = [pytest.mark.root, needs("ip", "clang")]

LABELS = [label(f"host-{number}", f"out 10.0.0.{number} > *", f"out 2001:db8::{number:x}:0 > *") for number in range(1, 41)]
PACKETS = [
    Passage(Direction.EGRESS, family, parse_address(text)[1], parse_address(destination)[1])
    for number in range(1, 41)
    for family, text, destination in ((4, f"10.0.0.{number}", "192.0.2.1"), (6, f"2001:db8::{number:x}:0", "2001:db9::1"))
]


@pytest.mark.parametrize("array_pairs", [0, 50, 100, 262_144])
def test_hashed_pairs_count_as_those_with_places_do(array_pairs: int, router: Router, make_driver: MakeDriver) -> None:
    driver = make_driver(EbpfConfig(array_pairs=array_pairs))
    assert meter(driver, router.metered(), LABELS, PACKETS, router.send) == expect(LABELS, PACKETS)


def test_what_finds_no_room_is_counted(router: Router, make_driver: MakeDriver) -> None:
    """Nothing that has its place loses it, and the total is whole."""
    driver, metered, classifier = make_driver(EbpfConfig(array_pairs=0, hashed_pairs=16)), router.metered(), CompiledClassifier(LABELS)
    generation = new_generation(classifier)
    driver.apply(metered, classifier, generation)
    for _ in range(2):
        router.send(PACKETS, octets_for(PACKETS))
    reading = driver.read(metered, generation)
    lost = reading.unattributed[Direction.EGRESS]
    assert set(reading.unattributed) == {Direction.EGRESS}
    assert set(reading.pairs.packets.tolist()) == {2}
    assert lost.packets == 2 * (len(PACKETS) - len(reading.pairs.packets)) > 0
    total = Counts(2 * len(PACKETS), 2 * sum(octets_for(PACKETS)))
    assert attribute(classifier, reading)[TOTAL, Direction.EGRESS] == total
