"""Files of flow records as streams of Arrow record batches: Parquet, Arrow file and stream, and CSV.

Owns the formats. What the columns mean belongs to ``flow_records_mapping``, their values to ``flow_records_columns``.
"""

import csv
import io
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.ipc as pa_ipc
import pyarrow.parquet as pq

from venturi.adapters.files.flow_records_columns import is_text
from venturi.adapters.files.flow_records_text import fit_columns
from venturi.core.decode.format import InputFormat
from venturi.core.domain.errors import ColumnMappingError, UnknownFormatError

ROWS_PER_BATCH = 65_536
"""The most rows that are handled at a time."""

_HEADER_OCTETS = 1 << 16
_CSV_BLOCK_OCTETS = 4 << 20
_SPOOL_OCTETS = 32 << 20
_DELIMITERS = ",;\t|"
_TRAILERS = ("Summary", "No matching flows")
_TO_ASCII = bytes(range(128)) + b"?" * 128


class RecordSource:
    """An open file of flow records; ``columns`` names its columns, ``batches`` gives their rows.

    ``refused_rows`` counts the lines of a CSV file that have too few or too many fields, ``first_refused`` is the row
    (from 1) of the first, and ``broken`` says, after the last batch, whether the file broke off.
    """

    def __init__(self, stream: BinaryIO, kind: InputFormat, name: str) -> None:
        """Open ``stream``, called ``name``; raises ``UnknownFormatError`` if it is not of the columnar format ``kind``."""
        self.refused_rows = 0
        self.first_refused = 0
        self.broken = False
        self._name = name
        self._in_trailer = False
        self._iterate: Callable[[list[str]], Iterator[pa.RecordBatch]]
        openers: dict[InputFormat, Callable[[BinaryIO], Sequence[str]]] = {
            InputFormat.PARQUET: self._open_parquet,
            InputFormat.ARROW_FILE: self._open_arrow_file,
            InputFormat.ARROW_STREAM: self._open_arrow_stream,
            InputFormat.CSV: self._open_csv,
        }
        try:
            self.columns = openers[kind](stream)
        except (pa.ArrowException, OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
            message = f"{name}: not a readable {kind} file: {_one_line(error)}"
            raise UnknownFormatError(message) from error
        twice = next((column for column in self.columns if self.columns.count(column) > 1), None)
        if twice is not None:
            message = f"{name}: column '{twice}' is there twice"
            raise ColumnMappingError(message)

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Give the rows, with ``columns`` only, in batches of at most ``ROWS_PER_BATCH``; stops where the file is damaged."""
        iterator = self._iterate(list(dict.fromkeys(columns)))
        while True:
            try:
                batch = next(iterator)
            except StopIteration:
                return
            except (pa.ArrowException, OSError, EOFError, UnicodeDecodeError):
                self.broken = True
                return
            for start in range(0, batch.num_rows, ROWS_PER_BATCH):
                yield batch.slice(start, ROWS_PER_BATCH)

    def _open_parquet(self, stream: BinaryIO) -> list[str]:
        """Open a Parquet file; texts come as dictionaries, as they lie there, so that a long one repeated takes its room once."""
        source = _seekable(stream)
        metadata = pq.read_metadata(source)
        texts = [field.name for field in metadata.schema.to_arrow_schema() if is_text(field.type)]
        parquet = pq.ParquetFile(source, metadata=metadata, read_dictionary=texts)
        self._iterate = lambda columns: map(fit_columns, parquet.iter_batches(batch_size=ROWS_PER_BATCH, columns=columns))
        return list(parquet.schema_arrow.names)

    def _open_arrow_file(self, stream: BinaryIO) -> list[str]:
        reader = pa_ipc.open_file(_seekable(stream))
        batches = (reader.get_batch(number) for number in range(reader.num_record_batches))
        self._iterate = lambda columns: (fit_columns(batch.select(columns)) for batch in batches)
        return list(reader.schema.names)

    def _open_arrow_stream(self, stream: BinaryIO) -> list[str]:
        reader = pa_ipc.open_stream(stream)
        self._iterate = lambda columns: (fit_columns(batch.select(columns)) for batch in reader)
        return list(reader.schema.names)

    def _open_csv(self, stream: BinaryIO) -> list[str]:
        head, line = _read_header(stream)
        names = _split_header(line)
        self._iterate = lambda columns: self._iterate_csv(_AsciiStream(head, stream), names, chr(_delimiter(line)), columns)
        return names

    def _iterate_csv(self, stream: io.RawIOBase, names: list[str], delimiter: str, columns: list[str]) -> Iterator[pa.RecordBatch]:
        reader = pa_csv.open_csv(
            stream,
            read_options=pa_csv.ReadOptions(use_threads=False, block_size=_CSV_BLOCK_OCTETS, column_names=names),
            parse_options=pa_csv.ParseOptions(delimiter=delimiter, invalid_row_handler=self._refuse_row),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(columns, pa.string()),
                include_columns=columns,
                strings_can_be_null=True,
                null_values=[""],
            ),
        )
        yield from reader

    def _refuse_row(self, row: pa_csv.InvalidRow) -> str:
        self._in_trailer = self._in_trailer or row.text.startswith(_TRAILERS)
        if not self._in_trailer:
            self.refused_rows += 1
            self.first_refused = self.first_refused or row.number or 0
        return "skip"


class _AsciiStream(io.RawIOBase):
    """A stream of which the beginning was read already, with a question mark for each octet that is not ASCII.

    No value that is metered holds such an octet, and the CSV reader stops at what is not UTF-8.
    """

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        super().__init__()
        self._head = head
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # any writable buffer
        part = self._head[: len(buffer)] or self._stream.read(len(buffer))
        self._head = self._head[len(buffer) :]
        buffer[: len(part)] = part.translate(_TO_ASCII)
        return len(part)


def _read_header(stream: BinaryIO) -> tuple[bytes, bytes]:
    """Read up to the end of the first line that is not blank; give what was read after that line, and the line."""
    head = b""
    while len(head) < _HEADER_OCTETS:
        part = stream.read(_HEADER_OCTETS - len(head))
        head += part
        if not part or b"\n" in head.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n"):
            break
    line, _, rest = head.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n").partition(b"\n")
    return rest, line.rstrip(b"\r")


def _delimiter(line: bytes) -> int:
    return max(_DELIMITERS.encode(), key=line.count)


def _split_header(line: bytes) -> list[str]:
    text = line.decode("utf-8", errors="replace")
    return [name.strip() for name in next(csv.reader([text], delimiter=chr(_delimiter(line))), [])]


def _seekable(stream: BinaryIO) -> BinaryIO:
    """Give a stream in which the reader can go to the end first; what comes through a pipe waits in a temporary file."""
    if stream.seekable():
        return stream
    spooled = tempfile.SpooledTemporaryFile(max_size=_SPOOL_OCTETS)  # noqa: SIM115 - closed with the reader
    shutil.copyfileobj(stream, spooled)
    spooled.seek(0)
    return spooled  # type: ignore[return-value]  # a binary file in all but its declared type


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
