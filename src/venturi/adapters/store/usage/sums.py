"""Sums of roll-ups over spans of time, as rows of plain numbers.

Owns the statements, that sums are exact whatever their size (they are added up in integers that have no bound), and that the shares of
long intervals, which are in no roll-up, stand beside them: in rows of their own, which may have the key of another row.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, Table, and_, bindparam, false, func, or_, select, true
from sqlalchemy.exc import OperationalError

from venturi.adapters.store.ledger.long_intervals import read_long_coverage, read_long_records
from venturi.adapters.store.schema.ledger_tables import (
    LEDGER_COVERAGE_BINS,
    LEDGER_LABEL_BINS,
    LEDGER_LONG_INTERVALS,
    LEDGER_OWNER_BINS,
    LEDGER_OWNERS,
    LEDGER_POINT_BINS,
    LEDGER_TOTALS,
    LEDGER_USAGE,
)
from venturi.adapters.store.transaction import Transaction
from venturi.adapters.store.usage.versions import LabelVersion, PointVersion, read_label_versions, read_point_versions
from venturi.core.domain.interval import SECOND
from venturi.core.ledger.long_intervals import spread_coverage, spread_records

_HALF = 32
_LOW = (1 << _HALF) - 1
_SEEKS = 20_000
_SQLITE = "sqlite"
_OVERFLOW = "integer overflow"
_USAGE_COUNTS = ("packets", "octets")
_POINT_COUNTS = tuple(f"{part}{unit}" for part in ("", "unmatched_", "unattributed_") for unit in ("packets", "octets"))
_LONG_POINT = LEDGER_LONG_INTERVALS.c.point_version

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


class UsageTables:
    """The roll-ups that one transaction sees."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._embedded = transaction.connection.dialect.name == _SQLITE

    def label_versions(self) -> list[LabelVersion]:
        """Give the labels that sums name."""
        return read_label_versions(self._transaction.connection)

    def point_versions(self) -> list[PointVersion]:
        """Give the points that sums name."""
        return read_point_versions(self._transaction.connection)

    def usage(self, span: Span, step: int | None, by: Sequence[str], chosen: Iterable[Chosen]) -> Iterator[Row]:
        """Sum usage: rows of the start of a step, the columns ``by``, packets and octets.

        ``by`` names of ``label_version``, ``point_version`` and ``direction``; a ``step`` of None sums over the span, whose start is
        given. What two of ``chosen`` have in common is summed once.
        """
        table, some = LEDGER_LABEL_BINS, list(chosen)
        where = or_(*(_is_chosen(table, span, each) for each in some))
        label = LEDGER_USAGE.c.label_version
        long_ones = or_(*(and_(_is_one_of(label, each.labels), _is_one_of(_LONG_POINT, each.points)) for each in some))
        sums = self._sums(table, span, step, by, where, _USAGE_COUNTS)
        return chain(sums, self._long_sums(LEDGER_USAGE, span, step, by, long_ones))

    def usage_of_owners(self, span: Span, step: int | None, by: Sequence[str], chosen: Iterable[OwnersChosen]) -> Iterator[Row]:
        """Sum the usage of all labels of owners, as ``usage`` does but from few rows; ``by`` has ``owner`` for ``label_version``."""
        table, some = LEDGER_OWNER_BINS, list(chosen)
        where = or_(*(and_(_is_one_of(table.c.owner, owners), _is_one_of(table.c.point_version, points)) for owners, points in some))
        long_ones = or_(*(and_(_is_one_of(LEDGER_OWNERS.c.id, owners), _is_one_of(_LONG_POINT, points)) for owners, points in some))
        sums = self._sums(table, span, step, by, where, _USAGE_COUNTS)
        return chain(sums, self._long_sums(LEDGER_USAGE, span, step, by, long_ones))

    def totals(self, span: Span, step: int | None, by: Sequence[str], points: frozenset[int] | None) -> Iterator[Row]:
        """Sum what points counted: rows as ``usage`` gives them, with unmatched and unattributed packets and octets behind."""
        sums = self._sums(LEDGER_POINT_BINS, span, step, by, _is_one_of(LEDGER_POINT_BINS.c.point_version, points), _POINT_COUNTS)
        return chain(sums, self._long_sums(LEDGER_TOTALS, span, step, by, _is_one_of(_LONG_POINT, points)))

    def coverage(self, span: Span, points: frozenset[int]) -> Sequence[Row]:
        """Read coverage: rows of start, point version, place, state, reason, segments, nanoseconds and nanoseconds that overlap."""
        table = LEDGER_COVERAGE_BINS
        names = ("start_at", "point_version", "place", "coverage", "reason", "segments", "nanoseconds", "overlapping_nanoseconds")
        statement = _within(select(*(table.c[name] for name in names)), table, span)
        rows = self._fetch(statement.where(_is_one_of(table.c.point_version, points)))
        with self._transaction.fetching:
            told = read_long_coverage(self._transaction.connection, _is_one_of(_LONG_POINT, points), (span.start, span.end))
        return [*rows, *spread_coverage(told, (span.start, span.end), span.width)] if told else rows

    def _long_sums(self, table: Table, span: Span, step: int | None, by: Sequence[str], where: ColumnElement[bool]) -> Iterator[Row]:
        """Sum the shares of long intervals, as rows like those of ``_sums``."""
        counts = _USAGE_COUNTS if table is LEDGER_USAGE else _POINT_COUNTS
        window = span.start, span.end
        with self._transaction.fetching:
            records = read_long_records(self._transaction.connection, table, counts, by, where, window)
            sums = spread_records(records, window, step or 0)
        return ((*key, *summed) for key, summed in sums.items())

    def _sums(
        self, table: Table, span: Span, step: int | None, by: Sequence[str], where: ColumnElement[bool], counts: Sequence[str]
    ) -> Iterator[Row]:
        keys = [*([_step_start(table, span, step)] if step else []), *(table.c[name] for name in by)]
        statement = _within(select(*keys), table, span).where(where).group_by(*keys).order_by(*keys)
        start = () if step else (span.start,)
        first = len(keys)
        for row in self._sum(statement, [table.c[name] for name in counts]):
            if row[first] is not None:  # of nothing, without keys
                yield (*start, *row)

    def _sum(self, statement: Select[Any], counts: Sequence[ColumnElement[int]]) -> Iterator[Row]:
        """Add sums to a statement; SQLite, which sums in 64 bits and says so when they do not hold a sum, then sums in halves."""
        try:
            rows = self._fetch(statement.add_columns(*map(func.sum, counts)))
        except OperationalError as error:
            if _OVERFLOW not in str(error.orig):
                raise
            halves = [half for count in counts for half in (count.bitwise_rshift(_HALF), count.bitwise_and(_LOW))]
            return map(_join_halves(len(counts)), self._fetch(statement.add_columns(*map(func.sum, halves))))
        return iter(rows) if self._embedded else map(_as_integers(len(counts)), rows)

    def _fetch(self, statement: Select[Any]) -> Sequence[Row]:
        with self._transaction.fetching:
            return self._transaction.connection.execute(statement).all()


def _as_integers(count: int) -> Callable[[Row], Row]:
    """Give a function that makes integers of the last ``count`` values, which some databases give as decimals."""
    return lambda row: (*row[:-count], *(each if each is None else int(each) for each in row[-count:]))


def _join_halves(count: int) -> Callable[[Row], Row]:
    """Give a function that joins the last ``count`` pairs of high and low halves."""

    def join(row: Row) -> Row:
        halves = row[-2 * count :]
        return (*row[: -2 * count], *((halves[place] << _HALF) + halves[place + 1] for place in range(0, 2 * count, 2)))

    return join


def _within(statement: Select[Any], table: Table, span: Span) -> Select[Any]:
    return statement.where(table.c.resolution == span.width // SECOND, table.c.start_at >= span.start, table.c.start_at < span.end)


def _step_start(table: Table, span: Span, step: int) -> ColumnElement[int]:
    start: ColumnElement[int] = table.c.start_at
    return start if step == span.width else start - start % step


def _is_chosen(table: Table, span: Span, chosen: Chosen) -> ColumnElement[bool]:
    """Give the condition; few labels are sought in each bin, since the time comes first in the key."""
    condition = and_(_is_one_of(table.c.label_version, chosen.labels), _is_one_of(table.c.point_version, chosen.points))
    bins = range(span.start, span.end, span.width)
    if chosen.labels is None or len(bins) * len(chosen.labels) > _SEEKS:
        return condition
    return and_(_is_one_of(table.c.start_at, frozenset(bins)), condition)


def _is_one_of(column: ColumnElement[int], numbers: frozenset[int] | None) -> ColumnElement[bool]:
    if numbers is None:
        return true()
    if not numbers:
        return false()
    return column.in_(bindparam(None, sorted(numbers), expanding=True, literal_execute=True))
