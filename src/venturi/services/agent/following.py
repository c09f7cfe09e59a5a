"""Following a plan: the last known one is kept on disk, and metering hears of each new one.

Owns the thread, its patience and what is kept. Where plans come from is handed in.
"""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from venturi.adapters.threads.backoff import Backoff, Pause, Recovery
from venturi.adapters.threads.supervisor import Supervisor
from venturi.adapters.whole_files import read_whole, write_whole
from venturi.core.domain.errors import ServerError, VenturiError
from venturi.services.agent.observing import AgentAlarm, AgentObserver
from venturi.services.agent.plan import AgentPlan, read_plan

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
_OUTAGE_SHARE = 0.15
_STOP_SECONDS = 1.0

ALARM_SECONDS = 300.0
"""How long a server that gave a plan before may be out of reach without an alarm: as long as it takes to start again."""


class PlanSource(Protocol):
    """Where plans come from; ``name`` is what messages call it."""

    @property
    def name(self) -> str:
        """What to call it."""
        ...

    def ask(self, known: str, wait: int) -> tuple[str, bytes] | None:
        """Give a name of the content of the plan, and its document, unless that is still ``known`` after ``wait`` seconds: then None."""
        ...


class PlanFollower:
    """Follows a plan in a thread of its own from ``start`` to ``stop``; ``take`` gives what is new."""

    def __init__(
        self,
        source: PlanSource,
        kept: Path,
        observer: AgentObserver,
        wake: Callable[[], None],
        supervisor: Supervisor,
        *,
        wait: int,
        recovery: Recovery | None = None,
    ) -> None:
        """Keep the last plan in the file ``kept``; ``wake`` is called when there is a new one; ``wait`` is how long the source may take.

        ``recovery`` tells and is told that the server is reached again.
        """
        self._supervisor = supervisor
        self._backoff = Backoff(_FIRST_PAUSE, _LONGEST_PAUSE, outage_share=_OUTAGE_SHARE)
        self._recovery = recovery or Recovery()
        self._source = source
        self._kept = kept
        self._observer = observer
        self._wake = wake
        self._wait = wait
        self._stopping = threading.Event()
        self._pause = Pause(self._recovery, self._stopping)
        self._follows = False
        self._unreached = ""
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._new: AgentPlan | None = None
        self._known = ""

    def kept(self) -> AgentPlan | None:
        """Give the plan that was followed last, None where there was none or it cannot be read."""
        try:
            document = read_whole(self._kept)
            plan = None if document is None else read_plan(document, str(self._kept))
        except VenturiError as error:
            self._observer.raise_alarm(AgentAlarm.PLAN_REFUSED, str(error))
            return None
        self._follows = plan is not None
        return plan

    def start(self) -> None:
        """Begin to ask."""
        self._thread = self._supervisor.start("plan", self._run, self._stopping)

    def stop(self) -> None:
        """Ask no more; a question that is on its way is not waited for."""
        self._stopping.set()
        self._pause.end()
        if self._thread is not None:
            self._thread.join(_STOP_SECONDS)

    def take(self) -> AgentPlan | None:
        """Give the plan that came since this was asked last, None for none."""
        with self._lock:
            new, self._new = self._new, None
            return new

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._pause.begin()
            try:
                self._ask()
            except VenturiError as error:
                pause = self._backoff.fail()
                self._tell(error)
                self._pause.wait(pause)
            else:
                self._succeed()

    def _succeed(self) -> None:
        if self._backoff.failures:
            self._recovery.tell()
        self._backoff.succeed()
        self._unreached, self._follows = "", True
        self._observer.clear_alarm(AgentAlarm.PLAN_REFUSED)

    def _tell(self, error: VenturiError) -> None:
        """Raise the alarm, but not for a server that is out of reach for a moment while its last plan is followed."""
        passing = isinstance(error, ServerError) and self._follows and self._backoff.failing_seconds() < ALARM_SECONDS
        if not passing:
            self._observer.raise_alarm(AgentAlarm.PLAN_REFUSED, str(error))
        elif not self._unreached:
            self._unreached = str(error)
            self._observer.note("no plan is given; the last known one is followed", problem=self._unreached)

    def _ask(self) -> None:
        answer = self._source.ask(self._known, self._wait)
        if answer is None:
            return
        name, document = answer
        plan = read_plan(document, self._source.name)
        self._keep(document)
        with self._lock:
            self._new = plan
        self._known = name
        self._observer.note("plan", revision=plan.revision, points=len(plan.points))
        self._wake()

    def _keep(self, document: bytes) -> None:
        try:
            write_whole(self._kept, document)
        except OSError as error:
            message = f"the plan cannot be kept in {self._kept}: {error.strerror}"
            self._observer.raise_alarm(AgentAlarm.PLAN_REFUSED, message)
