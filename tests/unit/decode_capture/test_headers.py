"""IP headers behind every link layer: what is read, what is refused, and why."""

import struct
from ipaddress import ip_address

import pytest

from tests.spec.cases import LENGTH_CASES, LengthCase
from tests.unit.decode_capture.building import (
    DESTINATION_V4,
    DESTINATION_V6,
    ETHERNET_V4,
    ETHERNET_V6,
    SOURCE_V4,
    SOURCE_V6,
    ipv4,
    ipv6,
    octets,
    pcap,
)
from venturi.core.decode.capture.packets import PacketDecoder
from venturi.core.domain.drops import Drop, DropReason, list_drops
from venturi.core.domain.flow_batch import FlowBatch

MACS = bytes(12)
V4, V6 = ipv4(), ipv6()
VLAN = b"\x81\x00\x00\x05"
LABEL, BOTTOM_LABEL = b"\x00\x01\x00\x40", b"\x00\x01\x01\x40"
SNAP = b"\xaa\xaa\x03\x00\x00\x00"
PPPOE = b"\x11\x00\x00\x01\x00\x00"
COOKED_2 = bytes(18)


def decode(frame: bytes, link_type: int, *, original: int | None = None) -> tuple[FlowBatch, dict[DropReason, Drop]]:
    """Decode a capture of one frame, which was ``original`` octets long on the wire, else as many as are kept."""
    decoder = PacketDecoder(exporter=3)
    packets, _ = decoder.decode(octets(pcap([frame], link_type=link_type, original=original)), final=True)
    return packets, list_drops(decoder.drops)


@pytest.mark.parametrize(
    ("link_type", "before", "packet"),
    [
        pytest.param(1, MACS + b"\x08\x00", V4, id="ethernet"),
        pytest.param(1, MACS + b"\x86\xdd", V6, id="ethernet-v6"),
        pytest.param(1, MACS + VLAN + b"\x08\x00", V4, id="vlan"),
        pytest.param(1, MACS + b"\x88\xa8\x00\x01" + VLAN + b"\x86\xdd", V6, id="provider-vlan"),
        pytest.param(1, MACS + b"\x91\x00\x00\x01" + VLAN + b"\x08\x00", V4, id="old-provider-vlan"),
        pytest.param(1, MACS + b"\x88\x47" + BOTTOM_LABEL, V4, id="mpls"),
        pytest.param(1, MACS + b"\x88\x48" + LABEL + LABEL + BOTTOM_LABEL, V6, id="mpls-stack"),
        pytest.param(1, MACS + VLAN + b"\x88\x64" + PPPOE + b"\x00\x21", V4, id="vlan-pppoe"),
        pytest.param(1, MACS + b"\x88\x64" + PPPOE + b"\x57", V6, id="pppoe-compressed-protocol"),
        pytest.param(1, MACS + b"\x88\x64" + PPPOE + b"\x02\x81" + BOTTOM_LABEL, V4, id="pppoe-mpls"),
        pytest.param(1, MACS + b"\x00\x24" + SNAP + b"\x08\x00", V4, id="snap"),
        pytest.param(1, MACS + VLAN + b"\x00\x24" + SNAP + b"\x86\xdd", V6, id="vlan-snap"),
        pytest.param(1, MACS + b"\x00\x1f\x06\x06\x03", V4, id="llc-ip"),
        pytest.param(0, b"\x02\x00\x00\x00", V4, id="null-little"),
        pytest.param(0, b"\x00\x00\x00\x02", V4, id="null-big"),
        pytest.param(0, b"\x1e\x00\x00\x00", V6, id="null-darwin"),
        pytest.param(0, b"\x00\x00\x00\x1c", V6, id="null-freebsd"),
        pytest.param(108, b"\x00\x00\x00\x18", V6, id="loop-openbsd"),
        pytest.param(108, b"\x0a\x00\x00\x00", V6, id="loop-linux"),
        pytest.param(9, b"\xff\x03\x00\x21", V4, id="ppp"),
        pytest.param(9, b"\x00\x57", V6, id="ppp-compressed-address"),
        pytest.param(50, b"\x0f\x00\x08\x00", V4, id="ppp-hdlc-cisco"),
        pytest.param(51, PPPOE + b"\x00\x21", V4, id="ppp-ethernet"),
        pytest.param(104, b"\x8f\x00\x86\xdd", V6, id="cisco-hdlc"),
        pytest.param(204, b"\x00\xff\x03\x00\x21", V4, id="ppp-direction"),
        pytest.param(10, bytes(13) + SNAP + b"\x08\x00", V4, id="fddi"),
        pytest.param(100, SNAP + b"\x08\x00", V4, id="atm-llc"),
        pytest.param(101, b"", V4, id="raw-v4"),
        pytest.param(12, b"", V6, id="raw-bsd-v6"),
        pytest.param(14, b"", V4, id="raw-openbsd"),
        pytest.param(228, b"", V4, id="ipv4"),
        pytest.param(229, b"", V6, id="ipv6"),
        pytest.param(113, bytes(14) + b"\x08\x00", V4, id="cooked"),
        pytest.param(113, bytes(14) + VLAN + b"\x86\xdd", V6, id="cooked-vlan"),
        pytest.param(113, bytes(14) + b"\x00\x04" + SNAP + b"\x08\x00", V4, id="cooked-llc"),
        pytest.param(276, b"\x86\xdd" + COOKED_2, V6, id="cooked-2"),
    ],
)
def test_a_packet_is_found_behind(link_type: int, before: bytes, packet: bytes) -> None:
    packets, drops = decode(before + packet + bytes(6), link_type)
    is_v4 = packet is V4
    ends = (SOURCE_V4, DESTINATION_V4) if is_v4 else (SOURCE_V6, DESTINATION_V6)
    assert drops == {}
    assert packets.family.tolist() == [4 if is_v4 else 6]
    assert packets.octets.tolist() == [len(packet)]
    assert (int(packets.source_high[0]) << 64 | int(packets.source_low[0])) == int(ip_address(ends[0]))
    assert (int(packets.destination_high[0]) << 64 | int(packets.destination_low[0])) == int(ip_address(ends[1]))
    assert (packets.packets.tolist(), packets.exporter.tolist(), packets.sampling.tolist()) == ([1], [3], [0])


@pytest.mark.parametrize(
    ("link_type", "frame", "reason"),
    [
        pytest.param(1, MACS + b"\x08\x06" + bytes(28), DropReason.NOT_IP, id="arp"),
        pytest.param(1, MACS + b"\x00\x26\x42\x42\x03" + bytes(43), DropReason.NOT_IP, id="stp"),
        pytest.param(1, MACS + b"\x00\x26\xaa\xaa\x03\x00\x00\x0c\x08\x00" + V4, DropReason.NOT_IP, id="snap-of-a-vendor"),
        pytest.param(1, MACS + b"\x88\x47" + BOTTOM_LABEL + bytes(40), DropReason.NOT_IP, id="pseudowire"),
        pytest.param(1, MACS + b"\x88\x64\x11\xa7" + bytes(40), DropReason.NOT_IP, id="pppoe-discovery"),
        pytest.param(9, b"\xc0\x21" + bytes(30), DropReason.NOT_IP, id="ppp-lcp"),
        pytest.param(0, b"\x07\x00\x00\x00" + V4, DropReason.NOT_IP, id="loopback-of-no-ip-family"),
        pytest.param(0, b"\x00\x02\x00\x00" + V4, DropReason.NOT_IP, id="loopback-of-no-byte-order"),
        pytest.param(113, bytes(14) + b"\x00\x0c" + V4, DropReason.NOT_IP, id="cooked-can"),
        pytest.param(127, bytes(60), DropReason.UNSUPPORTED_LINK_TYPE, id="radiotap"),
        pytest.param(60_000, bytes(60), DropReason.UNSUPPORTED_LINK_TYPE, id="unheard-of"),
        pytest.param(1, MACS, DropReason.TRUNCATED_HEADER, id="no-ethertype"),
        pytest.param(1, b"", DropReason.TRUNCATED_HEADER, id="nothing"),
        pytest.param(1, MACS + VLAN, DropReason.TRUNCATED_HEADER, id="cut-in-vlan"),
        pytest.param(1, MACS + b"\x88\x47" + LABEL + BOTTOM_LABEL, DropReason.TRUNCATED_HEADER, id="cut-behind-labels"),
        pytest.param(1, ETHERNET_V4 + V4[:19], DropReason.TRUNCATED_HEADER, id="cut-in-v4"),
        pytest.param(1, ETHERNET_V6 + V6[:39], DropReason.TRUNCATED_HEADER, id="cut-in-v6"),
        pytest.param(101, b"", DropReason.TRUNCATED_HEADER, id="empty-raw"),
        pytest.param(101, ipv4(first=0x55), DropReason.BAD_IP_HEADER, id="raw-version-5"),
        pytest.param(1, ETHERNET_V4 + V6, DropReason.BAD_IP_HEADER, id="v6-announced-as-v4"),
        pytest.param(1, ETHERNET_V6 + V4, DropReason.BAD_IP_HEADER, id="v4-announced-as-v6"),
        pytest.param(1, ETHERNET_V4 + ipv4(first=0x44), DropReason.BAD_IP_HEADER, id="header-length-16"),
        pytest.param(1, ETHERNET_V4 + ipv4(first=0x46, total=20), DropReason.BAD_IP_HEADER, id="total-below-header"),
        pytest.param(1, ETHERNET_V4 + ipv4(total=19), DropReason.BAD_IP_HEADER, id="total-below-20"),
    ],
)
def test_a_frame_is_dropped(link_type: int, frame: bytes, reason: DropReason) -> None:
    packets, drops = decode(frame, link_type)
    assert len(packets) == 0
    assert drops == {reason: Drop(1, 1)}


def jumbo(length: int, *, before: bytes = b"", after: bytes = b"") -> bytes:
    """Build a hop-by-hop header with a Jumbo Payload option (RFC 2675)."""
    options = before + b"\xc2\x04" + struct.pack(">I", length) + after
    units, rest = divmod(2 + len(options), 8)
    assert rest == 0
    return bytes([17, units - 1]) + options


@pytest.mark.parametrize(
    ("frame", "octet_count"),
    [
        pytest.param(ETHERNET_V4 + ipv4(bytes(9), total=1480), 1480, id="all-that-the-frame-held"),
        pytest.param(ETHERNET_V4 + ipv4(bytes(9), total=1000), 1000, id="padded"),
        pytest.param(MACS + VLAN + b"\x08\x00" + ipv4(bytes(9), total=1476), 1476, id="all-that-the-frame-held-in-vlan"),
        pytest.param(MACS + VLAN + b"\x08\x00" + ipv4(bytes(9), total=1477), None, id="one-octet-more-in-vlan"),
        pytest.param(MACS + b"\x88\x64" + PPPOE + b"\x00\x21" + ipv4(bytes(9), total=1472), 1472, id="all-that-the-frame-held-in-pppoe"),
        pytest.param(MACS + b"\x88\x64" + PPPOE + b"\x00\x21" + ipv4(bytes(9), total=1473), None, id="one-octet-more-in-pppoe"),
        pytest.param(ETHERNET_V4 + ipv4(fragment=0x2000, total=1480), 1480, id="first-fragment"),
        pytest.param(ETHERNET_V4 + ipv4(fragment=0x00B9, total=300), 300, id="last-fragment"),
        pytest.param(ETHERNET_V4 + ipv4(fragment=0x2000, total=1481), None, id="fragment-of-one-octet-more"),
    ],
)
def test_octets_of_a_frame_that_the_capture_cut(frame: bytes, octet_count: int | None) -> None:
    packets, drops = decode(frame, 1, original=1494)
    assert packets.octets.tolist() == ([] if octet_count is None else [octet_count])
    assert drops == ({DropReason.BAD_IP_HEADER: Drop(1, 1)} if octet_count is None else {})


@pytest.mark.parametrize("link_type", [1, 101, 113])
@pytest.mark.parametrize("case", LENGTH_CASES, ids=[case.name for case in LENGTH_CASES])
def test_a_claimed_length(case: LengthCase, link_type: int) -> None:
    ether_type = b"\x08\x00" if case.family == 4 else b"\x86\xdd"
    before = {1: MACS + ether_type, 101: b"", 113: bytes(14) + ether_type}[link_type]
    packets, drops = decode(before + case.headers(), link_type, original=len(before) + case.frame)
    assert packets.octets.tolist() == ([] if case.octets is None else [case.octets])
    assert drops == ({DropReason.BAD_IP_HEADER: Drop(1, 1)} if case.octets is None else {})


@pytest.mark.parametrize(
    ("frame", "octet_count"),
    [
        pytest.param(ETHERNET_V4 + ipv4(bytes(2000), total=0), 2020, id="v4-super-frame"),
        pytest.param(MACS + VLAN + b"\x08\x00" + ipv4(bytes(2000), total=0), 2020, id="v4-super-frame-in-vlan"),
        pytest.param(ETHERNET_V6 + ipv6(bytes(3000), length=0, next_header=6), 3040, id="v6-super-frame"),
        pytest.param(ETHERNET_V6 + ipv6(bytes(6), length=0, next_header=59), 40, id="v6-no-next-header-padded"),
        pytest.param(ETHERNET_V6 + ipv6(jumbo(100_000) + bytes(99_992), length=0, next_header=0), 100_040, id="jumbogram"),
        pytest.param(
            ETHERNET_V6
            + ipv6(jumbo(70_000, before=b"\x00\x01\x03\x00\x00\x00", after=b"\x01\x00") + bytes(69_984), length=0, next_header=0),
            70_040,
            id="jumbogram-behind-padding",
        ),
        pytest.param(ETHERNET_V6 + ipv6(jumbo(100_000)[:7], length=0, next_header=0), 47, id="jumbo-option-cut"),
        pytest.param(ETHERNET_V6 + ipv6(b"\x11\x00\x01\x04" + bytes(2004), length=0, next_header=0), 2048, id="hop-by-hop-without-jumbo"),
    ],
)
def test_octets_of(frame: bytes, octet_count: int) -> None:
    packets, drops = decode(frame, 1)
    assert drops == {}
    assert packets.octets.tolist() == [octet_count]


def test_a_jumbo_payload_that_is_none_contradicts_its_header() -> None:
    packets, drops = decode(ETHERNET_V6 + ipv6(jumbo(65_535), length=0, next_header=0), 1)
    assert len(packets) == 0
    assert drops == {DropReason.BAD_IP_HEADER: Drop(1, 1)}
