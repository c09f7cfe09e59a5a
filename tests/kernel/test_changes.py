"""Rules change under load, again and again, and every packet is counted once, for the labels that it belongs to.

``VENTURI_TEST_CHANGES`` is how often (300): 2,000 and more show what befalls few packets at few changes.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.spec.build import label
from tests.support.kernel.drivers import new_driver
from tests.support.kernel.metering import TOTAL, attribute, new_generation
from tests.support.kernel.router import Router
from tests.support.tools import needs
from venturi.adapters.drivers.protocol import Reading
from venturi.core.classify.compiler import CompiledClassifier
from venturi.core.classify.reference import Passage, counting_labels
from venturi.core.domain.counts import Counts
from venturi.core.domain.direction import Direction
from venturi.core.domain.generation import MeteredDevice
from venturi.core.domain.label import LabelWithRules
from venturi.core.domain.point import Hook
from venturi.core.domain.prefix import parse_address

pytestmark = [pytest.mark.root, needs("ip", "clang")]

CHANGES = int(os.environ.get("VENTURI_TEST_CHANGES", "300"))
OUT = Direction.EGRESS
LENGTHS = {4: (8, 12, 16, 20, 24, 28, 32), 6: (24, 32, 40, 48, 56, 64, 80, 128)}
TEXTS = {4: ("10.16.16.16", "172.16.16.16"), 6: ("2001:db8:100:1000::", "2620:0:100:1000::")}


class Way(NamedTuple):
    """A driver and the hook at which it counts."""

    driver: str
    hook: Hook


WAYS = {
    "ebpf at netfilter": Way("ebpf", Hook.NETFILTER),
    "ebpf at tc": Way("ebpf", Hook.TC),
    "nftables": Way("nftables", Hook.NETFILTER),
}


def nested(family: int, side: int) -> list[str]:
    """Give prefixes of more lengths than nftables has hash tables for, each within the one before."""
    return [f"{TEXTS[family][side]}/{length}" for length in LENGTHS[family]]


def labels_that_stay() -> list[LabelWithRules]:
    """Give labels by either side and by both, of so many lengths that sets of intervals and maps of intervals are searched."""
    sources = [f"out {prefix} > *" for family in LENGTHS for prefix in nested(family, 0)]
    destinations = [f"out * > {prefix}" for family in LENGTHS for prefix in nested(family, 1)]
    pairs = [
        f"out {source} > {destination}"
        for family in LENGTHS
        for source, destination in zip(nested(family, 0), nested(family, 1), strict=True)
    ]
    by_source = [label(f"source {number}", rule) for number, rule in enumerate(sources)]
    by_destination = [label(f"destination {number}", rule) for number, rule in enumerate(destinations)]
    return [*by_source, *by_destination, *(label(f"pair {number}", rule) for number, rule in enumerate(pairs))]


def passages() -> list[Passage]:
    """Give packets of both families, one that each prefix is the longest for, and one outside of all."""
    made = []
    for family, lengths in LENGTHS.items():
        bits = 32 if family == 4 else 128
        source, destination = (parse_address(text)[1] for text in TEXTS[family])
        made.append(Passage(OUT, family, source, destination))
        for length in lengths:
            beside = 1 << bits - length
            made += [Passage(OUT, family, source ^ beside, destination), Passage(OUT, family, source, destination ^ beside)]
    return made


STAYING, PASSAGES = labels_that_stay(), passages()
CLASSIFIERS = [
    CompiledClassifier([*STAYING, label("changing", *(f"out {prefix} > *" for prefix in prefixes))])
    for prefixes in (["198.51.100.0/26"], ["10.16.16.0/25", "10.16.0.0/18"], ["2001:db8:100::/44"], ["10.16.16.16/30", "192.0.2.0/27"])
]


def expected(sent: int) -> dict[str, Counts]:
    """Give what each label that stays counts of packets of which each passage has its share, and the total."""
    each = sent // len(PASSAGES)
    counting = [entry.id for passage in PASSAGES for entry in counting_labels(STAYING, passage)]
    packets = {name: counting.count(name) * each for name in set(counting)} | {TOTAL: sent}
    return {name: Counts(number, 60 * number) for name, number in packets.items()}


def count_through_changes(way: Way, metered: MeteredDevice, router: Router, folder: Path, changes: int) -> tuple[dict[str, Counts], int]:
    """Change rules under load as an agent does; gives what labels counted in all, and how many packets were sent."""
    driver, counted = new_driver(way.driver), dict[str, Counts]()
    try:
        before = router.forwarded()
        driver.apply(metered, CLASSIFIERS[0], generation := new_generation(CLASSIFIERS[0]))
        with router.traffic(PASSAGES, folder):
            for number in range(1, changes + 1):
                classifier = CLASSIFIERS[number % len(CLASSIFIERS)]
                driver.apply(metered, classifier, following := new_generation(classifier))
                _add(counted, CLASSIFIERS[(number - 1) % len(CLASSIFIERS)], driver.read(metered, generation))
                driver.retire(metered, generation)
                assert driver.is_counting(metered, following)
                generation = following
        _add(counted, CLASSIFIERS[changes % len(CLASSIFIERS)], driver.read(metered, generation))
        return counted, router.forwarded() - before
    finally:
        driver.purge()
        driver.stop()


def _add(counted: dict[str, Counts], classifier: CompiledClassifier, reading: Reading) -> None:
    for (name, _), counts in attribute(classifier, reading).items():
        counted[name] = counted.get(name, Counts()) + counts


@pytest.mark.timeout(60 + CHANGES)
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_changes_under_load(way: Way, own_router: Router, tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    metered = MeteredDevice(point_id="uplink", device="outer0", namespace=own_router.namespace, hook=way.hook)
    counted, sent = count_through_changes(way, metered, own_router, tmp_path, CHANGES)
    record_property("packets", sent)
    assert sent > 10 * CHANGES
    passing = dict(expected(sent))
    if way.hook is Hook.TC:  # where the router's own packets count, too
        passing[TOTAL] = max(counted[TOTAL], passing[TOTAL])
    assert {name: counts for name, counts in counted.items() if name != "changing"} == passing
