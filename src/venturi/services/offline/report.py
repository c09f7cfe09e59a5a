"""The result of metering files: usage, and what became of every packet of every source.

Owns the values that are rendered. How they look is decided in ``interfaces.render``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from venturi.core.domain.counts import Counts
from venturi.core.domain.interval import Nanoseconds
from venturi.core.domain.usage import UsageRecord

if TYPE_CHECKING:  # which loads arrays, and clients have none
    from venturi.core.domain.drops import Drop, DropReason


@dataclass(frozen=True)
class ExporterReport:
    """What the sequence numbers of one exporter and observation domain tell: ``lost`` is in ``unit`` (RFC 7011 §3.1)."""

    exporter: str
    observation_domain: int
    version: str
    messages: int
    lost: int
    unit: str


@dataclass(frozen=True)
class SourceReport:
    """What became of the traffic of one file.

    ``counts`` are all packets and octets decoded, scaled by the sampling rates, ``observed`` the same as seen; the parts that
    follow are scaled. Own labels of ``several`` projects counted the one, only ``shared`` labels the other.

    Positions in ``drops`` are numbers of a ``position_unit`` (frame, octet or row).
    """

    name: str
    format: str
    metered_as: str
    records: int
    counts: Counts
    observed: Counts
    unmatched: Counts
    not_crossing: Counts
    outside_window: Counts
    drops: "Mapping[DropReason, Drop]"
    position_unit: str
    exporters: tuple[ExporterReport, ...] = ()
    several: Counts = Counts()
    shared: Counts = Counts()


@dataclass(frozen=True)
class ProjectReport:
    """What at least one own label of a project counted in all sources, scaled, and the part of it that was no other project's."""

    project_id: str
    used: Counts
    alone: Counts


@dataclass(frozen=True)
class MeterReport:
    """Usage and its sources.

    ``grouped_by`` names what the rows of ``usage`` are told apart by (label, direction, interval, observation-point);
    ``notes`` are sentences that a reader must know; ``partial`` says that the run was stopped before its end. ``projects`` are those that
    used anything: with the ``several``, ``shared`` and other parts of the sources, what they used alone is all that was metered, once.
    ``overlapping`` says that a packet may be in several rows of ``usage`` of one direction and interval; with sources, ``projects`` tell.
    """

    usage: Sequence[UsageRecord]
    sources: tuple[SourceReport, ...]
    grouped_by: tuple[str, ...]
    interval: Nanoseconds | None
    notes: tuple[str, ...] = ()
    partial: bool = False
    projects: tuple[ProjectReport, ...] = ()
    overlapping: bool = False
