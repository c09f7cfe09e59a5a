"""Reports of usage and of the totals of points, read a few intervals at a time.

Owns the transactions: each covers some whole intervals and is over before they are handed on, so neither memory nor the database waits
for whoever reads slowly, and an interval is told as it was at one moment.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from venturi.adapters.store.ledger.rolling.entries import POINT_COUNTS, USAGE_COUNTS
from venturi.adapters.store.store import Store, StoreReader
from venturi.adapters.store.usage.sums import Row, Span
from venturi.adapters.store.usage.versions import LabelOwner, LabelVersion, PointVersion
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.direction import Direction
from venturi.core.domain.interval import Nanoseconds
from venturi.core.ledger.roll_ups import OwnerCounts
from venturi.services.control.policy import Operation, require
from venturi.services.reports.access import ask_labels, choose_owners, choose_totals, choose_usage, matches, name_labels
from venturi.services.reports.coverage import account
from venturi.services.reports.foreseeing import check_history, history_of
from venturi.services.reports.groups import Groups, Identity, RowKind
from venturi.services.reports.joining import join
from venturi.services.reports.largest import choose_largest
from venturi.services.reports.rates import check_samples
from venturi.services.reports.request import Grouping, Resolution, Top, UsageRequest
from venturi.services.reports.rows import ReportInterval, ReportRows
from venturi.services.reports.summing import ReadSums, ReadTotals, Source

ROWS_AT_ONCE = 20_000
"""About how many rows are held in memory; a single interval may have more."""

USED_COUNTS = ("packets", "octets", "alone_packets", "alone_octets", "labels_may_overlap")
"""What is told of what projects used: packets that their own labels counted, each once, those of them that no label of another project
counted, and whether the first two may have a packet several times: 1 where they were added up over labels or over projects, else 0."""

_FIRST_INTERVALS = 4


class _Piece(NamedTuple):
    """What one transaction reads: intervals by their ``borders``."""

    request: UsageRequest
    borders: Sequence[int]


@dataclass
class _Naming:
    """What the pieces of a report have in common as long as nothing is named anew: labels, or their owners, and the groups of both."""

    state: tuple[int, ...] = ()
    labels: Sequence[LabelVersion] = ()
    owners: Sequence[LabelOwner] | None = None
    points: Sequence[PointVersion] = ()
    groups: Groups | None = None
    largest: Mapping[Identity, int] | None = None
    most_rows: int = ROWS_AT_ONCE
    """How many rows an interval has at most."""

    def find_groups(self, request: UsageRequest, points: Sequence[PointVersion]) -> Groups:
        """Give the groups of what is counted at ``points``, those of the piece before if all is called as it was then."""
        named = [point._replace(first=None, last=None) for point in points]
        if self.groups is None or named != self.points:
            self.points = named
            self.groups = Groups(request.group_by, self.labels, points, self.owners, self.largest, request.directions)
            told_apart = {Grouping.POINT, Grouping.POINT_PROJECT} & set(request.group_by)
            places = len(points) if told_apart else len({point.boundary for point in points})
            self.most_rows = max(1, len(self.labels or self.owners or ())) * places * len(Direction)
        return self.groups


_ReadPiece = Callable[[StoreReader, _Piece, _Naming], list[ReportInterval]]


class UsageReports:
    """Gives reports to callers."""

    def __init__(self, store: Store, clock: Callable[[], Nanoseconds], billing_boundary: str = "") -> None:
        """Report from ``store``; by ``clock``, which gives nanoseconds since the UTC epoch, intervals are over.

        Reports that need a boundary and name none are about ``billing_boundary``, unless it is empty.
        """
        self._store = store
        self._clock = clock
        self._billing_boundary = billing_boundary

    def now(self) -> Nanoseconds:
        """Give the time until which there can be usage."""
        return self._clock()

    def confine(self, request: UsageRequest) -> UsageRequest:
        """Give a request with the boundary that it is about: where it needs one, that of the setting, if there is one."""
        if not self._billing_boundary or not request.needs_boundary:
            return request
        return replace(request, boundaries=frozenset({self._billing_boundary}))

    def usage(self, caller: Principal, request: UsageRequest) -> Iterator[ReportInterval]:
        """Report the usage of labels, as far as the caller may see it; raises ``ForbiddenError`` at once."""
        require(caller, Operation.READ_USAGE)
        return self._report(request, lambda reader, piece, naming: self._read_usage(caller, reader, piece, naming))

    def point_totals(self, caller: Principal, request: UsageRequest) -> Iterator[ReportInterval]:
        """Report all that the points counted that the caller may see; raises as ``usage`` does."""
        require(caller, Operation.READ_POINT_TOTALS)
        return self._report(request, lambda reader, piece, naming: self._read_totals(caller, reader, piece, naming))

    def _report(self, request: UsageRequest, read: _ReadPiece) -> Iterator[ReportInterval]:
        borders, position, count, naming = request.borders, 0, _FIRST_INTERVALS, _Naming()
        if request.top is not None:
            group_by = tuple(grouping for grouping in request.group_by if grouping is not Grouping.DIRECTION)
            (whole,) = self._report(replace(request.plain, resolution=Resolution.TOTAL, group_by=group_by), read)
            naming.largest = choose_largest(whole.rows, request.top)
        if request.rates is not None:
            (whole,) = self._report(replace(request.plain, resolution=Resolution.TOTAL), read)
            check_samples(_count_groups(whole.rows, request), borders, self._clock())
        if request.forecast:
            start, end = history_of(request)
            (whole,) = self._report(replace(request.plain, start=start, end=end), read)
            check_history(_count_groups(whole.rows, request))
        while position < len(borders) - 1:
            piece = _Piece(request, borders[position : position + count + 1])
            with self._store.reading() as reader:
                intervals = read(reader, piece, naming)
                until = reader.usage.beyond().rolled_until
            if until is not None:
                intervals = [interval._replace(rolled_until=until) for interval in intervals]
            yield from intervals
            position += len(intervals)
            rows = sum(len(interval.rows) + 1 for interval in intervals)
            count = max(1, ROWS_AT_ONCE // (1 + naming.most_rows), min(ROWS_AT_ONCE * len(intervals) // rows, 4 * count))

    def _read_usage(self, caller: Principal, reader: StoreReader, piece: _Piece, naming: _Naming) -> list[ReportInterval]:
        request, points = piece.request, reader.usage.point_versions()
        state = reader.usage.naming_state()
        if state != naming.state:
            self._name(caller, reader, request, naming)
            naming.state = state
        if naming.owners is not None:
            owners = choose_owners(caller, request, naming.owners, points)
            seen = _seen(points, [each.points for each in owners])
            totals = self._totals_beside(caller, reader, request, seen, OwnerCounts._fields)
            several = len({owner.project_id for owner in naming.owners if not owner.shared}) > 1
            source = self._source(reader, naming.find_groups(request, seen), seen, totals)
            intervals = join(
                source(lambda span, step, by: reader.usage.usage_of_owners(span, step, by, owners)), piece.request, piece.borders
            )
            return [interval._replace(rows=_tell_overlaps(interval.rows, several=several)) for interval in intervals]
        chosen = choose_usage(caller, request, naming.labels, points)
        seen = _seen(points, [each.points for each in chosen])
        totals = self._totals_beside(caller, reader, request, seen, USAGE_COUNTS)
        source = self._source(reader, naming.find_groups(request, seen), seen, totals)
        return join(source(lambda span, step, by: reader.usage.usage(span, step, by, chosen)), piece.request, piece.borders)

    def _name(self, caller: Principal, reader: StoreReader, request: UsageRequest, naming: _Naming) -> None:
        """Read the labels that a report tells apart or asks for, else their owners, which are few."""
        asked = ask_labels(caller, request)
        by_owner = request.by_owner
        owners = reader.usage.label_owners(asked) if by_owner else None
        naming.owners = owners and [owner for owner in owners if matches(owner.project_id, request.projects)]
        naming.labels = () if by_owner else name_labels(request, reader.usage.label_versions(asked))
        naming.groups = None

    def _read_totals(self, caller: Principal, reader: StoreReader, piece: _Piece, naming: _Naming) -> list[ReportInterval]:
        points = reader.usage.point_versions()
        chosen = choose_totals(caller, piece.request, points)
        seen = _seen(points, [chosen.points])
        totals = self._totals_beside(caller, reader, piece.request, seen, POINT_COUNTS)
        source = self._source(reader, naming.find_groups(piece.request, seen), seen, totals)
        return join(source(lambda span, step, by: reader.usage.totals(span, step, by, chosen.points)), piece.request, piece.borders)

    def _totals_beside(
        self, caller: Principal, reader: StoreReader, request: UsageRequest, seen: Sequence[PointVersion], counts: Sequence[str]
    ) -> ReadTotals | None:
        """Give what reads all that the points of each boundary counted, once, beside the largest groups.

        That is of boundaries at whose points, as far as the report is about them, the caller may see the totals.
        """
        if request.top is None:
            return None
        allowed = choose_totals(caller, request, seen).points
        hidden = {point.boundary for point in seen if allowed is not None and point.version not in allowed}
        told = frozenset(point.version for point in seen if point.boundary not in hidden)
        columns = [POINT_COUNTS.index(name) if name in POINT_COUNTS else None for name in counts]
        directions = {each.code for each in request.directions or Direction}

        def read(span: Span, step: int | None) -> Iterator[Row]:
            for row in reader.usage.totals(span, step, ("point_version", "direction"), told):
                if row[2] in directions:
                    yield (*row[:3], *(0 if column is None else row[3 + column] for column in columns))

        return read

    def _source(
        self, reader: StoreReader, groups: Groups, points: Sequence[PointVersion], totals: ReadTotals | None
    ) -> Callable[[ReadSums], Source]:
        return lambda read: Source(groups, account(points), self._clock(), read, totals, reader.usage.coverage)


def _seen(points: Iterable[PointVersion], chosen: Sequence[frozenset[int] | None]) -> list[PointVersion]:
    return [point for point in points if any(each is None or point.version in each for each in chosen)]


def _count_groups(rows: ReportRows, request: UsageRequest) -> int:
    """Count the rows that an interval has at most, of which these are with all groups told apart."""
    boundaries = len({row.group.boundary for row in rows})
    return len(rows) if request.top is None else min(len(rows) + 2 * boundaries * len(Direction), _most_rows(request.top, boundaries))


def _most_rows(top: Top, boundaries: int) -> int:
    return boundaries * (top.count + 2) * len(Direction)


def _tell_overlaps(rows: ReportRows, *, several: bool) -> ReportRows:
    """Tell of sums of ``OwnerCounts`` whether a packet may be in them several times, as ``USED_COUNTS`` are.

    Where ``several`` projects are not told apart, a packet that several used is in the sum as often, but in that of ``alone`` never.
    """
    if not rows:
        return rows
    packets, octets, alone_packets, alone_octets, unparted_packets, unparted_octets = rows.counts
    used = zip(packets, octets, alone_packets, alone_octets, strict=True)
    groups = map(rows.groups.__getitem__, rows.numbers)
    summed = [several and group.project_id is None and group.kind is not RowKind.TOTAL for group in groups]
    twice = [joined and each[:2] != each[2:] for joined, each in zip(summed, used, strict=True)]
    unparted = zip(unparted_packets, unparted_octets, strict=True)
    flags = [int(any(part) or known) for part, known in zip(unparted, twice, strict=True)]
    return rows.with_counts((packets, octets, alone_packets, alone_octets, flags))
