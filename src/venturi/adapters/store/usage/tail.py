"""The tail: what postings beyond the watermark add to sums of roll-ups, until they are folded.

Owns how it is added up for a reader, who sees it as rows like those of roll-ups, which may have the key of another row. What entries add is
for ``ledger.rolling.entries``.
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
    Wanted,
    coverage_in_bins,
    read_held_time,
    read_spread,
    read_spread_coverage,
    sum_corrections,
    sums_in_bins,
)
from venturi.adapters.store.ledger.rolling.watermark import Beyond, read_beyond
from venturi.core.ledger.long_intervals import spread_coverage, spread_records

Row = tuple[Any, ...]
Window = tuple[int, int]
SumUp = Callable[[FromClause, Mapping[str, int]], Iterable[Row]]
"""Sums rows of ``start_at``, of what they are summed by and of counts, as roll-ups are summed, by a statement with parameters."""


class Tail:
    """The tail that one transaction sees."""

    def __init__(self, connection: Connection) -> None:
        """See what ``connection`` does."""
        self._connection = connection
        self._beyond: Beyond | None = None

    @property
    def beyond(self) -> Beyond:
        """What lies beyond the watermark."""
        if self._beyond is None:
            self._beyond = read_beyond(self._connection)
        return self._beyond

    def sums(self, table: Table, window: Window, widths: tuple[int, int], wanted: Wanted, sum_up: SumUp) -> Iterator[Row]:
        """Sum entries of totals or usage in a window; ``widths`` are those of bins and steps, 0 for one step as long as the window."""
        postings = self.beyond.postings
        if postings.last == postings.after:
            return
        width, step = widths
        with _without_seeking(self._connection):
            yield from sum_up(sums_in_bins(table, width, owners=wanted.owners), postings.parameters)
            records = read_spread(self._connection, table, postings, width, wanted)
            spread = spread_records(records, window, step)
            corrected = sum_corrections(self._connection, table, postings, window, step, wanted)
        for key, counts in chain(spread.items(), corrected.items()):
            yield (*key, *counts)

    def coverage(self, window: Window, width: int, where: Condition, sum_up: SumUp) -> Iterator[Row]:
        """Give what is told of coverage in bins of ``width`` within a window, in rows without resolution."""
        postings = self.beyond.postings
        if postings.last == postings.after:
            return
        with _without_seeking(self._connection):
            yield from sum_up(coverage_in_bins(width), postings.parameters)
            yield from spread_coverage(read_spread_coverage(self._connection, postings, width, where), window, width)
            for sign, held in read_held_time(self._connection, postings, where):
                for row in spread_coverage([held], window, width):
                    yield (*row[: len(COVERAGE_KEYS)], *(sign * int(counted) for counted in row[-len(COVERAGE_COUNTS) :]))


@contextmanager
def _without_seeking(connection: Connection) -> Iterator[None]:
    """Keep PostgreSQL from seeking the newest rows one by one, which it takes for few: they are in no statistics yet."""
    if connection.dialect.name != POSTGRESQL:
        yield
        return
    connection.exec_driver_sql("SET LOCAL enable_nestloop = off")
    yield
    connection.exec_driver_sql("SET LOCAL enable_nestloop = on")
