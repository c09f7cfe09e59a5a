"""What the entries of some postings add to roll-ups: in SQL where an interval lies in one bin, else as records that are spread in Python.

Owns the statements, for the roller as for readers of what lies beyond the watermark, so that both sum alike. ``core.ledger.roll_ups`` is
the definition of right. Intervals that are held, and those that are in no roll-up (``LEDGER_LONG_INTERVALS``), are left out.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    Select,
    Subquery,
    Table,
    and_,
    bindparam,
    case,
    cast,
    exists,
    func,
    select,
    true,
)

from venturi.adapters.store.ledger.held import Decision
from venturi.adapters.store.schema.ledger_tables import (
    LEDGER_CORRECTIONS,
    LEDGER_GENERATIONS,
    LEDGER_HELD,
    LEDGER_INTERVALS,
    LEDGER_LABEL_VERSIONS,
    LEDGER_LONG_INTERVALS,
    LEDGER_OWNERS,
    LEDGER_POINT_VERSIONS,
    LEDGER_PROJECT_USAGE,
    LEDGER_TOTALS,
    LEDGER_USAGE,
)
from venturi.core.domain.coverage import Coverage
from venturi.core.ledger.bins import BIN, JITTER
from venturi.core.ledger.long_intervals import Counts, LongCoverage, LongRecord, spread_records
from venturi.core.ledger.roll_ups import PointCounts, held_coverage

USAGE_COUNTS = ("packets", "octets")
PROJECT_COUNTS = ("packets", "octets", "alone_packets", "alone_octets")
POINT_COUNTS = PointCounts._fields
COVERAGE_KEYS = ("start_at", "point_version", "place", "coverage", "reason", "segments")
COVERAGE_COUNTS = ("nanoseconds", "overlapping_nanoseconds")

_COUNTS = {LEDGER_USAGE: USAGE_COUNTS, LEDGER_PROJECT_USAGE: PROJECT_COUNTS, LEDGER_TOTALS: POINT_COUNTS}
_AT_ONCE = 5_000
_INTERVALS = LEDGER_INTERVALS.c
_POINTS = LEDGER_POINT_VERSIONS.c
_LONG = LEDGER_LONG_INTERVALS.c
_CORRECTIONS = LEDGER_CORRECTIONS.c
_OWNER_COLUMNS = LEDGER_OWNERS.c.id.label("owner"), LEDGER_OWNERS.c.shared
_PARTED = cast(LEDGER_GENERATIONS.c.parted, Integer).label("parted")


class Postings(NamedTuple):
    """The postings after the number ``after`` up to ``last``."""

    after: int
    last: int

    @property
    def parameters(self) -> Mapping[str, int]:
        """What statements about them are run with; they are built once for all postings."""
        return self._asdict()


Condition = Callable[[Any], ColumnElement[bool]]
"""Gives a condition on columns that are named ``point_version``, ``label_version``, ``owner``, ``shared`` and ``parted`` (0 or 1), as
far as there are such."""


def everything(_columns: object) -> ColumnElement[bool]:
    """Give the condition that is always true."""
    return true()


class Wanted(NamedTuple):
    """Which entries are summed, and ``by`` which of their columns; ``owners`` says that usage of labels is by ``owner`` and ``shared``."""

    by: Sequence[str]
    where: Condition = everything
    owners: bool = False


def counts_of(table: Table) -> Sequence[str]:
    """Name the counts of a table of entries, totals or usage."""
    return _COUNTS[table]


@cache
def sums_in_bins(table: Table, width: int, *, owners: bool = False) -> Subquery:
    """Give entries of totals or usage whose interval lies in one bin of ``width``, beside ``start_at``, the start of that.

    Usage of labels has ``parted``, and ``label_version`` or, if ``owners`` is set, ``owner`` and ``shared``; that of projects has
    ``owner``. To be run with the parameters of some postings.
    """
    placed, entries = _placed(width), table.c
    # The sum keeps databases from seeking the entries of each interval for itself, which is slow where a posting has many of both.
    of_interval = and_(entries.posting + 0 == placed.c.posting, entries.interval_ordinal == placed.c.ordinal)
    columns = [placed.c.start_at, placed.c.point_version, entries.direction, *(entries[name] for name in counts_of(table))]
    joined: Any = table.join(placed, of_interval)
    if table is LEDGER_USAGE:
        columns += [placed.c.parted, *(_OWNER_COLUMNS if owners else (entries.label_version,))]
        joined = _with_owner(joined) if owners else joined
    elif table is LEDGER_PROJECT_USAGE:
        columns.append(entries.owner)
    return select(*columns).select_from(joined).where(_have(entries.posting)).subquery("in_bins")


@cache
def coverage_in_bins(width: int) -> Subquery:
    """Give what intervals in one bin of ``width`` tell of coverage, in the columns of a roll-up without its resolution.

    To be run with the parameters of some postings.
    """
    placed = _placed(width)
    overlapping = case((placed.c.overlapping, placed.c.nanoseconds), else_=0).label("overlapping_nanoseconds")
    columns = [LEDGER_GENERATIONS.c.segments if name == "segments" else placed.c[name] for name in COVERAGE_KEYS]
    joined = placed.join(LEDGER_GENERATIONS, LEDGER_GENERATIONS.c.id == placed.c.generation)
    return select(*columns, placed.c.nanoseconds, overlapping).select_from(joined).subquery("told")


def read_spread(connection: Connection, table: Table, postings: Postings, width: int, wanted: Wanted) -> Iterator[LongRecord]:
    """Read entries of totals or usage whose interval lies in several bins of ``width``."""
    if connection.execute(_any_apart(width), postings.parameters).first() is None:
        return
    found = _entries_apart(table, width)
    asked = select(*(found.c[name] for name in ("begun_at", "ended_at", *wanted.by, *counts_of(table)))).where(wanted.where(found.c))
    first = 2 + len(wanted.by)
    with connection.execute(asked.execution_options(yield_per=_AT_ONCE), postings.parameters) as rows:
        for row in rows:
            yield LongRecord(row[0], row[1], tuple(row[2:first]), tuple(map(int, row[first:])))


@cache
def _any_apart(width: int) -> Select[Any]:
    return select(_placed(width, alone=False).c.posting).limit(1)


@cache
def _entries_apart(table: Table, width: int) -> Subquery:
    """Give entries whose interval lies in several bins, with its true bounds."""
    apart, entries = _placed(width, alone=False), table.c
    of_interval = and_(entries.posting + 0 == apart.c.posting, entries.interval_ordinal == apart.c.ordinal)
    joined: Any = table.join(apart, of_interval)
    columns = [entries.direction, apart.c.point_version, apart.c.begun_at, apart.c.ended_at, *(entries[name] for name in counts_of(table))]
    if table is LEDGER_USAGE:
        joined, columns = _with_owner(joined), [entries.label_version, apart.c.parted, *_OWNER_COLUMNS, *columns]
    elif table is LEDGER_PROJECT_USAGE:
        columns.append(entries.owner)
    return select(*columns).select_from(joined).where(_have(entries.posting)).subquery("spread")


def read_spread_coverage(connection: Connection, postings: Postings, width: int, where: Condition = everything) -> list[LongCoverage]:
    """Read what intervals in several bins of ``width`` tell of coverage."""
    apart = _placed(width, alone=False)
    columns = [apart.c[name] for name in ("begun_at", "ended_at", "point_version", "place", "coverage", "reason")]
    told = select(*columns, LEDGER_GENERATIONS.c.segments, apart.c.overlapping)
    joined = told.select_from(apart.join(LEDGER_GENERATIONS, LEDGER_GENERATIONS.c.id == apart.c.generation))
    rows = connection.execute(joined.where(where(apart.c)), postings.parameters).all()
    return [LongCoverage(*row[:4], Coverage(row[4]), row[5], row[6], bool(row[7])) for row in rows]


def read_held_time(connection: Connection, postings: Postings, where: Condition = everything) -> list[tuple[int, LongCoverage]]:
    """Read the time that becomes a gap by being held, with 1, and that which is one no more since it was decided about, with -1."""
    changes = []
    for decision, start, end, point, place in connection.execute(select(_held_time()).where(where(_held_time().c)), postings.parameters):
        told = LongCoverage(start, end, *held_coverage(point, place))
        changes.append((1 if decision == Decision.HELD.value else -1, told))
    return changes


@cache
def _held_time() -> Subquery:
    original = LEDGER_HELD.alias("original")
    held = LEDGER_HELD.c
    same = and_(original.c.held_posting == held.held_posting, original.c.held_ordinal == held.held_ordinal)
    interval = and_(_INTERVALS.posting == held.held_posting, _INTERVALS.ordinal == held.held_ordinal)
    gap = original.c.gap_version.label("point_version")
    joined = LEDGER_HELD.join(original, same).join(LEDGER_INTERVALS, interval)
    columns = held.decision, _INTERVALS.start_at, _INTERVALS.end_at, gap, _INTERVALS.place
    shown = original.c.decision == Decision.HELD.value, original.c.gap_version != 0
    return select(*columns).select_from(joined).where(_have(held.posting), *shown).subquery("shown")


def sum_corrections(
    connection: Connection, table: Table, postings: Postings, window: tuple[int, int], width: int, wanted: Wanted
) -> dict[tuple[int | str, ...], list[int]]:
    """Sum what corrections change in bins of ``width`` within a window, as ``spread_records`` sums records."""
    before, after = [], []
    for record, added in _read_corrections(connection, table, postings, wanted):
        before.append(record)
        after.append(record._replace(counts=tuple(map(sum, zip(record.counts, added, strict=True)))))
    sums = spread_records(after, window, width)
    for key, counts in spread_records(before, window, width).items():
        sums[key] = [then - now for then, now in zip(sums[key], counts, strict=True)]
    return sums


def _read_corrections(connection: Connection, table: Table, postings: Postings, wanted: Wanted) -> Iterator[tuple[LongRecord, Counts]]:
    """Give the entries that some postings correct, as they counted before each correction, and what that adds."""
    if connection.execute(_any_correction(), postings.parameters).first() is None:
        return
    names, found = counts_of(table), _corrected(table)
    rows = connection.execute(_sums_of_earlier(table), postings.parameters)
    earlier = {(row[0], row[1]): tuple(map(int, row[2:])) for row in rows}
    for row in connection.execute(select(found).where(wanted.where(found.c)), postings.parameters).mappings():
        counts = tuple(map(sum, zip((row[name] for name in names), earlier[row["posting"], row["ordinal"]], strict=True)))
        yield (
            LongRecord(row["start_at"], row["end_at"], tuple(row[name] for name in wanted.by), counts),
            tuple(row[f"added_{name}"] for name in names),
        )


@cache
def _any_correction() -> Select[Any]:
    return select(_CORRECTIONS.posting).where(_have(_CORRECTIONS.posting)).limit(1)


@cache
def _corrected(table: Table) -> Subquery:
    """Give the entries that some postings correct, beside what they add."""
    names, entries = counts_of(table), table.c
    corrected = and_(entries.posting == _CORRECTIONS.corrected_posting, entries.ordinal == _CORRECTIONS.corrected_ordinal)
    interval = and_(_INTERVALS.posting == entries.posting, _INTERVALS.ordinal == entries.interval_ordinal)
    columns: list[Any] = [_CORRECTIONS.posting, _CORRECTIONS.ordinal, _INTERVALS.start_at, _INTERVALS.end_at]
    columns += [_INTERVALS.point_version, entries.direction, *(entries[name] for name in names)]
    columns += [_CORRECTIONS[name].label(f"added_{name}") for name in names]
    joined: Any = LEDGER_CORRECTIONS.join(table, corrected).join(LEDGER_INTERVALS, interval)
    if table is LEDGER_USAGE:
        joined = _with_owner(joined).join(LEDGER_GENERATIONS, LEDGER_GENERATIONS.c.id == _INTERVALS.generation)
        columns += [entries.label_version, _PARTED, *_OWNER_COLUMNS]
    elif table is LEDGER_PROJECT_USAGE:
        columns.append(entries.owner)
    chosen = select(*columns).select_from(joined).where(_have(_CORRECTIONS.posting), ~_is_long())
    return chosen.order_by(_CORRECTIONS.posting, _CORRECTIONS.ordinal).subquery("corrected")


@cache
def _sums_of_earlier(table: Table) -> Select[Any]:
    """Sum what was corrected of each corrected entry before, by posting and ordinal of the correction."""
    before = LEDGER_CORRECTIONS.alias("before")
    same = and_(
        before.c.corrected_posting == _CORRECTIONS.corrected_posting,
        before.c.corrected_ordinal == _CORRECTIONS.corrected_ordinal,
        before.c.posting < _CORRECTIONS.posting,
    )
    key = _CORRECTIONS.posting, _CORRECTIONS.ordinal
    sums = [func.coalesce(func.sum(before.c[name]), 0) for name in counts_of(table)]
    joined = select(*key, *sums).select_from(LEDGER_CORRECTIONS.outerjoin(before, same))
    return joined.where(_have(_CORRECTIONS.posting)).group_by(*key)


def _have(posting: ColumnElement[int]) -> ColumnElement[bool]:
    """Give the condition that a posting is one of those that a statement is run for."""
    return and_(posting > bindparam("after", type_=BigInteger), posting <= bindparam("last", type_=BigInteger))


@cache
def _placed(width: int, *, alone: bool = True) -> CTE:
    """Give the intervals that lie in one bin of ``width``, or those that do not; ``begun_at`` and ``ended_at`` are their true bounds."""
    names = "posting", "ordinal", "point_version", "place", "generation", "coverage", "reason", "overlapping"
    columns = [_INTERVALS[name] for name in names]
    true_bounds = _INTERVALS.start_at.label("begun_at"), _INTERVALS.end_at.label("ended_at")
    snapped = _snap(_INTERVALS.start_at).label("snapped_start"), _snap(_INTERVALS.end_at).label("snapped_end")
    counting = select(*columns, _PARTED, *true_bounds, *snapped)
    counting = counting.join(LEDGER_POINT_VERSIONS, _POINTS.id == _INTERVALS.point_version)
    counting = counting.join(LEDGER_GENERATIONS, LEDGER_GENERATIONS.c.id == _INTERVALS.generation)
    there = counting.where(_have(_INTERVALS.posting), ~_POINTS.held, ~_is_long()).subquery("there")
    start, end = there.c.snapped_start, there.c.snapped_end
    within = _floor(start, width) == _floor(case((end > start, end - 1), else_=start), width)
    kept = [there.c[name] for name in (*names, "parted", "begun_at", "ended_at")]
    chosen = select(*kept, _floor(start, width).label("start_at"), (end - start).label("nanoseconds")).where(within if alone else ~within)
    return _materialized(chosen, "placed" if alone else "apart")


def _materialized(statement: Select[Any], name: str) -> CTE:
    """Give a part of a statement that is worked out once, where a database can be told so."""
    part = statement.cte(name)
    for dialect in ("postgresql", "sqlite"):
        part = part.prefix_with("MATERIALIZED", dialect=dialect)
    return part


def _is_long() -> ColumnElement[bool]:
    return exists().where(_LONG.posting == _INTERVALS.posting, _LONG.ordinal == _INTERVALS.ordinal)


def _with_owner(joined: Any) -> Any:  # noqa: ANN401 - a join
    labels, owners = LEDGER_LABEL_VERSIONS.c, LEDGER_OWNERS.c
    owned = and_(owners.project_id == labels.project_id, owners.shared == labels.shared)
    return joined.join(LEDGER_LABEL_VERSIONS, labels.id == LEDGER_USAGE.c.label_version).join(LEDGER_OWNERS, owned)


def _floor(time: ColumnElement[int], width: int) -> ColumnElement[int]:
    return time - time % width


def _snap(time: ColumnElement[int]) -> ColumnElement[int]:
    """Give the expression of ``core.ledger.bins.snap``."""
    border = _floor(time + BIN // 2, BIN)
    return case((func.abs(time - border) <= JITTER, border), else_=time)
