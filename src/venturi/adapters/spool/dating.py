"""What a spool makes of times that were told by a wrong clock: what waits is dated anew, what is sealed leaves a gap where it should stand.

Owns the new bounds. Which times were wrong is for the timeline to say.
"""

from collections.abc import Iterator
from dataclasses import replace

import msgspec
from pysqlite3.dbapi2 import Connection

from venturi.adapters.spool.tables import generations, intervals
from venturi.adapters.spool.tables.forms import decompress
from venturi.adapters.spool.values import DatedAnew, Moment, SpooledGeneration
from venturi.core.domain.coverage import Coverage, CoverageReason
from venturi.core.ledger.batch import BatchPoint, MeteredInterval, decode_batch
from venturi.core.ledger.recorded import NO_LABELS, RecordedInterval
from venturi.core.meter.readings.timeline import Correction

_Place = tuple[BatchPoint, str]
_Span = tuple[int, int]


def date_anew(connection: Connection, correction: Correction) -> DatedAnew:
    """Correct what waits and last readings, and add gaps for what is sealed."""
    gaps = [_gap(place, span) for place, span in _sealed(connection, correction).items()]
    count = _date_intervals(connection, correction)
    intervals.add_intervals(connection, gaps)
    for spooled in generations.read_generations(connection):
        generations.replace_generation(connection, _dated_generation(spooled, correction))
    return DatedAnew(count, tuple(gaps))


def move_moment(moment: Moment, correction: Correction) -> Moment:
    """Give a moment as it should have been told."""
    return replace(moment, wall=correction.moved(moment.wall))


def _date_intervals(connection: Connection, correction: Correction) -> int:
    """Give intervals their times, none of which begins before the one before it at its place ends; tell how many have others now."""
    ends: dict[tuple[str, str], int] = {}
    count = 0
    for (name,) in connection.execute("SELECT id FROM intervals ORDER BY id").fetchall():
        (entry,) = intervals.read_intervals(connection, [name])
        place = (entry.point.id, entry.interval.place)
        span = (entry.interval.start, entry.interval.end)
        if correction.concerns(span[1]):
            span = _moved(span, correction, ends.get(place, 0))
            intervals.drop_intervals(connection, [name])
            dated = msgspec.structs.replace(entry.interval, start=span[0], end=span[1])
            intervals.put_interval(connection, name, replace(entry, interval=dated))
            count += 1
        ends[place] = max(span[1], ends.get(place, 0))
    return count


def _moved(span: _Span, correction: Correction, earliest: int = 0) -> _Span:
    start, end = map(correction.moved, span)
    if end <= start:
        start = end - (span[1] - span[0])
    start = max(start, earliest)
    return start, max(end, start + 1)


def _sealed(connection: Connection, correction: Correction) -> dict[_Place, _Span]:
    """Give places and the times at which passed what is sealed under other times."""
    spans: dict[_Place, _Span] = {}
    for batch in _batches(connection):
        wrong = [interval for interval in batch if correction.concerns(interval[1].end)]
        if not wrong:
            return spans
        for point, interval in wrong:
            start, end = _moved((interval.start, interval.end), correction)
            earlier = spans.get((point, interval.place), (start, end))
            spans[point, interval.place] = min(start, earlier[0]), max(end, earlier[1])
    return spans


def _batches(connection: Connection) -> Iterator[list[tuple[BatchPoint, MeteredInterval]]]:
    """Read what is sealed, the latest batch first."""
    for (payload,) in connection.execute("SELECT payload FROM batches ORDER BY sequence DESC"):
        batch = decode_batch(decompress(payload))
        yield [(batch.points[interval.point], interval) for interval in batch.intervals]


def _gap(place: _Place, span: _Span) -> RecordedInterval:
    gap, reason = str(Coverage.GAP), str(CoverageReason.CLOCK_STEP)
    return RecordedInterval(
        place[0], NO_LABELS, MeteredInterval(point=0, place=place[1], start=span[0], end=span[1], coverage=gap, reason=reason)
    )


def _dated_generation(spooled: SpooledGeneration, correction: Correction) -> SpooledGeneration:
    last = None if spooled.last is None else replace(spooled.last, moment=move_moment(spooled.last.moment, correction))
    return replace(spooled, entered=move_moment(spooled.entered, correction), last=last)
