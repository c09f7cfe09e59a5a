"""The keeping of alarms: what is raised becomes rows, soon and in one thread, so that nobody who raises one waits for the database.

Owns the thread, when an alarm is over, and when a server looks for what is wrong by itself. While the database fails, what was raised
waits in memory and the log says so. Every server of a database does this: whatever is done twice comes to the same.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import replace

from structlog.typing import FilteringBoundLogger

from venturi.adapters.store.store import Store, StoreWriter
from venturi.adapters.store.tables.agents import MOST_AGENTS
from venturi.adapters.store.tables.alarms import MOST_ALARMS, MOST_OF_KIND
from venturi.adapters.threads.supervisor import Supervisor
from venturi.core.domain.agent_status import ReportedStatus
from venturi.core.domain.alarm import Alarm, RaiseAlarm, Sighting
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.errors import StoreError
from venturi.core.domain.interval import Nanoseconds
from venturi.services.alarms.kinds import AGES, FORGOTTEN_AFTER, USUAL_AGE, ServerAlarm
from venturi.services.alarms.pending import Pending, ReceivedStatus, Waiting
from venturi.services.alarms.standing import find_standing
from venturi.services.alarms.statuses import keep_status

_WRITE_SECONDS = 1.0
_SERVER = Principal(user_id="venturi", project_id="")


class AlarmKeeping:
    """Keeps what is raised; ``start`` begins to write, ``stop`` writes what is left."""

    def __init__(
        self, store: Store, clock: Callable[[], Nanoseconds], tell: RaiseAlarm, log: FilteringBoundLogger, *, upkeep_seconds: float = 30.0
    ) -> None:
        """Write to ``store``; ``tell`` hears of each alarm at once, before it is a row.

        Every ``upkeep_seconds`` alarms age, and agents that fell silent and points that nobody meters are looked for.
        """
        self._store = store
        self._clock = clock
        self._tell = tell
        self._log = log
        self._pending = Pending()
        self._began = clock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._failing = False
        self._upkeep_at = 0.0
        self._upkeep_seconds = upkeep_seconds
        self._standing: frozenset[str] = frozenset()

    def start(self, supervisor: Supervisor) -> None:
        """Begin to write what is raised, in a thread under ``supervisor``."""
        self._thread = supervisor.start("alarms", self._run, self._stopping)

    def stop(self) -> None:
        """Write what still waits, and end."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def raise_alarm(self, alarm: Alarm) -> None:
        """Tell of an alarm, and let it become a row; from any thread."""
        self._tell(alarm)
        now = self._clock()
        self._pending.see(Sighting(alarm=alarm, first_at=now, last_at=now))

    def clear_alarm(self, kind: str, subject: str) -> None:
        """Note that what an alarm of this server told of is over; from any thread."""
        now = self._clock()
        self._pending.see(Sighting(alarm=Alarm(kind=kind, subject=subject, sentence=""), first_at=now, last_at=now, count=0, cleared=True))

    def receive(self, agent_id: str, status: ReportedStatus) -> Nanoseconds:
        """Let the status of an agent become a row, and give the time; raises ``StoreError`` where too many wait."""
        now = self._clock()
        if not self._pending.receive(ReceivedStatus(agent_id=agent_id, status=status, received_at=now)):
            message = "too many statuses of agents wait for the database; try again"
            raise StoreError(message)
        return now

    def write(self) -> None:
        """Write what waits; while the store cannot be written, it waits on."""
        waiting = self._pending.take()
        upkeep = time.monotonic() >= self._upkeep_at
        if not (waiting.sightings or waiting.statuses or waiting.overflow or upkeep):
            return
        try:
            self._write_all(waiting, upkeep=upkeep)
        except StoreError as error:
            self._pending.put_back(waiting)
            if not self._failing:
                self._log.error("alarms cannot be written; they wait", reason=str(error))
            self._failing = True
            return
        if self._failing:
            self._log.info("alarms are written again")
        self._failing = False
        if upkeep:
            self._upkeep_at = time.monotonic() + self._upkeep_seconds

    def _run(self) -> None:
        while not self._stopping.wait(_WRITE_SECONDS):
            self.write()
        self.write()

    def _write_all(self, waiting: Waiting, *, upkeep: bool) -> None:
        now = self._clock()
        with self._store.writing(_SERVER) as writer:
            sightings = [*(_of_project(writer, seen) for seen in waiting.sightings.values()), *_keep_statuses(writer, waiting, now)]
            standing = find_standing(writer, now, self._began) if upkeep else []
            overflow = waiting.overflow + writer.alarms.note([*sightings, *standing], ServerAlarm.OVERFLOW)
            if overflow:
                writer.alarms.note([_overflow(now, overflow)], ServerAlarm.OVERFLOW)
            if upkeep:
                writer.alarms.age(now, AGES, USUAL_AGE)
                writer.alarms.forget(now - FORGOTTEN_AFTER)
        if upkeep:
            self._tell_standing([sighting.alarm for sighting in standing])

    def _tell_standing(self, alarms: list[Alarm]) -> None:
        """Tell of what was not the case at the last look."""
        for alarm in alarms:
            if alarm.id not in self._standing:
                self._tell(alarm)
        self._standing = frozenset(alarm.id for alarm in alarms)


def _of_project(writer: StoreWriter, sighting: Sighting) -> Sighting:
    """Show an alarm about a point to the readers of the project that the point is of, whatever a batch says of that."""
    alarm = sighting.alarm
    if not alarm.point_id:
        return sighting
    point = writer.points.find(alarm.point_id)
    return replace(sighting, alarm=replace(alarm, project_id=None if point is None else point.project_id))


def _keep_statuses(writer: StoreWriter, waiting: Waiting, now: int) -> list[Sighting]:
    """Keep the statuses that came, and give the sightings of the alarms in them."""
    sightings: list[Sighting] = []
    refused = False
    for received in waiting.statuses.values():
        reported = keep_status(writer, received)
        refused = refused or reported is None
        sightings += reported or []
    return [*sightings, _too_many_agents(now)] if refused else sightings


def _too_many_agents(now: int) -> Sighting:
    sentence = f"{MOST_AGENTS} agents report already, so the status of another is not kept; forget those that are gone"
    return Sighting(alarm=Alarm(kind=ServerAlarm.OVERFLOW, subject="agents", sentence=sentence), first_at=now, last_at=now)


def _overflow(now: int, count: int) -> Sighting:
    sentence = f"there was no room for an alarm: {MOST_OF_KIND} of a kind and {MOST_ALARMS} in all are kept; the log has each"
    alarm = Alarm(kind=ServerAlarm.OVERFLOW, subject="alarms", sentence=sentence)
    return Sighting(alarm=alarm, first_at=now, last_at=now, count=count)
