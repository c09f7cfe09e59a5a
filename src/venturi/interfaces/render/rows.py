"""Usage in the order and the fields that every output shares.

Owns names and order of the fields, and the folding of small labels. Text and layout belong to the outputs.
"""

from collections import defaultdict
from dataclasses import replace

from venturi.core.domain.counts import Counts
from venturi.core.domain.direction import Direction
from venturi.core.domain.interval import Interval, format_time
from venturi.core.domain.label import MeteringLabel
from venturi.core.domain.usage import UsageRecord
from venturi.services.offline.report import MeterReport

OTHER = MeteringLabel(id="", name="other")
"""Stands for all labels that were folded together; it has no id, which no label of a rules file lacks."""

IDENTITY_FIELDS = ("label", "label_id", "project_id", "direction", "interval_start", "interval_end", "observation_point")
"""The fields that say what a row is of; those that do not apply to a row are left out of it."""

COUNT_FIELDS = ("packets", "octets", "observed_packets", "observed_octets", "estimated")
"""The fields that every row has."""

Cell = str | int | bool
"""What a field may hold."""


def usage_fields(record: UsageRecord) -> dict[str, Cell]:
    """Give the fields of a record that apply to it, in order; times are RFC 3339."""
    interval = record.interval
    identity = (
        record.label.name,
        record.label.id,
        record.label.project_id,
        str(record.direction) if record.direction else None,
        format_time(interval.start) if interval else None,
        format_time(interval.end) if interval else None,
        record.observation_point,
    )
    named = zip(IDENTITY_FIELDS, identity, strict=True)
    fields: dict[str, Cell] = {name: value for name, value in named if value is not None and (value or name == "label")}
    fields["packets"], fields["octets"] = record.counts.packets, record.counts.octets
    fields["observed_packets"], fields["observed_octets"] = record.observed.packets, record.observed.octets
    fields["estimated"] = record.estimated
    return fields


def identity_fields(report: MeterReport) -> tuple[str, ...]:
    """Name the identity fields that the rows of ``report`` can have, in order."""
    absent = set()
    if "direction" not in report.grouped_by:
        absent.add("direction")
    if report.interval is None:
        absent |= {"interval_start", "interval_end"}
    if "observation-point" not in report.grouped_by:
        absent.add("observation_point")
    return tuple(name for name in IDENTITY_FIELDS if name not in absent)


def fold_small_labels(report: MeterReport, top: int) -> MeterReport:
    """Keep the ``top`` labels with the most octets and sum the rest, row by row, under the label ``OTHER``.

    A packet that several of the folded labels count is in the sum as often.
    """
    order = labels_by_octets(report)
    if len(order) <= top:
        return report
    kept = {label.id for label in order[:top]}
    folded: dict[tuple[Direction | None, Interval | None, str | None], UsageRecord] = {}
    for record in report.usage:
        if record.label.id not in kept:
            key = (record.direction, record.interval, record.observation_point)
            known = folded.get(key)
            folded[key] = _add(known, record) if known else replace(record, label=OTHER)
    rows = (*(record for record in report.usage if record.label.id in kept), *folded.values())
    return replace(report, usage=rows)


def labels_by_octets(report: MeterReport) -> list[MeteringLabel]:
    """List the labels with usage, those with the most octets first and ``OTHER`` last."""
    octets: defaultdict[str, int] = defaultdict(int)
    labels: dict[str, MeteringLabel] = {}
    for record in report.usage:
        labels[record.label.id] = record.label
        octets[record.label.id] += record.counts.octets
    return sorted(labels.values(), key=lambda label: (label == OTHER, -octets[label.id], label.name, label.id))


def total_counts(report: MeterReport) -> Counts:
    """Sum all that the sources hold, whether a label counts it or not."""
    return sum((source.counts for source in report.sources), Counts())


def _add(known: UsageRecord, record: UsageRecord) -> UsageRecord:
    return replace(
        known,
        counts=known.counts + record.counts,
        observed=known.observed + record.observed,
        estimated=known.estimated or record.estimated,
    )
