"""Usage as lines of text: CSV (RFC 4180) with a header, and plain values as OpenStack's client prints them."""

import csv
from typing import TextIO

from venturi.core.domain.text import escape_unfit
from venturi.interfaces.render.resources.cells import spell_for_csv
from venturi.interfaces.render.rows import COUNT_FIELDS, identity_fields, usage_fields
from venturi.services.offline.report import MeterReport

_VALUE_IDENTITY = ("label", "direction", "interval_start", "observation_point")


def write_csv(report: MeterReport, stream: TextIO, *, raw: bool = False) -> None:
    """Write a header and a line for each row of usage; a field that does not apply to a row is empty.

    A text is shown, never run, by a spreadsheet, unless ``raw``.
    """
    columns = (*identity_fields(report), *COUNT_FIELDS)
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    for record in report.usage:
        fields = usage_fields(record)
        writer.writerow([spell_for_csv(fields.get(column), raw=raw) for column in columns])


def write_values(report: MeterReport, stream: TextIO) -> None:
    """Write label, direction, interval start and observation point, where usage is split by them, packets and octets.

    Values are set apart by tabs, without header or quotes; no name holds one. The interval of what has no time is ``-``.
    """
    columns = (*(name for name in identity_fields(report) if name in _VALUE_IDENTITY), "packets", "octets")
    for record in report.usage:
        fields = usage_fields(record)
        stream.write("\t".join(escape_unfit(spell_for_csv(fields.get(column, "-"), raw=True)) for column in columns) + "\n")
