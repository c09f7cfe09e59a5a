"""Roll-ups lose and invent no octet: bins equal a plain calculation with fractions, hours the sums of their bins, in any order."""

from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction
from functools import reduce
from math import floor
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from venturi.core.domain.coverage import Coverage, CoverageReason
from venturi.core.domain.interval import SECOND
from venturi.core.ledger.bins import BIN, HOUR, JITTER, cut, snap
from venturi.core.ledger.covering import Told, cover, state_in_bin, tell

_NOON = 1_772_366_400 * SECOND
_LATER = _NOON + 100 * HOUR


class Record(NamedTuple):
    """A record as the plain calculation takes it; ``device`` tells which of a point's devices it is of."""

    start: int
    end: int
    octets: int
    coverage: Coverage = Coverage.COMPLETE
    device: int = 0


_TIMES = st.one_of(
    st.integers(0, 3 * HOUR),
    st.builds(lambda border, away: border * BIN + away, st.integers(0, 36), st.integers(-2 * JITTER, 2 * JITTER)),
)
_RECORDS = st.builds(
    lambda bounds, octets, coverage, device: Record(_NOON + min(bounds), _NOON + max(bounds), octets, coverage, device),
    st.tuples(_TIMES, _TIMES),
    st.one_of(st.integers(0, 10_000), st.integers(0, (1 << 70))),
    st.sampled_from(Coverage),
    st.integers(0, 2),
)


def octets_by_bin(record: Record, width: int) -> dict[int, int]:
    """Split a record by exact fractions: what falls before each border is rounded down, and bins get the differences."""
    start, end = snap(record.start), snap(record.end)
    if start == end:
        return {start // width * width: record.octets}
    borders = range(start // width * width, end, width)
    before = [floor(Fraction(record.octets) * max(0, min(border - start, end - start)) / (end - start)) for border in (*borders, end)]
    return {border: after - earlier for border, earlier, after in zip(borders, before, before[1:], strict=False)}


def posted_octets(records: Sequence[Record], width: int) -> dict[int, int]:
    """Sum the shares of records by bin, as posting does."""
    sums: dict[int, int] = defaultdict(int)
    for record in records:
        for part in cut(record.start, record.end, width):
            sums[part.bin_start] += part.share(record.octets)
    return sums


@given(_RECORDS, st.sampled_from([BIN, HOUR]))
def test_parts_equal_the_plain_calculation(record: Record, width: int) -> None:
    assert posted_octets([record], width) == octets_by_bin(record, width)


@given(st.lists(_RECORDS, max_size=8))
def test_bins_sum_to_the_records_and_hours_to_their_bins(records: list[Record]) -> None:
    bins, hours = posted_octets(records, BIN), posted_octets(records, HOUR)
    of_bins: dict[int, int] = defaultdict(int)
    for border, octets in bins.items():
        of_bins[border // HOUR * HOUR] += octets
    assert sum(bins.values()) == sum(record.octets for record in records)
    assert of_bins == hours


@given(_RECORDS, st.sampled_from([BIN, HOUR]))
def test_parts_tile_the_snapped_interval(record: Record, width: int) -> None:
    parts = cut(record.start, record.end, width)
    assert (parts[0].start, parts[-1].end) == (snap(record.start), snap(record.end))
    assert [part.start for part in parts[1:]] == [part.end for part in parts[:-1]]
    assert all(part.bin_start <= part.start <= part.end <= part.bin_start + width for part in parts)


@given(st.lists(_RECORDS, min_size=1, max_size=6).flatmap(lambda records: st.tuples(st.just(records), st.permutations(records))))
def test_coverage_does_not_depend_on_the_order_of_records(orders: tuple[list[Record], list[Record]]) -> None:
    first, second = (told_by_device(records) for records in orders)
    assert first == second


@given(st.lists(_RECORDS, min_size=1, max_size=6), st.sampled_from([BIN, HOUR]))
def test_a_bin_is_complete_only_if_no_moment_of_it_is_untold(overlapping: list[Record], width: int) -> None:
    records = without_overlaps(overlapping)
    told = told_by_device(records, width)
    for start in {border for _, border in told}:
        covering = cover(start, start + width, [row for (_, border), row in told.items() if border == start], _LATER)
        spans = sorted((snap(record.start), snap(record.end)) for record in records)
        if covering.state is Coverage.COMPLETE:
            assert untold_moments(spans, start, start + width) == 0
            assert covering.known == width
        assert ("missing" in covering.reason_names) or untold_moments(spans, start, start + width) == 0


def told_by_device(records: Sequence[Record], width: int = BIN) -> dict[tuple[int, int], Told]:
    """Merge what records tell by device and bin, as posting does."""
    rows: defaultdict[tuple[int, int], list[Told]] = defaultdict(list)
    for record in records:
        parts = cut(record.start, record.end, width)
        reason = CoverageReason.BYPASS if record.coverage is Coverage.PARTIAL else CoverageReason.NONE
        state = state_in_bin(parts[0], width, record.coverage)
        for part in parts:
            rows[record.device, part.bin_start].append(tell(part.end - part.start, state, reason))
    return {key: reduce(Told.merge, told) for key, told in rows.items()}


def without_overlaps(records: Sequence[Record]) -> list[Record]:
    """Keep, of each device, the records that begin after those before have ended: posting flags others."""
    kept: list[Record] = []
    ends: dict[int, int] = {}
    for record in sorted(records):
        if record.start >= ends.get(record.device, 0):
            kept.append(record)
            ends[record.device] = record.end
    return kept


def untold_moments(spans: Sequence[tuple[int, int]], start: int, end: int) -> int:
    """Sum the nanoseconds from ``start`` to ``end`` that lie in none of the sorted spans."""
    reached, untold = start, 0
    for first, last in spans:
        untold += max(0, min(first, end) - reached)
        reached = max(reached, min(last, end))
    return untold + max(0, end - reached)
