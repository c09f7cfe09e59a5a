"""The UDP payloads of a capture that this package wrote, for programs that take datagrams and no captures.

Owns nothing but the reading; frames are Ethernet, IPv4 without options and UDP, as ``exports`` writes them.
"""

import struct
from collections.abc import Iterator
from pathlib import Path

_FILE_HEADER_OCTETS = 24
_FRAME_HEADER = struct.Struct("<IIII")
_PAYLOAD_OFFSET = 14 + 20 + 8


def read_datagrams(capture: Path) -> Iterator[bytes]:
    """Give the payloads in order."""
    with capture.open("rb", buffering=1 << 20) as file:
        file.seek(_FILE_HEADER_OCTETS)
        while header := file.read(_FRAME_HEADER.size):
            _, _, captured, _ = _FRAME_HEADER.unpack(header)
            yield file.read(captured)[_PAYLOAD_OFFSET:]
