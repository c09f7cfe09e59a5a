"""pcap and pcapng files: byte orders, times, sections, and what a damaged file still gives."""

import struct

import numpy as np
import pytest

from tests.unit.decode_capture.building import (
    ETHERNET_V4,
    ETHERNET_V6,
    FIRST_TIME,
    block,
    enhanced,
    file_header,
    interface,
    ipv4,
    ipv6,
    octets,
    option,
    pcap,
    record,
    section,
)
from venturi.core.decode.capture.packets import PacketDecoder
from venturi.core.domain.drops import Drop, DropReason, list_drops
from venturi.core.domain.flow_batch import UNTIMED, FlowBatch

FRAME, FRAME_V6 = ETHERNET_V4 + ipv4(), ETHERNET_V6 + ipv6()
SECOND = 1_000_000_000
TICKS = FIRST_TIME * 1_000_000


def decode(capture: bytes, *, piece: int | None = None) -> tuple[FlowBatch, dict[DropReason, Drop]]:
    """Decode a capture whole, or from a buffer that grows by ``piece`` octets at a time."""
    decoder = PacketDecoder(exporter=0)
    batches, buffer, rest = [], b"", capture
    while piece and rest:
        buffer, rest = buffer + rest[:piece], rest[piece:]
        batch, used = decoder.decode(octets(buffer), final=False)
        batches.append(batch)
        buffer = buffer[used:]
    batch, used = decoder.decode(octets(buffer + rest), final=True)
    assert used == len(buffer + rest)
    packets = FlowBatch.concatenate(*batches, batch)
    assert decoder.records == len(packets)
    return packets, list_drops(decoder.drops)


@pytest.mark.parametrize(
    ("magic_number", "order", "unit"),
    [
        pytest.param(0xA1B2C3D4, "<", 1000, id="microseconds-little"),
        pytest.param(0xA1B2C3D4, ">", 1000, id="microseconds-big"),
        pytest.param(0xA1B23C4D, "<", 1, id="nanoseconds-little"),
        pytest.param(0xA1B23C4D, ">", 1, id="nanoseconds-big"),
    ],
)
def test_pcap_of(magic_number: int, order: str, unit: int) -> None:
    packets, drops = decode(pcap([FRAME, FRAME_V6, FRAME], order=order, magic_number=magic_number))
    assert drops == {}
    assert packets.family.tolist() == [4, 6, 4]
    assert packets.start.tolist() == [FIRST_TIME * SECOND + number * unit for number in range(3)]
    assert np.array_equal(packets.start, packets.end)


@pytest.mark.parametrize("order", ["<", ">"])
def test_pcap_of_patched_libpcap_has_longer_record_headers(order: str) -> None:
    records = b"".join(
        record(bytes(8) + FRAME, order=order)[:8] + struct.pack(f"{order}II", len(FRAME), len(FRAME)) + bytes(8) + FRAME for _ in range(2)
    )
    packets, drops = decode(pcap([], order=order, magic_number=0xA1B2CD34) + records)
    assert (drops, len(packets)) == ({}, 2)


def test_the_upper_bits_of_the_link_type_tell_of_checksums() -> None:
    packets, drops = decode(pcap([FRAME], link_type=1 | 0x24000000))
    assert (drops, len(packets)) == ({}, 1)


SIMPLE = block(3, struct.pack("<I", len(FRAME)) + FRAME)
OBSOLETE = block(2, struct.pack("<HHIIII", 0, 0, TICKS >> 32, TICKS & 0xFFFFFFFF, len(FRAME), len(FRAME)) + FRAME)
RESOLUTION, OFFSET = 9, 14
GOOD = enhanced(FRAME, TICKS)
WRONG_TRAILER = GOOD[:-4] + struct.pack("<I", len(GOOD) + 4)


@pytest.mark.parametrize(
    ("blocks", "times"),
    [
        pytest.param([interface(), enhanced(FRAME, TICKS + 5)], [FIRST_TIME * SECOND + 5000], id="microseconds"),
        pytest.param(
            [interface(option(RESOLUTION, b"\x09")), enhanced(FRAME, FIRST_TIME * SECOND + 5)], [FIRST_TIME * SECOND + 5], id="nanoseconds"
        ),
        pytest.param([interface(option(RESOLUTION, b"\x00")), enhanced(FRAME, FIRST_TIME)], [FIRST_TIME * SECOND], id="seconds"),
        pytest.param([interface(option(RESOLUTION, b"\x0a")), enhanced(FRAME, 19)], [1], id="tenths-of-nanoseconds"),
        pytest.param(
            [interface(option(RESOLUTION, b"\xa0")), enhanced(FRAME, (FIRST_TIME << 32) + (1 << 31))],
            [FIRST_TIME * SECOND + SECOND // 2],
            id="binary-32",
        ),
        pytest.param(
            [interface(option(RESOLUTION, b"\xbf")), enhanced(FRAME, (1 << 63) + (1 << 62))], [SECOND + SECOND // 2], id="binary-63"
        ),
        pytest.param([interface(option(OFFSET, struct.pack("<q", 60))), enhanced(FRAME, TICKS)], [(FIRST_TIME + 60) * SECOND], id="offset"),
        pytest.param([interface(option(OFFSET, struct.pack("<q", -FIRST_TIME))), enhanced(FRAME, TICKS + 1)], [1000], id="negative-offset"),
        pytest.param([interface(), SIMPLE], [UNTIMED], id="simple-packet-without-time"),
        pytest.param([interface(snap_length=40), block(3, struct.pack("<I", 1514) + FRAME[:40])], [UNTIMED], id="simple-packet-cut"),
        pytest.param([interface(), enhanced(FRAME, 1 << 63), GOOD], [UNTIMED, FIRST_TIME * SECOND], id="time-beyond-reason"),
        pytest.param([interface(option(OFFSET, struct.pack("<q", -FIRST_TIME - 1))), GOOD], [UNTIMED], id="time-before-epoch"),
        pytest.param([interface(option(OFFSET, struct.pack("<q", 1 << 62))), GOOD], [UNTIMED], id="offset-beyond-reason"),
        pytest.param([interface(option(OFFSET, bytes(4))), GOOD], [UNTIMED], id="offset-of-four-octets"),
        pytest.param([interface(option(RESOLUTION, b"\x7f")), GOOD], [UNTIMED], id="resolution-beyond-reason"),
        pytest.param([interface(option(RESOLUTION, b"\xff")), GOOD], [UNTIMED], id="binary-resolution-beyond-reason"),
        pytest.param([interface(option(RESOLUTION, b"\x06\x06")), GOOD], [UNTIMED], id="resolution-of-two-octets"),
        pytest.param([interface(struct.pack("<HH", 2, 99)), GOOD], [UNTIMED], id="option-beyond-block"),
        pytest.param([interface(), OBSOLETE], [FIRST_TIME * SECOND], id="obsolete-packet"),
        pytest.param([interface(), block(0x0BAD, bytes(7)), enhanced(FRAME, TICKS)], [FIRST_TIME * SECOND], id="unknown-block"),
        pytest.param(
            [interface(link_type=228), interface(), enhanced(ipv4(), TICKS), enhanced(FRAME, TICKS + 1, interface_number=1)],
            [FIRST_TIME * SECOND, FIRST_TIME * SECOND + 1000],
            id="two-interfaces",
        ),
        pytest.param(
            [
                interface(),
                enhanced(FRAME, TICKS),
                section(order=">"),
                interface(link_type=228, order=">"),
                enhanced(ipv4(), TICKS, order=">"),
            ],
            [FIRST_TIME * SECOND, FIRST_TIME * SECOND],
            id="two-sections-of-either-order",
        ),
        pytest.param(
            [*(interface() for _ in range(9)), enhanced(FRAME, TICKS, interface_number=8)], [FIRST_TIME * SECOND], id="nine-interfaces"
        ),
    ],
)
def test_pcapng_with(blocks: list[bytes], times: list[int]) -> None:
    packets, drops = decode(section() + b"".join(blocks))
    assert drops == {}
    assert packets.start.tolist() == packets.end.tolist() == times
    assert packets.octets.tolist() == [28] * len(times)


@pytest.mark.parametrize(
    ("blocks", "count", "drops"),
    [
        pytest.param([GOOD], 0, {DropReason.BAD_BLOCK: Drop(1, 1)}, id="no-interface"),
        pytest.param(
            [interface(), GOOD, enhanced(FRAME, TICKS, interface_number=1), GOOD],
            2,
            {DropReason.BAD_BLOCK: Drop(1, 2)},
            id="interface-unknown",
        ),
        pytest.param([interface(), GOOD, section(), GOOD], 1, {DropReason.BAD_BLOCK: Drop(1, 2)}, id="interface-of-another-section"),
        pytest.param(
            [interface(), enhanced(FRAME, TICKS, captured=1000), GOOD], 1, {DropReason.BAD_BLOCK: Drop(1, 1)}, id="captured-beyond-block"
        ),
        pytest.param([interface(), block(6, bytes(8)), GOOD], 1, {DropReason.BAD_BLOCK: Drop(1, 1)}, id="short-packet-block"),
        pytest.param(
            [interface(), block(3, struct.pack("<I", 500)), GOOD], 1, {DropReason.BAD_BLOCK: Drop(1, 1)}, id="simple-beyond-block"
        ),
        pytest.param([interface(), WRONG_TRAILER, GOOD], 1, {DropReason.BAD_BLOCK: Drop(1, 1)}, id="lengths-disagree"),
        pytest.param(
            [
                interface(),
                GOOD,
                section(version=(2, 0)),
                interface(),
                GOOD,
                block(0x0BAD, b"x" * 8),
                WRONG_TRAILER,
                section(),
                interface(),
                GOOD,
            ],
            2,
            {DropReason.UNKNOWN_VERSION: Drop(1, 2)},
            id="section-of-another-version",
        ),
        pytest.param(
            [section(version=(0, 0)), GOOD, section(version=(2, 0), order=">")],
            0,
            {DropReason.UNKNOWN_VERSION: Drop(2, 1)},
            id="sections-of-other-versions-alone",
        ),
        pytest.param([section(version=(1, 9)), interface(), GOOD], 1, {}, id="section-of-another-minor-version"),
        pytest.param(
            [interface(), GOOD, block(0x0A0D0D0A, struct.pack("<I", 0x1A2B3C4D))],
            1,
            {DropReason.BAD_RECORD_LENGTH: Drop(1, 2)},
            id="section-header-without-version",
        ),
        pytest.param([block(1, bytes(4)), GOOD], 0, {DropReason.BAD_BLOCK: Drop(2, 1)}, id="short-interface"),
        pytest.param(
            [interface(), GOOD, b"\x06\x00\x00\x00\x0a\x00\x00\x00" + GOOD],
            1,
            {DropReason.BAD_RECORD_LENGTH: Drop(1, 2)},
            id="length-below-12",
        ),
        pytest.param(
            [interface(), GOOD, b"\x06\x00\x00\x00\x00\x00\x00\x7f" + GOOD],
            1,
            {DropReason.BAD_RECORD_LENGTH: Drop(1, 2)},
            id="length-beyond-reason",
        ),
        pytest.param(
            [interface(), GOOD, section()[:8] + bytes(24)], 1, {DropReason.BAD_RECORD_LENGTH: Drop(1, 2)}, id="section-of-no-order"
        ),
        pytest.param([interface(), GOOD, GOOD[:-1]], 1, {DropReason.TRUNCATED_FILE: Drop(1, 2)}, id="ends-within-block"),
    ],
)
def test_damaged_pcapng(blocks: list[bytes], count: int, drops: dict[DropReason, Drop]) -> None:
    packets, dropped = decode(section() + b"".join(blocks))
    assert dropped == drops
    assert len(packets) == count


def test_frames_without_a_time_are_counted() -> None:
    decoder = PacketDecoder(exporter=0)
    capture = section() + interface() + SIMPLE + GOOD + enhanced(FRAME, 1 << 63) + SIMPLE
    for number, part in enumerate((capture[:-1], capture[-1:])):
        decoder.decode(octets(part if number == 0 else SIMPLE), final=number == 1)
    assert (decoder.untimed, decoder.records) == (3, 4)


CUT, KEPT = 1000, len(FRAME)


@pytest.mark.parametrize(
    ("version", "lengths"),
    [
        pytest.param((2, 0), (CUT, KEPT), id="2.0-swapped"),
        pytest.param((2, 1), (CUT, KEPT), id="2.1-swapped"),
        pytest.param((2, 2), (CUT, KEPT), id="2.2-swapped"),
        pytest.param((2, 3), (CUT, KEPT), id="2.3-swapped"),
        pytest.param((2, 3), (KEPT, CUT), id="2.3-in-place"),
        pytest.param((2, 4), (KEPT, CUT), id="2.4-in-place"),
    ],
)
@pytest.mark.parametrize("order", ["<", ">"])
def test_the_lengths_of_a_pcap_record(version: tuple[int, int], lengths: tuple[int, int], order: str) -> None:
    """A frame that was cut: its IP header claims more than was kept and no more than was on the wire."""
    frame = ETHERNET_V4 + ipv4(total=CUT - len(ETHERNET_V4))
    records = (struct.pack(f"{order}IIII", FIRST_TIME, 0, *lengths) + frame) * 2
    packets, drops = decode(file_header(order=order, version=version) + records)
    assert (packets.octets.tolist(), drops) == ([CUT - len(ETHERNET_V4)] * 2, {})


@pytest.mark.parametrize("version", [(2, 5), (3, 0), (1, 9), (0, 0), (543, 0), (2, 0x0400)])
def test_pcap_of_an_unknown_version_is_not_read(version: tuple[int, int]) -> None:
    packets, drops = decode(file_header(version=version) + record(FRAME) * 3, piece=30)
    assert (len(packets), drops) == (0, {DropReason.UNKNOWN_VERSION: Drop(1, 1)})


@pytest.mark.parametrize(
    ("capture", "count", "drops"),
    [
        pytest.param(pcap([FRAME]) + record(FRAME)[:-1], 1, {DropReason.TRUNCATED_FILE: Drop(1, 2)}, id="ends-within-record"),
        pytest.param(pcap([FRAME]) + bytes(15), 1, {DropReason.TRUNCATED_FILE: Drop(1, 2)}, id="ends-within-header"),
        pytest.param(pcap([])[:23], 0, {DropReason.TRUNCATED_FILE: Drop(1, 1)}, id="ends-within-file-header"),
        pytest.param(b"\xd4\xc3", 0, {DropReason.TRUNCATED_FILE: Drop(1, 1)}, id="ends-within-magic-number"),
        pytest.param(b"", 0, {}, id="empty"),
        pytest.param(pcap([]), 0, {}, id="no-records"),
        pytest.param(b"no capture at all", 0, {DropReason.BAD_RECORD_LENGTH: Drop(1, 1)}, id="no-capture"),
        pytest.param(
            pcap([FRAME]) + struct.pack("<IIII", 0, 0, 262_145, 262_145) + record(FRAME),
            1,
            {DropReason.BAD_RECORD_LENGTH: Drop(1, 2)},
            id="length-beyond-reason",
        ),
        pytest.param(pcap([FRAME, bytes(60), FRAME]), 2, {DropReason.NOT_IP: Drop(1, 2)}, id="frame-of-zeros"),
    ],
)
def test_damaged_pcap(capture: bytes, count: int, drops: dict[DropReason, Drop]) -> None:
    packets, dropped = decode(capture)
    assert dropped == drops
    assert len(packets) == count


CAPTURES = {
    "pcap": pcap([FRAME, FRAME_V6, bytes(60), FRAME]),
    "pcapng": section() + interface() + GOOD + section(order=">") + interface(order=">") + enhanced(FRAME_V6, TICKS, order=">"),
}


@pytest.mark.parametrize("capture", CAPTURES.values(), ids=CAPTURES)
@pytest.mark.parametrize("piece", [1, 7, 64])
def test_pieces_give_what_the_whole_gives(capture: bytes, piece: int) -> None:
    whole, whole_drops = decode(capture)
    pieces, drops = decode(capture, piece=piece)
    assert drops == whole_drops
    assert all(np.array_equal(getattr(whole, name), getattr(pieces, name)) for name in FlowBatch.__dataclass_fields__)


@pytest.mark.parametrize("capture", CAPTURES.values(), ids=CAPTURES)
def test_a_cut_anywhere_loses_no_more_than_what_follows(capture: bytes) -> None:
    whole, _ = decode(capture)
    for length in range(len(capture)):
        packets, drops = decode(capture[:length])
        assert packets.octets.tolist() == whole.octets[: len(packets)].tolist()
        assert drops.keys() <= {DropReason.TRUNCATED_FILE, DropReason.NOT_IP}


def test_what_follows_a_damaged_record_is_left_unread_in_later_buffers_too() -> None:
    decoder = PacketDecoder(exporter=0)
    broken = pcap([FRAME]) + struct.pack("<IIII", 0, 0, 1 << 31, 0)
    assert decoder.decode(octets(broken), final=False)[1] == len(broken)
    packets, used = decoder.decode(octets(record(FRAME)), final=True)
    assert (len(packets), used) == (0, len(record(FRAME)))
    assert list_drops(decoder.drops) == {DropReason.BAD_RECORD_LENGTH: Drop(1, 2)}
