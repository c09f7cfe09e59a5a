"""Any octets whatever either decode or are counted: nothing is raised, nothing is invented."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.keeping import keeps_failures
from tests.unit.decode_capture.building import ETHERNET_V4, ETHERNET_V6, enhanced, interface, ipv4, ipv6, octets, option, pcap, section, udp
from venturi.core.decode.capture.datagrams import DatagramDecoder
from venturi.core.decode.capture.packets import PacketDecoder
from venturi.core.decode.format import InputFormat, detect
from venturi.core.domain.drops import DropReason
from venturi.core.domain.flow_batch import UNTIMED

FRAMES = [
    ETHERNET_V4 + ipv4(udp(b"payload")),
    ETHERNET_V4 + ipv4(bytes(16), fragment=0x2000),
    ETHERNET_V6 + ipv6(bytes(40), next_header=0),
    bytes(12) + b"\x88\x64\x11\x00\x00\x01\x00\x20\x00\x21" + ipv4(),
    bytes(12) + b"\x88\x47\x00\x01\x01\x40" + ipv6(),
]
SEEDS = [
    pcap(FRAMES),
    pcap(FRAMES, order=">", magic_number=0xA1B23C4D),
    section() + interface() + b"".join(enhanced(frame, number) for number, frame in enumerate(FRAMES)),
    section() + interface(option(9, b"\x86"), option(14, bytes(8))) + enhanced(FRAMES[0], 1 << 33) + section(version=(2, 0)) + section(),
]
LINK_TYPES = st.sampled_from([0, 1, 9, 10, 12, 50, 51, 100, 101, 104, 108, 113, 204, 228, 229, 276])


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Change, insert and cut octets of a good capture."""
    capture = bytearray(draw(st.sampled_from(SEEDS)))
    for place, octet in draw(st.lists(st.tuples(st.integers(0, len(capture) - 1), st.integers(0, 255)), max_size=8)):
        capture[place] = octet
    first, last = draw(st.integers(0, len(capture))), draw(st.integers(0, len(capture)))
    inserted = draw(st.binary(max_size=24))
    return bytes(capture[:first] + inserted + capture[last:])


@keeps_failures("captures")
def decode_all(capture: bytes) -> None:
    """Decode a capture both ways and hold what is found to what went in."""
    assert isinstance(detect(capture), InputFormat)
    packets = PacketDecoder(exporter=0)
    batch, used = packets.decode(octets(capture), final=True)
    assert used == len(capture)
    assert set(np.unique(batch.family).tolist()) <= {4, 6}
    assert (batch.octets >= 20).all()
    assert ((batch.start >= 0) | (batch.start == UNTIMED)).all()
    datagrams = DatagramDecoder()
    found, used = datagrams.locate(octets(capture), final=True)
    assert used == len(capture)
    assert (found.length >= 0).all()
    assert (found.offset + found.length <= len(found.buffer)).all()
    assert packets.records + packets.drops[DropReason.TRUNCATED_FILE :, 0].sum() >= datagrams.frames


@given(damaged())
def test_damaged_captures(capture: bytes) -> None:
    decode_all(capture)


@given(st.binary(max_size=300), LINK_TYPES)
def test_frames_of_anything(frame: bytes, link_type: int) -> None:
    decode_all(pcap([frame], link_type=link_type))


@given(st.sampled_from([b"", b"\x0a\x0d\x0d\x0a", b"\xd4\xc3\xb2\xa1", section()]), st.binary(max_size=300))
def test_files_of_anything(start: bytes, rest: bytes) -> None:
    decode_all(start + rest)


@given(damaged(), st.integers(1, 80))
def test_pieces_give_what_the_whole_gives(capture: bytes, piece: int) -> None:
    whole, pieces = PacketDecoder(exporter=0), PacketDecoder(exporter=0)
    expected, _ = whole.decode(octets(capture), final=True)
    found, buffer = list[int](), b""
    for start in range(0, len(capture), piece):
        buffer += capture[start : start + piece]
        batch, used = pieces.decode(octets(buffer), final=start + piece >= len(capture))
        found += batch.octets.tolist()
        buffer = buffer[used:]
    assert found == expected.octets.tolist()
    assert np.array_equal(whole.drops, pieces.drops) or not capture
