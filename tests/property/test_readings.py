"""Usage out of readings is what the readable engine counts packet by packet, and its parts make the whole."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.spec.strategies import label_sets, passages
from venturi.adapters.drivers.memory import MemoryDriver
from venturi.adapters.drivers.memory_host import MemoryHost, PassingPackets
from venturi.core.classify.compiler import CompiledClassifier
from venturi.core.classify.reference import Part, Passage, counting_labels, part_of, using_projects
from venturi.core.domain.counts import Counts
from venturi.core.domain.direction import Direction
from venturi.core.domain.generation import Generation, MeteredDevice
from venturi.core.domain.label import LabelWithRules
from venturi.core.meter.readings.attributing import DirectionUsage, attribute
from venturi.core.meter.readings.totals import NOTHING_COUNTED, Totals, subtract

METERED = MeteredDevice(point_id="uplink", device="eth0")
GENERATION = Generation(id="1" * 32, spool_id="2" * 32, digest="")
Usage = dict[tuple[Direction, str], Counts]
Packets = list[tuple[Passage, int]]

crossing_packets = st.lists(
    st.tuples(passages().filter(lambda passage: passage.direction is not Direction.UNKNOWN), st.integers(20, 9000)), max_size=12
)


def _send(host: MemoryHost, packets: Packets) -> None:
    for passage, octets in packets:
        devices = ("eth0", "inside") if passage.direction is Direction.INGRESS else ("inside", "eth0")
        host.count(
            PassingPackets(
                in_device=devices[0],
                out_device=devices[1],
                family=passage.family,
                source=passage.source,
                destination=passage.destination,
                octets=octets,
            )
        )


def _expected(labels: list[LabelWithRules], packets: Packets) -> tuple[Usage, Usage]:
    usage: Counter[tuple[Direction, str, str]] = Counter()
    for passage, octets in packets:
        names = [label.id for label in counting_labels(labels, passage)]
        for name in ["all", *(names or ["unmatched"])]:
            usage[passage.direction, name, "packets"] += 1
            usage[passage.direction, name, "octets"] += octets
    counts = {(way, name): Counts(usage[way, name, "packets"], usage[way, name, "octets"]) for way, name, _ in usage}
    whole = {key: each for key, each in counts.items() if key[1] in {"all", "unmatched"}}
    return {key: each for key, each in counts.items() if key not in whole}, whole


def _by_label(usages: list[DirectionUsage], classifier: CompiledClassifier) -> Usage:
    return {
        (usage.direction, classifier.labels[number].id): Counts(packets, octets)
        for usage in usages
        for number, packets, octets in zip(usage.labels.tolist(), usage.packets.tolist(), usage.octets.tolist(), strict=True)
    }


Parts = dict[tuple[str, str], Counts]


def _expected_parts(labels: list[LabelWithRules], packets: Packets) -> dict[Direction, Parts]:
    """Sum packet by packet what each project used, what of it alone, and the other parts."""
    expected: dict[Direction, Parts] = {}
    for passage, octets in packets:
        parts = expected.setdefault(passage.direction, {})
        part, projects = part_of(labels, passage), using_projects(labels, passage)
        keys = [("used", project) for project in projects]
        keys.append(("alone", projects[0]) if part is Part.ALONE else (part.value, ""))
        for key in keys:
            parts[key] = parts.get(key, Counts()) + Counts(1, octets)
    return expected


def _parts(usage: DirectionUsage) -> Parts:
    found: Parts = {("used", project): used for project, used, _ in usage.projects}
    found |= {("alone", project): alone for project, _, alone in usage.projects}
    found |= {(Part.SEVERAL.value, ""): usage.several, (Part.SHARED.value, ""): usage.shared, (Part.UNMATCHED.value, ""): usage.unmatched}
    return {key: counts for key, counts in found.items() if any(counts)}


@settings(max_examples=150)
@given(label_sets(), crossing_packets, crossing_packets, st.sampled_from([1 << 20, 2]))
def test_usage_between_two_readings(labels: list[LabelWithRules], before: Packets, between: Packets, pair_limit: int) -> None:
    host = MemoryHost(pair_limit=pair_limit)
    host.add_device("eth0")
    driver = MemoryDriver(host)
    classifier = CompiledClassifier(labels)
    driver.apply(METERED, classifier, GENERATION)

    def read() -> Totals:
        reading = driver.read(METERED, GENERATION)
        return Totals(reading.pairs, reading.unattributed)

    _send(host, before)
    earlier = read()
    _send(host, between)
    counted = subtract(read(), earlier)
    assert counted is not None
    usages = attribute(counted, classifier, classifier.owners)
    by_label, whole = _expected(labels, between)
    assert {usage.direction: usage.counted for usage in usages} == {way: each for (way, name), each in whole.items() if name == "all"}
    if pair_limit > 2:
        assert _by_label(usages, classifier) == by_label
        assert {usage.direction: usage.unmatched for usage in usages if any(usage.unmatched)} == {
            way: each for (way, name), each in whole.items() if name == "unmatched"
        }
        assert {usage.direction: _parts(usage) for usage in usages} == _expected_parts(labels, between)
    for usage in usages:
        own = [alone for _, _, alone in usage.projects]
        parts = [usage.several, usage.shared, usage.unmatched, usage.unattributed, *own]
        assert sum(parts, Counts()) == usage.counted
    assert subtract(earlier, NOTHING_COUNTED) is not None
