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
    fields: dict[str, Cell] = {**label_fields(record.label), **place_fields(record.direction, record.interval, record.observation_point)}
    fields["packets"], fields["octets"] = record.counts.packets, record.counts.octets
    fields["observed_packets"], fields["observed_octets"] = record.observed.packets, record.observed.octets
    fields["estimated"] = record.estimated
    return fields


def label_fields(label: MeteringLabel) -> dict[str, str]:
    """Give the fields that say whose the counts are; those that the label does not have are left out."""
    fields = {"label": label.name}
    if label.id:
        fields["label_id"] = label.id
    if label.project_id:
        fields["project_id"] = label.project_id
    return fields


def place_fields(direction: Direction | None, interval: Interval | None, observation_point: str | None) -> dict[str, str]:
    """Give the fields that say which way, when and where was counted; those that usage is summed over are left out."""
    fields = {}
    if direction:
        fields["direction"] = str(direction)
    if interval:
        fields["interval_start"], fields["interval_end"] = format_time(interval.start), format_time(interval.end)
    if observation_point:
        fields["observation_point"] = observation_point
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
            folded[key] = _add(known, record) if known else record._replace(label=OTHER)
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
    return known._replace(
        counts=known.counts + record.counts,
        observed=known.observed + record.observed,
        estimated=known.estimated or record.estimated,
    )
