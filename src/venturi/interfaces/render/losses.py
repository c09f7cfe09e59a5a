"""What no label counts, in sentences of three parts: what, how much, and where first.

Owns the order in which losses are told. Layout belongs to the table.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from venturi.core.domain.counts import Counts
from venturi.services.offline.report import MeterReport, SourceReport


class CountedLoss(NamedTuple):
    """Traffic that was counted but is in no label."""

    what: str
    counts: Counts
    estimated: bool


class SkippedLoss(NamedTuple):
    """Something that could not be counted: the reason, how often, and where first."""

    reason: str
    times: int
    where: str


def counted_losses(report: MeterReport) -> list[CountedLoss]:
    """List what no label counts, over all sources: unmatched always, the rest where there is any."""
    estimated = any(source.counts != source.observed for source in report.sources)
    sums = (
        ("unmatched", sum((source.unmatched for source in report.sources), Counts())),
        ("not crossing", sum((source.not_crossing for source in report.sources), Counts())),
        ("outside window", sum((source.outside_window for source in report.sources), Counts())),
    )
    return [CountedLoss(what, counts, estimated) for what, counts in sums if what == "unmatched" or counts != Counts()]


def shared_parts(report: MeterReport) -> list[tuple[str, Counts]]:
    """List the parts of all sources that are no single project's: of several, of shared labels alone, and what no label counts."""
    sums = [(what, sum((part(source) for source in report.sources), Counts())) for what, part in _SHARED_PARTS]
    return [*sums, *((loss.what, loss.counts) for loss in counted_losses(report))]


_SHARED_PARTS: Sequence[tuple[str, Callable[[SourceReport], Counts]]] = (
    ("several projects", lambda source: source.several),
    ("shared labels only", lambda source: source.shared),
)


def skipped_losses(report: MeterReport) -> list[SkippedLoss]:
    """List what was skipped, source by source."""
    return [loss for source in report.sources for loss in _skipped(source)]


def lost_messages(report: MeterReport) -> list[str]:
    """Say of every exporter whose sequence numbers have gaps how much never arrived."""
    return [
        f"{exporter.exporter} domain {exporter.observation_domain} ({exporter.version}): {exporter.lost:,} {exporter.unit} lost"
        for source in report.sources
        for exporter in source.exporters
        if exporter.lost
    ]


def _skipped(source: SourceReport) -> Iterator[SkippedLoss]:
    for reason, drop in source.drops.items():
        where = f"first at {source.position_unit} {drop.first_position:,} of {source.name}"
        yield SkippedLoss(reason.wire_name.replace("_", " "), drop.count, where)
