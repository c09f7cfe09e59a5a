"""What an agent knows of each device that it meters, between two looks at it.

Owns the state and nothing of how it changes.
"""

from collections.abc import Hashable
from dataclasses import dataclass, field, replace

from venturi.adapters.spool.dating import move_moment
from venturi.adapters.spool.values import LastReading, Moment, SpooledGeneration
from venturi.core.domain.coverage import Coverage, CoverageReason
from venturi.core.domain.generation import Generation, MeteredDevice, Segments
from venturi.core.ledger.batch import BatchPoint
from venturi.core.ledger.recorded import RecordedInterval
from venturi.core.meter.readings.timeline import Correction
from venturi.core.meter.readings.totals import Totals
from venturi.services.agent.classification import Classification
from venturi.services.agent.metering.records import metered_interval

_MOST_FAILURES = 3


@dataclass
class Counting:
    """A generation and its readings: usage is recorded up to ``base``, and known up to ``last``.

    ``until`` is when another generation took its place, ``lost`` whether the device had become another by then. ``bypassed`` is whether
    packets could go around it since ``base``, ``bypassed_before`` in the interval that was recorded last. ``bad_ip_headers`` are the
    packets that did not count for their IP header.
    """

    spooled: SpooledGeneration
    classification: Classification
    base: LastReading
    last: LastReading
    segments: Segments = Segments.MERGED
    until: Moment | None = None
    lost: bool = False
    bypassed: bool = False
    bypassed_before: bool = False
    failures: int = 0
    bad_ip_headers: int = 0

    @property
    def generation(self) -> Generation:
        """Which generation it is."""
        return self.spooled.generation

    def note_failure(self) -> bool:
        """Note that its last totals were asked for in vain once more, and tell whether that was often enough."""
        self.failures += 1
        return self.failures >= _MOST_FAILURES

    def date_anew(self, correction: Correction) -> None:
        """Correct the moments of its readings."""
        self.base = replace(self.base, moment=move_moment(self.base.moment, correction))
        self.last = replace(self.last, moment=move_moment(self.last.moment, correction))
        self.until = None if self.until is None else move_moment(self.until, correction)


@dataclass
class Uncovered:
    """That a device is not metered: a gap since ``since``. The spool remembers it by the generation ``row``, once there is one."""

    since: Moment
    reason: CoverageReason
    row: str | None = None


@dataclass
class Place:
    """A device at which a point is metered, or should be: it is either counted by ``current`` or ``uncovered``.

    ``identity`` is that of the device that ``current`` counts at, None where that is not known yet. ``retry_at`` is the monotonic time
    before which the kernel is not asked again to count by what it refused. ``expected`` is whether the place was to be metered until
    now. ``bad_ip_headers`` are the packets that did not count for their IP header, by all generations that this agent has read.
    """

    metered: MeteredDevice
    point: BatchPoint
    current: Counting | None = None
    uncovered: Uncovered | None = None
    replaced: list[Counting] = field(default_factory=list)
    identity: Hashable | None = None
    retry_at: int = 0
    expected: bool = False
    bad_ip_headers: int = 0

    def all_counting(self) -> list[Counting]:
        """List the generations whose counts are not all recorded."""
        return [*self.replaced, *([] if self.current is None else [self.current])]

    def date_anew(self, correction: Correction) -> None:
        """Correct the moments of what counts here, or since when nothing does."""
        for counting in self.all_counting():
            counting.date_anew(correction)
        if self.uncovered is not None:
            self.uncovered.since = move_moment(self.uncovered.since, correction)

    def record(
        self,
        counting: Counting,
        end: Moment,
        counted: Totals,
        *,
        coverage: tuple[Coverage, CoverageReason] | None = None,
    ) -> RecordedInterval:
        """Record what a generation counted here from where it is recorded to ``end``."""
        partial = (Coverage.PARTIAL, CoverageReason.BYPASS) if counting.bypassed else (Coverage.COMPLETE, CoverageReason.NONE)
        return metered_interval(
            self.point,
            self.metered,
            (counting.base.moment, end),
            counted,
            counting.classification,
            counted_by=(counting.generation, counting.spooled.revision, counting.segments),
            coverage=coverage or partial,
        )
