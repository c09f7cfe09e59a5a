"""Every driver counts what iptables counts where labels count once, and what tcpdump sees, packet by packet and octet by octet."""

import struct
import subprocess
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.spec.build import label
from tests.spec.strategies import label_sets, passages
from tests.support.kernel import iptables
from tests.support.kernel.metering import TOTAL, meter
from tests.support.kernel.router import OUTER, Router, is_forwarded
from tests.support.tools import needs
from venturi.adapters.drivers.protocol import Driver
from venturi.core.classify.reference import Passage
from venturi.core.domain.counts import Counts
from venturi.core.domain.direction import Direction
from venturi.core.domain.label import LabelWithRules
from venturi.core.domain.prefix import parse_address

pytestmark = [pytest.mark.root, needs("ip", "iptables", "tcpdump")]

HOSTS = [
    (source, destination)
    for number in range(1, 40)
    for source, destination in ((f"10.0.0.{number}", "192.0.2.1"), (f"2001:db8::{number:x}:1", "2001:db9::1"))
]


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(labels=label_sets(), packets=st.lists(passages(), min_size=1, max_size=30))
def test_iptables(labels: list[LabelWithRules], packets: list[Passage], router: Router, driver: Driver) -> None:
    forwarded = [packet for packet in packets if is_forwarded(packet)]
    iptables.install(router.namespace, labels)
    counted = meter(driver, router.metered(), labels, forwarded, router.send)
    numbers = {entry.label.id: str(number) for number, entry in enumerate(labels)}
    assert {(numbers[name], direction): counts for (name, direction), counts in counted.items() if name} == iptables.read(router.namespace)


def test_tcpdump(router: Router, driver: Driver, tmp_path: Path) -> None:
    labels = [label(source, f"out {source} > *") for source, _ in HOSTS]
    packets = [
        Passage(Direction.EGRESS, family, first, parse_address(destination)[1])
        for source, destination in HOSTS
        for family, first in [parse_address(source)]
    ]
    iptables.install(router.namespace, [])
    with captured(router, tmp_path / "capture") as read:
        counted = meter(driver, router.metered(), labels, packets, router.send)
    assert {parse_address(name): counts for (name, _), counts in counted.items() if name is not TOTAL} == read(len(packets))


@contextmanager
def captured(router: Router, path: Path) -> "Iterator[CaptureReader]":
    """Capture what passes the outer device, and give what reads it."""
    command = (
        "ip",
        "netns",
        "exec",
        router.namespace,
        "tcpdump",
        "-i",
        OUTER,
        "--immediate-mode",
        "-U",
        "-Q",
        "out",
        "-w",
        str(path),
        "udp",
    )
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert "listening" in process.stderr.readline()
        yield CaptureReader(path)
        process.terminate()


class CaptureReader:
    """Reads packets and octets by family and source address out of a capture of Ethernet frames that is being written."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, packets: int) -> Mapping[tuple[int, int], Counts]:
        """Wait until as many packets were written, and give their counts."""
        deadline = time.monotonic() + 5
        counted = self._read()
        while sum(counts.packets for counts in counted.values()) < packets:
            assert time.monotonic() < deadline, counted
            time.sleep(0.02)
            counted = self._read()
        return counted

    def _read(self) -> Mapping[tuple[int, int], Counts]:
        counted: defaultdict[tuple[int, int], Counts] = defaultdict(Counts)
        octets = self._path.read_bytes()
        place = 24
        while place + 16 < len(octets):
            captured, length = struct.unpack_from("=II", octets, place + 8)
            packet = octets[place + 16 + 14 :]
            family = packet[0] >> 4
            counted[family, int.from_bytes(packet[12:16] if family == 4 else packet[8:24])] += Counts(1, length - 14)
            place += 16 + captured
        return counted
