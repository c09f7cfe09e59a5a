"""What ``--strict`` refuses.

Owns which drops mean that traffic may be missing from the usage, and which are as they should be.
"""

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
    for source in report.sources:
        _require_source(source)
    if report.partial:
        message = "the run was interrupted"
        raise TrafficDroppedError(message)


def _require_source(source: SourceReport) -> None:
    for reason, drop in source.drops.items():
        if reason not in HARMLESS:
            message = f"{source.name}: {drop.count:,} skipped: {reason.wire_name}, first at {source.position_unit} {drop.first_position:,}"
            raise TrafficDroppedError(message)
    for exporter in source.exporters:
        if exporter.lost:
            message = f"{source.name}: {exporter.lost:,} {exporter.unit} of exporter {exporter.exporter} were lost before the capture"
            raise TrafficDroppedError(message)
