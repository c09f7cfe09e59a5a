"""The meter report as JSON (RFC 8259), for programs.

Owns the names of the report's fields on the wire. Counts are integers of any size.
"""

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TextIO

from venturi.core.domain.counts import Counts
from venturi.core.domain.label import MeteringLabel
from venturi.core.domain.usage import UsageRecord
from venturi.interfaces.render.rows import label_fields, place_fields
from venturi.services.offline.report import ExporterReport, MeterReport, SourceReport

Json = Mapping[str, object]
"""An object on the wire."""

_SPELLED = 4096
"""How many places are kept spelled: directions by intervals by observation points."""


def write_json(report: MeterReport, stream: TextIO) -> None:
    """Write ``report`` as one object, a line for each row of usage and each source."""
    stream.write('{\n"usage": ')
    _write_list(stream, map(UsageSpelling().spell, report.usage))
    stream.write(',\n"sources": ')
    _write_list(stream, (json.dumps(source_fields(source)) for source in report.sources))
    stream.write(f',\n"partial": {json.dumps(report.partial)},\n"notes": {json.dumps(report.notes)}\n}}\n')


class UsageSpelling:
    """Spells records of usage as ``json.dumps`` spells ``usage_fields``, what many records share only once."""

    def __init__(self) -> None:
        """Begin with nothing spelled."""
        self._label: MeteringLabel | None = None
        self._spelled_label = ""
        self._place = lru_cache(_SPELLED)(lambda *place: _spell(place_fields(*place)))

    def spell(self, record: UsageRecord) -> str:
        """Spell one record; those of a label follow each other."""
        if record.label is not self._label:
            self._label, self._spelled_label = record.label, _spell(label_fields(record.label))
        (packets, octets), (observed_packets, observed_octets) = record.counts, record.observed
        return (
            f"{{{self._spelled_label}{self._place(record.direction, record.interval, record.observation_point)}"
            f'"packets": {packets}, "octets": {octets}, '
            f'"observed_packets": {observed_packets}, "observed_octets": {observed_octets}, '
            f'"estimated": {"true" if record.estimated else "false"}}}'
        )


def _spell(fields: Json) -> str:
    """Spell fields as the beginning of an object that others follow in."""
    return f"{json.dumps(fields)[1:-1]}, " if fields else ""


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


def _write_list(stream: TextIO, rows: Iterable[str]) -> None:
    separator = "[\n  "
    for row in rows:
        stream.write(separator + row)
        separator = ",\n  "
    stream.write("[]" if separator == "[\n  " else "\n]")
