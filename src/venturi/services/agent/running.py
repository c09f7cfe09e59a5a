"""The running agent: looks each second, reads on schedule, follows its plan and has what it recorded delivered.

Owns the order of these and the waiting between them. What each does is for the parts.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from venturi.core.domain.errors import SpoolError, VenturiError
from venturi.core.domain.interval import SECOND
from venturi.services.agent.clock import AgentClock
from venturi.services.agent.delivery.delivery import Delivery
from venturi.services.agent.following import PlanFollower
from venturi.services.agent.metering.metering import Metering
from venturi.services.agent.observing import AgentAlarm, AgentObserver
from venturi.services.agent.reporting import Reporting
from venturi.services.agent.schedule import Schedule

_LOOK_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class RunningParts:
    """What runs together; ``delivery`` is None where nothing is delivered."""

    metering: Metering
    clock: AgentClock
    schedule: Schedule
    follower: PlanFollower
    delivery: Delivery | None
    observer: AgentObserver
    reporting: Reporting


class AgentRun:
    """Runs in the thread that calls ``run``, until ``stop`` is called from any other or from a signal handler."""

    def __init__(self, parts: RunningParts, woken: threading.Event) -> None:
        """Wake up when ``woken`` is set, and once a second."""
        self._parts = parts
        self._woken = woken
        self._stopping = False
        self._next_reading = 0

    def stop(self) -> None:
        """End at the next look: to wake up for it would take a lock, which the signal may have interrupted the taking of."""
        self._stopping = True

    def run(self, ready: Callable[[], None]) -> None:
        """Meter until stopped; the last readings are recorded then, and the kernel goes on counting. ``ready`` is called once this meters.

        Raises ``SpoolError`` and ``DriverError`` where it cannot begin.
        """
        parts = self._parts
        parts.metering.start()
        kept = parts.follower.kept()
        if kept is not None:
            parts.metering.resume(kept)
        self._step()
        parts.follower.start()
        ready()
        while not self._stopping:
            self._wait()
            self._step()
        self._do(lambda: parts.metering.read(to_the_end=True))
        if parts.delivery is not None:
            parts.delivery.wake()
        parts.reporting.report(running=False)

    def _step(self) -> None:
        parts = self._parts
        if parts.metering.correct_times():
            self._next_reading = 0
        plan = parts.follower.take()
        if plan is not None:
            parts.metering.follow(plan)
        self._do(parts.metering.watch)
        time = parts.clock.now().wall
        if time >= self._next_reading:
            self._do(parts.metering.read)
            self._next_reading = parts.schedule.next_reading(time)
            if parts.delivery is not None:
                parts.delivery.wake()
            parts.reporting.report()
        if parts.delivery is not None and parts.delivery.rolled_back:
            self._renew(parts.delivery)

    def _do(self, work: Callable[[], None]) -> None:
        """Do a part of the work: what the host refuses now is tried again by the next step, and ends nothing."""
        try:
            work()
        except VenturiError as error:
            self._parts.observer.raise_alarm(AgentAlarm.READING_FAILED, str(error))

    def _renew(self, delivery: Delivery) -> None:
        """Give the spool, which is an old copy, another identity."""
        observer = self._parts.observer
        try:
            renewal = self._parts.metering.renew()
        except SpoolError as error:
            observer.raise_alarm(AgentAlarm.SPOOL_REFUSED, str(error))
            return
        given_up = f"{renewal.intervals} intervals and {renewal.batches} batches are given up for {len(renewal.gaps)} gaps"
        observer.raise_alarm(AgentAlarm.SPOOL_ROLLED_BACK, f"the ledger has more than the spool, which is an old copy: {given_up}")
        delivery.wake()

    def _wait(self) -> None:
        left = (self._next_reading - self._parts.clock.now().wall) / SECOND
        self._woken.wait(max(0.0, min(_LOOK_SECONDS, left)))
        self._woken.clear()
