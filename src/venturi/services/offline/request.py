"""What a run over files is asked to do.

Owns the request as a value. How it is written on a command line belongs to ``cli``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

from venturi.core.decode.needed import NeededColumns
from venturi.core.domain.interval import Nanoseconds
from venturi.core.domain.label import LabelWithRules
from venturi.core.domain.prefix import Prefix

GROUPINGS = ("label", "direction", "interval", "observation-point")
"""What usage can be told apart by; ``label`` always is."""


class MeteredAs(StrEnum):
    """What a capture is metered as: the packets in it, the flow export that they carry, or whichever it holds."""

    AUTO = "auto"
    PACKETS = "packets"
    FLOWS = "flows"


@dataclass(frozen=True)
class OutsideInterface:
    """An interface of an exporter, by ifIndex, beyond which the network ends; the exporter is a family and an address."""

    family: int
    address: int
    interface: int


@dataclass(frozen=True)
class SamplingOverride:
    """The sampling rate of an exporter, or of all that tell none where ``address`` is None."""

    family: int | None
    address: int | None
    rate: Fraction


@dataclass(frozen=True, kw_only=True)
class MeterRequest:
    """Which files to meter, by which labels, and how usage is told apart; ``paths`` may hold ``-`` for standard input."""

    paths: tuple[str, ...]
    labels: tuple[LabelWithRules, ...] = ()
    inside: tuple[Prefix, ...] = ()
    outside_interfaces: tuple[OutsideInterface, ...] = ()
    sampling: tuple[SamplingOverride, ...] = ()
    interval: Nanoseconds | None = None
    window_start: Nanoseconds | None = None
    window_end: Nanoseconds | None = None
    grouped_by: tuple[str, ...] = ("label", "direction")
    metered_as: MeteredAs = MeteredAs.AUTO
    column_names: Mapping[str, str] = field(default_factory=dict)

    @property
    def needed(self) -> NeededColumns:
        """What of the flows will be read: times where they are cut, interfaces where some are declared outside."""
        are_cut = any(bound is not None for bound in (self.interval, self.window_start, self.window_end))
        return NeededColumns(times=are_cut, interfaces=bool(self.outside_interfaces))
