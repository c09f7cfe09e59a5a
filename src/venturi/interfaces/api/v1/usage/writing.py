"""Reports of usage as JSON and CSV (RFC 4180), interval by interval.

Owns names and order of fields. What many rows have in common is spelled once; blocks are large enough that their number costs nothing.
"""

import csv
import io
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from functools import lru_cache, partial
from typing import Generic, TypeVar

import msgspec

from venturi.core.contracts.units import spell_exact
from venturi.core.domain.interval import format_time
from venturi.core.ledger.covering import Covering
from venturi.core.ledger.roll_ups import PointCounts
from venturi.interfaces.api.v1.usage.fields import (
    COVERAGE_FIELDS,
    FLAGS,
    Fields,
    beside_names,
    coverage_fields,
    field_names,
    group_fields,
)
from venturi.interfaces.render.resources.cells import spell_for_csv
from venturi.services.reports.coverage import PointTime
from venturi.services.reports.groups import Group, RowKind
from venturi.services.reports.request import Grouping, UsageRequest
from venturi.services.reports.rows import Beside, ReportInterval, ReportRows

LABEL_COUNTS = ("packets", "octets")
POINT_COUNTS = PointCounts._fields

_BLOCK = 1 << 16
_ROWS_AT_ONCE = 512
_REMEMBERED = 32_000
_PLAIN_JSON = msgspec.json.Encoder(decimal_format="number")
Spelling = TypeVar("Spelling")


def write_json(request: UsageRequest, intervals: Iterable[ReportInterval], counts: Sequence[str]) -> Generator[bytes, None, None]:
    """Write an object with the bounds and the list of ``intervals``, each with its coverage and the rows of its groups.

    Until when there are records stands last: it is that of the last interval that was read.
    """
    head: Fields = {"from": format_time(request.start), "to": format_time(request.end)}
    period = request.period
    head |= {"zone": request.calendar.name, "period": period and {"name": period.name, **spell_bounds(period.start, period.end)}}
    head |= {"resolution": request.resolution, "group_by": request.group_by}
    head |= {
        "boundaries": None if request.boundaries is None else sorted(request.boundaries),
        "directions_summed": Grouping.DIRECTION not in request.group_by and (request.directions is None or len(request.directions) > 1),
        "top": request.top and request.top.count,
        "order_by": request.top and request.top.order,
        "compared_with": request.compared and spell_bounds(*request.compared),
        "unit": request.rates and request.rates.unit,
        "percentile": request.rates and spell_exact(request.rates.rank * 100),
    }
    return _gather(_json_pieces(head, intervals, _JsonRows(field_names(request, counts), counts, beside_names(request))))


def write_csv(
    request: UsageRequest, intervals: Iterable[ReportInterval], counts: Sequence[str], *, raw: bool = False
) -> Generator[bytes, None, None]:
    """Write a header and a line for each row; an interval without rows that is not complete has a line without counts.

    An interval in which there was no point has none.

    A text is shown, never run, by a spreadsheet, unless ``raw``.
    """
    names, beside = field_names(request, counts), beside_names(request)
    heading = _csv_line(["interval_start", "interval_end", *names, *counts, *beside, *COVERAGE_FIELDS])
    return _gather(_csv_pieces(heading, intervals, _CsvRows(names, counts, beside, raw=raw)))


def spell_bounds(start: int, end: int) -> Fields:
    """Spell bounds as fields."""
    return {"start": format_time(start), "end": format_time(end)}


class _JsonRows:
    """Spells rows in JSON."""

    def __init__(self, names: Sequence[str], counts: Sequence[str], beside: Sequence[str]) -> None:
        cells = [*(f'"{name}":%{"s" if name in FLAGS else "d"}' for name in counts), *(f'"{name}":%s' for name in beside)]
        self._row = b"{%s" + ",".join(cells).encode() + b",%s}"
        flags = [name in FLAGS for name in counts]
        self._groups = _Remembered(partial(_spell_json, names), flags, (b"false", b"true"), (beside, _PLAIN_JSON.encode))

    def interval(self, interval: ReportInterval) -> Iterator[bytes]:
        """Spell an interval with its rows, some at a time."""
        bounds = _spell_time(interval.start).encode(), _spell_time(interval.end).encode()
        coverage = _json_coverage(interval.coverage, interval.time)
        before = b'{"start":"%s","end":"%s",%s,"observation_points":%d,"usage":[' % (*bounds, coverage, interval.observation_points)
        for cells in self._groups.cells(interval.rows, _json_coverage):
            yield before + b",".join([self._row % each for each in cells])
            before = b","
        yield b"]}" if interval.rows else before + b"]}"


class _CsvRows:
    """Spells rows in CSV."""

    def __init__(self, names: Sequence[str], counts: Sequence[str], beside: Sequence[str], *, raw: bool) -> None:
        self._nothing = "," * (len(names) + len(counts) + len(beside))
        self._row = "%s" + "".join(",%s" if name in FLAGS else ",%d" for name in counts) + ",%s" * len(beside) + "%s"
        flags = [name in FLAGS for name in counts]
        self._groups = _Remembered(partial(_spell_csv, names, raw=raw), flags, ("false", "true"), (beside, _spell_plain))

    def interval(self, interval: ReportInterval) -> Iterator[bytes]:
        """Spell the rows of an interval, some at a time."""
        bounds = f"{_spell_time(interval.start)},{_spell_time(interval.end)}"
        for cells in self._groups.cells(interval.rows, _csv_coverage):
            yield "".join([bounds + self._row % each for each in cells]).encode()
        if not interval.rows and interval.coverage.worst and interval.observation_points:
            yield (bounds + self._nothing + _csv_coverage(interval.coverage, interval.time)).encode()


class _Remembered(Generic[Spelling]):
    """Remembers how groups are spelled; ``spell`` must not refer to who holds this, lest both outlive their use.

    ``flags`` tells which counts are spelled as ``words``, ``beside`` what stands beside them and how that is spelled.
    """

    def __init__(
        self,
        spell: Callable[[Group], Spelling],
        flags: Sequence[bool],
        words: tuple[Spelling, Spelling],
        beside: tuple[Sequence[str], Callable[[Beside], Spelling]],
    ) -> None:
        self._spell = spell
        self._beside = beside
        self._flags = flags
        self._words = words
        self._groups: Sequence[Group] = ()
        self._known: dict[int, Spelling] = {}

    def cells(
        self, rows: ReportRows, spell_coverage: Callable[[Covering, PointTime], Spelling]
    ) -> Iterator[Iterator[tuple[Spelling | int, ...]]]:
        """Give the cells of rows, some rows at a time: the group, the counts, what stands beside them, the coverage."""
        told = {scope: spell_coverage(*each) for scope, each in rows.told.items()}
        if self._groups is not rows.groups:
            self._groups = rows.groups
            self._known.clear()
        for place in range(0, len(rows), _ROWS_AT_ONCE):
            some = slice(place, place + _ROWS_AT_ONCE)
            numbers = rows.numbers[some]
            groups = self._spell_all(numbers)
            coverage = map(told.__getitem__, map(rows.scope_of.__getitem__, numbers))
            names, spell_beside = self._beside
            beside = [map(spell_beside, rows.beside[name][some]) for name in names]
            yield zip(groups, *self._spell_counts(rows.counts, some), *beside, coverage, strict=True)

    def _spell_counts(self, counts: Sequence[Sequence[int]], some: slice) -> Iterator[Iterable[Spelling | int]]:
        for column, flag in zip(counts, self._flags, strict=True):
            yield map(self._words.__getitem__, column[some]) if flag else column[some]

    def _spell_all(self, numbers: Sequence[int]) -> list[Spelling]:
        if len(self._known) > _REMEMBERED:
            self._known.clear()
        known, groups = self._known, self._groups
        for number in numbers:
            if number not in known:
                known[number] = self._spell(groups[number])
        return list(map(known.__getitem__, numbers))


def _spell_json(names: Sequence[str], group: Group) -> bytes:
    fields = group_fields(group)
    whole = group.kind is RowKind.GROUP
    members = _members({name: fields[name] for name in names if whole or fields[name] is not None})
    return members + b"," if members else b""


def _spell_csv(names: Sequence[str], group: Group, *, raw: bool) -> str:
    fields = group_fields(group)
    line = _csv_line([spell_for_csv(fields[name], raw=raw) for name in names])
    return f",{line}".rstrip("\r\n") if names else ""


def _spell_plain(value: Beside) -> str:
    return "" if value is None else str(value)


def _json_pieces(head: Fields, intervals: Iterable[ReportInterval], rows: _JsonRows) -> Iterator[bytes]:
    yield b'{%s,"intervals":[' % _members(head)
    separator = b""
    known_until, read_at, rolled_until = None, 0, None
    for interval in intervals:
        yield separator
        yield from rows.interval(interval)
        separator, known_until, read_at = b",", interval.known_until, interval.read_at
        rolled_until = rolled_until or interval.rolled_until
    known: Fields = {"known_until": known_until and format_time(known_until), "read_at": format_time(read_at)}
    yield b"],%s}" % _members(known | {"rolled_until": rolled_until and format_time(rolled_until)})


def _csv_pieces(heading: str, intervals: Iterable[ReportInterval], rows: _CsvRows) -> Iterator[bytes]:
    yield heading.encode()
    for interval in intervals:
        yield from rows.interval(interval)


def _gather(pieces: Iterable[bytes]) -> Generator[bytes, None, None]:
    """Join small pieces to blocks."""
    block: list[bytes] = []
    size = 0
    for piece in pieces:
        block.append(piece)
        size += len(piece)
        if size >= _BLOCK:
            yield b"".join(block)
            block, size = [], 0
    yield b"".join(block)


def _members(fields: Fields) -> bytes:
    return msgspec.json.encode(fields)[1:-1]


_spell_time = lru_cache(maxsize=1024)(format_time)


@lru_cache(maxsize=1024)
def _json_coverage(covering: Covering, time: PointTime) -> bytes:
    return _members(coverage_fields(covering, time))


@lru_cache(maxsize=1024)
def _csv_coverage(covering: Covering, time: PointTime) -> str:
    fields = coverage_fields(covering, time) | {"reasons": " ".join(covering.reason_names)}
    return "," + _csv_line([fields[name] for name in COVERAGE_FIELDS])


def _csv_line(cells: Sequence[object]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()
