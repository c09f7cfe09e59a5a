"""Rows of a report of usage as a Parquet file, typed for analysis."""

from collections.abc import Sequence
from decimal import Decimal
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from venturi.core.domain.interval import parse_time
from venturi.interfaces.render.parquet import counts_column
from venturi.interfaces.render.resources.selection import Row
from venturi.interfaces.render.usage.rows import BOUNDS, COUNTS, FORECAST, PARTS, POINT_TIME, RATES, USED

_COUNTS = frozenset({*COUNTS, *PARTS, *USED, *FORECAST, *(f"{when}_{name}" for when in ("previous", "difference") for name in COUNTS)})
_TIME = pa.timestamp("ns", tz="UTC")
_DECIMAL = pa.decimal128(38, 3)
_DECIMALS = frozenset({"percent", *RATES[:4]})
_OTHERS = {
    "label_deleted": pa.bool_(),
    "shared": pa.bool_(),
    "labels_may_overlap": pa.bool_(),
    "observation_point_deleted": pa.bool_(),
    "reasons": pa.list_(pa.string()),
    "known_seconds": pa.int64(),
    **dict.fromkeys((*POINT_TIME, *RATES[4:], "previous_known_point_seconds", "previous_expected_point_seconds"), pa.int64()),
}


def write_parquet(rows: Sequence[Row], columns: Sequence[str], stream: BinaryIO) -> None:
    """Write a row group with ``columns``, those of the CSV form; what a row does not have is null.

    Bounds are timestamps[ns, UTC]; counts are int64, or decimal128(38, 0) in a column with a count that does not fit; rates and percentages
    are decimal128(38, 3); reasons are lists.
    """
    pq.write_table(pa.table({name: _column(name, [row.get(name) for row in rows]) for name in columns}), stream, compression="zstd")


def _column(name: str, cells: Sequence[object]) -> pa.Array:
    if name in BOUNDS:
        return pa.array([None if cell is None else parse_time(str(cell)) for cell in cells], type=_TIME)
    if name in _DECIMALS:
        return pa.array([None if cell is None else Decimal(str(cell)) for cell in cells], type=_DECIMAL)
    if name in _COUNTS:
        return counts_column([None if cell is None else int(str(cell)) for cell in cells])
    return pa.array(cells, type=_OTHERS.get(name, pa.string()))
