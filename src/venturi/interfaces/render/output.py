"""Writes a report where it was asked for.

Owns which renderer writes where. Files belong to ``output_files``.
"""

from collections.abc import Callable
from functools import partial
from typing import BinaryIO, NamedTuple, TextIO

from venturi.interfaces.output_files import check_folders, whole_file, write_text_file
from venturi.interfaces.render.chart import MAXIMUM_SERIES, Specification, chart_format, chart_specification
from venturi.interfaces.render.delimited import write_csv, write_values
from venturi.interfaces.render.json_form import write_json
from venturi.interfaces.render.quantities import Units
from venturi.interfaces.render.request import OutputRequest
from venturi.interfaces.render.rows import fold_small_labels
from venturi.interfaces.render.table import TableStyle, write_table
from venturi.interfaces.standard_output import write_standard_output
from venturi.services.offline.report import MeterReport


class Renderers(NamedTuple):
    """The renderers that need libraries which take long to load, handed in so that they are loaded only where used.

    ``parquet`` writes usage to a binary stream; ``chart`` draws a specification as the content of a file of a given ending.
    """

    parquet: Callable[[MeterReport, BinaryIO], None]
    chart: Callable[[Specification, str], bytes]


def check_output(request: OutputRequest) -> None:
    """Refuse, before any work is done, charts of an unknown form and files in folders that are not there."""
    for chart in request.charts:
        chart_format(chart)
    check_folders(request.path, *request.charts)


def write_output(report: MeterReport, request: OutputRequest, renderers: Renderers) -> None:
    """Write the report and its charts; raises ``UnreadableFileError`` for a file that cannot be written."""
    shown = report if request.top is None else fold_small_labels(report, request.top)
    if request.form == "parquet" and request.path is not None:
        with whole_file(request.path) as temporary, temporary.open("wb") as stream:
            renderers.parquet(shown, stream)
    else:
        _write_text(shown, request)
    for chart in request.charts:
        drawing = renderers.chart(chart_specification(report, request.top or MAXIMUM_SERIES), chart_format(chart))
        with whole_file(chart) as temporary:
            temporary.write_bytes(drawing)


def _write_text(report: MeterReport, request: OutputRequest) -> None:
    writers: dict[str, Callable[[MeterReport, TextIO], None]] = {"json": write_json, "value": write_values}
    writers["csv"] = partial(write_csv, raw=request.raw)
    writers["table"] = partial(write_table, style=TableStyle(Units(request.units)))
    write = writers[request.form]
    if request.path is None:
        write_standard_output(partial(write, report))
        return
    write_text_file(request.path, partial(write, report))
