"""The meter report as JSON (RFC 8259), for programs.

Owns the names of the report's fields on the wire. Counts are integers of any size.
"""

import json
from collections.abc import Iterable, Mapping
from typing import TextIO

from venturi.core.domain.counts import Counts
from venturi.interfaces.render.rows import usage_fields
from venturi.services.offline.report import ExporterReport, MeterReport, SourceReport

Json = Mapping[str, object]
"""An object on the wire."""


def write_json(report: MeterReport, stream: TextIO) -> None:
    """Write ``report`` as one object, a line for each row of usage and each source."""
    stream.write('{\n"usage": ')
    _write_list(stream, (usage_fields(record) for record in report.usage))
    stream.write(',\n"sources": ')
    _write_list(stream, (source_fields(source) for source in report.sources))
    stream.write(f',\n"partial": {json.dumps(report.partial)},\n"notes": {json.dumps(report.notes)}\n}}\n')


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
        "skipped": {reason.wire_name: drop.count for reason, drop in source.drops.items()},
        "first_skipped": {reason.wire_name: drop.first_position for reason, drop in source.drops.items()},
        "position_unit": source.position_unit,
        "exporters": [_exporter_fields(exporter) for exporter in source.exporters],
    }


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


def _write_list(stream: TextIO, rows: Iterable[Json]) -> None:
    separator = "[\n  "
    for row in rows:
        stream.write(separator + json.dumps(row))
        separator = ",\n  "
    stream.write("[]" if separator == "[\n  " else "\n]")
