"""Opening inputs: plain or compressed files and standard input, as one stream of octets.

Owns the file and its errors. What the octets mean is told by ``core.decode.format``.
"""

from __future__ import annotations

import io
import os
import stat
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol, cast

from venturi.adapters.edges import FILES_EDGE
from venturi.adapters.files.compression import MAGIC_LENGTH, Decompressed, OctetSource, detect_compression
from venturi.core.decode.format import DETECTION_LENGTH
from venturi.core.domain.drops import DropReason
from venturi.core.domain.errors import UnreadableFileError

if TYPE_CHECKING:
    from typing_extensions import Buffer

STANDARD_INPUT = "-"
"""The path that means standard input."""

_MOST_NESTED = 4


class _ReadableFile(Protocol):
    """What a file and standard input have in common."""

    def readinto(self, buffer: memoryview, /) -> int: ...
    def fileno(self) -> int: ...
    def close(self) -> None: ...


@FILES_EDGE.adapter
class InputStream(io.RawIOBase):
    """The decompressed octets of one input, read from its start to its end.

    ``name`` is what messages call it, ``head`` its first octets (up to ``DETECTION_LENGTH``, which reading gives again), ``plain_path``
    the path of a regular file that is not compressed, else None.
    """

    def __init__(self, name: str, file: _File, octets: _Lookahead, plain_path: Path | None) -> None:
        """Take what ``open_input`` has put together."""
        self.name = name
        self.head = octets.head
        self.plain_path = plain_path
        self._file = file
        self._octets = octets
        self._seekable: BinaryIO | None = None

    def seekable_file(self) -> BinaryIO | None:
        """Open a plain file a second time, for readers that jump about in it; None for any other input.

        It is closed with the stream.
        """
        if self.plain_path is not None and self._seekable is None:
            self._seekable = self.plain_path.open("rb")
        return self._seekable

    @property
    def position(self) -> int:
        """The octets read so far of the file itself, compressed as it may be."""
        return self._file.position

    @property
    def size(self) -> int | None:
        """The octets of the file itself; None if unknown (a pipe)."""
        return self._file.size

    @property
    def damage(self) -> DropReason | None:
        """Why the stream ended before all was decompressed (``BAD_COMPRESSION``, ``TRUNCATED_FILE``), None as long as it did not."""
        return self._octets.damage

    @property
    def head_damage(self) -> DropReason | None:
        """Why ``head`` is all that could be decompressed, None if it is not, or if the stream simply ends there."""
        return self._octets.head_damage

    def readable(self) -> bool:
        """Say yes: this is what a stream of input is for."""
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        """Fill the start of ``buffer``; give the number of octets, 0 only at the end. Raises ``UnreadableFileError``."""
        return self._octets.readinto(memoryview(buffer).cast("B"))

    def close(self) -> None:
        """Close the file, standard input excepted."""
        if not self.closed:
            self._file.close()
            if self._seekable is not None:
                self._seekable.close()
        super().close()


@FILES_EDGE.function
def open_input(path: str) -> InputStream:
    """Open a file, or standard input for ``-``, and undo its compression, told by content and nested up to four deep.

    Raises ``UnreadableFileError`` if it is missing, a directory or cannot be read.
    """
    with ExitStack() as undoing:
        file = _File(path)
        undoing.callback(file.close)
        octets = _Lookahead(file, MAGIC_LENGTH)
        nested = 0
        while nested < _MOST_NESTED and (compression := detect_compression(octets.head)):
            octets = _Lookahead(Decompressed(octets, compression), MAGIC_LENGTH)
            nested += 1
        plain_path = Path(path) if file.size is not None and not nested and path != STANDARD_INPUT else None
        stream = InputStream(file.name, file, _Lookahead(octets, DETECTION_LENGTH), plain_path)
        undoing.pop_all()
    return stream


class _File:
    """The file itself (an ``OctetSource``); ``position`` counts the octets read, ``size`` is None for what is no regular file."""

    damage: DropReason | None = None

    def __init__(self, path: str) -> None:
        self.name = "standard input" if path == STANDARD_INPUT else path
        self.position = 0
        self._owned = path != STANDARD_INPUT
        try:
            self._file: _ReadableFile = io.FileIO(path) if self._owned else _standard_input()
            with ExitStack() as undoing:
                undoing.callback(self.close)
                self.size = _regular_size(self._file)
                undoing.pop_all()
        except OSError as error:
            raise UnreadableFileError(_explain(self.name, error)) from error

    def readinto(self, buffer: memoryview) -> int:
        try:
            count = self._file.readinto(buffer)
        except OSError as error:
            raise UnreadableFileError(_explain(self.name, error)) from error
        self.position += count
        return count

    def close(self) -> None:
        if self._owned:
            self._file.close()


class _Lookahead:
    """A source whose first octets, ``head``, are known before it is read (an ``OctetSource``)."""

    def __init__(self, source: OctetSource, length: int) -> None:
        self._source = source
        room = memoryview(bytearray(length))
        count = 0
        while count < length and (more := source.readinto(room[count:])):
            count += more
        self.head = room[:count].tobytes()
        self.head_damage = source.damage if count < length else None
        self._unread = memoryview(self.head)

    @property
    def damage(self) -> DropReason | None:
        """The damage of the source, told only when all before it was read."""
        return None if self._unread else self._source.damage

    def readinto(self, buffer: memoryview) -> int:
        if not self._unread:
            return self._source.readinto(buffer)
        count = min(len(buffer), len(self._unread))
        buffer[:count] = self._unread[:count]
        self._unread = self._unread[count:]
        return count


def _standard_input() -> _ReadableFile:
    """Give standard input without its buffer, whose lock a thread that waits for input would hold at the interpreter's end."""
    return cast("_ReadableFile", getattr(sys.stdin.buffer, "raw", sys.stdin.buffer))


def _regular_size(file: _ReadableFile) -> int | None:
    try:
        described = os.fstat(file.fileno())
    except io.UnsupportedOperation:
        return None
    return described.st_size if stat.S_ISREG(described.st_mode) else None


def _explain(name: str, error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return f"{name}: there is no such file"
    if isinstance(error, IsADirectoryError):
        return f"{name}: this is a directory, not a file"
    if isinstance(error, PermissionError):
        return f"{name}: no permission to read the file"
    return f"{name}: the file cannot be read ({error.strerror or error})"
