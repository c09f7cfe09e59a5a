"""The sending of an agent's status to the server, every report interval, whatever else can be delivered.

Owns the thread, when it sends, and how a status is spelled for the server. Gathering a status is for ``reporting``.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from structlog.typing import FilteringBoundLogger

from venturi.adapters.client.agents import StatusClient
from venturi.adapters.spool.spool import Spool
from venturi.adapters.threads.backoff import Pause, Recovery
from venturi.adapters.threads.supervisor import Supervisor
from venturi.core.domain.agent_status import ReportedSpool, ReportedStatus
from venturi.core.domain.alarm import LONGEST_SUBJECT, spell_on_one_line
from venturi.core.domain.errors import InvalidRequestError, NotFoundError, SpoolError, VenturiError
from venturi.core.domain.interval import SECOND, format_time
from venturi.core.meter.readings.timeline import BothClocks
from venturi.services.agent.status import AgentStatus, SpoolStatus, count_by_state

_UNKNOWN_SECONDS = 3600.0
"""How long a server that takes no status is not asked again: it is older than the agent."""

_REFUSED_SECONDS = 600.0
"""How long a server that refuses a status is not asked again."""

_STOP_SECONDS = 5.0
_LONGEST_WORD = 64


@dataclass(frozen=True, kw_only=True)
class SendingParts:
    """What a status is sent by: ``interval`` in seconds; ``look`` shows the clocks of this host.

    ``recovery`` tells and is told that the server is reached again.
    """

    client: StatusClient
    spool: Spool
    interval: float
    look: Callable[[], BothClocks]
    log: FilteringBoundLogger
    supervisor: Supervisor
    recovery: Recovery = field(default_factory=Recovery)


class StatusSending:
    """Sends the latest status in a thread of its own, from ``start`` to ``stop``."""

    def __init__(self, parts: SendingParts) -> None:
        self._parts = parts
        self._stopping = threading.Event()
        self._pause = Pause(parts.recovery, self._stopping)
        self._shown = threading.Event()
        self._thread: threading.Thread | None = None
        self._status: AgentStatus | None = None
        self._offset: int | None = None
        self._problem = ""
        self._reaches = False

    def start(self) -> None:
        """Begin to send, once there is a status."""
        self._thread = self._parts.supervisor.start("status", self._run, self._stopping)

    def stop(self) -> None:
        """Send no more; a server that took the last status is told of the end."""
        self._stopping.set()
        self._pause.end()
        self._shown.set()
        if self._thread is not None:
            self._thread.join(_STOP_SECONDS)

    def show(self, status: AgentStatus) -> None:
        """Send this status from now on."""
        self._status = status
        self._shown.set()

    def clock_offset(self) -> int | None:
        """Give by how many nanoseconds this host's clock was ahead of the server's at the last answer, None before."""
        return self._offset

    def _run(self) -> None:
        self._shown.wait()
        while not self._stopping.is_set():
            self._pause.begin()
            seconds = self._send()
            if self._problem:
                self._pause.wait(seconds)
            else:
                self._stopping.wait(seconds)
        if self._reaches:
            self._send()

    def _send(self) -> float:
        """Send the latest status, and give how many seconds to wait for the next one."""
        status = self._status
        if status is None:
            return 0.0
        before = self._parts.look()
        try:
            received = self._parts.client.put(report_status(status, self._parts.interval, self._oldest_undelivered()))
        except NotFoundError:
            return self._fail("the server takes no status of agents: it is older than this agent", _UNKNOWN_SECONDS)
        except InvalidRequestError as error:
            return self._fail(str(error), _REFUSED_SECONDS)
        except VenturiError as error:
            return self._fail(str(error), self._parts.interval)
        after = self._parts.look()
        self._offset = before.wall + (after.monotonic - before.monotonic) // 2 - received
        if self._problem:
            self._parts.recovery.tell()
        self._reaches, self._problem = True, ""
        return self._parts.interval

    def _fail(self, problem: str, seconds: float) -> float:
        """Note that the server was not told, in the log where that is news."""
        self._reaches = False
        if problem != self._problem:
            self._parts.log.info("the server has no status of this agent", problem=problem)
        self._problem = problem
        return seconds

    def _oldest_undelivered(self) -> int | None:
        with suppress(SpoolError):
            return self._parts.spool.oldest_undelivered()
        return None


def report_status(status: AgentStatus, interval: float, oldest_undelivered: int | None) -> ReportedStatus:
    """Spell a status for the server, within the bounds of its form."""
    return ReportedStatus(
        host=status.host,
        version=spell_on_one_line(status.version, _LONGEST_WORD),
        driver=spell_on_one_line(status.driver, LONGEST_SUBJECT),
        phase=status.delivery,
        report_interval_seconds=interval,
        running=status.running,
        problem=spell_on_one_line(status.problem),
        written_at=format_time(status.written_at),
        plan_revision=status.plan_revision,
        oldest_undelivered=None if oldest_undelivered is None else format_time(oldest_undelivered),
        clock_offset_seconds=None if status.clock_offset is None else status.clock_offset / SECOND,
        spool=None if status.spool is None else _report_spool(status.spool),
        places=dict(count_by_state(status)),
        refused_batches=len(status.refused_batches),
        threads=status.threads,
        alarms=status.open_alarms,
    )


def _report_spool(spool: SpoolStatus) -> ReportedSpool:
    return ReportedSpool(
        octets=spool.octets,
        limit=spool.limit,
        waiting_intervals=spool.waiting_intervals,
        unacknowledged_batches=spool.unacknowledged_batches,
        pressure=spool.pressure,
    )
