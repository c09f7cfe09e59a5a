"""Reads flow records out of octets, and writes tables as octets, for the tests beside."""

import io
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.ipc as pa_ipc
import pyarrow.parquet as pq

from venturi.adapters.files.flow_records import FlowRecordReader
from venturi.core.decode.format import InputFormat
from venturi.core.domain.drops import Drop, DropReason, list_drops, new_drop_table
from venturi.core.domain.flow_batch import FlowBatch, FlowTables

NO_MAPPING: Mapping[str, str] = MappingProxyType({})


class Read(NamedTuple):
    """The flows of a file in one batch, its drops, and the tables of exporters and rates."""

    flows: FlowBatch
    drops: dict[DropReason, Drop]
    tables: FlowTables


def read(content: bytes, kind: InputFormat, columns: Mapping[str, str] = NO_MAPPING) -> Read:
    """Read a file called F."""
    drops, tables = new_drop_table(), FlowTables()
    reader = FlowRecordReader(io.BytesIO(content), "F", kind, columns=columns, tables=tables, drops=drops)
    flows = FlowBatch.concatenate(FlowBatch.empty(0), *reader)
    assert reader.records == len(flows)
    return Read(flows, list_drops(drops), tables)


def write(table: pa.Table, kind: InputFormat) -> bytes:
    """Write a table as a file of ``kind``."""
    stream = io.BytesIO()
    if kind is InputFormat.PARQUET:
        pq.write_table(table, stream)
    elif kind is InputFormat.CSV:
        pa_csv.write_csv(table, stream)
    else:
        make = pa_ipc.new_file if kind is InputFormat.ARROW_FILE else pa_ipc.new_stream
        with make(stream, table.schema) as writer:
            writer.write_table(table)
    return stream.getvalue()
