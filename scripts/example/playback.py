"""A capture played into a pipe with its own rhythm, faster: what a program that reads captures takes for live traffic.

Owns the cutting of a pcap file (little-endian, microseconds, as tcpdump writes it here) into records; nothing is decoded.
"""

import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path

MAGIC = 0xA1B2C3D4
FILE_HEADER_OCTETS = 24
RECORD_HEADER = struct.Struct("<IIII")
MICROSECONDS = 1_000_000
SHORTEST_PAUSE_SECONDS = 0.005


class Playback:
    """Plays a capture once; raises ValueError if the file is not of the form that tcpdump writes here."""

    def __init__(self, capture: Path, speed: float) -> None:
        self._octets = capture.read_bytes()
        self._speed = speed
        if int.from_bytes(self._octets[:4], "little") != MAGIC:
            message = f"{capture}: not a little-endian pcap file of microseconds"
            raise ValueError(message)

    @property
    def start(self) -> float:
        """The time of the first record, in seconds since the epoch."""
        return next(self._records())[0]

    def into(self, pipe: Path) -> None:
        """Begin to write to a named pipe as soon as something reads it, and return at once."""
        threading.Thread(target=self._play, args=(pipe,), daemon=True).start()

    def _records(self) -> Iterator[tuple[float, int, int]]:
        """Give time, begin and end of each record."""
        begin = FILE_HEADER_OCTETS
        while begin < len(self._octets):
            seconds, fraction, kept, _ = RECORD_HEADER.unpack_from(self._octets, begin)
            end = begin + RECORD_HEADER.size + kept
            yield seconds + fraction / MICROSECONDS, begin, end
            begin = end

    def _play(self, pipe: Path) -> None:
        with pipe.open("wb", buffering=0) as stream:
            stream.write(self._octets[:FILE_HEADER_OCTETS])
            origin = time.monotonic() - self.start / self._speed
            for moment, begin, end in self._records():
                ahead = origin + moment / self._speed - time.monotonic()
                if ahead > SHORTEST_PAUSE_SECONDS:
                    time.sleep(ahead)
                stream.write(self._octets[begin:end])
