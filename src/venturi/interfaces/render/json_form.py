"""The meter report as JSON (RFC 8259), for programs.

Owns the names of the report's fields on the wire. Counts are integers of any size.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from json.encoder import encode_basestring_ascii
from typing import TextIO

from venturi.core.domain.counts import Counts
from venturi.core.domain.usage import UsageColumns, usage_columns
from venturi.interfaces.render.rows import label_fields, place_fields
from venturi.services.offline.report import ExporterReport, MeterReport, ProjectReport, SourceReport

Json = Mapping[str, object]
"""An object on the wire."""


def write_json(report: MeterReport, stream: TextIO) -> None:
    """Write ``report`` as one object, a line for each row of usage, each source and each project."""
    stream.write('{\n"usage": ')
    _write_list(stream, map(spell_usage, usage_columns(report.usage)))
    stream.write(',\n"sources": ')
    _write_list(stream, ([json.dumps(source_fields(source))] for source in report.sources))
    stream.write(',\n"projects": ')
    _write_list(stream, ([json.dumps(project_fields(project))] for project in report.projects))
    stream.write(f',\n"partial": {json.dumps(report.partial)},\n"notes": {json.dumps(report.notes)}\n}}\n')


def spell_usage(columns: UsageColumns) -> list[str]:
    """Spell rows of usage as ``json.dumps`` spells ``usage_fields``, what they share only once."""
    labels = [_spell(label_fields(label)) for label in columns.labels]
    places = [_spell(place_fields(*place)) for place in columns.places]
    estimated = ["true" if estimated else "false" for estimated in columns.estimated]
    return [
        f'{{{labels[label]}{places[place]}"packets": {packets}, "octets": {octets}, '
        f'"observed_packets": {observed_packets}, "observed_octets": {observed_octets}, "estimated": {spelled}}}'
        for label, place, packets, octets, observed_packets, observed_octets, spelled in zip(*columns[2:-1], estimated, strict=True)
    ]


def _spell(fields: Mapping[str, str]) -> str:
    """Spell fields as the beginning of an object that others follow in."""
    return "".join([f'"{name}": {encode_basestring_ascii(text)}, ' for name, text in fields.items()])


def source_fields(source: SourceReport) -> Json:
    """Give the fields of a source as they stand on the wire."""
    return {
        "name": source.name,
        "format": source.format,
        "metered_as": source.metered_as,
        "records": source.records,
        **_counts("", source.counts),
        **_counts("observed_", source.observed),
        **_counts("unmatched_", source.unmatched),
        **_counts("not_crossing_", source.not_crossing),
        **_counts("outside_window_", source.outside_window),
        **_counts("several_", source.several),
        **_counts("shared_", source.shared),
        "skipped": {reason.wire_name: drop.count for reason, drop in source.drops.items()},
        "first_skipped": {reason.wire_name: drop.first_position for reason, drop in source.drops.items()},
        "position_unit": source.position_unit,
        "exporters": [_exporter_fields(exporter) for exporter in source.exporters],
    }


def project_fields(project: ProjectReport) -> Json:
    """Give the fields of what a project used."""
    return {"project_id": project.project_id, **_counts("used_", project.used), **_counts("alone_", project.alone)}


def _exporter_fields(exporter: ExporterReport) -> Json:
    return {
        "exporter": exporter.exporter,
        "observation_domain": exporter.observation_domain,
        "version": exporter.version,
        "messages": exporter.messages,
        "lost": exporter.lost,
        "unit": exporter.unit,
    }


def _counts(prefix: str, counts: Counts) -> dict[str, int]:
    return {f"{prefix}packets": counts.packets, f"{prefix}octets": counts.octets}


def _write_list(stream: TextIO, blocks: Iterable[Sequence[str]]) -> None:
    separator = "[\n  "
    for rows in filter(None, blocks):
        stream.write(separator + ",\n  ".join(rows))
        separator = ",\n  "
    stream.write("[]" if separator == "[\n  " else "\n]")
