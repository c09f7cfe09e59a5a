"""Where nftables has no room for counters of all class pairs, the packets of the others are counted as unattributed, and none is lost."""

import pytest

from tests.spec.build import label
from tests.support.kernel.metering import attribute, new_generation
from tests.support.kernel.router import Router
from tests.support.tools import needs
from venturi.adapters.drivers.nftables import pair_sets
from venturi.adapters.drivers.protocol import Driver
from venturi.core.classify.compiler import CompiledClassifier
from venturi.core.classify.reference import Passage
from venturi.core.domain.counts import Counts
from venturi.core.domain.direction import Direction
from venturi.core.domain.prefix import parse_address

pytestmark = [pytest.mark.root, needs("ip")]

OUT = Direction.EGRESS
LABELS = [label(f"label{number}", f"out 10.0.{number}.0/24 > 192.0.{number}.0/24") for number in range(4)]


@pytest.mark.parametrize("driver", ["nftables"], indirect=True)
@pytest.mark.parametrize(
    ("limit", "most", "attributed"),
    [("MOST_COUNTERS", 5, 2), ("MOST_CHAINS", 3, 2), ("MOST_CHAINS", 100, 4)],
    ids=["counters run out", "chains run out", "there is room"],
)
def test_room(limit: str, most: int, attributed: int, router: Router, driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pair_sets, limit, most)
    classifier, metered = CompiledClassifier(LABELS), router.metered()
    driver.apply(metered, classifier, generation := new_generation(classifier))
    packets = [Passage(OUT, 4, parse_address(f"10.0.{number}.1")[1], parse_address(f"192.0.{number}.1")[1]) for number in range(4)]
    router.send(packets)
    reading = driver.read(metered, generation)
    assert len([key for key in attribute(classifier, reading) if key[0]]) == attributed
    assert reading.unattributed.get(OUT, Counts()).packets == 4 - attributed
    assert driver.is_counting(metered, generation)
