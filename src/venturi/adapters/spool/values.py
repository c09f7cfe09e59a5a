"""What an agent hands to its spool and finds there again.

Owns the values. How they are laid down is for ``forms``, where for ``schema``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from venturi.core.classify.pair_totals import PairTotals
from venturi.core.domain.agent_status import Pressure
from venturi.core.domain.counts import Counts
from venturi.core.domain.direction import Direction
from venturi.core.domain.generation import Generation, MeteredDevice
from venturi.core.ledger.batch import BatchPoint
from venturi.core.ledger.recorded import RecordedInterval


@dataclass(frozen=True, kw_only=True)
class Moment:
    """When something was seen, in nanoseconds since the UTC epoch and by the monotonic clock, and in which boot of the host."""

    wall: int
    monotonic: int
    boot_id: str


class GenerationState(StrEnum):
    """How far a generation has come."""

    ENTERED = "entered"
    """The kernel was, or is yet, to be told: whether it counts is for the kernel to say."""
    COUNTING = "counting"
    REPLACED = "replaced"
    """Another counts in its stead; its last totals are not read yet."""
    RETIRED = "retired"
    """Its last totals are recorded; its tables may still be in the kernel."""


@dataclass(frozen=True, kw_only=True)
class LastReading:
    """The totals of a generation up to which usage is recorded."""

    moment: Moment
    pairs: PairTotals
    unattributed: Mapping[Direction, Counts] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class SpooledGeneration:
    """A generation as the spool knows it: where and by which driver it counts, for which point, and since which revision.

    ``last`` is None where nothing was read yet: it counts from zero, since ``entered``.
    """

    generation: Generation
    metered: MeteredDevice
    point: BatchPoint
    driver: str
    revision: int
    entered: Moment
    state: GenerationState = GenerationState.ENTERED
    last: LastReading | None = None


@dataclass(frozen=True, kw_only=True)
class Recording:
    """What one round of readings came to, to be recorded whole or not at all.

    ``readings`` (last totals) and ``states`` are by id of a generation, ``intervals`` what was metered since the readings before.
    The generations ``forgotten`` are gone from the kernel, and leave the spool.
    """

    moment: Moment
    readings: Mapping[str, LastReading] = field(default_factory=dict)
    states: Mapping[str, GenerationState] = field(default_factory=dict)
    intervals: Sequence[RecordedInterval] = ()
    forgotten: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class SealedBatch:
    """A batch that will never change: it may have reached the ledger. Digests are 32 octets."""

    sequence: int
    previous: bytes
    digest: bytes
    payload: bytes


@dataclass(frozen=True)
class ChainHead:
    """The last batch that was sealed: sequence 0 before the first."""

    sequence: int
    digest: bytes


@dataclass(frozen=True, kw_only=True)
class SpoolSize:
    """How much is kept. ``octets`` are those in use, out of ``limit``; ``waiting`` are intervals not sealed yet."""

    octets: int
    limit: int
    waiting: int
    waiting_since: int | None
    unacknowledged: int
    acknowledged: int
    pressure: Pressure


@dataclass(frozen=True)
class DatedAnew:
    """What became of times that were wrong: how many intervals have other times now, and the gaps for those that are sealed."""

    intervals: int
    gaps: Sequence[RecordedInterval]


@dataclass(frozen=True, kw_only=True)
class Renewal:
    """What became of a spool that was found rolled back: the gaps that it recorded, and the intervals and batches that it gave up."""

    spool_id: str
    gaps: Sequence[RecordedInterval]
    intervals: int
    batches: int
