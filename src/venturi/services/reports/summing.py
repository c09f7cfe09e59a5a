"""Sums of the intervals of a report by group, and their coverage, read in one transaction.

Owns how rows of sums become groups, and what a report is read from. What stands beside sums is for ``comparing``.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from operator import itemgetter
from typing import Any

from venturi.adapters.store.usage.sums import Row, Span
from venturi.services.reports.coverage import AccountablePoint, IntervalCoverage, ReadCoverage
from venturi.services.reports.groups import Groups
from venturi.services.reports.request import part_into_runs

ReadSums = Callable[[Span, int | None, Sequence[str]], Iterator[Row]]
ReadTotals = Callable[[Span, int | None], Iterator[Row]]
"""Reads rows of the start of a step, point version, direction and counts."""


class IntervalSums:
    """Sums of an interval: the numbers of groups, each once, and columns of their counts, packets and octets first."""

    def __init__(self) -> None:
        self.numbers: Sequence[int] = ()
        self.counts: Sequence[Sequence[int]] = ()

    def add(self, numbers: Sequence[int], counts: Sequence[Sequence[int]]) -> None:
        """Add what some groups counted, each as often as it is there."""
        if not numbers:
            return
        if not self.numbers and len(set(numbers)) == len(numbers):
            self.numbers, self.counts = numbers, counts
            return
        joined: dict[int, list[int]] = {}
        for number, *row in chain(zip(self.numbers, *self.counts, strict=True), zip(numbers, *counts, strict=True)):
            before = joined.get(number)
            joined[number] = row if before is None else [one + other for one, other in zip(before, row, strict=True)]
        self.numbers, self.counts = list(joined), list(zip(*joined.values(), strict=True))

    def include(self, numbers: Iterable[int], columns: int) -> None:
        """Have the groups among them, those that counted nothing with ``columns`` of 0."""
        known = set(self.numbers)
        lacking = [number for number in numbers if number not in known]
        if lacking:
            self.counts = [[*column, *[0] * len(lacking)] for column in self.counts or [()] * columns]
            self.numbers = [*self.numbers, *lacking]

    def sort(self, key: Callable[[int], Any]) -> None:
        """Put the groups in order by what ``key`` gives of their numbers."""
        places = sorted(range(len(self.numbers)), key=lambda place: key(self.numbers[place]))
        self.numbers = [self.numbers[place] for place in places]
        self.counts = [[column[place] for place in places] for column in self.counts]


@dataclass(frozen=True)
class Source:
    """What the intervals of a piece are read from, all in one transaction, by which ``now`` they are over."""

    groups: Groups
    points: Sequence[AccountablePoint]
    now: int
    read: ReadSums
    read_totals: ReadTotals | None
    read_coverage: ReadCoverage

    def sum_up(self, borders: Sequence[int]) -> dict[int, IntervalSums]:
        """Sum the versions of each group in each interval between ``borders``, by its start."""
        sums = {start: IntervalSums() for start in borders[:-1]}
        for run in part_into_runs(borders):
            for span in run.sum_spans():
                self._add(sums, span, run.step, run.starts[0])
        return sums

    def _add(self, sums: dict[int, IntervalSums], span: Span, step: int | None, first: int) -> None:
        rows = self.groups.choose(self.read(span, step, self.groups.columns))
        numbers = self.groups.find(rows)
        place = 0
        for start, same in groupby(map(itemgetter(0), rows)):
            end = place + len(list(same))
            some = rows[place:end]
            counts = [list(map(itemgetter(column), some)) for column in range(1 + len(self.groups.columns), len(some[0]))]
            sums[first if step is None else start].add(numbers[place:end], counts)
            place = end
        for start, version, direction, *counted in () if self.read_totals is None else self.read_totals(span, step):
            number = self.groups.find_total(version, direction)
            sums[first if step is None else start].add([number], [[count] for count in counted])

    def cover(self, borders: Sequence[int]) -> IntervalCoverage:
        """Read the coverage of the intervals between ``borders``."""
        coverage = IntervalCoverage(self.points, self.now)
        for run in part_into_runs(borders):
            for span in run.spans():
                coverage.add(span, run.starts, self.read_coverage)
        return coverage
