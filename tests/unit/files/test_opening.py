"""Inputs as streams: every compression, damaged and whole, and what cannot be opened."""

import gzip
import io
import lzma
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from venturi.adapters.files.opening import STANDARD_INPUT, open_input
from venturi.core.decode.format import DETECTION_LENGTH
from venturi.core.domain.drops import DropReason
from venturi.core.domain.errors import UnreadableFileError

CONTENT = os.urandom(1000) * 40 + os.urandom(300_000)
SKIPPABLE_FRAME = bytes.fromhex("502a4d1804000000") + b"skip"
Compress = Callable[[bytes], bytes]


def read(path: Path) -> tuple[bytes, DropReason | None]:
    """Read an input to its end."""
    with open_input(str(path)) as stream:
        return stream.read(), stream.damage


@pytest.mark.parametrize(
    "compressed",
    [
        pytest.param(CONTENT, id="plain"),
        pytest.param(gzip.compress(CONTENT), id="gzip"),
        pytest.param(zstandard.compress(CONTENT), id="zstd"),
        pytest.param(lzma.compress(CONTENT), id="xz"),
        pytest.param(gzip.compress(CONTENT[:99]) + gzip.compress(CONTENT[99:]), id="gzip-members"),
        pytest.param(gzip.compress(CONTENT) + bytes(512), id="gzip-padded"),
        pytest.param(zstandard.compress(CONTENT[:99]) + SKIPPABLE_FRAME + zstandard.compress(CONTENT[99:]), id="zstd-frames"),
        pytest.param(SKIPPABLE_FRAME + zstandard.compress(CONTENT), id="zstd-skippable-first"),
        pytest.param(lzma.compress(CONTENT[:99]) + bytes(4) + lzma.compress(CONTENT[99:]), id="xz-streams"),
        pytest.param(gzip.compress(lzma.compress(zstandard.compress(CONTENT))), id="nested"),
        pytest.param(
            b"".join(gzip.compress(CONTENT[place : place + 3]) for place in range(0, 999, 3)) + gzip.compress(CONTENT[999:]),
            id="gzip-many-members",
        ),
    ],
)
def test_all_octets_come_out(tmp_path: Path, compressed: bytes) -> None:
    path = tmp_path / "named.for.nothing"
    path.write_bytes(compressed)
    assert read(path) == (CONTENT, None)


COMPRESSIONS = [pytest.param(gzip.compress, id="gzip"), pytest.param(zstandard.compress, id="zstd"), pytest.param(lzma.compress, id="xz")]


@pytest.mark.parametrize("compress", COMPRESSIONS)
@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
def test_a_cut_stream_gives_what_precedes_the_cut(tmp_path: Path, compress: Compress, share: float) -> None:
    compressed = compress(CONTENT)
    path = tmp_path / "cut"
    path.write_bytes(compressed[: int(len(compressed) * share)])
    octets, damage = read(path)
    assert damage is DropReason.TRUNCATED_FILE
    assert CONTENT.startswith(octets)


@pytest.mark.parametrize("compress", COMPRESSIONS)
def test_what_follows_a_stream_and_is_none_is_damage(tmp_path: Path, compress: Compress) -> None:
    path = tmp_path / "trailing"
    path.write_bytes(compress(CONTENT) + b"something else that is no member")
    assert read(path) == (CONTENT, DropReason.BAD_COMPRESSION)


def test_gzip_gives_all_that_precedes_the_damage(tmp_path: Path) -> None:
    compressed = bytearray(gzip.compress(CONTENT))
    compressed[-8:-4] = b"\0\0\0\0"
    path = tmp_path / "damaged"
    path.write_bytes(compressed)
    assert read(path) == (CONTENT, DropReason.BAD_COMPRESSION)


def test_compression_nested_too_deep_stays(tmp_path: Path) -> None:
    content = b"deep"
    for _ in range(5):
        content = gzip.compress(content, mtime=0)
    path = tmp_path / "deep"
    path.write_bytes(content)
    assert read(path) == (gzip.compress(b"deep", mtime=0), None)


def test_a_stream_knows_its_head_its_place_and_its_size(tmp_path: Path) -> None:
    path = tmp_path / "plain"
    path.write_bytes(CONTENT)
    with open_input(str(path)) as stream:
        assert (stream.head, stream.position) == (CONTENT[:DETECTION_LENGTH], DETECTION_LENGTH)
        assert (stream.name, stream.size, stream.plain_path) == (str(path), len(CONTENT), path)
        assert stream.read() == CONTENT
        assert stream.position == len(CONTENT)


def test_a_compressed_file_is_placed_by_its_own_octets(tmp_path: Path) -> None:
    path = tmp_path / "compressed"
    path.write_bytes(gzip.compress(CONTENT))
    with open_input(str(path)) as stream:
        assert stream.plain_path is None
        assert len(stream.read()) > len(stream.head)
        assert stream.position == stream.size == path.stat().st_size


def test_standard_input_is_read_and_left_open(monkeypatch: pytest.MonkeyPatch) -> None:
    standard_input = io.TextIOWrapper(io.BytesIO(zstandard.compress(CONTENT)))
    monkeypatch.setattr(sys, "stdin", standard_input)
    with open_input(STANDARD_INPUT) as stream:
        assert (stream.name, stream.size, stream.plain_path) == ("standard input", None, None)
        assert stream.read() == CONTENT
    assert not standard_input.closed


def test_a_pipe_has_no_size() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"through a pipe")
    os.close(writing)
    try:
        with open_input(f"/dev/fd/{reading}") as stream:
            assert (stream.size, stream.plain_path, stream.read()) == (None, None, b"through a pipe")
    finally:
        os.close(reading)


def test_an_empty_file_is_an_empty_stream(tmp_path: Path) -> None:
    path = tmp_path / "empty"
    path.touch()
    assert read(path) == (b"", None)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        pytest.param("missing", "missing: there is no such file", id="missing"),
        pytest.param(".", "this is a directory, not a file", id="directory"),
    ],
)
def test_what_cannot_be_opened(tmp_path: Path, name: str, sentence: str) -> None:
    with pytest.raises(UnreadableFileError, match=sentence):
        open_input(str(tmp_path / name))
