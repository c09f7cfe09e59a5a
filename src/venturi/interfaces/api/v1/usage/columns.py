"""Reports of usage as Parquet and as a stream of Arrow, some tens of thousands of rows at a time.

Owns the types of columns, whose names and order are those of the CSV. It is imported when such a form is asked for first, since it loads
pyarrow.
"""

from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from venturi.core.domain.errors import UnacceptableFormError
from venturi.interfaces.api.v1.usage.fields import COVERAGE_FIELDS, FLAGS, Fields, beside_names, coverage_fields, field_names, group_fields
from venturi.interfaces.api.v1.usage.queries import UsageForm
from venturi.services.reports.foreseeing import FORECAST
from venturi.services.reports.groups import Group
from venturi.services.reports.request import UsageRequest
from venturi.services.reports.rows import Beside, ReportInterval, Told

_ROWS_AT_ONCE = 50_000
_TIME = pa.timestamp("ns", tz="UTC")
_BOUNDS = ("interval_start", "interval_end")
_DECIMAL = pa.decimal128(38, 3)
_TYPES = {
    "label_deleted": pa.bool_(),
    "shared": pa.bool_(),
    "observation_point_deleted": pa.bool_(),
    "reasons": pa.list_(pa.string()),
    **dict.fromkeys(_BOUNDS, _TIME),
    **dict.fromkeys(("known_seconds", "known_point_seconds", "expected_point_seconds"), pa.int64()),
    **dict.fromkeys(("previous_packets", "previous_octets", "difference_packets", "difference_octets"), pa.int64()),
    **dict.fromkeys(("previous_known_point_seconds", "previous_expected_point_seconds"), pa.int64()),
    **dict.fromkeys(("percent", "mean_rate", "minimum_rate", "maximum_rate", "percentile_rate"), _DECIMAL),
    **dict.fromkeys(("known_samples", "missing_samples", *FORECAST), pa.int64()),
}


def write_columns(
    form: UsageForm, request: UsageRequest, intervals: Iterable[ReportInterval], counts: Sequence[str]
) -> Generator[bytes, None, None]:
    """Write the rows of a report, as Parquet or as a stream of Arrow (the IPC streaming format); a row group or batch holds many intervals.

    Bounds are timestamps[ns, UTC], counts int64, figures with decimals decimal128(38, 3). An interval that has a line without counts in
    CSV has a row without them here. Raises ``UnacceptableFormError`` for a count that does not fit.
    """
    names, beside = field_names(request, counts), beside_names(request)
    types = {name: _TYPES.get(name, pa.string()) for name in (*_BOUNDS, *names, *counts, *beside, *COVERAGE_FIELDS)}
    types |= {name: pa.bool_() if name in FLAGS else pa.int64() for name in counts}
    schema = pa.schema(list(types.items()))
    sink = _Sink()
    writer = pq.ParquetWriter(sink, schema, compression="zstd") if form is UsageForm.PARQUET else pa.ipc.new_stream(sink, schema)
    for batch in _batches(schema, names, intervals, (counts, beside)):
        writer.write_batch(batch)
        yield sink.take()
    writer.close()
    yield sink.take()


def _batches(
    schema: pa.Schema, names: Sequence[str], intervals: Iterable[ReportInterval], counted: tuple[Sequence[str], Sequence[str]]
) -> Iterator[pa.RecordBatch]:
    waiting = _Waiting(schema, names, *counted)
    for interval in intervals:
        renamed = bool(interval.rows) and waiting.groups is not interval.rows.groups
        if waiting.rows >= _ROWS_AT_ONCE or (waiting.rows and renamed):
            yield waiting.take()
        waiting.add(interval)
    if waiting.rows:
        yield waiting.take()


class _Waiting:
    """Rows that wait to be written together, in columns; what many have in common is named by its place in a list.

    All that wait are of the same ``groups``.
    """

    def __init__(self, schema: pa.Schema, names: Sequence[str], counts: Sequence[str], beside: Sequence[str]) -> None:
        self._schema = schema
        self._beside_names = beside
        self._names = names
        self._count_names = counts
        self.groups: Sequence[Group] = ()
        self._described: dict[str, pa.Array] = {}
        self._described_groups = -1
        self._clear()

    def _clear(self) -> None:
        self.rows = 0
        self._bounds: tuple[list[int], list[int]] = ([], [])
        self._numbers: list[int | None] = []
        self._counts: list[list[int | None]] = [[] for _ in self._count_names]
        self._beside: dict[str, list[Beside]] = {name: [] for name in self._beside_names}
        self._told: list[Told] = []
        self._told_of: list[int] = []

    def add(self, interval: ReportInterval) -> None:
        """Add the rows of an interval."""
        rows = interval.rows
        if not rows and not (interval.coverage.worst and interval.observation_points):
            return
        if rows and self.groups is not rows.groups:
            self.groups, self._described_groups = rows.groups, -1
        count = len(rows) or 1
        self._bounds[0].extend([interval.start] * count)
        self._bounds[1].extend([interval.end] * count)
        for place, column in enumerate(self._counts):
            column.extend(rows.counts[place] if rows else [None])
        for name, cells in self._beside.items():
            cells.extend(rows.beside[name] if rows else [None])
        self._numbers.extend(rows.numbers or [None])
        if rows:
            places = {scope: len(self._told) + place for place, scope in enumerate(rows.told)}
            self._told += rows.told.values()
            self._told_of += map(places.__getitem__, map(rows.scope_of.__getitem__, rows.numbers))
        else:
            self._told_of.append(len(self._told))
            self._told.append((interval.coverage, interval.time))
        self.rows += count

    def take(self) -> pa.RecordBatch:
        """Give the rows that wait, and wait for others."""
        described = self._describe()
        numbers = pa.array(self._numbers, type=pa.int32())
        told_of, coverage = (
            pa.array(self._told_of, type=pa.int32()),
            self._columns(COVERAGE_FIELDS, [coverage_fields(*told) for told in self._told]),
        )
        columns = {name: pa.array(times, type=_TIME) for name, times in zip(_BOUNDS, self._bounds, strict=True)}
        columns |= {name: described[name].take(numbers) for name in self._names}
        columns |= {name: _count_column(name, counted) for name, counted in zip(self._count_names, self._counts, strict=True)}
        columns |= {name: _beside_column(name, self._schema.field(name).type, cells) for name, cells in self._beside.items()}
        columns |= {name: coverage[name].take(told_of) for name in COVERAGE_FIELDS}
        self._clear()
        return pa.RecordBatch.from_arrays([columns[name] for name in self._schema.names], schema=self._schema)

    def _describe(self) -> dict[str, pa.Array]:
        """Give the fields of all groups, by their numbers."""
        if self._described_groups != len(self.groups):
            self._described = self._columns(self._names, [group_fields(group) for group in self.groups])
            self._described_groups = len(self.groups)
        return self._described

    def _columns(self, names: Sequence[str], rows: Sequence[Fields]) -> dict[str, pa.Array]:
        return {name: pa.array([row[name] for row in rows], type=self._schema.field(name).type) for name in names}


def _count_column(name: str, counts: Sequence[int | None]) -> pa.Array:
    if name in FLAGS:
        return pa.array([each if each is None else bool(each) for each in counts], type=pa.bool_())
    try:
        return pa.array(counts, type=pa.int64())
    except (OverflowError, pa.ArrowInvalid) as error:
        message = f"{name}: a count does not fit the 64 bits of this form; ask for JSON or CSV"
        raise UnacceptableFormError(message) from error


def _beside_column(name: str, kind: pa.DataType, cells: Sequence[Beside]) -> pa.Array:
    try:
        return pa.array(cells, type=kind)
    except (OverflowError, pa.ArrowInvalid) as error:
        message = f"{name}: a figure does not fit the bits of this form; ask for JSON or CSV"
        raise UnacceptableFormError(message) from error


class _Sink:
    """What is written to, until it is taken."""

    closed = False

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._position = 0

    def write(self, octets: Any) -> int:  # noqa: ANN401 - whatever has the buffer protocol
        """Keep a copy."""
        self._pieces.append(bytes(octets))
        self._position += len(self._pieces[-1])
        return len(self._pieces[-1])

    def tell(self) -> int:
        """Give how much was written in all."""
        return self._position

    def flush(self) -> None:
        """Do nothing: what is written is kept."""

    def close(self) -> None:
        """Do nothing: what was written is still to be taken."""

    def take(self) -> bytes:
        """Give what was written since."""
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken
