"""What passes in a replay: the packets of a capture, each at the device of the uplink, over and over.

Owns the way from a capture to passing packets and their times. When they are let pass is for ``replay``.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from typing import NamedTuple

from venturi.adapters.drivers.memory_host import PassingPackets
from venturi.adapters.reused_memory import ReusedMemory
from venturi.core.classify.directions import DirectionEvidence, gather_evidence, tell_directions
from venturi.core.decode.export.collector import ExportDecoder
from venturi.core.decode.export.configuration import ExportConfig
from venturi.core.domain.direction import DirectionCode
from venturi.core.domain.errors import UnreadableFileError
from venturi.core.domain.flow_batch import UNTIMED, FlowBatch, FlowTables
from venturi.core.domain.interval import SECOND, Nanoseconds
from venturi.core.domain.prefix import Prefix
from venturi.core.ledger.bins import BIN
from venturi.services.offline.inputs import FlowRecordOpener, InputOpener
from venturi.services.offline.request import MeteredAs, MeterRequest

UPLINK = "uplink"
"""The device through which everything in the capture enters and leaves."""

_LAN = "lan"
_WORD_BITS = 64
_DEVICES = {DirectionCode.INGRESS: (UPLINK, _LAN), DirectionCode.EGRESS: (_LAN, UPLINK)}


class Passing(NamedTuple):
    """Packets and the time at which they pass, in nanoseconds since the UTC epoch."""

    time: int
    packets: PassingPackets


@dataclass(frozen=True, kw_only=True)
class ReplayedCapture:
    """A capture to be replayed, and the prefixes that are inside of the network that it was made at."""

    path: str
    inside: tuple[Prefix, ...]
    open_flow_records: FlowRecordOpener

    def length(self) -> int:
        """Read the capture once, and tell how long it is: from its first packet that crosses, in whole bins of 5 minutes, in nanoseconds.

        Raises as reading a capture does, and ``UnreadableFileError`` for one in which nothing crosses the edge of the network.
        """
        times = [passing.time for passing in self._read()]
        if not times:
            message = f"{self.path}: nothing in it can be replayed, since no packet crosses the edge of the network"
            raise UnreadableFileError(message)
        return ((max(times) - times[0]) // BIN + 1) * BIN

    def passing(self, start: int, length: int) -> Iterator[Passing]:
        """Give the packets of the capture again and again, from ``start`` on each ``length``, at their distance from the first one.

        What crosses the network's edge in no direction does not pass the uplink, and is left out; so is what has no time.
        """
        for beginning in count(start, length):
            last = beginning
            for passing in _shifted(self._read(), beginning):
                last = max(last, passing.time)
                yield Passing(last, passing.packets)

    def _read(self) -> Iterator[Passing]:
        """Give the packets once, by the times of the capture."""
        tables = FlowTables()
        request = MeterRequest(paths=(self.path,), inside=self.inside, interval=Nanoseconds(SECOND), metered_as=MeteredAs.PACKETS)
        opener = InputOpener(request, tables, ExportDecoder(ExportConfig(), tables, ReusedMemory()), self.open_flow_records)
        evidence = gather_evidence(self.inside, ())
        with closing(opener.open(self.path)) as capture:
            for batch in capture.batches():
                yield from _passing_packets(batch, evidence)


def _shifted(packets: Iterator[Passing], start: int) -> Iterator[Passing]:
    shift: int | None = None
    for passing in packets:
        shift = start - passing.time if shift is None else shift
        yield Passing(passing.time + shift, passing.packets)


def _passing_packets(batch: FlowBatch, evidence: DirectionEvidence) -> Iterator[Passing]:
    directions = tell_directions(batch, evidence)
    crossing = ((directions == DirectionCode.INGRESS) | (directions == DirectionCode.EGRESS)) & (batch.start != UNTIMED)
    chosen = batch.take(crossing)
    sources = zip(chosen.source_high.tolist(), chosen.source_low.tolist(), strict=True)
    destinations = zip(chosen.destination_high.tolist(), chosen.destination_low.tolist(), strict=True)
    columns = (chosen.start, chosen.family, chosen.packets, chosen.octets, directions[crossing])
    for source, destination, row in zip(sources, destinations, zip(*(column.tolist() for column in columns), strict=True), strict=True):
        time, family, packets, octets, direction = row
        in_device, out_device = _DEVICES[direction]
        yield Passing(
            time,
            PassingPackets(
                in_device=in_device,
                out_device=out_device,
                family=family,
                source=source[0] << _WORD_BITS | source[1],
                destination=destination[0] << _WORD_BITS | destination[1],
                octets=octets,
                packets=packets,
            ),
        )
