"""Addresses of Arrow columns into the address words of a flow batch.

Owns the types and spellings of addresses: text, 4 or 16 octets in network order, or an IPv4 address as a number, in digits too.
"""

import socket
from collections.abc import Callable, Sequence
from typing import NamedTuple, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from venturi.adapters.files.flow_records_columns import is_text, plain_array, read_numbers

_IPV4, _IPV6 = 4, 6
_IPV4_OCTETS, _IPV6_OCTETS = 4, 16
_MAPPED = 0xFFFF
_HIGHEST_IPV4 = 0xFFFF_FFFF
_NOTHING = bytes(17)
_BAD = b"\xff" + bytes(16)


class AddressColumn(NamedTuple):
    """Addresses as two uint64 words and a family (uint8), 0 where there is none; ``bad`` (bool) marks what is no address."""

    family: NDArray[np.uint8]
    high: NDArray[np.uint64]
    low: NDArray[np.uint64]
    bad: NDArray[np.bool_]

    def or_else(self, other: Self) -> Self:
        """Take the address of ``other`` where this one is missing, or is the unspecified address and the other is not."""
        unspecified = (self.high == 0) & (self.low == 0) & ~self.bad
        elsewhere = (self.family == 0) & ~self.bad | unspecified & ((other.high != 0) | (other.low != 0))
        return type(self)(
            np.where(elsewhere, other.family, self.family),
            np.where(elsewhere, other.high, self.high),
            np.where(elsewhere, other.low, self.low),
            np.where(elsewhere, other.bad, self.bad),
        )


def read_addresses(column: pa.Array) -> AddressColumn | None:
    """Read the addresses of a column; an IPv4 address mapped into IPv6 (RFC 4291 §2.5.5.2) is that IPv4 address.

    Every distinct text is read once. None for a column of another type.
    """
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if is_text(kind):
        return _read_distinct(column, _pack_text)
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return _read_distinct(column, _pack_octets)
    numbers = read_numbers(plain_array(column)) if pa.types.is_integer(kind) or pa.types.is_null(kind) else None
    if numbers is None:
        return None
    bad = numbers.out_of_range | (numbers.values > _HIGHEST_IPV4)
    usable = ~bad & ~numbers.missing
    low = np.where(usable, numbers.values, 0).astype(np.uint64)
    return AddressColumn(np.where(usable, _IPV4, 0).astype(np.uint8), np.zeros_like(low), low, bad)


def _read_distinct(column: pa.Array, pack: Callable[[str | bytes | None], bytes]) -> AddressColumn:
    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    packed = _unpack([pack(address) for address in [*encoded.dictionary.to_pylist(), None]])
    missing = len(encoded.dictionary)
    numbers = pc.fill_null(encoded.indices.cast(pa.int64()), missing).to_numpy(zero_copy_only=False)
    return AddressColumn(*(words[numbers] for words in packed))


def _pack_text(address: str | bytes | None) -> bytes:
    """Give a family and 16 octets; ``_NOTHING`` for no address and ``_BAD`` for what is none."""
    text = address.strip() if isinstance(address, str) else ""
    if not text:
        return _NOTHING
    try:
        if ":" in text:
            return b"\x06" + socket.inet_pton(socket.AF_INET6, text)
        octets = int(text).to_bytes(_IPV4_OCTETS) if text.isdecimal() else socket.inet_pton(socket.AF_INET, text)
        return b"\x04" + bytes(12) + octets
    except (OSError, ValueError, OverflowError):
        return _BAD


def _pack_octets(address: str | bytes | None) -> bytes:
    if not isinstance(address, bytes) or not address:
        return _NOTHING
    if len(address) == _IPV4_OCTETS:
        return b"\x04" + bytes(12) + address
    return b"\x06" + address if len(address) == _IPV6_OCTETS else _BAD


def _unpack(packed: Sequence[bytes]) -> AddressColumn:
    rows = np.frombuffer(b"".join(packed), dtype=[("family", "u1"), ("high", ">u8"), ("low", ">u8")])
    bad = rows["family"] == _BAD[0]
    high, low = rows["high"].astype(np.uint64), rows["low"].astype(np.uint64)
    mapped = (rows["family"] == _IPV6) & (high == 0) & (low >> np.uint64(32) == _MAPPED)
    low = np.where(mapped, low & np.uint64(_HIGHEST_IPV4), low)
    family = np.where(mapped, _IPV4, rows["family"])
    return AddressColumn(np.where(bad, 0, family).astype(np.uint8), high, low, bad)
