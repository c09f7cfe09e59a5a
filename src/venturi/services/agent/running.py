"""The running agent: looks each second, reads on schedule, follows its plan and has what it recorded delivered.

Owns the order of these, the waiting between them, and the beginning anew after a failure. What each does is for the parts.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from venturi.adapters.threads.supervisor import Supervisor
from venturi.core.domain.errors import SpoolError, VenturiError
from venturi.core.domain.interval import SECOND
from venturi.services.agent.clock import AgentClock
from venturi.services.agent.delivery.delivery import Delivery
from venturi.services.agent.following import PlanFollower
from venturi.services.agent.metering.metering import Metering
from venturi.services.agent.observing import AgentAlarm, AgentObserver
from venturi.services.agent.plan import AgentPlan
from venturi.services.agent.reporting import Reporting
from venturi.services.agent.schedule import Schedule

THREAD = "metering"
"""What the supervisor calls the thread of the work."""

_LOOK_SECONDS = 1.0
_STOP_SECONDS = 0.5


@dataclass(frozen=True, kw_only=True)
class RunningParts:
    """What runs together; ``delivery`` is None where nothing is delivered.

    ``new_metering`` makes what meters, each time out of what spool and kernel hold.
    """

    new_metering: Callable[[], Metering]
    clock: AgentClock
    schedule: Schedule
    follower: PlanFollower
    delivery: Delivery | None
    observer: AgentObserver
    reporting: Reporting
    supervisor: Supervisor


class AgentRun:
    """Runs from the call of ``run`` until ``stop`` is called from any other thread or from a signal handler.

    The work is a supervised thread. If it fails, it begins anew with what spool and kernel hold, as another process would: the kernel has
    counted on meanwhile.
    """

    def __init__(self, parts: RunningParts, woken: threading.Event, ready: Callable[[], None]) -> None:
        """Wake up when ``woken`` is set, and once a second; ``ready`` is called once this meters."""
        self._parts = parts
        self._woken = woken
        self._ready: Callable[[], None] | None = ready
        self._stopped = False
        self._stopping = threading.Event()
        self._next_reading = 0
        self._plan: AgentPlan | None = None
        self._metering = parts.new_metering()
        self._begun = False

    def stop(self) -> None:
        """End soon. No more than a flag, because an event would take a lock, which the signal may have interrupted the taking of."""
        self._stopped = True

    def run(self) -> None:
        """Meter until stopped; the last readings are recorded then, and the kernel goes on counting.

        Raises ``SpoolError`` and ``DriverError`` where it cannot begin.
        """
        parts = self._parts
        self._begin()
        working = parts.supervisor.start(THREAD, self._work, self._stopping)
        failures = 0
        while working.is_alive() and not self._stopped:
            working.join(_STOP_SECONDS)
            if failures != (failures := parts.supervisor.failures()[THREAD]):
                parts.reporting.report(self._metering)
        self._stopping.set()
        self._woken.set()
        working.join()
        if parts.delivery is not None:
            parts.delivery.wake()
        parts.reporting.report(self._metering, running=False)

    def _begin(self) -> None:
        """Take up what spool and kernel hold, and the plan that was followed last."""
        self._metering.start()
        self._plan = self._plan or self._parts.follower.kept()
        if self._plan is not None:
            self._metering.resume(self._plan)
        self._begun = True

    def _work(self) -> None:
        if not self._begun:
            self._metering = self._parts.new_metering()
            self._begin()
        self._begun = False
        self._next_reading = 0
        self._step()
        self._be_ready()
        while not self._stopping.is_set():
            self._wait()
            self._step()
        self._do(lambda: self._metering.read(to_the_end=True))

    def _be_ready(self) -> None:
        """Begin to follow the plan, and say once that this meters."""
        ready, self._ready = self._ready, None
        if ready is not None:
            self._parts.follower.start()
            ready()

    def _step(self) -> None:
        parts, metering = self._parts, self._metering
        if metering.correct_times():
            self._next_reading = 0
        plan = parts.follower.take()
        if plan is not None:
            self._plan = plan
            metering.follow(plan)
        self._do(metering.watch)
        time = parts.clock.now().wall
        if time >= self._next_reading:
            self._do(metering.read)
            self._next_reading = parts.schedule.next_reading(time)
            if parts.delivery is not None:
                parts.delivery.wake()
            parts.reporting.report(metering)
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
            renewal = self._metering.renew()
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
