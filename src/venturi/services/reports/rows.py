"""Rows of reports: what groups counted in an interval, kept in columns, and how much of the truth that is.

Owns their shape. How they are made is for ``summing``.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import NamedTuple, overload

from venturi.core.ledger.covering import Covering
from venturi.services.reports.coverage import PointTime
from venturi.services.reports.groups import Group, Groups


class ReportRow(NamedTuple):
    """What a group counted in an interval; ``counts`` are packets and octets, of a point also its parts.

    Of what projects used they are those of ``USED_COUNTS``. ``time`` is that at the points where it can count.
    """

    group: Group
    counts: Sequence[int]
    coverage: Covering
    time: PointTime


Told = tuple[Covering, PointTime]
"""The coverage of an interval at some points, and their time."""


Beside = int | str | Decimal | None
"""What may stand beside counts: a number, a word, or nothing."""

Columns = Mapping[str, Sequence[Beside]]

NOTHING_BESIDE: Columns = MappingProxyType({})


class ReportRows(Sequence[ReportRow]):
    """The rows of an interval, kept in columns: row i is of ``groups[numbers[i]]``, and ``counts`` are columns of that length.

    ``told`` is what is told of the interval, by the places in ``scopes`` that groups have (``scope_of``). ``beside`` are columns of what
    stands beside counts, by their names.
    """

    def __init__(
        self,
        groups: Groups,
        numbers: Sequence[int],
        counts: Sequence[Sequence[int]],
        told: Mapping[int, Told],
        beside: Columns = NOTHING_BESIDE,
    ) -> None:
        self._named = groups
        self.groups = groups.made
        self.scope_of = groups.scope_of
        self.numbers = numbers
        self.counts = counts
        self.told = told
        self.beside = beside

    def with_counts(self, counts: Sequence[Sequence[int]]) -> "ReportRows":
        """Give the same rows with other counts."""
        return ReportRows(self._named, self.numbers, counts, self.told, self.beside)

    def with_beside(self, beside: Columns) -> "ReportRows":
        """Give the same rows with something beside them."""
        return ReportRows(self._named, self.numbers, self.counts, self.told, beside)

    def __eq__(self, other: object) -> bool:
        """Tell whether the rows are the same."""
        return isinstance(other, ReportRows) and list(self) == list(other) and self.beside == other.beside

    __hash__ = None  # type: ignore[assignment] # rows that are equal may be kept otherwise

    def __len__(self) -> int:
        """Count the rows of the interval."""
        return len(self.numbers)

    @overload
    def __getitem__(self, place: int) -> ReportRow: ...

    @overload
    def __getitem__(self, place: slice) -> list[ReportRow]: ...

    def __getitem__(self, place: int | slice) -> ReportRow | list[ReportRow]:
        """Make a row, or some."""
        if isinstance(place, slice):
            return [self._row(each) for each in range(*place.indices(len(self)))]
        return self._row(range(len(self))[place])

    def _row(self, place: int) -> ReportRow:
        number = self.numbers[place]
        return ReportRow(self.groups[number], tuple(column[place] for column in self.counts), *self.told[self.scope_of[number]])


class ReportInterval(NamedTuple):
    """An interval: its coverage at all points that the report is about, and the groups that counted anything, in the order of sums.

    ``time`` is that at all these points. ``observation_points`` is how many points account for it; with none, nothing can be known.
    ``known_until`` is the end of the newest record of any point that the report is about, as it was ``read_at``; None where there is none.
    ``rolled_until`` is None if all that is posted was read, else when the first posting came that was not, since too many wait for the
    roller.
    """

    start: int
    end: int
    coverage: Covering
    time: PointTime
    observation_points: int
    rows: ReportRows
    known_until: int | None
    read_at: int
    rolled_until: int | None = None
