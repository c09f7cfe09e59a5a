"""What metering stands on.

Owns the list of it, so that whatever meters is built alike.
"""

from collections.abc import Callable
from dataclasses import dataclass

from venturi.adapters.drivers.hook_drivers import HookDrivers
from venturi.adapters.spool.spool import Spool
from venturi.services.agent.clock import AgentClock
from venturi.services.agent.metering.places import HostView
from venturi.services.agent.observing import AgentObserver


@dataclass(frozen=True, kw_only=True)
class MeteringParts:
    """Spool, drivers, host, clock and observer; ``new_id`` gives 128 random bits in hexadecimal.

    What is metered is recorded in steps of ``report_interval`` nanoseconds, aligned to the epoch.
    """

    spool: Spool
    drivers: HookDrivers
    host: HostView
    clock: AgentClock
    observer: AgentObserver
    new_id: Callable[[], str]
    report_interval: int

    def crosses_border(self, earlier: int, later: int) -> bool:
        """Tell whether a report border lies after ``earlier`` and not after ``later``, both in nanoseconds since the epoch."""
        return later // self.report_interval > earlier // self.report_interval
