"""Plans for agents and collectors: who may read one, the lease on it, and waiting for it to change.

Owns the rules of access and of leases. What a plan says is for ``planning.making``, its form for ``planning.form``.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from venturi.adapters.store.store import Store
from venturi.core.domain.alarm import Alarm, RaiseAlarm
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.errors import ForbiddenError, PlanLeasedError
from venturi.core.domain.interval import SECOND, Nanoseconds, format_time
from venturi.services.control.planning.making import MadePlan, PlanMaker
from venturi.services.control.planning.watching import RevisionWatch
from venturi.services.control.policy import Operation, require

LONGEST_WAIT = 60
"""Seconds that a reader may wait for a plan to change."""

LEASE_SECONDS = 90
"""How long a plan stays leased after the last poll: longer than any wait, so that an agent that polls keeps it."""

LEASE_ALARM = "plan_leased"
"""The kind of the alarm for a second agent that asks for a leased plan."""

_RESTING = 4
"""A reader that waits lets this many times the duration of a computation pass before it asks for the next one."""


@dataclass(frozen=True, kw_only=True)
class PlanRequest:
    """A reader's request for the plan of ``host``: it knows the content ``known`` already, and waits ``wait`` seconds for another."""

    host: str
    agent_id: str | None = None
    known: frozenset[str] = frozenset()
    wait: float = 0.0


class PlanControl:
    """Gives plans to their readers; computes and leases in one thread of its own, so that readers wait without any."""

    def __init__(self, store: Store, clock: Callable[[], Nanoseconds], alarm: RaiseAlarm) -> None:
        """Plan from ``store``; leases end by ``clock``; ``alarm`` hears of agents that contend for a plan."""
        self._store = store
        self._clock = clock
        self._alarm = alarm
        self._maker = PlanMaker(store)
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="plans")
        self._watch = RevisionWatch(store.latest)

    def notify(self) -> None:
        """Say, from any thread, that a revision may have been committed."""
        self._watch.notify()

    def stop(self) -> None:
        """Let those go who wait, so that the server can end; from any thread. What is asked later is answered without a wait."""
        self._watch.stop()

    async def read(self, caller: Principal, request: PlanRequest) -> MadePlan:
        """Give the plan, as soon as it is not what the reader knows, at the latest when the wait is over.

        Raises ``ForbiddenError``, and ``PlanLeasedError`` while another agent holds the lease.
        """
        agent_id = _reader(caller, request)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + request.wait
        while True:
            began = loop.time()
            plan = await loop.run_in_executor(self._worker, self._lease_and_make, caller, request.host, agent_id)
            remaining = deadline - loop.time()
            if plan.content not in request.known or remaining <= 0 or self._watch.stopped:
                return plan
            rest = _RESTING * (loop.time() - began)
            await self._watch.wait(plan.latest, remaining)
            await asyncio.sleep(max(0.0, min(rest, deadline - loop.time())))

    def _lease_and_make(self, caller: Principal, host: str, agent_id: str | None) -> MadePlan:
        if agent_id is not None:
            self._lease(caller, host, agent_id)
        return self._maker.make(host)

    def _lease(self, caller: Principal, host: str, agent_id: str) -> None:
        now = self._clock()
        until = Nanoseconds(now + LEASE_SECONDS * SECOND)
        with self._store.writing(caller) as writer:
            lease = writer.leases.take(host, agent_id, now, until)
        if lease.agent_id != agent_id:
            message = f"the plan of host '{host}' is leased to agent '{lease.agent_id}' until {format_time(lease.until)}"
            sentence = f"agent '{agent_id}' asked for it, but {message}"
            self._alarm(Alarm(kind=LEASE_ALARM, subject=host, sentence=sentence, agent_id=agent_id, host=host))
            raise PlanLeasedError(message)


def _reader(caller: Principal, request: PlanRequest) -> str | None:
    """Give the agent that reads, None for an administrator who only looks; raises ``ForbiddenError``."""
    require(caller, Operation.READ_PLAN)
    if caller.agent_id is None:
        return request.agent_id
    if request.host != (caller.host or "").lower():
        message = f"this token reads the plan of host '{caller.host}' only"
        raise ForbiddenError(message)
    if request.agent_id not in {None, caller.agent_id}:
        message = f"this token is bound to agent '{caller.agent_id}'"
        raise ForbiddenError(message)
    return caller.agent_id
