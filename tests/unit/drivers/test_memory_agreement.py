"""The memory driver counts for the labels that the reference says, any rules and any packets."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from tests.spec.strategies import label_sets, passages
from tests.support.kernel.metering import expect, meter
from venturi.adapters.drivers.memory import MemoryDriver
from venturi.adapters.drivers.memory_host import MemoryHost, PassingPackets
from venturi.core.classify.reference import Passage
from venturi.core.domain.direction import Direction
from venturi.core.domain.generation import MeteredDevice
from venturi.core.domain.label import LabelWithRules

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
