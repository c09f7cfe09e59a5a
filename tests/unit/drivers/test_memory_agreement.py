"""The memory driver counts for the labels that the reference says, any rules and any packets, and no more than frames held."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.spec.cases import LENGTH_CASES, LengthCase
from tests.spec.strategies import label_sets, passages
from tests.support.kernel.metering import expect, meter, new_generation
from venturi.adapters.drivers.memory import MemoryDriver
from venturi.adapters.drivers.memory_host import MemoryHost, PassingPackets
from venturi.core.classify.compiler import CompiledClassifier
from venturi.core.classify.reference import Passage
from venturi.core.domain.counts import Counts
from venturi.core.domain.direction import Direction
from venturi.core.domain.generation import MeteredDevice
from venturi.core.domain.label import LabelWithRules
from venturi.core.domain.point import Hook

WAYS = {Direction.EGRESS: ("lan0", "eth0"), Direction.INGRESS: ("eth0", "lan0")}


@given(labels=label_sets(), packets=st.lists(passages().filter(lambda packet: packet.direction in WAYS), max_size=20))
def test_any_rules_and_any_packets(labels: list[LabelWithRules], packets: list[Passage]) -> None:
    host = MemoryHost()
    host.add_device("eth0")

    def send(packets: Sequence[Passage], octets: Sequence[int]) -> None:
        for packet, length in zip(packets, octets, strict=True):
            in_device, out_device = WAYS[packet.direction]
            host.count(
                PassingPackets(
                    in_device=in_device,
                    out_device=out_device,
                    family=packet.family,
                    source=packet.source,
                    destination=packet.destination,
                    octets=length,
                )
            )

    counted = meter(MemoryDriver(host), MeteredDevice(point_id="uplink", device="eth0"), labels, packets, send)
    assert counted == expect(labels, packets)


STATED = [case for case in LENGTH_CASES if case.claimed > 20 and case.words == 5]
UNSTATED = [case for case in LENGTH_CASES if case.claimed == 0 and case.next_header != 59 and case.jumbo is None]


@pytest.mark.parametrize("hook", Hook)
@pytest.mark.parametrize("case", STATED + UNSTATED, ids=[case.name for case in STATED + UNSTATED])
def test_lengths(case: LengthCase, hook: Hook) -> None:
    """A host in memory knows of a header what it claims, and nothing else that could contradict itself."""
    host, nothing = MemoryHost(), CompiledClassifier([])
    host.add_device("eth0")
    driver, metered, generation = MemoryDriver(host), MeteredDevice(point_id="uplink", device="eth0", hook=hook), new_generation(nothing)
    driver.apply(metered, nothing, generation)
    claimed = case.claimed and case.claimed + (40 if case.family == 6 else 0)
    host.count(
        PassingPackets(in_device="eth0", out_device="lan0", family=case.family, source=1, destination=2, octets=claimed, held=case.frame)
    )
    reading = driver.read(metered, generation)
    assert reading.pairs.octets.tolist() == ([] if case.octets is None else [case.octets])
    shown = case.octets is None and hook is Hook.TC
    assert reading.bad_ip_headers == ({Direction.INGRESS: Counts(1, case.frame)} if shown else {})
