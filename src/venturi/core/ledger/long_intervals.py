"""Long intervals: those that touch too many bins to be spread over them when they are posted.

Owns which intervals of a batch are long, and how their entries are spread when they are read. They are spread by the same arithmetic
as others (``bins``), so that no sum depends on which of them are long.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from venturi.core.domain.coverage import Coverage
from venturi.core.ledger.batch import MeteredInterval, count_entries
from venturi.core.ledger.bins import HOUR, count_bins, cut_within
from venturi.core.ledger.covering import state_in_bin

MOST_BINS = 12
"""Over how many bins of 5 minutes an interval is spread at most when it is posted: as many as an hour has."""

FEW_BINS = 2
"""An interval in so few bins is never long."""

MOST_SPREAD = 150_000
"""To how many bins of 5 minutes the records of a batch are added at most, unless each is in few; else those in more are long too."""

MOST_LONG_GAPS = 100
"""How many long intervals that are held a point is shown to have, so that no agent makes its reports slow."""

Counts = tuple[int, ...]
Key = tuple[int | str, ...]


class LongRecord(NamedTuple):
    """An entry of a long interval with the true bounds ``start`` and ``end``: what it is summed by, and its counts as corrected."""

    start: int
    end: int
    key: Key
    counts: Counts


class LongCoverage(NamedTuple):
    """What a long interval tells of coverage, as in a row of the roll-up."""

    start: int
    end: int
    point: int
    place: int
    coverage: Coverage
    reason: str
    segments: str
    overlapping: bool


def choose_long(intervals: Sequence[MeteredInterval]) -> frozenset[int]:
    """Choose the intervals of a batch, by their places, that are kept as they are instead of being spread when they are posted."""
    bins = [count_bins(interval.start, interval.end) for interval in intervals]
    spread = sum(touched * count_entries(interval) for touched, interval in zip(bins, intervals, strict=True) if touched <= MOST_BINS)
    most = FEW_BINS if spread > MOST_SPREAD else MOST_BINS
    return frozenset(place for place, touched in enumerate(bins) if touched > most)


def is_long_gap(start: int, end: int) -> bool:
    """Tell whether the time of a held interval is kept as it is instead of being spread when it is posted."""
    return end - start > HOUR


def spread_records(records: Iterable[LongRecord], window: tuple[int, int], width: int) -> dict[tuple[int | str, ...], list[int]]:
    """Sum the shares of records in bins of ``width`` within a window, by the start of the bin and the key; 0 for one bin as the window."""
    sums: dict[tuple[int | str, ...], list[int]] = {}
    bounds, shares = (0, 0), list[tuple[int, Callable[[int], int]]]()
    for record in records:
        if (record.start, record.end) != bounds:
            bounds = record.start, record.end
            shares = [(part.bin_start, part.share) for part in cut_within(*bounds, window, width)]
        for start, share in shares:
            found = sums.setdefault((start, *record.key), [0] * len(record.counts))
            for place, count in enumerate(record.counts):
                found[place] += share(count)
    return sums


def spread_coverage(told: Iterable[LongCoverage], window: tuple[int, int], width: int) -> list[tuple[int | str, ...]]:
    """Give rows of the roll-up of coverage over bins of ``width`` within a window: without the resolution, as readers ask for them."""
    rows: list[tuple[int | str, ...]] = []
    for one in told:
        for part in cut_within(one.start, one.end, window, width):
            length = part.end - part.start
            state = state_in_bin(part, width, one.coverage).value
            overlapping = length if one.overlapping else 0
            rows.append((part.bin_start, one.point, one.place, state, one.reason, one.segments, length, overlapping))
    return rows
