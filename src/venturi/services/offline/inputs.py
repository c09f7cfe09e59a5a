"""Inputs: files of any format as streams of flow batches.

Owns the choice of the decoder for an input, told from its first octets, and of what a capture is metered as.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from venturi.adapters.files.buffers import decode_stream
from venturi.adapters.files.opening import InputStream, open_input
from venturi.adapters.reused_memory import ReusedMemory
from venturi.core.decode.capture.datagrams import sample_datagrams
from venturi.core.decode.capture.packets import PacketDecoder
from venturi.core.decode.decoder import StreamDecoder
from venturi.core.decode.export.collector import ExportDecoder
from venturi.core.decode.export.message_files import MessageFileDecoder, count_export_messages
from venturi.core.decode.exported import ExportedFlowDecoder
from venturi.core.decode.format import COLUMNAR_FORMATS, MESSAGE_FORMATS, InputFormat, recognise
from venturi.core.domain.drops import add_drop, new_drop_table
from venturi.core.domain.errors import UnknownFormatError, VenturiError
from venturi.core.domain.flow_batch import Exporter, FlowBatch, FlowTables
from venturi.services.offline.report import ExporterReport
from venturi.services.offline.request import MeteredAs, MeterRequest
from venturi.services.offline.sources import CollectorProgress


class FlowRecordOpener(Protocol):
    """Opens a file of flow records; handed in, because the library behind it takes long to load and few runs need it."""

    def __call__(
        self, stream: InputStream, found: InputFormat, *, columns: Mapping[str, str], tables: FlowTables, drops: NDArray[np.int64]
    ) -> Iterable[FlowBatch]:
        """Give the flows of a file; raises ``ColumnMappingError`` for a column that is missing."""
        ...


@dataclass(frozen=True)
class InputKind:
    """What an input is: its format, what it is metered as, and what its drop positions count."""

    format: InputFormat
    metered_as: MeteredAs
    position_unit: str


@dataclass(frozen=True)
class InputContent:
    """What is read of an input: its flows, to be gone through once, and the drop table of what was no flow.

    ``untimed_frames`` tells how many frames so far were packets without a time.
    """

    flows: Iterator[FlowBatch]
    drops: NDArray[np.int64]
    untimed_frames: Callable[[], int] = int


class Input:
    """One open file of traffic; ``batches`` gives its flows once, ``drops`` what was no flow.

    ``exporters``, ``replaced_times`` and ``untimed`` (frames or flows without a time) are known after the last batch.
    """

    def __init__(self, stream: InputStream, kind: InputKind, content: InputContent, collector: ExportDecoder) -> None:
        """Take the open stream, what it is and what is in it; use ``InputOpener``."""
        self.name = stream.name
        self.kind = kind
        self.drops = content.drops
        self.records = 0
        self.exporters: tuple[ExporterReport, ...] = ()
        self.replaced_times = 0
        self.untimed = 0
        self._stream = stream
        self._flows = content.flows
        self._untimed_frames = content.untimed_frames
        self._collector = collector

    @property
    def octets_read(self) -> int:
        """The octets of the file read so far."""
        return self._stream.position

    @property
    def octets_total(self) -> int | None:
        """The octets of the file; None if unknown."""
        return self._stream.size

    def batches(self) -> Iterator[FlowBatch]:
        """Give the flows; damage to the file is counted as a drop after the last of them."""
        before = CollectorProgress.of(self._collector)
        for batch in self._flows:
            self.records += len(batch)
            yield batch
        if self._stream.damage is not None and not self.drops[self._stream.damage, 0]:
            add_drop(self.drops, self._stream.damage, 0)
        progress = CollectorProgress.of(self._collector)
        self.exporters = progress.exporters_since(before, self.name)
        self.replaced_times = progress.replaced_times - before.replaced_times
        self.untimed = self._untimed_frames() + progress.untimed - before.untimed

    def close(self) -> None:
        """Close the file."""
        self._stream.close()


class InputOpener:
    """Opens the inputs of a run; templates and sampling rates learned from one serve the next."""

    def __init__(self, request: MeterRequest, tables: FlowTables, collector: ExportDecoder, open_flow_records: FlowRecordOpener) -> None:
        """Take what is asked for, the tables that flows refer to, the collector of all flow export and the opener of flow records."""
        self._request = request
        self._tables = tables
        self._collector = collector
        self._open_flow_records = open_flow_records
        self._memory = ReusedMemory()

    def open(self, path: str) -> Input:
        """Open a file; raises ``UnreadableFileError``, ``UnknownFormatError`` or ``ColumnMappingError``, with the file closed."""
        stream = open_input(path)
        try:
            return self._make_input(stream, recognise(stream.name, stream.head, is_damaged=stream.head_damage is not None))
        except VenturiError:
            stream.close()
            raise

    def check(self, path: str) -> None:
        """Refuse a file that ``open`` would refuse."""
        self.open(path).close()

    def _make_input(self, stream: InputStream, found: InputFormat) -> Input:
        if found in COLUMNAR_FORMATS:
            return self._flow_records(stream, found)
        decoder = self._decoder(stream, found)
        as_packets = isinstance(decoder, PacketDecoder)
        position_unit = "octet" if found in MESSAGE_FORMATS else "frame"
        kind = InputKind(found, MeteredAs.PACKETS if as_packets else MeteredAs.FLOWS, position_unit)
        untimed = (lambda: decoder.untimed) if isinstance(decoder, PacketDecoder) else int
        return Input(stream, kind, InputContent(decode_stream(stream, decoder.decode), decoder.drops, untimed), self._collector)

    def _decoder(self, stream: InputStream, found: InputFormat) -> StreamDecoder:
        if found in MESSAGE_FORMATS:
            self._refuse_packets(stream, "export messages")
            return MessageFileDecoder(self._collector)
        as_flows = self._request.metered_as is MeteredAs.FLOWS
        if self._request.metered_as is MeteredAs.AUTO:
            as_flows = _holds_flow_export(np.frombuffer(stream.head, dtype=np.uint8))
        if as_flows:
            return ExportedFlowDecoder(self._collector)
        exporter = self._tables.exporter_number(Exporter())
        return PacketDecoder(exporter=exporter, needed=self._request.needed, memory=self._memory)

    def _flow_records(self, stream: InputStream, found: InputFormat) -> Input:
        self._refuse_packets(stream, "flow records")
        drops = new_drop_table()
        flows = self._open_flow_records(stream, found, columns=self._request.column_names, tables=self._tables, drops=drops)
        return Input(stream, InputKind(found, MeteredAs.FLOWS, "row"), InputContent(iter(flows), drops), self._collector)

    def _refuse_packets(self, stream: InputStream, content: str) -> None:
        if self._request.metered_as is MeteredAs.PACKETS:
            message = f"{stream.name}: a file of {content} cannot be metered as packets"
            raise UnknownFormatError(message)


def _holds_flow_export(head: NDArray[np.uint8]) -> bool:
    """Tell whether at least half of the IP packets at the beginning of a capture carry a flow export message."""
    packets = PacketDecoder(exporter=0)
    packets.decode(head, final=False)
    messages = count_export_messages(sample_datagrams(head))
    return messages > 0 and 2 * messages >= packets.records
