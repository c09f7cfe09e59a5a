"""The form of a dump: what every database's backup can be written as, and restored into any.

Owns the lines of it: JSON, compressed by Zstandard. A dump is of the whole store, or of the ledger alone. The first line names format,
version and schema; each table begins with a line naming it and its columns, followed by one array for each row; the last line counts the
rows, so that a cut shows.
"""

import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, BinaryIO, NamedTuple

import msgspec
import zstandard

from venturi.core.domain.errors import StoreError
from venturi.core.domain.progress import Progress

FORMAT = "venturi store"
LEDGER_FORMAT = "venturi ledger"
VERSION = 1
MAGIC = b"\x28\xb5\x2f\xfd"
"""How a dump begins: as every Zstandard frame does (RFC 8878 §3.1.1)."""

_ROWS_AT_ONCE = 2000


class Head(msgspec.Struct, frozen=True):
    """The first line: ``schema`` is the step of the migrations that the tables have."""

    format: str
    version: int
    schema: str


class Opening(msgspec.Struct, frozen=True, tag="table", tag_field="line"):
    """The line before the rows of a table."""

    table: str
    columns: list[str]


class Ending(msgspec.Struct, frozen=True, tag="end", tag_field="line"):
    """The last line: how many rows went before."""

    rows: int


class TableRows(NamedTuple):
    """Some rows of a table."""

    table: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]


def write_dump(stream: BinaryIO, schema: str, tables: Iterable[TableRows], form: str = FORMAT) -> int:
    """Write a dump; give the number of its rows."""
    count, table = 0, None
    encode = msgspec.json.encode
    with zstandard.ZstdCompressor(level=6).stream_writer(stream, closefd=False) as compressed:
        compressed.write(encode(Head(form, VERSION, schema)) + b"\n")
        for some in tables:
            if some.table != table:
                table = some.table
                compressed.write(encode(Opening(some.table, list(some.columns))) + b"\n")
            compressed.write(b"".join(encode(list(row)) + b"\n" for row in some.rows))
            count += len(some.rows)
        compressed.write(encode(Ending(count)) + b"\n")
    return count


def tell_rows(tables: Iterable[TableRows], progress: Progress, name: str) -> Iterator[TableRows]:
    """Give rows as they are, and tell ``progress`` how many have passed."""
    done = 0
    progress.begin(name, None)
    for some in tables:
        yield some
        done += len(some.rows)
        progress.update(done)


class DumpReader:
    """Reads a dump: its ``schema`` first, then the rows of its tables, in the order in which they can be restored."""

    def __init__(self, stream: BinaryIO, name: str, form: str = FORMAT) -> None:
        self._name = name
        self._lines = iter(io.BufferedReader(zstandard.ZstdDecompressor().stream_reader(stream)))
        head = self._decode(self._next_line(), Head)
        if head.format != form or head.version != VERSION:
            message = f"{name} is {head.format} {head.version}, which is not read here"
            raise StoreError(message)
        self.schema = head.schema

    def rows(self) -> Iterator[TableRows]:
        """Give the rows of all tables; raises ``StoreError`` if the dump is damaged or ends early."""
        opening: Opening | None = None
        waiting: list[Any] = []
        count = 0
        while True:
            line = self._next_line()
            if line.startswith(b"["):
                waiting.append(self._decode(line, list[Any]))
                count += 1
                if len(waiting) < _ROWS_AT_ONCE:
                    continue
            if waiting:
                yield self._gather(opening, waiting)
                waiting = []
            if not line.startswith(b"["):
                mark = self._decode(line, Opening | Ending)
                if isinstance(mark, Ending):
                    self._check_count(mark, count)
                    return
                opening = mark

    def _gather(self, opening: Opening | None, rows: list[Any]) -> TableRows:
        if opening is None or any(len(row) != len(opening.columns) for row in rows):
            raise self._damaged()
        return TableRows(opening.table, opening.columns, rows)

    def _check_count(self, ending: Ending, count: int) -> None:
        if ending.rows != count:
            raise self._damaged()

    def _next_line(self) -> bytes:
        try:
            return next(self._lines)
        except (StopIteration, zstandard.ZstdError) as error:
            raise self._damaged() from error

    def _decode(self, line: bytes, kind: Any) -> Any:  # noqa: ANN401 - a type, and a value of it
        try:
            return msgspec.json.decode(line, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise self._damaged() from error

    def _damaged(self) -> StoreError:
        message = f"{self._name} is damaged or ends early"
        return StoreError(message)
