"""Sums of roll-ups over spans of time, as rows of plain numbers.

Owns the statements, that sums are exact whatever their size (they are added up in integers that have no bound), and that what is in no
roll-up stands beside them: the shares of long intervals, and the tail (``tail``). Both are rows of their own, which may have the key of
another row.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from types import MappingProxyType
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Table,
    and_,
    bindparam,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    true,
    type_coerce,
)

from venturi.adapters.store.engines.locations import POSTGRESQL
from venturi.adapters.store.ledger.long_intervals import read_long_coverage, read_long_records
from venturi.adapters.store.ledger.rolling.entries import (
    COVERAGE_COUNTS,
    COVERAGE_KEYS,
    POINT_COUNTS,
    USAGE_COUNTS,
    Postings,
    Wanted,
    counts_of,
)
from venturi.adapters.store.ledger.rolling.watermark import Beyond, read_beyond
from venturi.adapters.store.schema.ledger_tables import (
    LEDGER_COVERAGE_BINS,
    LEDGER_GENERATIONS,
    LEDGER_INTERVALS,
    LEDGER_LABEL_BINS,
    LEDGER_LONG_INTERVALS,
    LEDGER_OWNER_BINS,
    LEDGER_OWNERS,
    LEDGER_POINT_BINS,
    LEDGER_PROJECT_USAGE,
    LEDGER_TOTALS,
    LEDGER_USAGE,
    RESOLUTIONS,
)
from venturi.adapters.store.transaction import Transaction
from venturi.adapters.store.usage.exact_sums import ExactSums
from venturi.adapters.store.usage.tail import Tail
from venturi.adapters.store.usage.touched import Metered, Touched, read_metered, read_touched
from venturi.adapters.store.usage.versions import (
    ALL_LABELS,
    LabelOwner,
    LabelsAsked,
    LabelVersion,
    PointVersion,
    read_label_owners,
    read_label_versions,
    read_naming_state,
    read_point_versions,
)
from venturi.core.domain.coverage import Coverage
from venturi.core.domain.generation import Segments
from venturi.core.ledger.bins import BIN, DAY, HOUR
from venturi.core.ledger.long_intervals import spread_coverage, spread_records
from venturi.core.ledger.roll_ups import OwnerCounts

_SEEKS = 20_000
_LONG_POINT = LEDGER_LONG_INTERVALS.c.point_version
_VERSIONS = LEDGER_LABEL_BINS.c.label_version, LEDGER_LABEL_BINS.c.point_version

Row = tuple[Any, ...]
"""A row of a result."""


class Span(NamedTuple):
    """Bins of ``width`` from ``start`` to ``end``, borders of such bins, in nanoseconds since the UTC epoch."""

    width: int
    start: int
    end: int


class Chosen(NamedTuple):
    """What is summed: labels at points, both by their versions, None for all of them."""

    labels: frozenset[int] | None
    points: frozenset[int] | None


class OwnersChosen(NamedTuple):
    """What is summed: all labels of owners at points, both by their numbers, None for all of them."""

    owners: frozenset[int] | None
    points: frozenset[int] | None


class KnownRun(NamedTuple):
    """Bins that one device at a point knows whole: each from the one that begins at ``first`` to the one at ``last``."""

    point_version: int
    first: int
    last: int


class ToldCoverage(NamedTuple):
    """What is told of coverage: runs of bins that are known, and rows of all others.

    Rows are of start, point version, place, state, reason, segments, nanoseconds and nanoseconds that overlap.
    """

    runs: Sequence[KnownRun]
    rows: Sequence[Row]


class UsageTables:
    """The roll-ups that one transaction sees."""

    def __init__(self, transaction: Transaction, up_to: int | None = None) -> None:
        """See what the transaction does; with ``up_to``, as it was when that was the latest posting."""
        self._transaction = transaction
        self._connection = transaction.connection
        self._pinned = False
        self._exact = ExactSums(transaction)
        self._label_first = transaction.connection.dialect.name == POSTGRESQL
        self._up_to = up_to
        self._long_posted = true() if up_to is None else LEDGER_LONG_INTERVALS.c.posting <= up_to
        self._tail = Tail(transaction.connection, up_to)

    def label_versions(self, asked: LabelsAsked = ALL_LABELS) -> list[LabelVersion]:
        """Give the labels that sums name."""
        with self._transaction.fetching:
            return read_label_versions(self._transaction.connection, asked)

    def label_owners(self, asked: LabelsAsked) -> list[LabelOwner]:
        """Give the owners that sums name."""
        return read_label_owners(self._transaction.connection, asked)

    def naming_state(self) -> tuple[int, ...]:
        """Give numbers that change whenever labels or their owners do."""
        return read_naming_state(self._transaction.connection)

    def point_versions(self) -> list[PointVersion]:
        """Give the points that sums name."""
        return read_point_versions(self._transaction.connection, self._up_to)

    def usage(self, span: Span, step: int | None, by: Sequence[str], chosen: Iterable[Chosen]) -> Iterator[Row]:
        """Sum usage: rows of the start of a step, the columns ``by``, packets and octets.

        ``by`` names of ``label_version``, ``point_version`` and ``direction``; a ``step`` of None sums over the span, whose start is
        given. What two of ``chosen`` have in common is summed once.
        """
        some = list(chosen)

        def where(columns: Any) -> ColumnElement[bool]:  # noqa: ANN401 - columns by their names
            return or_(*(_is_chosen(columns.label_version, columns.point_version, each) for each in some))

        def seeking(bins: Span) -> ColumnElement[bool]:
            seeks = (true() if self._label_first else _seek(LEDGER_LABEL_BINS, bins, each) for each in some)
            return or_(*(and_(seek, _is_chosen(*_VERSIONS, each)) for seek, each in zip(seeks, some, strict=True)))

        label = LEDGER_USAGE.c.label_version
        long_ones = or_(*(_is_chosen(label, _LONG_POINT, each) for each in some))
        sums = self._sums(LEDGER_LABEL_BINS, span, step, by, seeking, USAGE_COUNTS)
        tail = self._tail_sums(LEDGER_USAGE, span, step, Wanted(by, where))
        return chain(sums, self._long_sums(LEDGER_USAGE, span, step, by, long_ones), tail)

    def usage_of_owners(self, span: Span, step: int | None, by: Sequence[str], chosen: Iterable[OwnersChosen]) -> Iterator[Row]:
        """Sum what owners used, as ``usage`` sums what labels counted; ``by`` has ``owner`` for ``label_version``.

        Rows end with ``OwnerCounts``.
        """
        some = list(chosen)

        def where(columns: Any) -> ColumnElement[bool]:  # noqa: ANN401 - columns by their names
            return or_(*(_is_chosen(columns.owner, columns.point_version, each) for each in some))

        def unparted(columns: Any) -> ColumnElement[bool]:  # noqa: ANN401 - columns by their names
            return and_(where(columns), or_(columns.parted == 0, columns.shared))

        sums = self._sums(LEDGER_OWNER_BINS, span, step, by, lambda _: where(LEDGER_OWNER_BINS.c), OwnerCounts._fields)
        told = or_(*(_is_chosen(LEDGER_PROJECT_USAGE.c.owner, _LONG_POINT, each) for each in some))
        added_up = or_(*(_is_chosen(LEDGER_OWNERS.c.id, _LONG_POINT, each) for each in some))
        added_up = and_(added_up, or_(~LEDGER_GENERATIONS.c.parted, LEDGER_OWNERS.c.shared))
        parted = chain(
            self._long_sums(LEDGER_PROJECT_USAGE, span, step, by, told),
            self._tail_sums(LEDGER_PROJECT_USAGE, span, step, Wanted(by, where)),
        )
        of_labels = chain(
            self._long_sums(LEDGER_USAGE, span, step, by, added_up),
            self._tail_sums(LEDGER_USAGE, span, step, Wanted(by, unparted, owners=True)),
        )
        return chain(sums, ((*row, 0, 0) for row in parted), ((*row, 0, 0, *row[-2:]) for row in of_labels))

    def totals(self, span: Span, step: int | None, by: Sequence[str], points: frozenset[int] | None) -> Iterator[Row]:
        """Sum what points counted: rows as ``usage`` gives them, with unmatched and unattributed packets and octets behind."""

        def where(columns: Any) -> ColumnElement[bool]:  # noqa: ANN401 - columns by their names
            return _is_one_of(columns.point_version, points)

        sums = self._sums(LEDGER_POINT_BINS, span, step, by, lambda _: where(LEDGER_POINT_BINS.c), POINT_COUNTS)
        long_ones = self._long_sums(LEDGER_TOTALS, span, step, by, _is_one_of(_LONG_POINT, points))
        return chain(sums, long_ones, self._tail_sums(LEDGER_TOTALS, span, step, Wanted(by, where)))

    def coverage(self, span: Span, points: frozenset[int]) -> ToldCoverage:
        """Read what is told of coverage.

        Bins that one device knows whole are nearly all; they are counted by the database, and only those with a hole among them are read.
        """
        self._pin_plans()
        table, columns = LEDGER_COVERAGE_BINS, LEDGER_COVERAGE_BINS.c
        names = *COVERAGE_KEYS, *COVERAGE_COUNTS
        window = span.start, span.end
        within = columns.resolution == RESOLUTIONS[span.width], columns.start_at >= span.start, columns.start_at < span.end
        chosen = *within, _is_one_of(columns.point_version, points)
        tail = list(self._tail_coverage(window, span.width, points))
        if tail and self._up_to is not None:
            rows = self._exact.fetch(select(*(table.c[name] for name in names)).where(*chosen))
            return ToldCoverage([], _sum_coverage(chain(rows, self._long_coverage(span, points), tail)))
        known = and_(columns.coverage == Coverage.COMPLETE.value, columns.segments == Segments.WIRE.value)
        whole = and_(known, columns.nanoseconds == span.width, columns.overlapping_nanoseconds == 0)
        device = columns.point_version, columns.place, columns.reason
        bounds = func.min(columns.start_at), func.max(columns.start_at), func.count()
        runs, holed = [], set()
        for version, _, _, first, last, count in self._exact.fetch(select(*device, *bounds).where(*chosen, whole).group_by(*device)):
            if (last - first) // span.width + 1 == count:
                runs.append(KnownRun(version, first, last))
            else:
                holed.add(version)
        others = or_(not_(whole), _is_one_of(columns.point_version, frozenset(holed)))
        rows = self._exact.fetch(select(*(table.c[name] for name in names)).where(*chosen, others))
        others_told = [*rows, *self._long_coverage(span, points), *tail]
        return ToldCoverage([run for run in runs if run.point_version not in holed], others_told)

    def _long_coverage(self, span: Span, points: frozenset[int]) -> Iterable[Row]:
        """Give what long intervals tell of coverage in the bins of a span."""
        chosen = and_(_is_one_of(_LONG_POINT, points), self._long_posted)
        with self._transaction.fetching:
            told = read_long_coverage(self._transaction.connection, chosen, (span.start, span.end))
        return spread_coverage(told, (span.start, span.end), span.width)

    def metered(self, points: frozenset[int], window: tuple[int, int]) -> Metered:
        """Read by what points, named by their versions, were metered in a window of time."""
        with self._transaction.fetching:
            return read_metered(self._connection, points, window, self._last)

    def intervals(self, points: frozenset[int], window: tuple[int, int]) -> Sequence[Row]:
        """List the intervals of points, named by their versions, that meet a window of time: posting, start and end."""
        columns = LEDGER_INTERVALS.c
        within = columns.end_at > window[0], columns.start_at < window[1], columns.posting <= self._last
        asked = select(columns.posting, columns.start_at, columns.end_at).where(_is_one_of(columns.point_version, points), *within)
        return self._exact.fetch(asked)

    def above(self, span: Span, points: frozenset[int], octets: int) -> Sequence[Row]:
        """List the bins in which more than so many octets passed points in one direction: start, point version, direction, octets.

        Where anything is to be added to roll-ups, all bins of the span are read; else the database chooses.
        """
        by = ("point_version", "direction")
        long_ones = self._long_sums(LEDGER_TOTALS, span, span.width, by, _is_one_of(_LONG_POINT, points))
        tail = self._tail_sums(LEDGER_TOTALS, span, span.width, Wanted(by, lambda columns: _is_one_of(columns.point_version, points)))
        if next(chain(long_ones, tail), None) is not None:
            sums: dict[Row, int] = {}
            for row in self.totals(span, span.width, by, points):
                sums[row[:3]] = sums.get(row[:3], 0) + int(row[4])
            return [(*key, found) for key, found in sorted(sums.items()) if found > octets]
        table, columns = LEDGER_POINT_BINS, LEDGER_POINT_BINS.c
        self._pin_plans()
        within = columns.resolution == RESOLUTIONS[span.width], columns.start_at >= span.start, columns.start_at < span.end
        asked = select(columns.start_at, columns.point_version, columns.direction, columns.octets).select_from(table)
        chosen = asked.where(*within, columns.octets > octets, _is_one_of(columns.point_version, points))
        return self._exact.fetch(chosen.order_by(columns.start_at, columns.point_version, columns.direction))

    def touched(self, after: int, window: tuple[int, int]) -> set[Touched]:
        """Find which postings after a number say something of a window of time, and at which points."""
        with self._transaction.fetching:
            return read_touched(self._connection, Postings(after, self._last), window)

    @property
    def _last(self) -> int:
        return self.beyond().postings.last if self._up_to is None else self._up_to

    def beyond(self) -> Beyond:
        """Tell what lies beyond the watermark; of it sums have a tail of at most ``MOST_TAIL`` entries."""
        return self._tail.beyond

    def next_postings(self, most: int, before: int | None) -> Postings:
        """Give the next postings to fold: of at most ``most`` entries together, but one at least, and posted ``before`` a time."""
        return read_beyond(self._connection, most, before).postings

    def _tail_coverage(self, window: tuple[int, int], width: int, points: frozenset[int]) -> Iterator[Row]:
        def sum_up(told: FromClause, parameters: Mapping[str, int]) -> Iterable[Row]:
            keys = [told.c[name] for name in COVERAGE_KEYS]
            within = told.c.start_at >= window[0], told.c.start_at < window[1], _is_one_of(told.c.point_version, points)
            return self._exact.sum(select(*keys).where(*within).group_by(*keys), [told.c[name] for name in COVERAGE_COUNTS], parameters)

        return self._tail.coverage(window, width, lambda columns: _is_one_of(columns.point_version, points), sum_up)

    def _tail_sums(self, table: Table, span: Span, step: int | None, wanted: Wanted) -> Iterator[Row]:
        """Sum what entries beyond the watermark add, as rows like those of ``_sums``."""

        def sum_up(entries: FromClause, parameters: Mapping[str, int]) -> Iterable[Row]:
            within = and_(entries.c.start_at >= span.start, entries.c.start_at < span.end, wanted.where(entries.c))
            return self._grouped(entries, span, (step, span.width), wanted.by, within, counts_of(table), parameters)

        return self._tail.sums(table, (span.start, span.end), (span.width, step or 0), wanted, sum_up)

    def _long_sums(self, table: Table, span: Span, step: int | None, by: Sequence[str], where: ColumnElement[bool]) -> Iterator[Row]:
        """Sum the shares of long intervals, as rows like those of ``_sums``."""
        counts = counts_of(table)
        window = span.start, span.end
        with self._transaction.fetching:
            chosen = and_(where, self._long_posted)
            records = read_long_records(self._connection, table, counts, by, chosen, window, corrected_until=self._up_to)
            sums = spread_records(records, window, step or 0)
        return ((*key, *summed) for key, summed in sums.items())

    def _sums(
        self,
        table: Table,
        span: Span,
        step: int | None,
        by: Sequence[str],
        where: Callable[[Span], ColumnElement[bool]],
        counts: Sequence[str],
    ) -> Iterable[Row]:
        self._pin_plans()
        found = []
        for part in self._parts(span):
            within = table.c.resolution == RESOLUTIONS[part.width], table.c.start_at >= part.start, table.c.start_at < part.end
            found.append(self._grouped(table, span, (step, part.width), by, and_(*within, where(part)), counts))
        return chain.from_iterable(found)

    def _parts(self, span: Span) -> Iterator[Span]:
        """Part a span where days and hours end that are closed: from there on their sums are not in the roll-ups, but finer ones are."""
        start, beyond = span.start, self._tail.beyond
        for width, until in ((DAY, beyond.days_until), (HOUR, beyond.closed_until), (BIN, span.end)):
            end = min(until, span.end)
            if width <= span.width and start < end:
                yield Span(width, start, end)
                start = end

    def _grouped(
        self,
        source: FromClause,
        span: Span,
        lengths: tuple[int | None, int],
        by: Sequence[str],
        where: ColumnElement[bool],
        counts: Sequence[str],
        parameters: Mapping[str, int] = MappingProxyType({}),
    ) -> Iterable[Row]:
        """Sum rows by steps and more; ``lengths`` are those of a step, None for the span, and of the bins that rows are of."""
        step, width = lengths
        keys = [*([_step_start(source, span, step, width)] if step else []), *(source.c[name] for name in by)]
        statement = select(*keys).select_from(source).where(where).group_by(*keys).order_by(*keys)
        rows = self._exact.sum(statement, [source.c[name] for name in counts], parameters)
        if step:
            return rows
        first = len(keys)
        return ((span.start, *row) for row in rows if row[first] is not None)  # of nothing, without keys

    def _pin_plans(self) -> None:
        """Have PostgreSQL seek bins by their time: it takes those of a resolution for spread over all time, and would read every bin."""
        if not self._pinned and self._connection.dialect.name == POSTGRESQL:
            self._connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        self._pinned = True


def _sum_coverage(rows: Iterable[Row]) -> list[Row]:
    """Sum rows of coverage that have the same key; of what was taken away whole there is none."""
    sums: dict[Row, list[int]] = {}
    count, taken = len(COVERAGE_COUNTS), set()
    for row in rows:
        key, counts = row[:-count], [int(each) for each in row[-count:]]
        if counts[0] < 0:
            taken.add(key)
        before = sums.setdefault(key, [0] * count)
        sums[key] = [one + other for one, other in zip(before, counts, strict=True)]
    return [(*key, *counts) for key, counts in sums.items() if key not in taken or any(counts)]


def _step_start(source: FromClause, span: Span, step: int, width: int) -> ColumnElement[int]:
    """Give when the step begins that a bin of ``width`` is in; a span begins with one."""
    start: ColumnElement[int] = source.c.start_at
    if step == width:
        return start
    since = start - literal(span.start, start.type) if span.start % step else start
    return type_coerce(start - since % literal(step, start.type), start.type)


def _seek(table: Table, span: Span, chosen: Chosen) -> ColumnElement[bool]:
    """Give the condition by which few labels are sought in each bin, where the time comes first in the key."""
    bins = range(span.start, span.end, span.width)
    if chosen.labels is None or len(bins) * len(chosen.labels) > _SEEKS:
        return true()
    return _is_one_of(table.c.start_at, frozenset(bins))


def _is_chosen(summed: ColumnElement[int], point: ColumnElement[int], chosen: Chosen | OwnersChosen) -> ColumnElement[bool]:
    return and_(_is_one_of(summed, chosen[0]), _is_one_of(point, chosen[1]))


def _is_one_of(column: ColumnElement[int], numbers: frozenset[int] | None) -> ColumnElement[bool]:
    if numbers is None:
        return true()
    if not numbers:
        return false()
    return column.in_(bindparam(None, sorted(numbers), type_=column.type, expanding=True, literal_execute=True))
