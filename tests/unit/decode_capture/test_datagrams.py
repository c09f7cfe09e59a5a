"""UDP payloads of captures: where they lie, and how fragments become whole."""

import struct
from ipaddress import ip_address

import pytest

from tests.unit.decode_capture.building import (
    ETHERNET_V4,
    ETHERNET_V6,
    FRAGMENT_HEADER,
    SOURCE_V4,
    SOURCE_V6,
    TCP,
    UDP,
    enhanced,
    interface,
    ipv4,
    ipv6,
    octets,
    option,
    pcap,
    section,
    udp,
)
from venturi.core.decode.capture.datagrams import SAMPLED_FRAMES, DatagramDecoder, sample_datagrams
from venturi.core.decode.capture.fragments import MOST_WAITING
from venturi.core.decode.frames import Datagrams
from venturi.core.domain.drops import Drop, DropReason, list_drops

PAYLOAD = bytes(range(40))
MORE = 0x2000


def locate(*captures: bytes) -> tuple[list[bytes], list[int], dict[DropReason, Drop]]:
    """Locate the datagrams of a capture given in buffers: their payloads, their positions and the drops."""
    decoder = DatagramDecoder()
    payloads, positions = list[bytes](), list[int]()
    for number, capture in enumerate(captures, start=1):
        found, used = decoder.locate(octets(capture), final=number == len(captures))
        assert used == len(capture)
        payloads += payloads_of(found)
        positions += found.position.tolist()
    return payloads, positions, list_drops(decoder.drops)


def payloads_of(found: Datagrams) -> list[bytes]:
    """Copy the payloads out of their buffer."""
    return [found.buffer[start : start + length].tobytes() for start, length in zip(found.offset, found.length, strict=True)]


def extension(next_header: int, units: int = 0) -> bytes:
    """Build an extension header of 8 octets and ``units`` times 8."""
    return bytes([next_header, units]) + bytes(6 + 8 * units)


def fragment_v6(next_header: int, offset: int, more: int, part: bytes, identification: int = 7) -> bytes:
    """Build an Ethernet frame with a fragment of an IPv6 packet."""
    head = struct.pack(">BBHI", next_header, 0, offset | more, identification)
    return ETHERNET_V6 + ipv6(head + part, next_header=FRAGMENT_HEADER)


def fragment_v4(offset: int, more: int, part: bytes, *, identification: int = 7, protocol: int = UDP) -> bytes:
    """Build an Ethernet frame with a fragment of an IPv4 packet; ``more`` is ``MORE`` or 0."""
    return ETHERNET_V4 + ipv4(part, protocol=protocol, fragment=offset // 8 | more, identification=identification)


@pytest.mark.parametrize(
    ("frame", "payload"),
    [
        pytest.param(ETHERNET_V4 + ipv4(udp(PAYLOAD)), PAYLOAD, id="v4"),
        pytest.param(ETHERNET_V4 + ipv4(udp(PAYLOAD)) + bytes(6), PAYLOAD, id="v4-padded"),
        pytest.param(ETHERNET_V4 + ipv4(bytes(4) + udp(PAYLOAD), first=0x46), PAYLOAD, id="v4-options"),
        pytest.param(ETHERNET_V4 + ipv4(udp(b"")), b"", id="no-payload"),
        pytest.param(ETHERNET_V4 + ipv4(udp(PAYLOAD, length=20)), PAYLOAD[:12], id="udp-shorter-than-ip"),
        pytest.param(ETHERNET_V4 + ipv4(udp(PAYLOAD, length=200)), PAYLOAD, id="udp-longer-than-ip"),
        pytest.param(ETHERNET_V4 + ipv4(udp(PAYLOAD, length=0)), PAYLOAD, id="udp-length-0"),
        pytest.param(ETHERNET_V6 + ipv6(udp(PAYLOAD)), PAYLOAD, id="v6"),
        pytest.param(
            ETHERNET_V6 + ipv6(extension(43) + extension(60, 2) + extension(UDP) + udp(PAYLOAD), next_header=0), PAYLOAD, id="v6-extensions"
        ),
        pytest.param(ETHERNET_V6 + ipv6(bytes([UDP, 4]) + bytes(22) + udp(PAYLOAD), next_header=51), PAYLOAD, id="v6-authentication"),
        pytest.param(fragment_v6(UDP, 0, 0, udp(PAYLOAD)), PAYLOAD, id="v6-atomic-fragment"),
    ],
)
def test_a_payload_is_found(frame: bytes, payload: bytes) -> None:
    assert locate(pcap([frame])) == ([payload], [1], {})


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        pytest.param(ETHERNET_V4 + ipv4(bytes(20), protocol=TCP), DropReason.NOT_EXPORT, id="tcp"),
        pytest.param(ETHERNET_V6 + ipv6(extension(TCP) + bytes(20), next_header=0), DropReason.NOT_EXPORT, id="v6-tcp"),
        pytest.param(
            ETHERNET_V6 + ipv6(b"".join(extension(60) for _ in range(20)), next_header=60), DropReason.NOT_EXPORT, id="v6-endless-chain"
        ),
        pytest.param(fragment_v4(0, MORE, bytes(16), protocol=TCP), DropReason.NOT_EXPORT, id="fragment-of-tcp"),
        pytest.param(fragment_v6(TCP, 8, 0, bytes(16)), DropReason.NOT_EXPORT, id="v6-fragment-of-tcp"),
        pytest.param(ETHERNET_V4 + ipv4(udp(b"")[:7]), DropReason.TRUNCATED_HEADER, id="cut-in-udp"),
        pytest.param(ETHERNET_V6 + ipv6(extension(UDP, 9)[:6], next_header=0), DropReason.TRUNCATED_HEADER, id="cut-in-extension"),
        pytest.param(bytes(12) + b"\x08\x06" + bytes(28), DropReason.NOT_IP, id="arp"),
        pytest.param(ETHERNET_V4 + ipv4(first=0x43), DropReason.BAD_IP_HEADER, id="bad-header"),
        pytest.param(ETHERNET_V4 + ipv4(udp(PAYLOAD), total=1028), DropReason.BAD_IP_HEADER, id="more-than-the-frame-held"),
    ],
)
def test_a_frame_has_no_payload(frame: bytes, reason: DropReason) -> None:
    assert locate(pcap([frame])) == ([], [], {reason: Drop(1, 1)})


def test_a_payload_that_the_capture_cut_is_given_as_far_as_it_was_kept() -> None:
    assert locate(pcap([ETHERNET_V4 + ipv4(udp(PAYLOAD), total=1028)], original=1042)) == ([PAYLOAD], [1], {})


def test_a_fragment_that_the_capture_cut_is_lost() -> None:
    cut = ETHERNET_V4 + ipv4(WHOLE[:16], fragment=MORE, total=52, identification=7)
    assert locate(pcap([cut], original=66)) == ([], [], {LOST: Drop(1, 1)})


def test_a_datagram_knows_its_exporter_its_ports_and_its_time() -> None:
    capture = pcap([ETHERNET_V4 + ipv4(udp(PAYLOAD)), ETHERNET_V6 + ipv6(udp(PAYLOAD))])
    found, _ = DatagramDecoder().locate(octets(capture), final=True)
    sources = [int(high) << 64 | int(low) for high, low in zip(found.source_high, found.source_low, strict=True)]
    assert sources == [int(ip_address(SOURCE_V4)), int(ip_address(SOURCE_V6))]
    assert found.family.tolist() == [4, 6]
    assert (found.source_port.tolist(), found.destination_port.tolist()) == ([1234, 1234], [2055, 2055])
    assert (found.time[1] - found.time[0], found.position.tolist()) == (1000, [1, 2])


WHOLE = udp(PAYLOAD)
FIRST, MIDDLE, LAST = fragment_v4(0, MORE, WHOLE[:16]), fragment_v4(16, MORE, WHOLE[16:32]), fragment_v4(32, 0, WHOLE[32:])
FIRST_V6, LAST_V6 = fragment_v6(UDP, 0, 1, WHOLE[:24]), fragment_v6(UDP, 24, 0, WHOLE[24:])
OTHER = ETHERNET_V4 + ipv4(udp(b"other"))
LOST = DropReason.FRAGMENTED_EXPORT


@pytest.mark.parametrize(
    ("frames", "payloads", "positions", "drops"),
    [
        pytest.param([FIRST, MIDDLE, LAST], [PAYLOAD], [3], {}, id="in-order"),
        pytest.param([LAST, FIRST, MIDDLE], [PAYLOAD], [3], {}, id="out-of-order"),
        pytest.param([FIRST_V6, LAST_V6], [PAYLOAD], [2], {}, id="v6"),
        pytest.param(
            [OTHER, FIRST, OTHER, MIDDLE, LAST, OTHER], [b"other", b"other", PAYLOAD, b"other"], [1, 3, 5, 6], {}, id="among-others"
        ),
        pytest.param([FIRST, FIRST_V6, LAST_V6, MIDDLE, LAST], [PAYLOAD, PAYLOAD], [3, 5], {}, id="two-at-once"),
        pytest.param([FIRST, FIRST, MIDDLE, LAST], [PAYLOAD], [4], {LOST: Drop(1, 2)}, id="repeated"),
        pytest.param([FIRST, LAST], [], [], {LOST: Drop(2, 1)}, id="unfinished"),
        pytest.param([OTHER, MIDDLE], [b"other"], [1], {LOST: Drop(1, 2)}, id="lonely"),
        pytest.param([FIRST, fragment_v4(8, MORE, bytes(16)), LAST], [], [], {LOST: Drop(3, 1)}, id="overlapping"),
        pytest.param([FIRST, fragment_v4(0, MORE, bytes(16))], [], [], {LOST: Drop(2, 1)}, id="contradicting"),
        pytest.param([LAST, fragment_v4(64, MORE, bytes(16))], [], [], {LOST: Drop(2, 1)}, id="beyond-the-last"),
        pytest.param([LAST, fragment_v4(56, 0, bytes(16))], [], [], {LOST: Drop(2, 1)}, id="two-last"),
        pytest.param([fragment_v4(0, MORE, bytes(15))], [], [], {LOST: Drop(1, 1)}, id="odd-length"),
        pytest.param([fragment_v4(65_528, 0, bytes(16))], [], [], {LOST: Drop(1, 1)}, id="too-long"),
        pytest.param([fragment_v4(0, MORE, b""), LAST], [], [], {LOST: Drop(2, 1)}, id="empty"),
    ],
)
def test_fragments(frames: list[bytes], payloads: list[bytes], positions: list[int], drops: dict[DropReason, Drop]) -> None:
    assert locate(pcap(frames)) == (payloads, positions, drops)


def test_fragments_meet_across_buffers() -> None:
    capture = pcap([FIRST, MIDDLE, OTHER, LAST])
    border = len(pcap([FIRST, MIDDLE]))
    assert locate(capture[:border], capture[border:]) == ([b"other", PAYLOAD], [3, 4], {})


def test_waiting_fragments_are_bounded() -> None:
    crowd = [fragment_v4(0, MORE, WHOLE[:16], identification=number) for number in range(MOST_WAITING + 10)]
    late = [fragment_v4(16, 0, WHOLE[16:], identification=number) for number in (10, 9)]
    payloads, _, drops = locate(pcap([*crowd, *late]))
    assert payloads == [PAYLOAD]
    assert drops == {LOST: Drop(len(crowd), 1)}


@pytest.mark.parametrize(("seconds", "payloads"), [pytest.param(29, [PAYLOAD], id="in-time"), pytest.param(31, [], id="too-late")])
def test_fragments_wait_for_thirty_seconds(seconds: int, payloads: list[bytes]) -> None:
    capture = section() + interface(option(9, b"\x00")) + enhanced(FIRST_V6, 100) + enhanced(LAST_V6, 100 + seconds)
    assert locate(capture)[0] == payloads


def test_a_sample_ends_within_the_first_buffer() -> None:
    frames = [ETHERNET_V4 + ipv4(udp(PAYLOAD)), bytes(12) + b"\x08\x06" + bytes(28)] * SAMPLED_FRAMES
    sample = sample_datagrams(octets(pcap(frames)))
    assert payloads_of(sample) == [PAYLOAD] * (SAMPLED_FRAMES // 2)
