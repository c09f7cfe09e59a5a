"""Writes a report where it was asked for.

Owns files and streams of output: a file appears whole or not at all.
"""

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from io import StringIO
from pathlib import Path
from typing import BinaryIO, NamedTuple, TextIO

from venturi.core.domain.errors import UnreadableFileError
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
    for path in (request.path, *request.charts):
        if path is not None and not Path(path).absolute().parent.is_dir():
            message = f"{path}: cannot be written: there is no folder {Path(path).absolute().parent}"
            raise UnreadableFileError(message)


def write_output(report: MeterReport, request: OutputRequest, renderers: Renderers) -> None:
    """Write the report and its charts; raises ``UnreadableFileError`` for a file that cannot be written."""
    shown = report if request.top is None else fold_small_labels(report, request.top)
    if request.form == "parquet" and request.path is not None:
        with _whole_file(request.path) as temporary, temporary.open("wb") as stream:
            renderers.parquet(shown, stream)
    else:
        _write_text(shown, request)
    for chart in request.charts:
        drawing = renderers.chart(chart_specification(report, request.top or MAXIMUM_SERIES), chart_format(chart))
        with _whole_file(chart) as temporary:
            temporary.write_bytes(drawing)


def _write_text(report: MeterReport, request: OutputRequest) -> None:
    writers: dict[str, Callable[[MeterReport, TextIO], None]] = {"json": write_json, "value": write_values}
    writers["csv"] = partial(write_csv, raw=request.raw)
    writers["table"] = partial(write_table, style=TableStyle(Units(request.units)))
    write = writers[request.form]
    if request.path is None:
        write_standard_output(partial(write, report))
        return
    text = StringIO()
    write(report, text)
    with _whole_file(request.path) as temporary:
        temporary.write_text(text.getvalue(), encoding="utf-8")


@contextlib.contextmanager
def _whole_file(path: str) -> Iterator[Path]:
    """Give a temporary file beside ``path`` that takes its place at the end; what is no regular file is written in place."""
    target = Path(path)
    try:
        if target.exists() and not target.is_file():
            yield target
            return
        handle, name = tempfile.mkstemp(dir=target.absolute().parent, prefix=f".{target.name}.")
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            temporary.chmod(0o666 & ~_current_umask())
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        message = f"{path}: cannot be written: {error.strerror}"
        raise UnreadableFileError(message) from error


def _current_umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
