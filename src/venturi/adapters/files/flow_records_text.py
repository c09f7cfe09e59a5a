"""Text columns made fit to be read: every text is UTF-8 and short, and of a type that all readers know.

Owns what becomes of a text that no field can be. What the texts say belongs to the other modules of flow records.
"""

import contextlib

import pyarrow as pa
import pyarrow.compute as pc

from venturi.adapters.files.flow_records_columns import plain_array

LONGEST_TEXT = 256
"""Octets of the longest text that is looked at: more than any address, number or time has."""

_SMALL_DICTIONARY = 1024
_NO_VALUE = "?"
_OCTETS = {pa.string(): pa.binary(), pa.large_string(): pa.large_binary(), pa.string_view(): pa.binary_view()}
_VIEWS = (pa.string_view(), pa.binary_view())


def fit_columns(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Give a batch whose columns are checked in full, since Arrow trusts the offsets and texts of a file.

    A text that is no UTF-8, or longer than ``LONGEST_TEXT``, is a question mark afterwards, which is no value of any field: it spoils
    its own row and no other. Raises ``pyarrow.ArrowInvalid`` for a column that contradicts itself.
    """
    return pa.RecordBatch.from_arrays([_fit(column) for column in batch.columns], names=batch.schema.names)


def _fit(column: pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_dictionary(kind) and (kind.value_type in _OCTETS or kind.value_type in _VIEWS):
        indices, dictionary = column.indices, column.dictionary
        if len(dictionary) > _SMALL_DICTIONARY:
            indices, dictionary = _used_of(indices, dictionary)
        return pa.DictionaryArray.from_arrays(indices, plain_array(_fit(dictionary)))
    if kind in _OCTETS:
        return _fit_texts(column)
    column.validate(full=True)
    return column.cast(pa.large_binary()) if kind in _VIEWS else column


def _used_of(indices: pa.Array, dictionary: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Leave out of a dictionary what no row refers to: a file may have one dictionary for many batches."""
    known = pc.unique(indices.drop_null())
    return pc.index_in(indices, known), dictionary.take(known)


def _fit_texts(column: pa.Array) -> pa.Array:
    """Check the texts of a column as octets first, which are valid whatever they spell."""
    octets = column.view(_OCTETS[column.type])
    octets.validate(full=True)
    if column.type in _VIEWS:
        octets = octets.cast(pa.large_binary())
    if (pc.max(pc.binary_length(octets)).as_py() or 0) <= LONGEST_TEXT:
        with contextlib.suppress(pa.ArrowInvalid):
            return octets.cast(pa.large_string() if pa.types.is_large_binary(octets.type) else pa.string())
    encoded = octets.dictionary_encode()
    lengths = pc.binary_length(encoded.dictionary)
    short = pc.if_else(pc.less_equal(lengths, LONGEST_TEXT), encoded.dictionary, b"\xff")
    texts = pa.array([_decode(text) for text in short.to_pylist()], pa.string())
    return pa.DictionaryArray.from_arrays(encoded.indices, texts)


def _decode(octets: bytes) -> str:
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return _NO_VALUE
