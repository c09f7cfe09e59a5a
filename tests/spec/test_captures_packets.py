"""Packets of real captures: their totals, whole and per prefix, are what another program worked out, but for what is argued here."""

import ipaddress
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from venturi.adapters.files.buffers import decode_stream
from venturi.adapters.files.opening import open_input
from venturi.core.decode.capture.packets import PacketDecoder
from venturi.core.domain.drops import DropReason, list_drops
from venturi.core.domain.flow_batch import FlowBatch

CAPTURES = 41
PREFIX_LENGTHS = {4: 24, 6: 64}

Totals = dict[str, tuple[int, int]]
"""Packets and octets, by family (``ipv4``) or by side and prefix (``src 10.0.0.0/24``)."""


@dataclass(frozen=True)
class Expected:
    """What differs from the totals of the other program; ``prefixes`` are both sides of all that differs."""

    families: Totals
    prefixes: Totals
    non_ip_frames: int = 0
    bad_headers: int = 0


EXCEPTIONS = {
    # 10 frames of 100 octets carry a pseudowire (control word, nibble 0), whose inner Ethernet the other program looks into;
    # frame 11 held 104 octets behind its label stack, of which its IP header claims 255
    "tcpreplay__test.pcap": Expected(
        {"ipv4": (155, 61_930)},
        dict.fromkeys(("src 192.168.1.0/24", "dst 192.168.1.0/24", "src 10.31.0.0/24", "dst 10.34.0.0/24"), (0, 0)),
        non_ip_frames=13,
        bad_headers=1,
    ),
    # A super-frame without a payload length, for which the other program has 40 octets: 80,054 on the wire less 14 of Ethernet
    "tcpdump__bigtcp-ipv6.pcap": Expected(
        {"ipv6": (1, 80_040)},
        {"src 2604:1380:4091:ce00::/64": (1, 80_040), "dst 2604:1380:4091:ce00::/64": (1, 80_040)},
    ),
    # A jumbogram, for which the other program has 40 octets: its Jumbo Payload option states 65,536
    "tcpdump__ipv6_jumbogram_1.pcap": Expected(
        {"ipv6": (1, 65_576)},
        {"src 2200:0:0:244::/64": (1, 65_576), "dst 2200:0:0:240::/64": (1, 65_576)},
    ),
}


def decode(path: Path) -> tuple[FlowBatch, PacketDecoder]:
    """Decode a whole capture as ``venturi meter`` does."""
    decoder = PacketDecoder(exporter=0)
    with open_input(str(path)) as stream:
        batches = list(decode_stream(stream, decoder.decode, length=1 << 16))
        assert stream.damage is None
    return FlowBatch.concatenate(*batches), decoder


def sum_by_family(packets: FlowBatch) -> Totals:
    """Sum packets and octets by family."""
    return {
        f"ipv{family}": (int(np.sum(packets.family == family)), int(np.sum(packets.octets[packets.family == family]))) for family in (4, 6)
    }


def sum_by_prefix(packets: FlowBatch) -> Totals:
    """Sum packets and octets by the prefixes of either side: /24 or /64."""
    counts, octets = Counter[str](), Counter[str]()
    for row in range(len(packets)):
        for side, high, low in (
            ("src", packets.source_high, packets.source_low),
            ("dst", packets.destination_high, packets.destination_low),
        ):
            prefix = f"{side} {_prefix(int(packets.family[row]), int(high[row]) << 64 | int(low[row]))}"
            counts[prefix] += 1
            octets[prefix] += int(packets.octets[row])
    return {prefix: (counts[prefix], octets[prefix]) for prefix in counts}


def _prefix(family: int, address: int) -> str:
    bits = ipaddress.IPv4Address(address) if family == 4 else ipaddress.IPv6Address(address)
    return str(ipaddress.ip_network((bits, PREFIX_LENGTHS[family]), strict=False))


def list_captures(captures: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """List the well-formed plain captures with their totals; that there are as many as there were keeps the tests from being empty."""
    plain = {name: totals for name, totals in json.loads((captures / "totals.json").read_text()).items() if totals.get("kind") == "plain"}
    assert len(plain) == CAPTURES
    for name, totals in plain.items():
        yield name.removeprefix("plain_pcap/"), totals


def test_every_exception_is_of_a_capture(captures: Path) -> None:
    assert EXCEPTIONS.keys() <= dict(list_captures(captures)).keys()


def test_totals_of_every_capture(captures: Path) -> None:
    for name, totals in list_captures(captures):
        packets, decoder = decode(captures / "plain_pcap" / name)
        exception = EXCEPTIONS.get(name)
        expected = {f"ipv{family}": (totals[f"ipv{family}_packets"], totals[f"ipv{family}_bytes"]) for family in (4, 6)}
        assert sum_by_family(packets) == {**expected, **(exception.families if exception else {})}, name
        drops = {reason: drop.count for reason, drop in list_drops(decoder.drops).items()}
        non_ip_frames = (exception and exception.non_ip_frames) or totals["non_ip_frames"]
        bad_headers = exception.bad_headers if exception else 0
        counted = {DropReason.NOT_IP: non_ip_frames, DropReason.BAD_IP_HEADER: bad_headers}
        assert drops == {reason: count for reason, count in counted.items() if count}, name
        assert decoder.records + non_ip_frames + bad_headers == totals["frames"], name


def test_prefixes_of_every_capture(captures: Path) -> None:
    for name, totals in list_captures(captures):
        sums = sum_by_prefix(decode(captures / "plain_pcap" / name)[0])
        expected = {f"{side} {prefix}": (count, octets) for side in ("src", "dst") for prefix, (count, octets) in totals[side].items()}
        if name in EXCEPTIONS:
            expected |= EXCEPTIONS[name].prefixes
        assert {prefix: sums.get(prefix, (0, 0)) for prefix in expected} == expected, name


def test_times_of_every_capture_without_other_frames(captures: Path) -> None:
    for name, totals in list_captures(captures):
        if totals["non_ip_frames"] or name in EXCEPTIONS:
            continue
        packets, _ = decode(captures / "plain_pcap" / name)
        assert round(packets.start.min() / 1e9, 6) == pytest.approx(totals["t_first"], abs=1e-6), name
        assert round(packets.start.max() / 1e9, 6) == pytest.approx(totals["t_last"], abs=1e-6), name
