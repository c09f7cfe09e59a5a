"""What a batch becomes in the ledger: entries, numbered in its order, and what they add to the roll-ups.

Owns the translation. Whether the batch may be posted is decided in ``posting``.
"""

from collections.abc import Sequence
from operator import attrgetter

from venturi.adapters.store.ledger.postings import EntryRows, LedgerWriter
from venturi.adapters.store.schema.ledger_tables import (
    LEDGER_GENERATIONS,
    LEDGER_LABEL_VERSIONS,
    LEDGER_OWNERS,
    LEDGER_PLACES,
    LEDGER_POINT_VERSIONS,
)
from venturi.core.domain.coverage import Coverage
from venturi.core.ledger.batch import Batch, BatchPoint, Envelope, MeteredInterval
from venturi.core.ledger.bins import JITTER, cut
from venturi.core.ledger.long_intervals import choose_long
from venturi.core.ledger.roll_ups import PointCounts, RollUps, Told

_LABEL = attrgetter("id", "name", "project_id", "shared")
_OWNER = attrgetter("project_id", "shared")
_POINT = attrgetter("id", "name", "project_id", "shared", "kind")
_GENERATION = attrgetter("generation", "classifier", "revision", "segments")
_ROW = attrgetter("label", "direction", "packets", "octets")
_TOTALS = attrgetter(*PointCounts._fields)

_MOST_HELD = 50_000
"""How many sums are held before they are written."""


class EnteredBatch:
    """A batch as it is entered by a writer: ``rows`` are its entries; ``add_roll_ups`` adds what follows from them.

    ``overlapping`` holds the places, among the intervals, of those during which another agent metered the point too.
    """

    def __init__(self, writer: LedgerWriter, envelope: Envelope, batch: Batch) -> None:
        self._writer = writer
        self._batch = batch
        number = writer.versions.number
        self._labels = number(LEDGER_LABEL_VERSIONS, list(map(_LABEL, batch.labels)))
        self._owners = dict(zip(self._labels, number(LEDGER_OWNERS, list(map(_OWNER, batch.labels))), strict=True))
        self._points = number(LEDGER_POINT_VERSIONS, list(map(_POINT, batch.points)))
        self._places = number(LEDGER_PLACES, [(envelope.agent_id, envelope.host, interval.place) for interval in batch.intervals])
        self._generations = number(LEDGER_GENERATIONS, list(map(_GENERATION, batch.intervals)))
        self.overlapping = _find_overlapping(writer, envelope.agent_id, batch)
        self.rows = EntryRows()
        self._long = choose_long(batch.intervals)
        self._long_rows: dict[int, tuple[int, ...]] = {}
        for place in range(len(batch.intervals)):
            self._enter(place)

    def add_roll_ups(self) -> None:
        """Add to the roll-ups what the entries add; long intervals are only named, and spread when they are read."""
        self._writer.add_long_intervals([self._long_rows[place] for place in sorted(self._long)])
        sums, held = RollUps(), 0
        for place, interval in enumerate(self._batch.intervals):
            if place in self._long:
                continue
            parts = cut(interval.start, interval.end)
            point = self._points[interval.point]
            usage = [(self._labels[row.label], row.direction, row.packets, row.octets) for row in interval.usage]
            coverage = Coverage(interval.coverage)
            told = Told(point, self._places[place], coverage, interval.reason, interval.segments, place in self.overlapping)
            sums.add_coverage(parts, told)
            for totals in interval.totals:
                sums.add_totals(parts, point, totals.direction, PointCounts(*_TOTALS(totals)))
            for part in parts:
                sums.add_usage([part], point, usage)
                held += len(usage)
                if held > _MOST_HELD:
                    self._writer.add_roll_ups(sums, self._owners)
                    sums, held = RollUps(), 0
        self._writer.add_roll_ups(sums, self._owners)

    def _enter(self, place: int) -> None:
        """Enter an interval: its coverage, then its totals, then its usage."""
        interval, rows, posting = self._batch.intervals[place], self.rows, self._writer.posting
        own = rows.count
        covered = (interval.start, interval.end, interval.coverage, interval.reason, place in self.overlapping)
        rows.intervals.append((posting, own, self._points[interval.point], self._places[place], self._generations[place], *covered))
        rows.totals += [
            (posting, ordinal, own, totals.direction, *_TOTALS(totals)) for ordinal, totals in enumerate(interval.totals, rows.count)
        ]
        labels = self._labels
        rows.usage += [
            (posting, ordinal, own, labels[label], direction, packets, octets)
            for ordinal, (label, direction, packets, octets) in enumerate(map(_ROW, interval.usage), rows.count)
        ]
        if place in self._long:
            self._long_rows[place] = (posting, own, rows.count - 1, self._points[interval.point], interval.start, interval.end)


def _find_overlapping(writer: LedgerWriter, agent_id: str, batch: Batch) -> frozenset[int]:
    """Find the intervals during which another agent metered the same point; a router may have several."""
    found: set[int] = set()
    for number, point in enumerate(batch.points):
        own = [(place, interval) for place, interval in enumerate(batch.intervals) if interval.point == number]
        if own and point.kind != "router":
            found |= _overlaps(writer, agent_id, point, own)
    return frozenset(found)


def _overlaps(writer: LedgerWriter, agent_id: str, point: BatchPoint, own: Sequence[tuple[int, MeteredInterval]]) -> set[int]:
    start, end = min(interval.start for _, interval in own), max(interval.end for _, interval in own)
    others = writer.find_overlapping(agent_id, _POINT(point), start, end)
    return {
        place
        for place, interval in own
        if any(min(interval.end, other_end) - max(interval.start, other_start) > JITTER for other_start, other_end in others)
    }
