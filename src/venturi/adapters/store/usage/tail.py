"""The tail: what postings beyond the watermark add to sums of roll-ups, until they are folded.

Owns how it is added up for a reader, who sees it as rows like those of roll-ups, which may have the key of another row. A reader of the
ledger as it was at an earlier posting has a tail that takes away what came between that and the watermark. What entries add is for
``ledger.rolling.entries``.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from typing import Any

from sqlalchemy import Connection, FromClause, Table

from venturi.adapters.store.engines.locations import POSTGRESQL
from venturi.adapters.store.ledger.rolling.entries import (
    COVERAGE_COUNTS,
    COVERAGE_KEYS,
    Condition,
    Postings,
    Wanted,
    counts_of,
    coverage_in_bins,
    read_held_time,
    read_spread,
    read_spread_coverage,
    sum_corrections,
    sums_in_bins,
)
from venturi.adapters.store.ledger.rolling.watermark import Beyond, read_beyond
from venturi.adapters.store.usage.touched import read_touched
from venturi.core.ledger.long_intervals import spread_coverage, spread_records

Row = tuple[Any, ...]
Window = tuple[int, int]
SumUp = Callable[[FromClause, Mapping[str, int]], Iterable[Row]]
"""Sums rows of ``start_at``, of what they are summed by and of counts, as roll-ups are summed, by a statement with parameters."""


class Tail:
    """The tail that one transaction sees."""

    def __init__(self, connection: Connection, up_to: int | None = None) -> None:
        """See what ``connection`` does; with ``up_to``, as it was when that was the latest posting."""
        self._connection = connection
        self._beyond: Beyond | None = None
        self._up_to = up_to
        self._differences: dict[Window, list[tuple[Postings, int]]] = {}

    @property
    def beyond(self) -> Beyond:
        """What lies beyond the watermark."""
        if self._beyond is None:
            self._beyond = read_beyond(self._connection)
        return self._beyond

    def sums(self, table: Table, window: Window, widths: tuple[int, int], wanted: Wanted, sum_up: SumUp) -> Iterator[Row]:
        """Sum entries of totals or usage in a window; ``widths`` are those of bins and steps, 0 for one step as long as the window."""
        width, step = widths
        count = len(counts_of(table))
        for postings, sign in self._difference(window):
            with _without_seeking(self._connection):
                summed = sum_up(sums_in_bins(table, width, owners=wanted.owners), postings.parameters)
                yield from summed if sign > 0 else ((*row[:-count], *(-each for each in row[-count:])) for row in summed)
                records = read_spread(self._connection, table, postings, width, wanted)
                spread = spread_records(records, window, step)
                corrected = sum_corrections(self._connection, table, postings, window, step, wanted)
            for key, counts in chain(spread.items(), corrected.items()):
                yield (*key, *(sign * each for each in counts))

    def coverage(self, window: Window, width: int, where: Condition, sum_up: SumUp) -> Iterator[Row]:
        """Give what is told of coverage in bins of ``width`` within a window, in rows without resolution."""
        for postings, sign in self._difference(window):
            with _without_seeking(self._connection):
                yield from _signed(sum_up(coverage_in_bins(width), postings.parameters), sign)
                yield from _signed(spread_coverage(read_spread_coverage(self._connection, postings, width, where), window, width), sign)
                for change, held in read_held_time(self._connection, postings, where):
                    yield from _signed(spread_coverage([held], window, width), sign * change)

    def _difference(self, window: Window) -> list[tuple[Postings, int]]:
        """Give the postings whose entries are added, with 1, or taken away, with -1, to have what the reader sees in a window."""
        if self._up_to is None:
            postings = self.beyond.postings
            return [] if postings.last == postings.after else [(postings, 1)]
        if window not in self._differences:
            rolled = self.beyond.postings.after
            if rolled <= self._up_to:
                self._differences[window] = [(Postings(rolled, self._up_to), 1)] if rolled < self._up_to else []
            else:
                later = sorted({each.posting for each in read_touched(self._connection, Postings(self._up_to, rolled), window)})
                self._differences[window] = [(postings, -1) for postings in _runs(later)]
        return self._differences[window]


def _signed(rows: Iterable[Row], sign: int) -> Iterator[Row]:
    """Give rows of coverage with their counts as they are, or negative."""
    for row in rows:
        yield (*row[: len(COVERAGE_KEYS)], *(sign * int(counted) for counted in row[-len(COVERAGE_COUNTS) :]))


def _runs(numbers: Iterable[int]) -> Iterator[Postings]:
    """Give the runs of postings that follow each other."""
    run: Postings | None = None
    for number in numbers:
        if run is not None and number == run.last + 1:
            run = Postings(run.after, number)
            continue
        if run is not None:
            yield run
        run = Postings(number - 1, number)
    if run is not None:
        yield run


@contextmanager
def _without_seeking(connection: Connection) -> Iterator[None]:
    """Keep PostgreSQL from seeking the newest rows one by one, which it takes for few: they are in no statistics yet."""
    if connection.dialect.name != POSTGRESQL:
        yield
        return
    connection.exec_driver_sql("SET LOCAL enable_nestloop = off")
    yield
    connection.exec_driver_sql("SET LOCAL enable_nestloop = on")
