"""Filling an empty database with a made ledger: names, roll-ups, entries with their seals, and the watermark, in one transaction.

Owns the order, and which rows there are. What they count is for ``shape``.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection, Table, update

from bench.ledger.making.loading import Columns, keys_made_last, load, rows_of
from bench.ledger.making.shape import DIRECTIONS, OCTETS, READING, UNMATCHED, LedgerShape, Numbers
from venturi.adapters.store.ledger.bulk import insert_rows
from venturi.adapters.store.ledger.postings import sealed_columns, sealed_kinds
from venturi.adapters.store.schema.ledger_tables import (
    LEDGER_COVERAGE_BINS,
    LEDGER_GENERATIONS,
    LEDGER_INTERVALS,
    LEDGER_LABEL_BINS,
    LEDGER_LABEL_VERSIONS,
    LEDGER_OWNER_BINS,
    LEDGER_OWNERS,
    LEDGER_PLACES,
    LEDGER_POINT_BINS,
    LEDGER_POINT_VERSIONS,
    LEDGER_POSTINGS,
    LEDGER_ROLLER,
    LEDGER_SPOOLS,
    LEDGER_STATE,
    LEDGER_TOTALS,
    LEDGER_USAGE,
    RESOLUTIONS,
)
from venturi.core.domain.coverage import Coverage
from venturi.core.domain.generation import Segments
from venturi.core.ledger.bins import BIN, DAY, HOUR
from venturi.core.ledger.chain import FIRST_PREVIOUS, chain_digest
from venturi.core.ledger.seal import seal
from venturi.services.ledger.posting import BATCH

AGENT = "made"
"""The agent that metered all of it, and its host."""

_SPOOL = "00" * 16
_GENERATION = "01" * 16
_NO_PARTS = dict.fromkeys(("several_packets", "several_octets", "shared_packets", "shared_octets"), 0)
_ROWS_AT_ONCE = 400_000
_READINGS = BIN // READING
_ORDER = (DAY, BIN, HOUR)
"""The lengths of bins as they stand in the keys."""

Tell = Callable[[str], None]


def fill(
    connection: Connection, shape: LedgerShape, labels: Sequence[tuple[str, str]], points: Sequence[tuple[str, str]], tell: Tell
) -> int:
    """Fill a ledger without postings; labels and points are given by id and name. Gives how many rows of usage there are."""
    _name(connection, shape, labels, points)
    spans = {DAY: shape.days, HOUR: shape.hourly, BIN: shape.fine}
    count = 0
    with keys_made_last(connection, (LEDGER_LABEL_BINS, LEDGER_OWNER_BINS, LEDGER_POINT_BINS)):
        for width in _ORDER:
            tell(f"sums of {spans[width]} days in bins of {width // 10**9} s")
            count += sum(_fill_bins(connection, shape, starts, width) for starts in shape.bins(width, spans[width], _ROWS_AT_ONCE))
    for width in (BIN, HOUR):
        _fill_coverage(connection, shape, width)
    tell(f"entries of {shape.entered} days")
    with keys_made_last(connection, (LEDGER_USAGE, LEDGER_TOTALS)):
        return count + _Entries(connection, shape).post()


def _name(connection: Connection, shape: LedgerShape, labels: Sequence[tuple[str, str]], points: Sequence[tuple[str, str]]) -> None:
    """Name labels, points and what metered them; their numbers begin at 1."""
    projects = [project_name(number) for number in range(shape.projects)]
    of_labels = [
        (number, identity, name, projects[(number - 1) % shape.projects], False, False) for number, (identity, name) in enumerate(labels, 1)
    ]
    insert_rows(connection, LEDGER_LABEL_VERSIONS, of_labels)
    insert_rows(connection, LEDGER_OWNERS, [(number, project, False) for number, project in enumerate(projects, 1)])
    of_points = [
        (number, identity, name, project, False, "router", False, "")
        for number, ((identity, name), project) in enumerate(zip(points, projects, strict=True), 1)
    ]
    insert_rows(connection, LEDGER_POINT_VERSIONS, of_points)
    insert_rows(
        connection, LEDGER_PLACES, [(number, AGENT, AGENT, f"qrouter-{number}/qg-{number}") for number, _ in enumerate(projects, 1)]
    )
    insert_rows(connection, LEDGER_GENERATIONS, [(1, _GENERATION, _GENERATION * 2, 1, Segments.WIRE.value, False)])


def project_name(number: int) -> str:
    """Name a project by its number."""
    return f"project-{number:04}"


def _fill_bins(connection: Connection, shape: LedgerShape, starts: Numbers, width: int) -> int:
    """Fill some bins of labels, owners and points; give how many rows those of labels are."""
    packets = shape.packets(starts, width)
    of_projects = shape.packets_of_projects(packets)
    labels, projects = np.arange(shape.labels, dtype=np.int64), np.arange(shape.projects, dtype=np.int64)
    keys: Columns = _keys(starts, width, shape.labels)
    named = {"label_version": _each(labels + 1, len(starts)), "point_version": _each(shape.project_of + 1, len(starts))}
    count = load(connection, LEDGER_LABEL_BINS, {**keys, **named, **_counts(packets)})
    keys, numbers = _keys(starts, width, shape.projects), _each(projects + 1, len(starts))
    counted = _counts(of_projects)
    unparted = {f"unparted_{name}": numbers for name, numbers in counted.items()}
    added_up: Columns = {"alone_packets": 0, "alone_octets": 0, **unparted}
    load(connection, LEDGER_OWNER_BINS, {**keys, "owner": numbers, "point_version": numbers, **counted, **added_up})
    unmatched = UNMATCHED * (width // READING)
    unlabelled = {
        "unmatched_packets": unmatched,
        "unmatched_octets": unmatched * OCTETS,
        "unattributed_packets": 0,
        "unattributed_octets": 0,
        **_NO_PARTS,
    }
    load(connection, LEDGER_POINT_BINS, {**keys, "point_version": numbers, **_counts(of_projects + unmatched), **unlabelled})
    return count


def _keys(starts: Numbers, width: int, each: int) -> dict[str, Numbers | int]:
    directions = np.tile(np.array(DIRECTIONS, dtype=np.int64), len(starts) * each)
    return {"resolution": RESOLUTIONS[width], "start_at": np.repeat(starts, each * len(DIRECTIONS)), "direction": directions}


def _each(numbers: Numbers, times: int) -> Numbers:
    """Give a column that names each of ``numbers`` in both directions, so many times over."""
    return np.tile(np.repeat(numbers, len(DIRECTIONS)), times)


def _counts(packets: Numbers) -> dict[str, Numbers]:
    return {"packets": packets.ravel(), "octets": packets.ravel() * OCTETS}


def _fill_coverage(connection: Connection, shape: LedgerShape, width: int) -> None:
    """Fill the coverage: complete, of hours for as long as there are days, of 5 minutes for as long as there are sums of them."""
    days = shape.days if width == HOUR else shape.fine
    told = Coverage.COMPLETE.value, "", Segments.WIRE.value
    for start in range(shape.start(days), shape.end, DAY):
        rows = [
            (RESOLUTIONS[width], at, number, number, *told, width, 0)
            for at in range(start, start + DAY, width)
            for number in range(1, shape.projects + 1)
        ]
        insert_rows(connection, LEDGER_COVERAGE_BINS, rows)


class _Entries:
    """The postings of one spool: 5 minutes of all points in each."""

    def __init__(self, connection: Connection, shape: LedgerShape) -> None:
        self._connection = connection
        self._shape = shape
        self._posting = 0
        self._seal, self._digest = "", FIRST_PREVIOUS
        point, label = np.arange(shape.projects), np.arange(shape.labels)
        self._order = np.argsort(shape.project_of, kind="stable")  # labels by point
        of_point = np.bincount(shape.project_of, minlength=shape.projects)
        lengths = np.tile(1 + len(DIRECTIONS) * (1 + of_point), _READINGS)
        self._first = (np.cumsum(lengths) - lengths).reshape(_READINGS, shape.projects)
        before = np.concatenate([np.arange(count) for count in of_point]) if len(label) else label
        own = self._first[:, shape.project_of[self._order]]
        self._usage_ordinals = (own + 1 + len(DIRECTIONS) + len(DIRECTIONS) * before)[:, :, None] + np.arange(len(DIRECTIONS))
        self._usage_intervals = np.repeat(own, len(DIRECTIONS))
        self._total_ordinals = (self._first + 1)[:, :, None] + np.arange(len(DIRECTIONS))
        self._points = point + 1

    def post(self) -> int:
        """Post all of them, move the watermark over them, and give how many entries of usage they have."""
        shape, count = self._shape, 0
        waiting: list[tuple[Table, Columns]] = []
        for start in self._starts():
            count += self._post(start, waiting)
            if len(waiting) * self._usage_ordinals.size > _ROWS_AT_ONCE:
                self._load(waiting)
        self._load(waiting)
        connection = self._connection
        connection.execute(update(LEDGER_STATE).values(posting=self._posting))
        connection.execute(update(LEDGER_ROLLER).values(rolled=self._posting, closed_until=shape.end))
        spool = (_SPOOL, AGENT, AGENT, self._posting, shape.start(shape.days) + BIN, shape.end)
        insert_rows(connection, LEDGER_SPOOLS, [spool])
        return count

    def _starts(self) -> Iterator[int]:
        shape = self._shape
        entered = shape.start(shape.entered)
        if shape.start(shape.days) < entered:
            yield shape.start(shape.days)
        yield from range(min(entered, shape.end - BIN), shape.end, BIN)

    def _post(self, start: int, waiting: list[tuple[Table, Columns]]) -> int:
        """Seal 5 minutes, and have their entries wait for those that follow."""
        shape = self._shape
        self._posting += 1
        readings = start + np.arange(_READINGS, dtype=np.int64) * READING
        packets = shape.packets(readings, READING)
        of_projects = shape.packets_of_projects(packets)
        usage: Columns = {
            "posting": self._posting,
            "ordinal": self._usage_ordinals.ravel(),
            "interval_ordinal": self._usage_intervals,
            "label_version": _each(self._order + 1, _READINGS),
            "direction": np.tile(np.array(DIRECTIONS, dtype=np.int64), _READINGS * shape.labels),
            **_counts(packets[:, self._order]),
        }
        totals: Columns = {
            "posting": self._posting,
            "ordinal": self._total_ordinals.ravel(),
            "interval_ordinal": np.repeat(self._first.ravel(), len(DIRECTIONS)),
            "direction": np.tile(np.array(DIRECTIONS, dtype=np.int64), self._first.size),
            **_counts(of_projects + UNMATCHED),
            "unmatched_packets": UNMATCHED,
            "unmatched_octets": UNMATCHED * OCTETS,
            "unattributed_packets": 0,
            "unattributed_octets": 0,
            **_NO_PARTS,
        }
        intervals = [
            (self._posting, ordinal, point, point, 1, reading, reading + READING, Coverage.COMPLETE.value, "", False)
            for reading, ordinals in zip(readings.tolist(), self._first.tolist(), strict=True)
            for point, ordinal in zip(self._points.tolist(), ordinals, strict=True)
        ]
        insert_rows(self._connection, LEDGER_INTERVALS, intervals)
        waiting += [(LEDGER_TOTALS, totals), (LEDGER_USAGE, usage)]
        kinds = [intervals, *(rows_of(table, columns, slice(0, len(_of(columns)))) for table, columns in waiting[-2:])]
        self._seal_posting(start + BIN, kinds)
        return len(_of(usage))

    def _seal_posting(self, at: int, kinds: Sequence[Any]) -> None:
        previous = self._digest
        self._digest = chain_digest(_SPOOL, self._posting, previous, self._seal.encode())
        row = {
            "posting": self._posting,
            "kind": BATCH,
            "posted_at": at,
            "entries": sum(map(len, kinds)),
            "agent_id": AGENT,
            "host": AGENT,
            "spool_id": _SPOOL,
            "sequence": self._posting,
            "sealed_at": at,
            "previous": previous.hex(),
            "digest": self._digest.hex(),
        }
        intervals, totals, usage = kinds
        row["seal"] = self._seal = seal(self._seal, sealed_columns(row), *sealed_kinds(intervals, totals, usage, [], [], []))
        insert_rows(self._connection, LEDGER_POSTINGS, [tuple(row.get(column.name) for column in LEDGER_POSTINGS.c)])

    def _load(self, waiting: list[tuple[Table, Columns]]) -> None:
        """Load entries that wait, those of each table together."""
        for table in (LEDGER_TOTALS, LEDGER_USAGE):
            some = [columns for each, columns in waiting if each is table]
            if some:
                joined = {name: np.concatenate([_column(columns, name) for columns in some]) for name in some[0]}
                load(self._connection, table, joined)
        waiting.clear()


def _of(columns: Columns) -> Numbers:
    """Give a column that says how many rows there are."""
    return next(column for column in columns.values() if isinstance(column, np.ndarray))


def _column(columns: Columns, name: str) -> Numbers:
    """Give a column with as many numbers as there are rows."""
    given = columns[name]
    return np.full(len(_of(columns)), given, dtype=np.int64) if isinstance(given, int) else given
