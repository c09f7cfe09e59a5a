"""Reads files of flow records, columnar or CSV, into flow batches.

Owns the way from a file's rows to flows and drops, row by row. Formats, names of columns and their values each have a module.
"""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import BinaryIO, NoReturn

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from venturi.adapters.edges import FILES_EDGE
from venturi.adapters.files.flow_records_addresses import AddressColumn, read_addresses
from venturi.adapters.files.flow_records_columns import NumberColumn, TimeColumn, is_text, plain_array, read_numbers, read_times
from venturi.adapters.files.flow_records_mapping import ColumnMapping, map_columns
from venturi.adapters.files.flow_records_sources import RecordSource
from venturi.core.decode.format import InputFormat
from venturi.core.domain.drops import DropReason, add_drop
from venturi.core.domain.errors import ColumnMappingError
from venturi.core.domain.flow_batch import NO_FLOW_DIRECTION, NO_INTERFACE, Exporter, FlowBatch, FlowTables

_DIRECTIONS = {"0": 0, "1": 1, "ingress": 0, "egress": 1, "in": 0, "out": 1}

Mask = NDArray[np.bool_]
"""Which rows of a batch something applies to: bool, shape (rows,)."""


@FILES_EDGE.adapter
class FlowRecordReader:
    """Reads one file of flow records; iterating gives its flow batches, of at most 65,536 flows.

    ``records`` counts the flows given so far, ``rows`` the rows read. Rows that are no flow are counted in ``drops``, the
    drop table of the file. Rows are numbered from 1 after the header, those of a CSV file that have too few or too many
    fields left aside.
    """

    def __init__(
        self,
        stream: BinaryIO,
        name: str,
        kind: InputFormat,
        *,
        columns: Mapping[str, str],
        tables: FlowTables,
        drops: NDArray[np.int64],
    ) -> None:
        """Open ``stream``, called ``name`` in messages; ``columns`` (field to column) goes before the known names.

        Raises ``UnknownFormatError`` if the stream is not of format ``kind`` and ``ColumnMappingError`` if a column is missing.
        """
        self.records = 0
        self.rows = 0
        self._name = name
        self._tables = tables
        self._drops = drops
        self._source = RecordSource(stream, kind, name)
        self._mapping: ColumnMapping = map_columns(self._source.columns, columns, name)

    def __iter__(self) -> Iterator[FlowBatch]:
        """Give the flows; raises ``ColumnMappingError`` for a column of a type that its field cannot have."""
        wanted = [column for columns in self._mapping.values() for column in columns]
        for batch in self._source.batches(wanted):
            flows = self._read_batch(batch)
            self.rows += batch.num_rows
            if len(flows):
                self.records += len(flows)
                yield flows
        if self._source.refused_rows:
            add_drop(self._drops, DropReason.BAD_VALUE, self._source.first_refused, self._source.refused_rows)
        if self._source.broken:
            add_drop(self._drops, DropReason.TRUNCATED_FILE, self.rows + 1)

    def _read_batch(self, batch: pa.RecordBatch) -> FlowBatch:
        flows = FlowBatch.empty(batch.num_rows)
        usable = np.ones(batch.num_rows, dtype=np.bool_)
        self._fill_addresses(flows, batch, usable)
        self._fill_times(flows, batch, usable)
        self._fill_counts(flows, batch, usable)
        self._fill_options(flows, batch, usable)
        return flows if usable.all() else flows.take(usable)

    def _fill_addresses(self, flows: FlowBatch, batch: pa.RecordBatch, usable: Mask) -> None:
        """Fill in the addresses; a flow of which one is not told has none, and so matches no label."""
        source, destination = self._addresses(batch, "source_address"), self._addresses(batch, "destination_address")
        bad = source.bad | destination.bad
        missing = (source.family == 0) | (destination.family == 0)
        bad |= ~missing & (source.family != destination.family)
        if "family" in self._mapping:
            stated = self._numbers(batch, "family")
            bad |= stated.bad | ~missing & ~stated.missing & (stated.values != source.family)
        self._drop(usable, bad, DropReason.BAD_VALUE)
        flows.family[:] = np.where(missing, 0, source.family)
        for target, words in (
            (flows.source_high, source.high),
            (flows.source_low, source.low),
            (flows.destination_high, destination.high),
            (flows.destination_low, destination.low),
        ):
            target[:] = np.where(missing, 0, words)

    def _fill_times(self, flows: FlowBatch, batch: pa.RecordBatch, usable: Mask) -> None:
        """Fill in the times; a flow that is said to start after its end is taken to start at its end."""
        start, end = self._times(batch, "start"), self._times(batch, "end")
        self._drop(usable, start.bad | end.bad, DropReason.BAD_VALUE)
        flows.end[:] = end.values
        flows.start[:] = np.minimum(start.values, end.values)

    def _fill_counts(self, flows: FlowBatch, batch: pa.RecordBatch, usable: Mask) -> None:
        packets, octets = self._numbers(batch, "packets"), self._numbers(batch, "octets")
        self._drop(usable, packets.missing & octets.missing, DropReason.NO_COUNTS)
        self._drop(usable, packets.missing | octets.missing | packets.bad | octets.bad, DropReason.BAD_VALUE)
        self._drop(usable, packets.out_of_range | octets.out_of_range, DropReason.COUNTER_OUT_OF_RANGE)
        flows.packets[:], flows.octets[:] = packets.values, octets.values

    def _fill_options(self, flows: FlowBatch, batch: pa.RecordBatch, usable: Mask) -> None:
        for field, target in (("input_interface", flows.input_interface), ("output_interface", flows.output_interface)):
            if field in self._mapping:
                numbers = self._numbers(batch, field)
                self._drop(usable, numbers.bad | numbers.out_of_range, DropReason.BAD_VALUE)
                target[:] = np.where(numbers.missing, NO_INTERFACE, numbers.values)
        if "flow_direction" in self._mapping:
            flows.flow_direction[:] = _read_directions(self._column(batch, "flow_direction"))
        flows.exporter[:] = self._exporters(batch, usable)
        if "sampling_rate" in self._mapping:
            rates = self._numbers(batch, "sampling_rate")
            self._drop(usable, rates.bad | rates.out_of_range, DropReason.BAD_VALUE)
            distinct, places = np.unique(np.maximum(rates.values, 1), return_inverse=True)
            flows.sampling[:] = np.array([self._tables.rate_number(Fraction(int(rate))) for rate in distinct], dtype=np.int32)[places]

    def _exporters(self, batch: pa.RecordBatch, usable: Mask) -> NDArray[np.int32]:
        """Give the exporters' numbers; the unspecified address, like none at all, names nobody."""
        if "exporter" not in self._mapping:
            return np.full(len(usable), self._tables.exporter_number(Exporter()), dtype=np.int32)
        addresses = self._addresses(batch, "exporter")
        self._drop(usable, addresses.bad, DropReason.BAD_VALUE)
        words = np.stack([addresses.family.astype(np.uint64), addresses.high, addresses.low])
        distinct, numbers = np.unique(words, axis=1, return_inverse=True)
        known = [self._exporter_number(*(int(word) for word in column)) for column in distinct.T]
        return np.array(known, dtype=np.int32)[numbers.reshape(-1)]

    def _exporter_number(self, family: int, high: int, low: int) -> int:
        address = high << 64 | low
        return self._tables.exporter_number(Exporter(family, address) if address else Exporter())

    def _drop(self, usable: Mask, dropped: Mask, reason: DropReason) -> None:
        """Count the rows of ``dropped`` that are still ``usable`` under ``reason``; they are no longer."""
        rows = np.flatnonzero(dropped & usable)
        if len(rows):
            add_drop(self._drops, reason, self.rows + int(rows[0]) + 1, len(rows))
            usable[rows] = False

    def _column(self, batch: pa.RecordBatch, field: str) -> pa.Array:
        return plain_array(batch.column(self._mapping[field][0]))

    def _numbers(self, batch: pa.RecordBatch, field: str) -> NumberColumn:
        column = self._column(batch, field)
        return read_numbers(column) or self._refuse(field, column.type)

    def _times(self, batch: pa.RecordBatch, field: str) -> TimeColumn:
        column = self._column(batch, field)
        return read_times(column, self._mapping[field][0]) or self._refuse(field, column.type)

    def _addresses(self, batch: pa.RecordBatch, field: str) -> AddressColumn:
        columns = [batch.column(name) for name in self._mapping[field]]
        first, *others = [read_addresses(column) or self._refuse(field, column.type) for column in columns]
        for other in others:
            first = first.or_else(other)
        return first

    def _refuse(self, field: str, kind: pa.DataType) -> NoReturn:
        columns = " and ".join(f"'{name}'" for name in self._mapping[field])
        message = f"{self._name}: field '{field}' cannot be read from column {columns} of type {kind}"
        raise ColumnMappingError(message)


def _read_directions(column: pa.Array) -> NDArray[np.uint8]:
    """Read information element 61 as a number or a word; anything else says nothing (RFC 7012)."""
    stated: NDArray[np.uint8]
    if is_text(column.type):
        encoded = column.dictionary_encode()
        codes = [_DIRECTIONS.get(word.strip().lower(), NO_FLOW_DIRECTION) for word in encoded.dictionary.to_pylist()]
        places = encoded.indices.fill_null(len(codes)).to_numpy(zero_copy_only=False)
        stated = np.array([*codes, NO_FLOW_DIRECTION], dtype=np.uint8)[places]
        return stated
    numbers = read_numbers(column)
    if numbers is None:
        return np.full(len(column), NO_FLOW_DIRECTION, dtype=np.uint8)
    known = ~(numbers.missing | numbers.bad | numbers.out_of_range) & (numbers.values <= 1)
    return np.where(known, numbers.values, NO_FLOW_DIRECTION).astype(np.uint8)
