"""Compression of answers while they are written, as readers ask for it (RFC 9110 §12.5.3).

Owns the choice and the streams.
"""

import zlib
from collections.abc import Callable, Generator

import zstandard

_ZSTD, _GZIP = "zstd", "gzip"
_ZSTD_LEVEL, _GZIP_LEVEL = 1, 1
"""The fastest levels: most of a report is the same words again and again."""

_GZIP_WINDOW = 31


def choose_encoding(accepted: str) -> str | None:
    """Choose the encoding of an answer by what ``Accept-Encoding`` says, zstd before gzip; None leaves it as it is."""
    weights = {}
    for part in accepted.lower().split(","):
        name, _, weight = part.partition(";")
        weights[name.strip()] = weight.replace(" ", "").removeprefix("q=").strip("0.") != "" or not weight
    return next((name for name in (_ZSTD, _GZIP) if weights.get(name)), None)


def encode(blocks: Generator[bytes, None, None], encoding: str) -> Generator[bytes, None, None]:
    """Compress blocks; some give nothing yet."""
    compress, finish = _ENCODERS[encoding]()
    try:
        for block in blocks:
            yield compress(block)
        yield finish()
    finally:
        blocks.close()


def _gzip() -> tuple[Callable[[bytes], bytes], Callable[[], bytes]]:
    stream = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP_WINDOW)
    return stream.compress, stream.flush


def _zstd() -> tuple[Callable[[bytes], bytes], Callable[[], bytes]]:
    stream = zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compressobj()
    return stream.compress, stream.flush


_ENCODERS = {_ZSTD: _zstd, _GZIP: _gzip}
