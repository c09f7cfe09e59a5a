"""Measuring a batch before it is decoded: how many labels, points and rows it has, by walking over its MessagePack.

Owns the bounds and the walk, which makes nothing of what it passes and ends where a bound is exceeded. What is malformed or of another
form ends the walk too: the decoder refuses it at that place. Source: the MessagePack specification, formats by first octet.
"""

from dataclasses import dataclass

from venturi.core.domain.errors import BatchTooLargeError

_FEW = 1_000
"""So many labels or points may stand in a batch without being named."""

_VALUES_EACH = 12
"""How many values a label, a point, a total or a row of usage may hold, with itself; a total has twelve."""

_VALUES_OF_FORM = 64
"""How many values an envelope, or an interval without its lists, may hold besides those that are known."""

_DIRECTIONS = 3

_LONGEST_HEAD = 5
"""The most octets that tell how long a list is."""


@dataclass(frozen=True, kw_only=True)
class BatchBounds:
    """How large a batch may be.

    ``octets`` bounds the envelope, decompressed. ``rows`` bounds intervals, totals and rows of usage, of labels and projects, together, but
    for a batch of one interval, which may have a row of usage for each label and direction, and as many of projects; ``labels`` bounds
    labels. An agent seals at most 50,000 rows.
    """

    octets: int = 32 * 1024 * 1024
    rows: int = 50_000
    labels: int = 100_000


def check_envelope_size(content: bytes | bytearray) -> None:
    """Refuse an envelope that holds much besides its payload with ``BatchTooLargeError``."""
    walk = _Walk(content, "envelope")
    try:
        walk.skip(1, _VALUES_OF_FORM)
    except (_OtherFormError, IndexError):
        return


def check_batch_size(payload: bytes, bounds: BatchBounds) -> None:
    """Refuse a payload that is beyond bounds with ``BatchTooLargeError``, before anything is made of it."""
    try:
        _Measure(_Walk(payload, "payload"), bounds).measure()
    except (_OtherFormError, IndexError):
        return


class _OtherFormError(Exception):
    """What comes is malformed or of another form, which the decoder will find too."""


class _Measure:
    """The counts of one payload so far."""

    def __init__(self, walk: "_Walk", bounds: BatchBounds) -> None:
        self._walk = walk
        self._bounds = bounds
        self._labels = self._points = self._intervals = self._rows = self._usage = 0

    def measure(self) -> None:
        for _ in range(self._walk.read_count(_MAPS)):
            key = self._walk.read_key()
            if key == b"labels":
                self._labels += self._skip_list("labels", self._bounds.labels - self._labels)
            elif key == b"points":
                self._points += self._skip_list("points", self._bounds.rows - self._points)
            elif key == b"intervals":
                self._measure_intervals()
            else:
                self._walk.skip(1, _VALUES_OF_FORM)
        self._require_named("labels", self._labels, self._usage, "rows of usage")
        self._require_named("points", self._points, self._intervals, "intervals")

    def _measure_intervals(self) -> None:
        count = self._walk.read_count(_ARRAYS)
        self._intervals += count
        self._add_rows(count)
        for _ in range(count):
            for _ in range(self._walk.read_count(_MAPS)):
                key = self._walk.read_key()
                if key in {b"usage", b"totals"}:
                    rows = self._skip_list(key.decode(), self._most_rows - self._rows)
                    self._usage += rows if key == b"usage" else 0
                    self._add_rows(rows)
                elif key == b"project_usage":
                    self._add_projects(self._walk.read_inner_count())
                else:
                    self._walk.skip(1, _VALUES_OF_FORM)

    @property
    def _most_rows(self) -> int:
        """How many rows the batch may have; one interval may have more than several."""
        most, of_one = self._bounds.rows, _DIRECTIONS * (self._bounds.labels + 1) + 1
        return max(most, of_one) if self._intervals == 1 else most

    def _add_rows(self, count: int) -> None:
        self._rows += count
        if self._rows > self._most_rows:
            message = f"intervals: with their totals and usage, a batch has at most {self._most_rows} rows"
            raise BatchTooLargeError(message)

    def _add_projects(self, count: int) -> None:
        """Count rows of projects: beside the rows of the only interval there may be as many, since each is of the labels of one."""
        most = self._most_rows
        if self._intervals != 1:
            self._add_rows(count)
        elif count > most:
            message = f"intervals[0].project_usage: it has more than {most} rows, the most that are taken"
            raise BatchTooLargeError(message)

    def _skip_list(self, name: str, most: int) -> int:
        count = self._walk.read_count(_ARRAYS)
        if count > most:
            if name not in {"labels", "points"}:
                self._add_rows(count)
            limit = self._bounds.labels if name == "labels" else self._bounds.rows
            message = f"{name}: the batch has more than {limit}, the most that are taken"
            raise BatchTooLargeError(message)
        self._walk.skip(count, _VALUES_EACH * count)
        return count

    @staticmethod
    def _require_named(name: str, count: int, naming: int, meaning: str) -> None:
        if count > max(naming, _FEW):
            message = f"{name}: there are {count}, but only {naming} {meaning} to name them"
            raise BatchTooLargeError(message)


class _Walk:
    """A place in MessagePack; ``IndexError`` if it ends early."""

    def __init__(self, content: bytes | bytearray, name: str) -> None:
        self._content = content
        self._name = name
        self._place = 0

    def read_count(self, forms: dict[int, int]) -> int:
        """Read the head of a list or of a map, and give how many values or pairs follow; ``forms`` has its first octets."""
        first = self._content[self._place]
        width = forms.get(first)
        if width is None:
            raise _OtherFormError
        self._place += 1
        if width == 0:
            return first & 0x0F
        return self._read_number(width)

    def read_inner_count(self) -> int:
        """Pass octets that hold a list in MessagePack, and give how many values that says it has; 0 for no octets."""
        start = self._place
        width, _ = _SIZED.get(self._content[start], (0, 0))
        self.skip(1, 1)
        inner = start + 1 + width
        head = self._content[inner : min(inner + _LONGEST_HEAD, self._place)]
        return _Walk(head, self._name).read_count(_ARRAYS) if head else 0

    def read_key(self) -> bytes:
        """Read a short text."""
        first = self._content[self._place]
        if not 0xA0 <= first < 0xC0:  # noqa: PLR2004 - the format fixstr
            self.skip(1, 1)
            return b""
        start = self._place + 1
        self._place = start + (first & 0x1F)
        return bytes(self._content[start : self._place])

    def skip(self, values: int, most: int) -> None:
        """Pass over values; raise ``BatchTooLargeError`` if, with what they hold, they are more than ``most``."""
        content, place, left = self._content, self._place, most
        while values:
            if not left:
                message = f"{self._name}: it holds more values than a batch does"
                raise BatchTooLargeError(message)
            values, left = values - 1, left - 1
            first = content[place]
            length = _LENGTHS[first]
            if length:
                place += length
                continue
            self._place = place
            values += self._enter(first)
            place = self._place
        self._place = place
        if place > len(content):
            raise _OtherFormError

    def _enter(self, first: int) -> int:
        """Pass a text or octets, or enter a list or map; give how many values it holds."""
        self._place += 1
        if first in _ARRAYS or first in _MAPS:
            forms, each = (_ARRAYS, 1) if first in _ARRAYS else (_MAPS, 2)
            width = forms[first]
            return each * (first & 0x0F if width == 0 else self._read_number(width))
        width, more = _SIZED.get(first, (0, 0))
        if not width:
            raise _OtherFormError
        length = self._read_number(width) + more
        self._place += length
        return 0

    def _read_number(self, width: int) -> int:
        number = int.from_bytes(self._content[self._place : self._place + width], "big")
        self._place += width
        return number


_ARRAYS = dict.fromkeys(range(0x90, 0xA0), 0) | {0xDC: 2, 0xDD: 4}
_MAPS = dict.fromkeys(range(0x80, 0x90), 0) | {0xDE: 2, 0xDF: 4}
"""The first octets of lists and maps, and in how many octets their number follows."""

_SIZED = {0xC4: (1, 0), 0xC5: (2, 0), 0xC6: (4, 0), 0xC7: (1, 1), 0xC8: (2, 1), 0xC9: (4, 1), 0xD9: (1, 0), 0xDA: (2, 0), 0xDB: (4, 0)}
"""The first octets of texts, octets and extensions: in how many octets their length follows, and what goes before their content."""

_LENGTHS = (
    [1] * 0x80  # small integers
    + [0] * 0x20  # short maps and lists
    + list(range(1, 0x21))  # short texts
    + [1, 0, 1, 1, 0, 0, 0, 0, 0, 0]  # nil, false, true, octets, extensions
    + [5, 9, 2, 3, 5, 9, 2, 3, 5, 9]  # floats and integers
    + [3, 4, 6, 10, 18]  # extensions of one length
    + [0] * 7  # texts, lists and maps
    + [1] * 0x20  # small negative integers
)
"""The octets that a value takes, by its first octet; 0 where its length or number follows."""
