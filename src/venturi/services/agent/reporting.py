"""The agent's report of itself: gathers its status after each reading, writes it down and hands it on.

Owns the gathering. A status that cannot be written stops nothing.
"""

import os
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from venturi import __version__
from venturi.adapters.host_clocks import tell_process
from venturi.adapters.spool.spool import Spool
from venturi.adapters.threads.supervisor import Supervisor
from venturi.adapters.whole_files import write_whole
from venturi.core.domain.agent_status import Pressure, ReportedAlarm
from venturi.core.domain.errors import SpoolError
from venturi.services.agent.clock import AgentClock
from venturi.services.agent.delivery.delivery import Delivery
from venturi.services.agent.delivery.state import DeliveryState
from venturi.services.agent.metering.metering import Metering
from venturi.services.agent.observing import AgentAlarm, AgentObserver
from venturi.services.agent.status import AgentStatus, SpoolStatus, encode_status, place_statuses, spool_status, status_file

_PRESSURES = {
    str(Pressure.COALESCED): "the spool has little room: intervals that wait are summed into longer ones, which loses detail in time",
    str(Pressure.FULL): "the spool has no room, so nothing can be recorded: the kernel goes on counting",
}


@dataclass(frozen=True, kw_only=True)
class ReportingParts:
    """Who reports: ``delivery`` is None where nothing is delivered.

    ``alarms`` gives the number of alarms of each kind, ``open_alarms`` those that are open while these devices are not metered,
    ``clock_offset`` by how much the clock is ahead of the server's.
    """

    agent_id: str
    host: str
    driver: str
    spool: Spool
    spool_path: Path
    clock: AgentClock
    observer: AgentObserver
    delivery: Delivery | None
    alarms: Callable[[], Mapping[str, int]]
    open_alarms: Callable[[Collection[str]], list[ReportedAlarm]]
    supervisor: Supervisor
    clock_offset: Callable[[], int | None]


class Reporting:
    """Reports on one agent, for several threads."""

    def __init__(self, parts: ReportingParts, shown: Sequence[Callable[[AgentStatus], None]]) -> None:
        """Hand each status to all of ``shown``, too."""
        self._parts = parts
        self._shown = shown
        self._lock = threading.Lock()

    def report(self, metering: Metering, *, running: bool = True) -> None:
        """Gather the status, write it and hand it on; ``running`` is False for the last one."""
        with self._lock:
            status = self._gather(metering, running=running)
            for show in self._shown:
                show(status)
            try:
                write_whole(status_file(self._parts.spool_path), encode_status(status), durable=False)
            except OSError as error:
                self._parts.observer.note("status not written", reason=str(error))

    def _gather(self, metering: Metering, *, running: bool) -> AgentStatus:
        parts = self._parts
        delivery = DeliveryState() if parts.delivery is None else parts.delivery.state
        places = place_statuses(metering.places.values())
        spool = self._ask_spool()
        return AgentStatus(
            agent_id=parts.agent_id,
            host=parts.host,
            version=__version__,
            process=os.getpid(),
            told_by=tell_process(os.getpid()),
            running=running,
            driver=parts.driver,
            written_at=parts.clock.now().wall,
            plan_revision=metering.plan_revision,
            places=places,
            spool=spool,
            delivery=str(delivery.phase),
            problem=delivery.problem,
            alarms=dict(parts.alarms()),
            refused_batches=list(delivery.refused),
            unretired_generations=metering.unretired,
            unknown_points=[f"{point.name}: {point.problem}" for point in metering.unknown_points],
            open_alarms=parts.open_alarms([place.place for place in places if place.gap]),
            threads=dict(parts.supervisor.states()),
            thread_failures=dict(parts.supervisor.failures()),
            clock_offset=parts.clock_offset(),
        )

    def _ask_spool(self) -> SpoolStatus | None:
        """Tell of the spool, None where it cannot be asked."""
        try:
            status = spool_status(self._parts.spool.spool_id, self._parts.spool.size())
        except SpoolError:
            return None
        told = _PRESSURES.get(status.pressure)
        if told is None:
            self._parts.observer.clear_alarm(AgentAlarm.SPOOL_PRESSURE)
        else:
            self._parts.observer.raise_alarm(AgentAlarm.SPOOL_PRESSURE, told)
        return status
