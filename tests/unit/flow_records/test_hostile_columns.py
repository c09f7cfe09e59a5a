"""Columns that no honest program writes: texts of no encoding, endless ones, and every type that Arrow has in every field."""

import contextlib
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from tests.unit.flow_records.reading import read, write
from venturi.core.decode.format import COLUMNAR_FORMATS, InputFormat
from venturi.core.domain.drops import Drop, DropReason
from venturi.core.domain.errors import ColumnMappingError, UnknownFormatError

BINARY_FORMATS = sorted(COLUMNAR_FORMATS - {InputFormat.CSV})
GOOD: dict[str, Any] = {
    "start": 1_700_000_000,
    "end": 1_700_000_001,
    "source_address": "10.0.0.1",
    "destination_address": "192.0.2.1",
    "packets": "7",
    "octets": "4200",
    "exporter": "192.0.2.9",
    "input_interface": "1",
    "output_interface": "2",
    "flow_direction": "egress",
    "sampling_rate": "10",
    "family": "4",
}
SPOILED_BY_A_TEXT = sorted(GOOD.keys() - {"flow_direction"})


def table(columns: dict[str, pa.Array]) -> pa.Table:
    """Make a table as long as ``columns``, the others filled with what is good."""
    rows = len(next(iter(columns.values())))
    return pa.table({name: columns.get(name, pa.array([value] * rows)) for name, value in GOOD.items()})


def no_utf_8(kind: pa.DataType) -> pa.Array:
    """Make a good address, one of no encoding and a good one again as a column of a type of text."""
    octets = pa.array([b"10.0.0.1", b"10.0.\xff.1", b"10.0.0.1"], pa.binary_view() if kind == pa.string_view() else pa.binary())
    return octets.cast(pa.large_binary()).view(kind) if kind == pa.large_string() else octets.view(kind)


TEXTS = {
    "string": lambda: no_utf_8(pa.string()),
    "large string": lambda: no_utf_8(pa.large_string()),
    "string view": lambda: no_utf_8(pa.string_view()),
    "dictionary": lambda: pa.DictionaryArray.from_arrays(pa.array([0, 1, 2], pa.int32()), no_utf_8(pa.string())),
    "dictionary of large strings": lambda: pa.DictionaryArray.from_arrays(pa.array([0, 1, 0], pa.int32()), no_utf_8(pa.large_string())),
}


@pytest.mark.parametrize("kind", BINARY_FORMATS)
@pytest.mark.parametrize("make", TEXTS.values(), ids=TEXTS.keys())
def test_an_address_that_is_no_utf_8_spoils_its_row_alone(make: Callable[[], pa.Array], kind: InputFormat) -> None:
    flows, drops, _ = read(write(table({"source_address": make()}), kind), kind)
    assert (flows.source_low.tolist(), drops) == ([0x0A000001, 0x0A000001], {DropReason.BAD_VALUE: Drop(1, 2)})


@pytest.mark.parametrize("field", SPOILED_BY_A_TEXT)
@pytest.mark.parametrize("kind", BINARY_FORMATS)
def test_any_field_that_is_no_utf_8_is_a_bad_value(field: str, kind: InputFormat) -> None:
    flows, drops, _ = read(write(table({field: pa.array([b"1\xff"]).view(pa.string())}), kind), kind)
    assert (len(flows), drops) == (0, {DropReason.BAD_VALUE: Drop(1, 1)})


@pytest.mark.parametrize("field", SPOILED_BY_A_TEXT)
@pytest.mark.parametrize("kind", BINARY_FORMATS)
def test_an_endless_text_repeated_takes_no_room(field: str, kind: InputFormat) -> None:
    """65,536 rows refer to one text of half a megabyte, which would be 32 GB."""
    endless = pa.DictionaryArray.from_arrays(pa.array([0] * 65_536, pa.int32()), pa.array(["1" * (1 << 19)]))
    flows, drops, _ = read(write(table({field: endless}), kind), kind)
    assert (len(flows), drops) == (0, {DropReason.BAD_VALUE: Drop(65_536, 1)})


@pytest.mark.parametrize("kind", BINARY_FORMATS)
def test_a_dictionary_of_many_addresses_serves_few_rows(kind: InputFormat) -> None:
    addresses = pa.array([f"10.0.{number >> 8}.{number & 255}" for number in range(5000)])
    few = pa.DictionaryArray.from_arrays(pa.array([4999, None, 3, 4999], pa.int32()), addresses)
    flows = read(write(table({"source_address": few}), kind), kind).flows
    assert flows.source_low.tolist() == [0x0A001387, 0, 0x0A000003, 0x0A001387]
    assert flows.family.tolist() == [4, 0, 4, 4]


def columns_of_every_type() -> Iterator[pa.Array]:
    """Make a column of one row of every type that Arrow has."""
    plain = [
        True,
        -1,
        5,
        1.5,
        float("nan"),
        float("-inf"),
        1e300,
        "",
        "1" * 5000,
        "9" * 4301,
        "²",
        "10.0.0.1\0",
        b"",
        b"abcde",
        None,
        [1],
        {"a": 1},
    ]
    for value in plain:
        yield pa.array([value])
    for bits in (8, 16, 32, 64):
        yield pa.array([-(1 << (bits - 1))], getattr(pa, f"int{bits}")())
        yield pa.array([(1 << bits) - 1], getattr(pa, f"uint{bits}")())
    for unit in ("s", "ms", "us", "ns"):
        yield from (pa.array([time], pa.timestamp(unit, zone)) for time in (0, 2**63 - 1, -(2**63)) for zone in (None, "UTC", "No/Where"))
        yield pa.array([5], pa.duration(unit))
    yield from (pa.array([Decimal(text)], kind) for text, kind in (("1e30", pa.decimal128(38, 0)), ("12000", pa.decimal128(5, -3))))
    yield from (pa.array([Decimal(5)], kind) for kind in (pa.decimal32(5, 2), pa.decimal64(5, 2), pa.decimal256(76, 2)))
    yield from (pa.array([date(2026, 1, 1)], kind) for kind in (pa.date32(), pa.date64()))
    yield from (pa.array([1.5], kind) for kind in (pa.float16(), pa.float32()))
    yield from (pa.array([5], kind) for kind in (pa.time32("s"), pa.time64("ns")))
    yield from (pa.array([b"x" * width], pa.binary(width)) for width in (0, 4, 5, 16))
    yield from (pa.array(["10.0.0.1"], kind) for kind in (pa.large_string(), pa.string_view()))
    yield from (pa.array([b"10.0"], kind) for kind in (pa.large_binary(), pa.binary_view()))
    yield from (pa.array([[1, 2]], kind) for kind in (pa.list_(pa.int64(), 2), pa.list_view(pa.int64()), pa.large_list(pa.int64())))
    yield pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64()))
    yield pa.array([(1, 2, 3)], pa.month_day_nano_interval())
    yield pa.UnionArray.from_dense(pa.array([0], pa.int8()), pa.array([0], pa.int32()), [pa.array([1])])
    yield pa.RunEndEncodedArray.from_arrays(pa.array([1]), pa.array(["10.0.0.1"]))
    yield pa.ExtensionArray.from_storage(pa.uuid(), pa.array([b"x" * 16], pa.binary(16)))
    yield pa.ExtensionArray.from_storage(pa.json_(), pa.array(['"1"']))


def every_type() -> dict[str, pa.Array]:
    """Name the columns of every type, and those that can be dictionaries as such, too."""
    columns = list(columns_of_every_type())
    for column in list(columns):
        with contextlib.suppress(pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError):
            columns.append(pa.DictionaryArray.from_arrays(pa.array([0]), column))
    return {f"{number} {str(column.type)[:40]}": column for number, column in enumerate(columns)}


@pytest.mark.parametrize("kind", BINARY_FORMATS)
@pytest.mark.parametrize("field", GOOD)
def test_a_column_of_any_type_is_read_or_refused(field: str, kind: InputFormat) -> None:
    read_or_refused = 0
    for column in every_type().values():
        try:
            content = write(table({field: column}), kind)
        except (pa.ArrowException, OSError):  # the format has no such type
            continue
        with contextlib.suppress(ColumnMappingError, UnknownFormatError):
            read(content, kind)
        read_or_refused += 1
    assert read_or_refused > 80
