"""What an agent has come to and not recorded yet: it goes into the spool whole, and what follows from it in the kernel comes after.

Owns that order: nothing leaves the kernel before its last totals are on stable storage.
"""

from dataclasses import dataclass, field

from venturi.adapters.drivers.hook_drivers import HookDrivers
from venturi.adapters.spool.spool import Spool
from venturi.adapters.spool.values import GenerationState, LastReading, Moment, Recording
from venturi.core.domain.coverage import CoverageReason
from venturi.core.domain.errors import DriverError, GenerationGoneError, SpoolError
from venturi.core.domain.generation import Generation, MeteredDevice
from venturi.core.domain.interval import SECOND
from venturi.core.ledger.batch import BatchPoint
from venturi.core.ledger.recorded import RecordedInterval
from venturi.services.agent.metering.records import gap_interval
from venturi.services.agent.observing import AgentAlarm, AgentObserver

_RETRY = 10 * SECOND
"""How long it is not tried again to remove what the kernel would not let go."""

MOST_UNRETIRED = 256
"""Generations that are remembered because they could not be removed; beyond, the oldest are given up."""


@dataclass
class _Contents:
    readings: dict[str, LastReading] = field(default_factory=dict)
    states: dict[str, GenerationState] = field(default_factory=dict)
    intervals: list[RecordedInterval] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)
    retired: list[tuple[MeteredDevice, Generation, bool]] = field(default_factory=list)


class Outbox:
    """Gathers what is to be recorded until ``flush`` puts it into the spool; what the spool refuses stays, and is tried again."""

    def __init__(self, spool: Spool, drivers: HookDrivers, observer: AgentObserver) -> None:
        self._spool = spool
        self._drivers = drivers
        self._observer = observer
        self._contents = _Contents()
        self._unretired: dict[str, tuple[MeteredDevice, Generation]] = {}
        self._retry_at = 0
        self.refused = False
        """Whether the spool refused what was to be recorded last."""

    @property
    def unretired(self) -> int:
        """How many generations could not be removed from the kernel, and are tried again."""
        return len(self._unretired)

    def add(self, interval: RecordedInterval) -> None:
        """Add an interval."""
        self._contents.intervals.append(interval)

    def add_gap(self, point: BatchPoint, metered: MeteredDevice, span: tuple[Moment, Moment], reason: CoverageReason) -> None:
        """Add a gap, unless it lasted no time at all."""
        if span[0].wall < span[1].wall:
            self.add(gap_interval(point, metered, span, reason))

    def advance(self, generation: str, reading: LastReading, state: GenerationState | None = None) -> None:
        """Say up to which totals a generation is recorded, and how far it has come."""
        self._contents.readings[generation] = reading
        if state is not None:
            self._contents.states[generation] = state

    def retire(self, metered: MeteredDevice, generation: Generation, *, forget: bool) -> None:
        """Remove a generation from the kernel, once all this is recorded, and, with ``forget``, from the spool after that."""
        self._contents.retired.append((metered, generation, forget))

    def forget(self, generation: str) -> None:
        """Remove a generation from the spool that is not in the kernel."""
        self._contents.readings.pop(generation, None)
        self._contents.states.pop(generation, None)
        self._contents.forgotten.append(generation)

    def discard(self) -> None:
        """Give up what is to be recorded, but not what is to be removed from the kernel."""
        self._contents = _Contents(retired=self._contents.retired)

    def flush(self, moment: Moment) -> bool:
        """Record everything, and tell whether that was done."""
        contents = self._contents
        self._retry(moment)
        if not any(vars(contents).values()):
            return True
        try:
            self._spool.record(
                Recording(
                    moment=moment,
                    readings=contents.readings,
                    states=contents.states,
                    intervals=contents.intervals,
                    forgotten=contents.forgotten,
                )
            )
        except SpoolError as error:
            self._observer.raise_alarm(AgentAlarm.SPOOL_REFUSED, str(error))
            self.refused = True
            return False
        self.refused = False
        self._contents = _Contents(forgotten=[generation.id for _, generation, forget in contents.retired if forget])
        for metered, generation, _ in contents.retired:
            self._retire(metered, generation)
        return True

    def _retry(self, moment: Moment) -> None:
        """Try again to remove what could not be removed, unless that was lately."""
        if self._unretired and moment.monotonic >= self._retry_at:
            self._retry_at = moment.monotonic + _RETRY
            for metered, generation in list(self._unretired.values()):
                self._retire(metered, generation)

    def _retire(self, metered: MeteredDevice, generation: Generation) -> None:
        """Remove a generation from the kernel, if it did not go with its device or its namespace; one that stays is tried again."""
        try:
            self._drivers.retire(metered, generation)
        except GenerationGoneError as error:
            self._observer.note("generation gone", generation=generation.id, device=metered.device, reason=str(error))
        except DriverError as error:
            message = (
                f"the tables of generation '{generation.id}' cannot be removed, which is tried again every {_RETRY // SECOND} s: {error}"
            )
            self._observer.raise_alarm(AgentAlarm.RETIRE_REFUSED, message, device=metered.place)
            self._unretired[generation.id] = metered, generation
            self._give_up_oldest()
            return
        self._unretired.pop(generation.id, None)

    def _give_up_oldest(self) -> None:
        while len(self._unretired) > MOST_UNRETIRED:
            metered, generation = self._unretired.pop(next(iter(self._unretired)))
            self._drivers.forget(generation)
            message = f"the tables of generation '{generation.id}' are left in the kernel: stop the agent and run 'venturi agent purge'"
            self._observer.raise_alarm(AgentAlarm.RETIRE_REFUSED, message, device=metered.place)
