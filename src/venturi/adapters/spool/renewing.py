"""What a spool makes of having been rolled back: another identity, gaps for what it gives up, and totals to count on from.

Owns the bounds of the gaps. Whether a spool was rolled back is for delivery to find out.
"""

from collections.abc import Iterable, Iterator, Mapping

from pysqlite3.dbapi2 import Connection

from venturi.adapters.spool.tables import generations, intervals
from venturi.adapters.spool.tables.forms import decompress
from venturi.adapters.spool.values import GenerationState, LastReading, Moment, Renewal
from venturi.core.domain.coverage import Coverage, CoverageReason
from venturi.core.ledger.batch import BatchPoint, MeteredInterval, decode_batch
from venturi.core.ledger.chain import FIRST_PREVIOUS
from venturi.core.ledger.checks import LONGEST_INTERVAL
from venturi.core.ledger.recorded import NO_LABELS, RecordedInterval

_Place = tuple[BatchPoint, str]


def renew(connection: Connection, spool_id: str, moment: Moment, readings: Mapping[str, LastReading]) -> Renewal:
    """Give up what was not delivered for certain, and begin a chain under ``spool_id``."""
    gaps = [_gap(place, start, moment.wall) for place, start in _earliest(_unsure(connection)).items()]
    dropped = connection.execute("DELETE FROM intervals").rowcount
    (batches,) = connection.execute("SELECT count(*) FROM batches WHERE acknowledged_at IS NULL").fetchone()
    connection.execute("DELETE FROM batches")
    known = {spooled.generation.id for spooled in generations.read_generations(connection)}
    generations.drop_generations(connection, known - readings.keys())
    generations.write_readings(connection, {name: reading for name, reading in readings.items() if name in known})
    intervals.drop_labels(connection)
    intervals.add_intervals(connection, gaps)
    connection.execute("UPDATE spool SET id = ?, boot_id = ?, sequence = 0, digest = ?", (spool_id, moment.boot_id, FIRST_PREVIOUS))
    return Renewal(spool_id=spool_id, gaps=tuple(gaps), intervals=dropped, batches=batches)


def _unsure(connection: Connection) -> Iterator[tuple[_Place, int]]:
    """Give places and times from which on it is not known what was delivered."""
    for spooled in generations.read_generations(connection):
        if spooled.state is GenerationState.RETIRED:
            continue
        seen = spooled.entered if spooled.last is None else spooled.last.moment
        yield (spooled.point, spooled.metered.place), seen.wall
    names = [row[0] for row in connection.execute("SELECT id FROM intervals")]
    for entry in intervals.read_intervals(connection, names):
        yield (entry.point, entry.interval.place), entry.interval.start
    for (payload,) in connection.execute("SELECT payload FROM batches WHERE acknowledged_at IS NULL"):
        batch = decode_batch(decompress(payload))
        yield from (((batch.points[interval.point], interval.place), interval.start) for interval in batch.intervals)


def _earliest(unsure: Iterable[tuple[_Place, int]]) -> dict[_Place, int]:
    earliest: dict[_Place, int] = {}
    for place, start in unsure:
        earliest[place] = min(start, earliest.get(place, start))
    return earliest


def _gap(place: _Place, start: int, end: int) -> RecordedInterval:
    """Make the gap of a place; one that seems to begin after its end, because the clock was set back, is of a nanosecond.

    None is longer than a ledger takes.
    """
    interval = MeteredInterval(
        point=0,
        place=place[1],
        start=max(min(start, end - 1), end - LONGEST_INTERVAL),
        end=end,
        coverage=str(Coverage.GAP),
        reason=str(CoverageReason.SPOOL_ROLLED_BACK),
    )
    return RecordedInterval(place[0], NO_LABELS, interval)
