"""What becomes of intervals that are sealed, and of those that are summed before."""

from collections import Counter
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import given

from tests.spool.building import (
    BEGIN,
    CLASSIFIER,
    READING,
    counted_octets,
    interval_of,
    moment_of,
    open_spool,
    recording_of,
    sealed_of,
    spooled_generation,
    waiting_of,
)
from venturi.adapters.spool.coalescing import coalesce
from venturi.adapters.spool.values import Recording
from venturi.core.domain.coverage import Coverage
from venturi.core.domain.interval import SECOND
from venturi.core.ledger.batch import BatchLabel, BatchPoint, DirectionTotals, MeteredInterval, UsageRow, decode_batch
from venturi.core.ledger.chain import FIRST_PREVIOUS, chain_digest
from venturi.core.ledger.recorded import LabelSet, RecordedInterval, join_intervals, make_batch

GENERATION = f"{1:032x}"

_LABEL_SETS = [LabelSet(tuple(BatchLabel(f"{number}", name, "", False) for number in range(3))) for name in ("before", "after")]
_COUNTS = st.integers(0, 1 << 40)
_TOTALS = st.dictionaries(st.integers(0, 2), st.lists(_COUNTS, min_size=6, max_size=6), max_size=3)
_USAGE = st.dictionaries(st.tuples(st.integers(0, 2), st.integers(0, 2)), st.tuples(_COUNTS, _COUNTS), max_size=4)


@st.composite
def recorded_intervals(draw: st.DrawFn) -> RecordedInterval:
    """Draw an interval of a few kinds that begins and ends at one of a few readings."""
    start = draw(st.integers(0, 12))
    interval = MeteredInterval(
        point=0,
        place=draw(st.sampled_from(["eth0", "eth1"])),
        start=BEGIN + start * READING,
        end=BEGIN + (start + draw(st.integers(1, 2))) * READING,
        coverage=draw(st.sampled_from([Coverage.COMPLETE, Coverage.PARTIAL])),
        generation=draw(st.sampled_from(["", GENERATION])),
        revision=draw(st.integers(1, 2)),
        totals=[DirectionTotals(direction, *counts) for direction, counts in draw(_TOTALS).items()],
        usage=[UsageRow(*key, *counts) for key, counts in draw(_USAGE).items()],
    )
    point = BatchPoint(draw(st.sampled_from(["one", "other"])), "", "", True, "interface")
    return RecordedInterval(point, draw(st.sampled_from(_LABEL_SETS)), interval)


def _sums(recorded: list[RecordedInterval]) -> Counter[tuple[object, ...]]:
    """Sum everything that is counted, by all that it may not be summed across, and the time that is covered."""
    sums: Counter[tuple[object, ...]] = Counter()
    for entry in recorded:
        interval = entry.interval
        kind = (entry.point, entry.labels, interval.place, interval.coverage, interval.generation, interval.revision)
        sums[*kind, "time"] += interval.end - interval.start
        for total in interval.totals:
            for name in total.__struct_fields__[1:]:
                sums[*kind, total.direction, name] += getattr(total, name)
        for row in interval.usage:
            sums[*kind, row.label, row.direction, "packets"] += row.packets
            sums[*kind, row.label, row.direction, "octets"] += row.octets
    return +sums


@given(st.lists(recorded_intervals(), max_size=12))
def test_joining_conserves_every_count_and_all_time(recorded: list[RecordedInterval]) -> None:
    joined = join_intervals(recorded)
    assert _sums(joined) == _sums(recorded)
    assert len(joined) <= len(recorded)


@given(st.lists(recorded_intervals(), max_size=12))
def test_a_batch_says_what_was_recorded_with_each_point_and_label_once(recorded: list[RecordedInterval]) -> None:
    batch = make_batch(recorded, sealed_at=5)
    assert len(set(batch.points)) == len(batch.points)
    assert len(set(batch.labels)) == len(batch.labels)
    for entry, interval in zip(recorded, batch.intervals, strict=True):
        assert batch.points[interval.point] == entry.point
        said = [(batch.labels[row.label], row.direction, row.packets, row.octets) for row in interval.usage]
        assert said == [(entry.labels.labels[row.label], row.direction, row.packets, row.octets) for row in entry.interval.usage]


def test_what_adjoins_is_joined_and_what_differs_or_is_apart_is_not() -> None:
    recorded = [interval_of(1, "a"), interval_of(2, "a"), interval_of(4, "a"), interval_of(5, "b"), interval_of(6, "b", revision=1)]
    joined = [(entry.interval.start - BEGIN, entry.interval.end - BEGIN) for entry in join_intervals(recorded)]
    assert joined == [(0, 2 * READING), (3 * READING, 4 * READING), (4 * READING, 5 * READING), (5 * READING, 6 * READING)]


def test_minutes_are_summed_before_5_minutes_and_those_before_hours(tmp_path: Path) -> None:
    spool = open_spool(tmp_path / "spool.db")
    spool.record(Recording(moment=moment_of(0), intervals=[interval_of(reading) for reading in range(1, 400)]))
    octets = counted_octets(waiting_of(spool))
    longest = []
    while True:
        with spool._database.transaction() as connection:
            if coalesce(connection)[1] == 0:
                break
        assert counted_octets(waiting_of(spool)) == octets
        longest.append(max(entry.interval.end - entry.interval.start for entry in waiting_of(spool)) // SECOND)
    assert longest == sorted(longest)
    assert longest[:3] == [60, 60, 300]
    assert longest[-1] == 399 * READING // SECOND, "all lie in one day"
    spool.stop()


def test_batches_are_chained_in_the_order_of_readings_and_bounded(tmp_path: Path) -> None:
    spool = open_spool(tmp_path / "spool.db", batch_rows=100)
    spool.enter(spooled_generation(spool), CLASSIFIER)
    for reading in range(1, 6):
        spool.record(recording_of(reading, GENERATION))
    before = counted_octets(waiting_of(spool))
    previous = FIRST_PREVIOUS
    for sequence in range(1, 4):
        sealed = spool.seal(sequence)
        assert sealed is not None
        assert (sealed.sequence, sealed.previous) == (sequence, previous)
        assert sealed.digest == chain_digest(spool.spool_id, sequence, previous, sealed.payload)
        assert sealed == spool.batch(sequence)
        assert len(decode_batch(sealed.payload).intervals) == (2 if sequence < 3 else 1)
        previous = sealed.digest
    assert spool.seal(4) is None
    assert counted_octets(sealed_of(spool)) == before
    starts = [entry.interval.start for entry in sealed_of(spool)]
    assert starts == sorted(starts)
    spool.stop()
