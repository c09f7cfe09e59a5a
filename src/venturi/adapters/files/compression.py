"""Decompression of gzip, zstd and xz: streaming, within bounds, and as far as a damaged stream goes.

Owns the three formats and their members: several compressed files one after another are one. No file is opened here.
"""

import lzma
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import zstandard

from venturi.core.domain.drops import DropReason

MAGIC_LENGTH = 6
"""Octets that are enough to tell a compressed stream."""

_CHUNK = 64 << 10
_XZ_MEMORY = 160 << 20
_ZSTD_WINDOW = 128 << 20
_ZSTD_SKIPPABLE = tuple(bytes([0x50 + kind]) + bytes.fromhex("2a4d18") for kind in range(16))


class OctetSource(Protocol):
    """Where octets come from; ``damage`` is why they end early, once they did."""

    @property
    def damage(self) -> DropReason | None:
        """The reason, None as long as all is well."""
        ...

    def readinto(self, buffer: memoryview) -> int:
        """Fill the start of ``buffer``; give the number of octets, 0 only at the end."""
        ...


class _Member(Protocol):
    """One compressed stream of possibly several in a file."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, octets: bytes, /) -> bytes: ...


@dataclass(frozen=True)
class Compression:
    """A compression format; ``piece`` is how many octets may be handed over at once, which bounds what they can become.

    The highest ratios are 1:1032 for gzip, 1:32768 for zstd (a block of 4 octets that stands for 128 KiB) and about 1:7000 for xz.
    """

    name: str
    piece: int
    make_member: Callable[[], _Member]


def _make_zstd_member() -> _Member:
    return zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).decompressobj()


def _make_xz_member() -> _Member:
    return lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)


def _make_gzip_member() -> _Member:
    return zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)


_GZIP = Compression("gzip", 16 << 10, _make_gzip_member)
_ZSTD = Compression("zstd", 2 << 10, _make_zstd_member)
_XZ = Compression("xz", 1 << 10, _make_xz_member)
_MAGIC_NUMBERS = {bytes.fromhex("1f8b08"): _GZIP, bytes.fromhex("28b52ffd"): _ZSTD, bytes.fromhex("fd377a585a00"): _XZ}


def detect_compression(first_octets: bytes) -> Compression | None:
    """Tell how a stream is compressed from its first ``MAGIC_LENGTH`` octets; None for not at all."""
    for magic_number, compression in _MAGIC_NUMBERS.items():
        if first_octets.startswith(magic_number):
            return compression
    return _ZSTD if first_octets.startswith(_ZSTD_SKIPPABLE) else None


class Decompressed:
    """The octets that a compressed source stands for (an ``OctetSource``). They end where the stream is damaged."""

    def __init__(self, source: OctetSource, compression: Compression) -> None:
        """Decompress ``source``, all of whose members are of one format."""
        self._source = source
        self._compression = compression
        self._own_damage: DropReason | None = None
        self._room = memoryview(bytearray(_CHUNK))
        self._unread = self._room[:0]
        self._pieces = self._decompress()
        self._ready = memoryview(b"")

    @property
    def damage(self) -> DropReason | None:
        """Why the octets ended early; what is wrong in the compressed stream goes before what is wrong around it."""
        return self._source.damage if self._own_damage is None else self._own_damage

    def readinto(self, buffer: memoryview) -> int:
        """Decompress into the start of ``buffer``; give the number of octets, 0 only at the end or at the damage."""
        while not self._ready:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._ready = memoryview(piece)
        count = min(len(buffer), len(self._ready))
        buffer[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    def _decompress(self) -> Iterator[bytes]:
        member: _Member | None = None
        octets = self._read_piece()
        while octets:
            if member is None:
                # Zeros may stand between members and behind the last
                octets = octets.lstrip(b"\0")
                member = self._compression.make_member() if octets else None
            if member is not None:
                piece, damaged = _decompress_piece(member, octets)
                yield piece
                if damaged:
                    self._own_damage = DropReason.BAD_COMPRESSION
                    return
            octets = b""
            if member is not None and member.eof:
                octets, member = member.unused_data, None
            octets = octets or self._read_piece()
        self._own_damage = DropReason.TRUNCATED_FILE if member else None

    def _read_piece(self) -> bytes:
        if not self._unread:
            self._unread = self._room[: self._source.readinto(self._room)]
        piece = self._unread[: self._compression.piece]
        self._unread = self._unread[len(piece) :]
        return piece.tobytes()


def _decompress_piece(member: _Member, octets: bytes) -> tuple[bytes, bool]:
    """Give what ``octets`` stand for and whether they are damaged.

    A gzip member can be copied, so there all that precedes the damage is given; from another the piece is lost.
    """
    copy: Callable[[], _Member] | None = getattr(member, "copy", None)
    before = copy() if copy else None
    try:
        return member.decompress(octets), False
    except (zlib.error, lzma.LZMAError, zstandard.ZstdError):
        return b"".join(_decompress_singly(before, octets) if before else ()), True


def _decompress_singly(member: _Member, octets: bytes) -> Iterator[bytes]:
    """Decompress octet by octet until the damaged one."""
    for place in range(len(octets)):
        try:
            yield member.decompress(octets[place : place + 1])
        except zlib.error:
            return
