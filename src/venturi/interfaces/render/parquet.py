"""Usage as a Parquet file, typed for analysis."""

from collections.abc import Sequence
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from venturi.core.domain.usage import UsageRecord
from venturi.interfaces.render.rows import identity_fields, usage_fields
from venturi.services.offline.report import MeterReport

_TIME = pa.timestamp("ns", tz="UTC")
_LARGEST = (1 << 63) - 1
_WIDE = pa.decimal128(38, 0)


def write_parquet(report: MeterReport, stream: BinaryIO) -> None:
    """Write a row group with the columns of the CSV form.

    Times are timestamps[ns, UTC]; counts are int64, or decimal128(38, 0) in a column with a count that does not fit.
    """
    pq.write_table(usage_table(report), stream, compression="zstd")


def usage_table(report: MeterReport) -> pa.Table:
    """Give usage as an Arrow table with the columns that ``write_parquet`` states."""
    columns = {name: _identity_column(name, report.usage) for name in identity_fields(report)}
    columns["packets"] = counts_column([record.counts.packets for record in report.usage])
    columns["octets"] = counts_column([record.counts.octets for record in report.usage])
    columns["observed_packets"] = counts_column([record.observed.packets for record in report.usage])
    columns["observed_octets"] = counts_column([record.observed.octets for record in report.usage])
    columns["estimated"] = pa.array([record.estimated for record in report.usage], type=pa.bool_())
    return pa.table(columns)


def _identity_column(name: str, usage: Sequence[UsageRecord]) -> pa.Array:
    if name == "interval_start":
        return pa.array([record.interval.start if record.interval else None for record in usage], type=_TIME)
    if name == "interval_end":
        return pa.array([record.interval.end if record.interval else None for record in usage], type=_TIME)
    return pa.array([usage_fields(record).get(name) for record in usage], type=pa.string())


def counts_column(counts: Sequence[int | None]) -> pa.Array:
    """Give counts as a column: int64, or decimal128(38, 0) if one does not fit."""
    if max((abs(count) for count in counts if count is not None), default=0) <= _LARGEST:
        return pa.array(counts, type=pa.int64())
    return pa.array(counts, type=_WIDE)
