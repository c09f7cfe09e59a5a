"""The agent's report of itself: gathers its status after each reading, writes it down and hands it on.

Owns the gathering. A status that cannot be written stops nothing.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from venturi import __version__
from venturi.adapters.processes import tell_process
from venturi.adapters.spool.spool import Spool
from venturi.adapters.whole_files import write_whole
from venturi.core.domain.errors import SpoolError
from venturi.services.agent.clock import AgentClock
from venturi.services.agent.delivery.delivery import Delivery
from venturi.services.agent.delivery.state import DeliveryState
from venturi.services.agent.metering.metering import Metering
from venturi.services.agent.observing import AgentObserver
from venturi.services.agent.status import AgentStatus, SpoolStatus, encode_status, place_statuses, spool_status, status_file


@dataclass(frozen=True, kw_only=True)
class ReportingParts:
    """Who reports: ``delivery`` is None where nothing is delivered, ``alarms`` gives the number of alarms of each kind."""

    agent_id: str
    host: str
    driver: str
    spool: Spool
    spool_path: Path
    metering: Metering
    clock: AgentClock
    observer: AgentObserver
    delivery: Delivery | None
    alarms: Callable[[], Mapping[str, int]]


class Reporting:
    """Reports on one agent."""

    def __init__(self, parts: ReportingParts, shown: Callable[[AgentStatus], None]) -> None:
        """Hand each status to ``shown``, too."""
        self._parts = parts
        self._shown = shown

    def report(self, *, running: bool = True) -> None:
        """Gather the status, write it and hand it on; ``running`` is False for the last one."""
        status = self._gather(running=running)
        self._shown(status)
        try:
            write_whole(status_file(self._parts.spool_path), encode_status(status), durable=False)
        except OSError as error:
            self._parts.observer.note("status not written", reason=str(error))

    def _gather(self, *, running: bool) -> AgentStatus:
        parts = self._parts
        delivery = DeliveryState() if parts.delivery is None else parts.delivery.state
        return AgentStatus(
            agent_id=parts.agent_id,
            host=parts.host,
            version=__version__,
            process=os.getpid(),
            told_by=tell_process(os.getpid()),
            running=running,
            driver=parts.driver,
            written_at=parts.clock.now().wall,
            plan_revision=parts.metering.plan_revision,
            places=place_statuses(parts.metering.places.values()),
            spool=self._ask_spool(),
            delivery=str(delivery.phase),
            problem=delivery.problem,
            alarms=dict(parts.alarms()),
            refused_batches=list(delivery.refused),
            unretired_generations=parts.metering.unretired,
        )

    def _ask_spool(self) -> SpoolStatus | None:
        """Tell of the spool, None where it cannot be asked."""
        try:
            return spool_status(self._parts.spool.spool_id, self._parts.spool.size())
        except SpoolError:
            return None
