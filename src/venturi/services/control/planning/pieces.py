"""Texts compressed once and sent many times: pieces of deflated text that any number of bodies share.

Owns the joining of pieces to one gzip stream (RFC 1951, RFC 1952), and their unpacking. What they say is not known here.
"""

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import islice

_RAW = -zlib.MAX_WBITS
_LEVEL = 4
_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_LAST_BLOCK = b"\x03\x00"
_POLYNOMIAL = 0xEDB88320
_BITS = 32
_MASK = 0xFFFF_FFFF


@dataclass(frozen=True)
class Piece:
    """A text as deflate blocks that end on an octet, none of them the last; its CRC-32 and its length in octets before."""

    deflated: bytes
    checksum: int
    length: int


def deflate(texts: Iterable[bytes]) -> Piece:
    """Compress ``texts``, one after the other, holding no more of them than one at a time."""
    compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, _RAW)
    parts, checksum, length = [], 0, 0
    for text in texts:
        parts.append(compressor.compress(text))
        checksum, length = zlib.crc32(text, checksum), length + len(text)
    parts.append(compressor.flush(zlib.Z_FULL_FLUSH))
    return Piece(b"".join(parts), checksum, length)


def gzip_stream(pieces: Sequence[Piece]) -> Iterator[bytes]:
    """Give the gzip stream of all ``pieces`` in order, without compressing anything again."""
    yield _HEADER
    checksum, length = 0, 0
    for piece in pieces:
        yield piece.deflated
        checksum, length = _join_checksums(checksum, piece.checksum, piece.length), length + piece.length
    yield _LAST_BLOCK + checksum.to_bytes(4, "little") + (length & _MASK).to_bytes(4, "little")


def plain_stream(pieces: Sequence[Piece], chunk: int = 1 << 16) -> Iterator[bytes]:
    """Give the texts of all ``pieces`` in order, at most ``chunk`` octets at a time."""
    for piece in pieces:
        inflater = zlib.decompressobj(_RAW)
        text = inflater.decompress(piece.deflated, chunk)
        while text:
            yield text
            text = inflater.decompress(inflater.unconsumed_tail, chunk)


def _join_checksums(first: int, second: int, second_length: int) -> int:
    """Give the CRC-32 of two texts one after the other: the first moved on by the zeros that stand for the second, and the second."""
    move = [_POLYNOMIAL, *(1 << bit for bit in range(_BITS - 1))]
    zeros = second_length * 8
    while zeros:
        if zeros & 1:
            first = _apply(move, first)
        move = [_apply(move, column) for column in move]
        zeros >>= 1
    return first ^ second


def _apply(columns: Sequence[int], vector: int) -> int:
    """Multiply a matrix over GF(2), given by its columns, with a vector of bits."""
    chosen = (column for bit, column in enumerate(islice(columns, vector.bit_length())) if vector >> bit & 1)
    return reduce(lambda total, column: total ^ column, chosen, 0)
