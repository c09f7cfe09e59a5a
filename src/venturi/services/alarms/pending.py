"""What waits to be written: sightings of alarms and statuses of agents, joined while they wait.

Owns the joining and the bound on what waits. Nothing here waits for a database.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace

from venturi.core.domain.agent_status import ReportedStatus
from venturi.core.domain.alarm import Sighting

MOST_WAITING = 10_000
"""How many alarms, and how many statuses, wait at most."""


@dataclass(frozen=True, kw_only=True)
class ReceivedStatus:
    """A status of an agent and when it came, in nanoseconds since the UTC epoch."""

    agent_id: str
    status: ReportedStatus
    received_at: int


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """What waited: sightings by the id of the alarm, the last status of each agent, and how often there was no room for an alarm."""

    sightings: Mapping[str, Sighting]
    statuses: Mapping[str, ReceivedStatus]
    overflow: int


class Pending:
    """Collects from any thread what one thread writes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sightings: dict[str, Sighting] = {}
        self._statuses: dict[str, ReceivedStatus] = {}
        self._overflow = 0

    def see(self, sighting: Sighting) -> None:
        """Let a sighting wait, joined with those of the same alarm that wait already."""
        with self._lock:
            self._see(sighting)

    def receive(self, received: ReceivedStatus) -> bool:
        """Let a status wait in place of the one before of the same agent, and tell whether there was room."""
        with self._lock:
            known = received.agent_id in self._statuses
            if not known and len(self._statuses) >= MOST_WAITING:
                return False
            self._statuses[received.agent_id] = received
            return True

    def take(self) -> Waiting:
        """Take all that waits."""
        with self._lock:
            waiting = Waiting(sightings=self._sightings, statuses=self._statuses, overflow=self._overflow)
            self._sightings, self._statuses, self._overflow = {}, {}, 0
            return waiting

    def put_back(self, waiting: Waiting) -> None:
        """Let wait again what could not be written; what came meanwhile came after it."""
        with self._lock:
            since, self._sightings = self._sightings, dict(waiting.sightings)
            self._statuses = {**waiting.statuses, **self._statuses}
            self._overflow += waiting.overflow
            for sighting in since.values():
                self._see(sighting)

    def _see(self, sighting: Sighting) -> None:
        name = sighting.alarm.id
        before = self._sightings.get(name)
        if before is None and len(self._sightings) >= MOST_WAITING:
            self._overflow += sighting.count
            return
        self._sightings[name] = sighting if before is None else _join(before, sighting)


def _join(before: Sighting, after: Sighting) -> Sighting:
    """Join two sightings of an alarm: what was cleared between both is over, and what was only cleared stays as it was raised."""
    if not after.count:
        return replace(before, cleared=True, last_at=after.last_at)
    if before.cleared or not before.count or after.total:
        return after
    raised = before if after.lasting else replace(before, count=before.count + after.count, lasting=False)
    return replace(raised, alarm=after.alarm, last_at=after.last_at, cleared=after.cleared)
