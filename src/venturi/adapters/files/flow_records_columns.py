"""Values of Arrow columns into the columns of a flow batch: counts, numbers and times.

Owns the types and spellings that are read, row by row tolerant: what cannot be read is marked, never raised.
Addresses belong to ``flow_records_addresses``.
"""

from typing import NamedTuple, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from venturi.core.domain.drops import MAXIMUM_COUNT
from venturi.core.domain.errors import InvalidTimeError
from venturi.core.domain.interval import SECOND, parse_time

Scalar = TypeVar("Scalar", bound=np.generic)

_EXACT_IN_FLOAT = 1 << 53
_LONGEST_COUNT = 18
_LONGEST_TIME = 19
_MAGNITUDES = ((100_000_000_000, SECOND), (100_000_000_000_000, 1_000_000), (100_000_000_000_000_000, 1_000))
_UNITS_BY_NAME = {"nanoseconds": 1, "_ns": 1, "microseconds": 1_000, "milliseconds": 1_000_000, "seconds": SECOND}
_CLOCK = r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,9})?"
_LATEST = 1 << 62


class NumberColumn(NamedTuple):
    """Whole numbers: int64 ``values``, 0 where there is none; bool arrays of the rows that are missing, bad, or above 2^56 or negative."""

    values: NDArray[np.int64]
    missing: NDArray[np.bool_]
    bad: NDArray[np.bool_]
    out_of_range: NDArray[np.bool_]


class TimeColumn(NamedTuple):
    """Times: int64 nanoseconds since the UTC epoch, and which rows are missing or bad (bool)."""

    values: NDArray[np.int64]
    bad: NDArray[np.bool_]


def is_text(kind: pa.DataType) -> bool:
    """Tell whether a column holds text."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _is_plain(kind: pa.DataType) -> bool:
    types = pa.types
    is_octets = types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind)
    return bool(types.is_primitive(kind) or types.is_null(kind) or types.is_decimal(kind) or is_text(kind) or is_octets)


def plain_array(column: pa.Array) -> pa.Array:
    """Undo dictionary encoding, of values that can be read; a dictionary of other values is no value of any field."""
    if not pa.types.is_dictionary(column.type):
        return column
    values = column.type.value_type
    return column.dictionary_decode() if _is_plain(values) else column


def read_numbers(column: pa.Array) -> NumberColumn | None:
    """Read integers, decimals and floats without fraction, and decimal digits; None for a type that holds no numbers."""
    kind = column.type
    if not _is_plain(kind):
        return None
    missing = _mask(pc.is_null(column))
    if pa.types.is_null(kind):
        return NumberColumn(np.zeros(len(column), np.int64), missing, ~missing, ~missing)
    if pa.types.is_integer(kind):
        return _ranged(_integers(column), missing, np.zeros(len(column), np.bool_))
    if pa.types.is_floating(kind):
        floats = _values(column.cast(pa.float64()), np.float64)
        bad = ~missing & ~((np.abs(floats) <= _EXACT_IN_FLOAT) & (np.floor(floats) == floats))
        return _ranged(np.where(bad, 0, floats).astype(np.int64), missing, bad)
    if pa.types.is_decimal(kind):
        return _read_number_texts(pc.replace_substring_regex(column.cast(pa.string()), r"\.0*\z", ""), missing)
    return _read_number_texts(column, missing) if is_text(kind) else None


def _read_number_texts(column: pa.Array, missing: NDArray[np.bool_]) -> NumberColumn:
    """Read digits; blanks around them do not matter, and an empty text is missing."""
    texts = pc.fill_null(pc.ascii_trim_whitespace(column), "")
    missing = missing | _mask(pc.equal(texts, ""))
    whole = _mask(pc.match_substring_regex(texts, r"^[-+]?[0-9]+\z"))
    short = whole & _mask(pc.less_equal(pc.utf8_length(texts), _LONGEST_COUNT))
    values = _values(pc.if_else(pa.array(short), pc.ascii_ltrim(texts, characters="+"), "0").cast(pa.int64()), np.int64)
    numbers = _ranged(values, missing, ~whole & ~missing)
    return numbers._replace(out_of_range=numbers.out_of_range | (whole & ~short))


def _ranged(values: NDArray[np.int64] | NDArray[np.uint64], missing: NDArray[np.bool_], bad: NDArray[np.bool_]) -> NumberColumn:
    out_of_range = ~missing & ~bad & ((values < 0) | (values > MAXIMUM_COUNT))
    usable = ~(missing | bad | out_of_range)
    return NumberColumn(np.where(usable, values, 0).astype(np.int64), missing, bad, out_of_range)


def read_times(column: pa.Array, column_name: str) -> TimeColumn | None:
    """Read timestamps (without a zone: UTC), RFC 3339 text, ``YYYY-mm-dd HH:MM:SS[.fff]`` (UTC) and epoch numbers.

    A number is in the unit that the column's name ends with, else in seconds, milliseconds, microseconds or nanoseconds
    by its magnitude: below 10^11, 10^14 and 10^17, and from there on. Floats are seconds. None for other types.
    """
    if pa.types.is_timestamp(column.type):
        return _read_timestamps(column)
    if pa.types.is_floating(column.type):
        seconds = _values(column.cast(pa.float64()), np.float64)
        bad = ~(np.abs(seconds) < _LATEST / SECOND) | _mask(pc.is_null(column))
        return TimeColumn(np.round(np.where(bad, 0, seconds) * 1e6).astype(np.int64) * 1_000, bad)
    if is_text(column.type):
        return _read_time_texts(column, column_name)
    if pa.types.is_integer(column.type):
        return _scale_epoch(_integers(column), _mask(pc.is_null(column)), column_name)
    return None


def _read_timestamps(column: pa.Array) -> TimeColumn:
    missing = _mask(pc.is_null(column))
    scale = {"s": SECOND, "ms": 1_000_000, "us": 1_000, "ns": 1}[column.type.unit]
    counts = _values(column.cast(pa.int64()), np.int64)
    bad = missing | (counts > _LATEST // scale) | (counts < -(_LATEST // scale))
    return TimeColumn(np.where(bad, 0, counts) * scale, bad)


def _scale_epoch(values: NDArray[np.int64] | NDArray[np.uint64], missing: NDArray[np.bool_], column_name: str) -> TimeColumn:
    bad = missing | (values < 0) | (values >= _LATEST)
    counts = np.where(bad, 0, values).astype(np.int64)
    stated = next((unit for ending, unit in _UNITS_BY_NAME.items() if column_name.lower().endswith(ending)), None)
    scales = np.ones(len(counts), dtype=np.int64)
    if stated is not None:
        scales.fill(stated)
    else:
        for limit, unit in reversed(_MAGNITUDES):
            scales[counts < limit] = unit
    bad |= counts > _LATEST // scales
    return TimeColumn(np.where(bad, 0, counts * np.where(bad, 1, scales)), bad)


def _read_time_texts(column: pa.Array, column_name: str) -> TimeColumn:
    texts = pc.fill_null(pc.ascii_trim_whitespace(column), "")
    digits = _mask(pc.match_substring_regex(texts, r"^[0-9]{1,19}\z"))
    if digits.all():
        return _scale_epoch(_values(texts.cast(pa.uint64()), np.uint64), np.zeros(len(texts), np.bool_), column_name)
    zoned = bool(pc.all(pc.match_substring_regex(texts, rf"{_CLOCK}(Z|[+-]\d\d:\d\d)\z")).as_py())
    if zoned or pc.all(pc.match_substring_regex(texts, rf"{_CLOCK}\z")).as_py():
        try:
            return _read_timestamps(texts.cast(pa.timestamp("ns", tz="UTC" if zoned else None)))
        except pa.ArrowInvalid:
            return _read_times_singly(texts, column_name)
    return _read_times_singly(texts, column_name)


def _read_times_singly(texts: pa.Array, column_name: str) -> TimeColumn:
    encoded = texts.dictionary_encode()
    read = [_read_time(text, column_name) for text in encoded.dictionary.to_pylist()]
    numbers = _values(encoded.indices, np.int64)
    values = np.array([0 if time is None else time for time in read], dtype=np.int64)
    return TimeColumn(values[numbers], np.array([time is None for time in read], dtype=np.bool_)[numbers])


def _read_time(text: str, column_name: str) -> int | None:
    if text.isdecimal() and text.isascii() and len(text) <= _LONGEST_TIME:
        scaled = _scale_epoch(np.array([int(text)], dtype=np.uint64), np.zeros(1, np.bool_), column_name)
        return None if scaled.bad[0] else int(scaled.values[0])
    for spelling in (text, f"{text}Z"):
        try:
            time = parse_time(spelling)
        except InvalidTimeError:
            continue
        return int(time) if abs(time) < _LATEST else None
    return None


def _mask(column: pa.Array) -> NDArray[np.bool_]:
    mask: NDArray[np.bool_] = column.to_numpy(zero_copy_only=False).astype(np.bool_)
    return mask


def _integers(column: pa.Array) -> NDArray[np.int64] | NDArray[np.uint64]:
    if pa.types.is_uint64(column.type):
        return _values(column, np.uint64)
    return _values(column, np.int64)


def _values(column: pa.Array, dtype: type[Scalar]) -> NDArray[Scalar]:
    return np.asarray(pc.fill_null(column, 0).to_numpy(zero_copy_only=False)).astype(dtype)
