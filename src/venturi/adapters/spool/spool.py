"""The spool: what an agent must not lose, each step of it one transaction on stable storage.

Owns the steps. A crash at any moment leaves the state before a step or after it. Intervals wait, and may be coalesced, until delivery asks
for a batch; what is sealed may have reached the ledger, and never changes again.
"""

import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack

from pysqlite3.dbapi2 import Connection
from structlog.typing import FilteringBoundLogger

from venturi.adapters.edges import SPOOL_EDGE
from venturi.adapters.spool.config import SpoolConfig
from venturi.adapters.spool.database import Database
from venturi.adapters.spool.dating import date_anew
from venturi.adapters.spool.renewing import renew
from venturi.adapters.spool.room import Room
from venturi.adapters.spool.tables import batches, generations, intervals
from venturi.adapters.spool.values import (
    ChainHead,
    DatedAnew,
    LastReading,
    Moment,
    Recording,
    Renewal,
    SealedBatch,
    SpooledGeneration,
    SpoolSize,
)
from venturi.core.domain.errors import SpoolError
from venturi.core.domain.label import LabelWithRules
from venturi.core.ledger.chain import FIRST_PREVIOUS
from venturi.core.ledger.recorded import make_batch
from venturi.core.meter.readings.timeline import Correction

_SPOOL_ID_OCTETS = 16
_OLDEST_WAITING = "SELECT min(start) FROM intervals"
_COUNTS = """
    SELECT (SELECT count(*) FROM intervals), (SELECT start FROM intervals ORDER BY id LIMIT 1),
    (SELECT count(*) FROM batches WHERE acknowledged_at IS NULL), (SELECT count(*) FROM batches WHERE acknowledged_at IS NOT NULL)"""


@SPOOL_EDGE.adapter
class Spool:
    """The spool of one agent, in one file; methods may be called from several threads, and raise ``SpoolError`` where the file fails.

    ``record``, ``enter``, ``seal``, ``acknowledge`` and ``renew`` are done for good, or not at all, when they return or raise.
    """

    def __init__(self, config: SpoolConfig, log: FilteringBoundLogger) -> None:
        self._config = config
        self._database = Database(config.path)
        self._room = Room(config, self._database, log)
        self._lock = threading.Lock()
        self._may_seal: Callable[[], bool] = lambda: True
        self._oldest_sealed: tuple[int, int | None] = (0, None)

    def start(self) -> None:
        """Open the spool, or make it.

        Raises ``SpoolInUseError`` while another process holds it, ``SpoolError`` for another agent's, and for a file that is none.
        """
        with ExitStack() as undoing:
            self._database.start()
            undoing.callback(self._database.stop)
            self._room.write(self._identify)
            self._room.start()
            undoing.pop_all()

    def stop(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._database.stop()

    @property
    def spool_id(self) -> str:
        """The random identity of the spool, 128 bits in hexadecimal; another one once it was renewed."""
        with self._lock, self._database.transaction() as connection:
            return _spool_id(connection)

    @property
    def boot_id(self) -> str:
        """The boot of the host in which something was recorded last; empty before."""
        with self._lock, self._database.transaction() as connection:
            return str(connection.execute("SELECT boot_id FROM spool").fetchone()[0])

    def generations(self) -> tuple[SpooledGeneration, ...]:
        """List the generations, in the order in which they were entered."""
        with self._lock, self._database.transaction() as connection:
            return generations.read_generations(connection)

    def classifier(self, digest: str) -> tuple[LabelWithRules, ...]:
        """Give the labels and rules by which a generation counts; raises ``SpoolError`` where none does by this digest."""
        with self._lock, self._database.transaction() as connection:
            return generations.read_classifier(connection, digest)

    def enter(self, spooled: SpooledGeneration, classifier: Sequence[LabelWithRules]) -> None:
        """Enter a generation before the kernel is told of it, with the labels and rules of its classifier."""
        with self._lock:
            self._room.write(lambda connection: generations.add_generation(connection, spooled, tuple(classifier)))

    def record(self, recording: Recording) -> None:
        """Record what a round of readings came to.

        Raises ``SpoolFullError`` where there is no room, whatever gives way: last totals stand where they were, and the kernel counts on.
        """
        with self._lock:
            self._room.keep_within_limit()
            self._room.write(lambda connection: _record(connection, recording))

    def seal_while(self, may_seal: Callable[[], bool]) -> None:
        """Seal nothing while ``may_seal``, which is asked each time, says no: what waits is about to be dated anew."""
        self._may_seal = may_seal

    def seal(self, at: int) -> SealedBatch | None:
        """Make a batch of what was recorded first, chained to the one before; None where nothing waits, or nothing may be sealed now.

        ``at`` is in nanoseconds since the epoch. To be called when the batch is about to be sent, and no sooner: what is sealed cannot be
        coalesced.
        """
        if not self._may_seal():
            return None
        with self._lock:
            return self._room.write_to_make_room(lambda connection: _seal(connection, at, self._config.batch_rows))

    def head(self) -> ChainHead:
        """Give the last batch that was sealed."""
        with self._lock, self._database.transaction() as connection:
            return batches.read_head(connection)

    def batch(self, sequence: int) -> SealedBatch | None:
        """Give a batch, None for one that is not held any more."""
        with self._lock, self._database.transaction() as connection:
            return batches.read_batch(connection, _spool_id(connection), sequence)

    def digest(self, sequence: int) -> bytes | None:
        """Give the digest of a batch, None for one that is not held any more."""
        with self._lock, self._database.transaction() as connection:
            return batches.read_digest(connection, sequence)

    def undelivered(self, highest: int, missing: Sequence[tuple[int, int]] = ()) -> list[int]:
        """List, in order, the batches that a ledger lacks which has all up to ``highest`` but for the ``missing`` ranges (ends included).

        Those that it never acknowledged are among them, whatever it has: their acknowledgement is still to come.
        """
        with self._lock, self._database.transaction() as connection:
            return batches.list_undelivered(connection, highest, missing)

    def count_acknowledged(self, sequences: Sequence[int]) -> int:
        """Count those of some batches that a ledger acknowledged."""
        with self._lock, self._database.transaction() as connection:
            return batches.count_acknowledged(connection, sequences)

    def acknowledge(self, sequence: int, at: int) -> None:
        """Note that the ledger holds a batch for good."""
        with self._lock:
            self._room.write_to_make_room(lambda connection: batches.mark_acknowledged(connection, sequence, at))

    def forget_older_than(self, at: int) -> int:
        """Remove the batches that were acknowledged before a time, in nanoseconds since the epoch, and tell how many."""
        with self._lock:
            return self._room.write_to_make_room(lambda connection: batches.drop_acknowledged(connection, at))

    def renew(self, moment: Moment, readings: Mapping[str, LastReading]) -> Renewal:
        """Begin anew under another spool id, after it was found that the file is older than what it has delivered.

        What waits or is not acknowledged may have been delivered already in another form: it is given up for gaps, one for each place, from
        where it is not known what was delivered up to ``moment``. ``readings``, by id of a generation, are the totals to count on from;
        generations without one are forgotten, so that they are found in the kernel as another spool's.
        """
        with self._lock:
            return self._room.write_to_make_room(
                lambda connection: renew(connection, secrets.token_hex(_SPOOL_ID_OCTETS), moment, readings)
            )

    def date_anew(self, correction: Correction) -> DatedAnew:
        """Correct times that were told by a wrong clock, of what waits and of last readings.

        What is sealed stays as it is; where it should stand, there is a gap ``clock_step`` for each place.
        """
        with self._lock:
            return self._room.write(lambda connection: date_anew(connection, correction))

    def oldest_undelivered(self) -> int | None:
        """Give the time, in nanoseconds since the epoch, from which on not all is acknowledged; None if nothing is to be delivered."""
        with self._lock, self._database.transaction() as connection:
            waiting = connection.execute(_OLDEST_WAITING).fetchone()[0]
            first = batches.first_unacknowledged(connection)
            known = self._oldest_sealed
            compressed = batches.read_compressed(connection, first) if first is not None and known[0] != first else None
        if compressed is not None and first is not None:
            known = self._oldest_sealed = (first, batches.read_start(compressed))
        starts = [start for start in (waiting, known[1] if first is not None else None) if start is not None]
        return min(starts, default=None)

    def size(self) -> SpoolSize:
        """Tell how much is kept, and what a lack of room has come to."""
        with self._lock:
            octets = self._database.octets()
            with self._database.transaction() as connection:
                waiting, since, unacknowledged, acknowledged = connection.execute(_COUNTS).fetchone()
        return SpoolSize(
            octets=octets,
            limit=self._config.limit,
            waiting=waiting,
            waiting_since=since,
            unacknowledged=unacknowledged,
            acknowledged=acknowledged,
            pressure=self._room.pressure,
        )

    def _identify(self, connection: Connection) -> None:
        """Give a new spool its identity, and refuse one of another agent."""
        row = connection.execute("SELECT agent_id FROM spool").fetchone()
        if row is None:
            identity = (secrets.token_hex(_SPOOL_ID_OCTETS), self._config.agent_id, FIRST_PREVIOUS)
            connection.execute("INSERT INTO spool (id, agent_id, boot_id, sequence, digest) VALUES (?, ?, '', 0, ?)", identity)
        elif row[0] != self._config.agent_id:
            message = f"the spool {self._config.path} belongs to agent {row[0]}; give agent {self._config.agent_id} a file of its own"
            raise SpoolError(message)


def _spool_id(connection: Connection) -> str:
    return str(connection.execute("SELECT id FROM spool").fetchone()[0])


def _record(connection: Connection, recording: Recording) -> None:
    generations.write_states(connection, recording.states)
    generations.write_readings(connection, recording.readings)
    generations.drop_generations(connection, recording.forgotten)
    intervals.add_intervals(connection, recording.intervals)
    connection.execute("UPDATE spool SET boot_id = ?", (recording.moment.boot_id,))


def _seal(connection: Connection, at: int, rows: int) -> SealedBatch | None:
    chosen = intervals.oldest_intervals(connection, rows)
    if not chosen:
        return None
    batch = make_batch(intervals.read_intervals(connection, chosen), at)
    intervals.drop_intervals(connection, chosen)
    intervals.drop_labels(connection)
    return batches.add_batch(connection, _spool_id(connection), batch)
