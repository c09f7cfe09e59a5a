"""What ``--strict`` refuses.

Owns which drops mean that traffic may be missing from the usage, and which are as they should be.
"""

from collections.abc import Iterable, Iterator

from venturi.core.domain.drops import DropReason
from venturi.core.domain.errors import TrafficDroppedError
from venturi.services.offline.report import MeterReport, SourceReport

HARMLESS = frozenset(
    {
        DropReason.NOT_IP,
        DropReason.NOT_EXPORT,
        DropReason.NO_COUNTS,
        DropReason.NO_ADDRESSES,
        DropReason.DUPLICATE_EXPORT,
        DropReason.OUTSIDE_WINDOW,
    }
)
"""Drops of what is no traffic to be metered, is metered elsewhere, or was not asked for."""


def require_nothing_lost(report: MeterReport) -> None:
    """Raise ``TrafficDroppedError``, naming the first source and reason, if any traffic was skipped, lost or not reached."""
    for message in list_losses(report.sources):
        raise TrafficDroppedError(message)
    if report.partial:
        message = "the run was interrupted"
        raise TrafficDroppedError(message)


def list_losses(sources: Iterable[SourceReport]) -> Iterator[str]:
    """Say of each source what was skipped, by reason, and what its exporters' messages lost."""
    for source in sources:
        for reason, drop in source.drops.items():
            if reason not in HARMLESS:
                first = f"first at {source.position_unit} {drop.first_position:,}"
                yield f"{source.name}: {drop.count:,} skipped: {reason.wire_name}, {first}"
        for exporter in source.exporters:
            if exporter.lost:
                yield f"{source.name}: {exporter.lost:,} {exporter.unit} of exporter {exporter.exporter} were lost before the capture"
