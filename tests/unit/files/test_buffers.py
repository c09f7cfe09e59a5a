"""Streams through buffers: what is left over comes again, what is too long makes the buffer grow."""

import io

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.unit.decode_capture.building import ETHERNET_V4, ipv4, pcap
from venturi.adapters.files import buffers
from venturi.adapters.files.buffers import decode_stream
from venturi.core.decode.capture.packets import PacketDecoder

Decoded = tuple[bytes, bool]


class Dribble(io.RawIOBase):
    """A stream that gives a few octets at a time, as a pipe may."""

    def __init__(self, content: bytes) -> None:
        """Give ``content``."""
        self._rest = content

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        """Give at most five octets."""
        count = min(5, len(buffer))
        part, self._rest = self._rest[:count], self._rest[count:]
        buffer[: len(part)] = part
        return len(part)


def take_lines(buffer: NDArray[np.uint8], /, *, final: bool) -> tuple[Decoded, int]:
    """Use up whole lines, or all at the end."""
    octets = buffer.tobytes()
    used = len(octets) if final else octets.rfind(b"\n") + 1
    return (octets[:used], final), used


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(b"", [(b"", True)], id="empty"),
        pytest.param(b"ab\ncd\n", [(b"ab\ncd\n", True)], id="fits"),
        pytest.param(b"abcdef\n\n", [(b"abcdef\n\n", False), (b"", True)], id="fills-the-buffer"),
        pytest.param(b"ab\ncd\nefgh\ni", [(b"ab\ncd\n", False), (b"efgh\ni", True)], id="carries-over"),
        pytest.param(b"abcdefghijkl\nm\n", [(b"", False), (b"abcdefghijkl\nm\n", True)], id="grows"),
    ],
)
def test_a_stream_is_decoded(content: bytes, expected: list[Decoded]) -> None:
    assert list(decode_stream(Dribble(content), take_lines, length=8)) == expected


def test_an_input_that_wants_more_than_the_longest_buffer_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buffers, "LONGEST_BUFFER", 16)
    assert list(decode_stream(Dribble(bytes(100)), take_lines, length=8)) == [(b"", False), (b"", False), (bytes(16), True)]


def test_a_capture_comes_through_small_buffers_whole() -> None:
    capture = pcap([ETHERNET_V4 + ipv4(bytes(length)) for length in range(100)])
    decoder = PacketDecoder(exporter=0)
    octets = [octets for batch in decode_stream(io.BytesIO(capture), decoder.decode, length=64) for octets in batch.octets.tolist()]
    assert octets == [20 + length for length in range(100)]
    assert not decoder.drops.any()
