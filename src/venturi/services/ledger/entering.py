"""What a batch becomes in the ledger: entries, numbered in its order.

Owns the translation. Whether the batch may be posted is decided in ``posting``, which of its intervals are held in ``judging``.
"""

from collections.abc import Mapping, Sequence
from operator import attrgetter

from venturi.adapters.store.ledger.held import Decision
from venturi.adapters.store.ledger.long_intervals import count_long_gaps
from venturi.adapters.store.ledger.postings import EntryRows, LedgerWriter
from venturi.adapters.store.schema.ledger_tables import (
    LEDGER_GENERATIONS,
    LEDGER_LABEL_VERSIONS,
    LEDGER_OWNERS,
    LEDGER_PLACES,
    LEDGER_POINT_VERSIONS,
)
from venturi.core.ledger.batch import Batch, BatchLabel, MeteredInterval, count_entries, read_project_usage
from venturi.core.ledger.long_intervals import MOST_LONG_GAPS, choose_long, is_long_gap
from venturi.core.ledger.roll_ups import PointCounts, is_shown_as_held
from venturi.services.ledger.judging import Verdict

_LABEL = attrgetter("id", "name", "project_id", "shared")
_OWNER = attrgetter("project_id", "shared")
_POINT = attrgetter("id", "name", "project_id", "shared", "kind")
_PROJECT_COUNTS = attrgetter("packets", "octets", "alone_packets", "alone_octets")
_ROW = attrgetter("label", "direction", "packets", "octets")
_TOTALS = attrgetter(*PointCounts._fields)


class EnteredBatch:
    """A batch as it is entered by a writer: ``rows`` are its entries.

    Entries of intervals that are held add nothing to sums; their points and labels are versions of their own.
    """

    def __init__(
        self, writer: LedgerWriter, metered_by: tuple[str, str], batch: Batch, verdicts: Sequence[Verdict], rows: EntryRows | None = None
    ) -> None:
        """Enter a batch of the agent and host that it is ``metered_by``, beside the ``rows`` that are entered already."""
        self._writer = writer
        self._batch = batch
        self._verdicts = verdicts
        number = writer.versions.number
        held = [verdict.reason is not None for verdict in verdicts]
        points = [(*_POINT(verdict.point), its, verdict.boundary) for verdict, its in zip(verdicts, held, strict=True)]
        self._points = number(LEDGER_POINT_VERSIONS, points)
        self._gaps, self._long_gaps = self._number_gaps()
        self._labels = self._number_labels()
        self._places = number(LEDGER_PLACES, [(*metered_by, interval.place) for interval in batch.intervals])
        self._generations = number(LEDGER_GENERATIONS, [_generation(interval) for interval in batch.intervals])
        self._project_usage = [read_project_usage(interval) for interval in batch.intervals]
        projects = {(row.project_id, False) for rows in self._project_usage for row in rows}
        self._projects = dict(zip(projects, number(LEDGER_OWNERS, list(projects)), strict=True))
        self.rows = EntryRows() if rows is None else rows
        self._long = choose_long(batch.intervals) - {place for place, its in enumerate(held) if its}
        self._long_rows: dict[int, tuple[int, ...]] = {}
        self._ordinals = [self._enter(place) for place in range(len(batch.intervals))]
        for place, verdict in enumerate(verdicts):
            if verdict.reason is not None:
                self._enter_held(place, verdict.reason.value)

    def name_long_intervals(self) -> None:
        """Name the long intervals, which get into no roll-up: they are spread when they are read."""
        self._writer.add_long_intervals([self._long_rows[place] for place in sorted(self._long_rows)])

    def _enter(self, place: int) -> int:
        """Enter an interval: its coverage, then its totals, then its usage; give the ordinal of the first."""
        interval, rows, posting = self._batch.intervals[place], self.rows, self._writer.posting
        own = rows.count
        covered = (interval.start, interval.end, interval.coverage, interval.reason, False)
        rows.intervals.append((posting, own, self._points[place], self._places[place], self._generations[place], *covered))
        rows.totals += [
            (posting, ordinal, own, totals.direction, *_TOTALS(totals)) for ordinal, totals in enumerate(interval.totals, rows.count)
        ]
        labels = self._labels[place]
        rows.usage += [
            (posting, ordinal, own, labels[label], direction, packets, octets)
            for ordinal, (label, direction, packets, octets) in enumerate(map(_ROW, interval.usage), rows.count)
        ]
        rows.project_usage += [
            (posting, ordinal, own, self._projects[row.project_id, False], row.direction, *_PROJECT_COUNTS(row))
            for ordinal, row in enumerate(self._project_usage[place], rows.count)
        ]
        if place in self._long:
            self._long_rows[place] = (posting, own, rows.count - 1, self._points[place], interval.start, interval.end)
        return own

    def _enter_held(self, place: int, reason: str) -> None:
        """Enter that an interval is held."""
        interval, rows, posting = self._batch.intervals[place], self.rows, self._writer.posting
        entries = count_entries(interval)
        named = (posting, rows.count, posting, self._ordinals[place])
        rows.held.append((*named, Decision.HELD.value, reason, entries, self._gaps.get(place, 0)))
        if place in self._long_gaps:
            own = self._ordinals[place]
            self._long_rows[place] = (posting, own, own, self._long_gaps[place], interval.start, interval.end)

    def _number_gaps(self) -> tuple[dict[int, int], dict[int, int]]:
        """Give the numbers of the points at which the time of held intervals is a gap, by the places of these: of short and of long ones.

        Points of which nothing counts yet are in no report. Of the long ones, a point has so many at most.
        """
        verdicts, intervals = self._verdicts, self._batch.intervals
        places = [
            place
            for place, verdict in enumerate(verdicts)
            if verdict.reason is not None and verdict.told and is_shown_as_held(verdict.reason)
        ]
        known = self._writer.versions.latest_points({verdicts[place].point.id for place in places})
        numbers = {place: known[point_id] for place in places if (point_id := verdicts[place].point.id) in known}
        short, long = dict[int, int](), dict[int, int]()
        left: dict[int, int] = {}
        for place, number in numbers.items():
            if not is_long_gap(intervals[place].start, intervals[place].end):
                short[place] = number
                continue
            if number not in left:
                left[number] = MOST_LONG_GAPS - count_long_gaps(self._writer.connection, number)
            if left[number] > 0:
                left[number] -= 1
                long[place] = number
        return short, long

    def _number_labels(self) -> list[Sequence[int]]:
        """Give the numbers of the labels of each interval by their places in the batch, made once for all that name them alike."""
        ways: dict[tuple[int, bool], _Naming] = {}
        found = []
        for verdict in self._verdicts:
            held = verdict.reason is not None
            way = ways.setdefault((id(verdict.labels), held), _Naming(verdict.labels, held=held))
            way.used |= verdict.used
            found.append(way)
        for way in ways.values():
            self._number_used(way)
        return [way.numbers for way in found]

    def _number_used(self, way: "_Naming") -> None:
        batch, number = self._batch.labels, self._writer.versions.number
        used = sorted(way.used)
        labels = [way.known.get(batch[place].id, batch[place]) for place in used]
        numbers = number(LEDGER_LABEL_VERSIONS, [(*_LABEL(label), way.held) for label in labels])
        if not way.held:
            number(LEDGER_OWNERS, list(map(_OWNER, labels)))
        way.numbers = numbers if len(used) == len(batch) else _spread(used, numbers, len(batch))


def _generation(interval: MeteredInterval) -> tuple[str, str, int, str, bool]:
    return interval.generation, interval.classifier, interval.revision, interval.segments, bool(interval.project_usage)


class _Naming:
    """The labels of intervals that name them alike: what is ``known`` of them by id, the places ``used``, and numbers by place."""

    def __init__(self, known: Mapping[str, BatchLabel], *, held: bool) -> None:
        self.known = known
        self.held = held
        self.used: set[int] = set()
        self.numbers: Sequence[int] = ()


def _spread(places: Sequence[int], numbers: Sequence[int], length: int) -> list[int]:
    """Put numbers at their places; no row names what is between."""
    spread = [0] * length
    for place, number in zip(places, numbers, strict=True):
        spread[place] = number
    return spread
