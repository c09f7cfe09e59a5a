"""What gives way when a spool is full.

Owns the order: acknowledged batches, while they take up more than half of the limit; then the distribution over time of what waits
(``coalescing``); then all acknowledged batches. What waits is never dropped: after all that, nothing is recorded, and the kernel counts on.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

from pysqlite3.dbapi2 import Connection
from structlog.typing import FilteringBoundLogger

from venturi.adapters.spool.coalescing import SPANS, coalesce
from venturi.adapters.spool.config import SpoolConfig
from venturi.adapters.spool.database import Database
from venturi.adapters.spool.reserve import Reserve
from venturi.adapters.spool.tables.batches import drop_oldest_acknowledged
from venturi.core.domain.agent_status import Pressure
from venturi.core.domain.errors import SpoolFullError

Kept = TypeVar("Kept")
"""What comes of a transaction."""

_SEVERITY = tuple(Pressure)
_STEPS = 4
"""The most that is made to give way for one recording."""

_DROPPED = 32
"""The acknowledged batches that give way at once."""

_ACKNOWLEDGED = "SELECT coalesce(sum(length(payload)), 0) FROM batches WHERE acknowledged_at IS NOT NULL"


class Room:
    """Makes room in the database of a spool, and remembers what it came to."""

    def __init__(self, config: SpoolConfig, database: Database, log: FilteringBoundLogger) -> None:
        self._config = config
        self._database = database
        self._reserve = Reserve(config.path, config.reserve)
        self._log = log
        self._span = SPANS[0]
        self.pressure = Pressure.NONE

    def start(self) -> None:
        """Set the reserve aside."""
        if not self._reserve.take():
            self._log.warning("no room for the spool's reserve", spool=str(self._config.path), octets=self._config.reserve)

    def keep_within_limit(self) -> None:
        """Make some room once the limit is reached, more than a recording takes, and be at ease at half of it.

        Raises ``SpoolFullError`` where nothing gives way. The limit may be exceeded while something does: a recording is not to wait long.
        """
        octets, ample = self._database.octets(), self._config.limit * 9 // 10
        if octets <= self._config.limit:
            if octets <= self._config.limit // 2:
                self._ease()
            return
        made = 0
        while octets > ample and made < _STEPS and self._make():
            made += 1
            octets = self._database.octets()
        if octets > self._config.limit and not made:
            message = f"the spool {self._config.path} is full: it may hold {self._config.limit} octets, and {octets} wait to be delivered"
            self._note(Pressure.FULL, message)
            raise SpoolFullError(message)

    def write(self, work: Callable[[Connection], Kept]) -> Kept:
        """Do ``work`` in one transaction; where the disk has no room for it, let things give way until there is, or nothing more does.

        Raises ``SpoolFullError`` then, with nothing of the work done.
        """
        try:
            with self._database.transaction() as connection:
                return work(connection)
        except SpoolFullError as error:
            with self._opened_reserve():
                return self._insist(work, error)

    def write_to_make_room(self, work: Callable[[Connection], Kept]) -> Kept:
        """Do ``work`` that makes room in the end, such as delivery, in one transaction; it may use the reserve.

        Raises ``SpoolFullError`` where even that is too little, with nothing of the work done.
        """
        try:
            with self._database.transaction() as connection:
                return work(connection)
        except SpoolFullError:
            with self._opened_reserve(), self._database.transaction() as connection:
                return work(connection)

    @contextmanager
    def _opened_reserve(self) -> Iterator[None]:
        """Let the reserve be used, first to empty the log, which is then written from its beginning; set it aside again if it is left."""
        self._reserve.give_back()
        with suppress(SpoolFullError):
            self._database.empty_log()
        try:
            yield
        finally:
            self._reserve.take()

    def _insist(self, work: Callable[[Connection], Kept], refusal: SpoolFullError) -> Kept:
        """Let one thing after the other give way until ``work`` can be done."""
        try:
            while self._make():
                with suppress(SpoolFullError), self._database.transaction() as connection:
                    return work(connection)
        except SpoolFullError as error:
            refusal = error
        self._note(Pressure.FULL, str(refusal))
        raise refusal

    def _make(self) -> bool:
        """Let something give way, and tell whether anything did; raises ``SpoolFullError`` where even that finds no room."""
        with self._database.transaction() as connection:
            (acknowledged,) = connection.execute(_ACKNOWLEDGED).fetchone()
            if acknowledged > self._config.limit // 2:
                return self._shorten(connection)
            self._span, fewer = coalesce(connection, self._span)
            if fewer == 0:
                return self._shorten(connection)
        self._note(Pressure.COALESCED, "the spool is full: what waits to be delivered is summed over longer intervals")
        return True

    def _shorten(self, connection: Connection) -> bool:
        dropped = drop_oldest_acknowledged(connection, _DROPPED)
        if dropped:
            self._note(Pressure.SHORTENED, "the spool is full: acknowledged batches go before their time")
        return dropped > 0

    def _note(self, pressure: Pressure, sentence: str) -> None:
        """Say what it came to, once for each time that it does."""
        if _SEVERITY.index(pressure) > _SEVERITY.index(self.pressure):
            self._log.error(sentence, spool=str(self._config.path))
            self.pressure = pressure

    def _ease(self) -> None:
        """Note that there is room again."""
        if self.pressure is not Pressure.NONE and self._reserve.take():
            self._log.info("the spool has room again", spool=str(self._config.path))
            self._span = SPANS[0]
            self.pressure = Pressure.NONE
