"""What every driver does, whatever the kernel offers it.

Owns the protocol and the values that cross it. When to apply, read and retire is the agent's affair; no driver keeps time, attributes class
pairs or writes to disk.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, Protocol

from venturi.core.classify.compiler import CompiledClassifier
from venturi.core.classify.pair_totals import PairTotals
from venturi.core.domain.counts import Counts
from venturi.core.domain.direction import Direction
from venturi.core.domain.generation import Generation, MeteredDevice, Segments
from venturi.core.domain.point import Hook


class DriverName(StrEnum):
    """The drivers there are."""

    EBPF = "ebpf"
    NFTABLES = "nftables"
    MEMORY = "memory"


class Answer(StrEnum):
    """What a probe can say."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "could not tell"


@dataclass(frozen=True)
class Support:
    """Whether a driver can run on this host with a hook, why not, and what an operator can do so that it does."""

    answer: Answer
    because: str = ""
    remedy: str = ""


@dataclass(frozen=True)
class Reading:
    """The cumulative counts of one generation at one moment.

    ``unattributed`` is what a full table could not class, by direction; it is in none of the ``pairs``. ``bad_ip_headers`` are packets
    that did not count, with the octets of their frames: their IP header contradicts itself or claims more octets than the frame held.
    """

    generation: Generation
    pairs: PairTotals
    unattributed: Mapping[Direction, Counts] = field(default_factory=dict)
    segments: Segments = Segments.MERGED
    bad_ip_headers: Mapping[Direction, Counts] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class FoundGeneration:
    """A generation that was found in the kernel; ``counting`` is False for one that another has replaced or that lost its device."""

    metered: MeteredDevice
    generation: Generation
    counting: bool


class Driver(Protocol):
    """Counts packets by class pair at devices of this host. Used by one thread at a time.

    Every method raises ``DriverError``, with a sentence for the operator, where the kernel refuses. Counters only ever grow, are read
    without being disturbed, go on when this process dies, and are found again by the next.
    """

    name: ClassVar[DriverName]

    def probe(self, hook: Hook) -> Support:
        """Tell whether this host can run the driver, having tried what it needs."""
        ...

    def start(self) -> None:
        """Take hold of what the driver needs for all devices: libraries, the pin folder."""
        ...

    def stop(self) -> None:
        """Let go of what the process holds; the kernel keeps counting."""
        ...

    def apply(self, metered: MeteredDevice, classifier: CompiledClassifier, generation: Generation) -> None:
        """Count at a device by ``classifier`` under a new ``generation``, from one moment on, or leave everything as it was.

        The generation before it, if there is one, counts no further packet, and stays to be read until it is retired.
        """
        ...

    def read(self, metered: MeteredDevice, generation: Generation) -> Reading:
        """Give the totals of a generation. Those of a replaced one are its last: the grace period is waited for here."""
        ...

    def retire(self, metered: MeteredDevice, generation: Generation) -> None:
        """Remove a generation's tables; where it is the one that counts, stop counting at the device first.

        Raises ``GenerationGoneError`` where they are not there.
        """
        ...

    def is_counting(self, metered: MeteredDevice, generation: Generation) -> bool:
        """Tell whether a generation sees the packets of the device as it is now: False once device or namespace went or were made anew."""
        ...

    def find_bypasses(self, metered: MeteredDevice, generation: Generation) -> Sequence[str]:
        """Say, a sentence for each, what may have kept packets of the device from a generation that counts, since this was asked last."""
        ...

    def find(self) -> Sequence[FoundGeneration]:
        """List the generations of this driver on the host, of whatever spool."""
        ...

    def purge(self) -> int:
        """Remove everything of this driver from the host, and give the number of generations removed."""
        ...
