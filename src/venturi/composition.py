"""The composition root: builds what a command needs, out of settings and requests.

The one module that may import inside functions, so that a command loads only what it uses and help appears at once.
"""

import gc
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, BinaryIO, cast

from venturi.config import kernel_cache_config
from venturi.core.domain.direction import Direction
from venturi.core.domain.errors import InvalidPrefixError, RulesFileError, VenturiError
from venturi.core.domain.prefix import parse_address
from venturi.interfaces.render.request import OutputRequest
from venturi.services.offline.request import MeterRequest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from venturi.adapters.files.flow_records import FlowRecordReader
    from venturi.adapters.files.opening import InputStream
    from venturi.core.decode.format import InputFormat
    from venturi.core.domain.flow_batch import FlowTables
    from venturi.interfaces.render.chart import Specification
    from venturi.services.offline.report import MeterReport

INTERRUPTED = 130
"""The exit code of a command that Ctrl-C stopped."""

_NOTHING_WRONG = 0


def meter_files(request: MeterRequest, rules_paths: Sequence[str], output: OutputRequest, *, strict: bool) -> int:
    """Meter files by the labels of rules files and write the report; give the exit code.

    With ``strict``, traffic that was skipped or lost raises ``TrafficDroppedError`` after the report is written.
    """
    from venturi.adapters.files.rules_file import load_rules
    from venturi.interfaces.render.output import Renderers, check_output, write_output
    from venturi.services.offline.strictness import require_nothing_lost

    check_output(output)
    with _many_objects():
        rules = load_rules(rules_paths)
    report, failure = _run(replace(request, labels=rules.labels, inside=request.inside or rules.inside), quiet=output.quiet)
    report = replace(report, notes=(*rules.notes, *report.notes))
    write_output(report, output, Renderers(_write_parquet, _draw_chart))
    if failure is not None:
        raise failure
    if strict:
        require_nothing_lost(report)
    return INTERRUPTED if report.partial else _NOTHING_WRONG


def check_rules_files(paths: Sequence[str]) -> int:
    """Write what is wrong in rules files, or that nothing is; give the exit code."""
    from venturi.adapters.files.rules_file import check_rules
    from venturi.interfaces.render.rules.checking import write_reading

    reading = check_rules(paths)
    write_reading(reading, sys.stdout)
    return RulesFileError.exit_code if reading.problem_count else _NOTHING_WRONG


def explain_packet(rules_paths: Sequence[str], addresses: tuple[str, str], direction: Direction, form: str) -> int:
    """Write which labels count a packet from the first address to the second, as a table or JSON; give the exit code."""
    from venturi.adapters.files.rules_file import load_rules
    from venturi.core.classify.reference import Passage, explain
    from venturi.interfaces.render.rules.explaining import write_explanations_json, write_explanations_table

    (family, source), (other_family, destination) = (parse_address(address) for address in addresses)
    if family != other_family:
        message = f"{addresses[0]} and {addresses[1]} are not of one family, so no packet can have both"
        raise InvalidPrefixError(message)
    explanations = explain(load_rules(rules_paths).labels, Passage(direction, family, source, destination))
    write = write_explanations_json if form == "json" else write_explanations_table
    write(explanations, sys.stdout)
    return _NOTHING_WRONG


def _run(request: MeterRequest, *, quiet: bool) -> "tuple[MeterReport, VenturiError | None]":
    """Meter, with compiled kernels from the cache and, unless ``quiet``, progress on a terminal.

    Give the report and, where a file failed on the way, its error.
    """
    from venturi.adapters.kernel_cache import KernelCache
    from venturi.interfaces.render.progress import announce, show_progress

    compiled_before = KernelCache(kernel_cache_config(), Path(__file__).parent / "core").start()
    if not compiled_before and not quiet:
        announce("venturi: compiling the metering kernels for this machine; this takes some seconds, once")
    from venturi.services.offline.run import OfflineRun

    with show_progress(quiet=quiet) as progress:
        run = OfflineRun(request, progress, open_flow_records)
        with _interruptible(run.interrupt):
            return run.run(), run.failure


@contextmanager
def _many_objects() -> Iterator[None]:
    """Keep the cycle collector from going through objects that are here to stay, again and again as they grow in number."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def _interruptible(interrupt: Callable[[], None]) -> Iterator[None]:
    """Turn the first Ctrl-C into a call of ``interrupt``; a second one ends the command as usual."""

    def end_early(_signal: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, before)
        interrupt()

    before = signal.signal(signal.SIGINT, end_early)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def open_flow_records(
    stream: "InputStream", found: "InputFormat", *, columns: Mapping[str, str], tables: "FlowTables", drops: "NDArray[np.int64]"
) -> "FlowRecordReader":
    """Open a file of flow records (``services.offline.inputs.FlowRecordOpener``), loading Arrow only now."""
    from venturi.adapters.files.flow_records import FlowRecordReader

    file = stream.seekable_file() or cast("BinaryIO", stream)
    return FlowRecordReader(file, stream.name, found, columns=columns, tables=tables, drops=drops)


def _write_parquet(report: "MeterReport", stream: BinaryIO) -> None:
    from venturi.interfaces.render.parquet import write_parquet

    write_parquet(report, stream)


def _draw_chart(specification: "Specification", ending: str) -> bytes:
    from venturi.interfaces.render.chart_files import draw_chart

    return draw_chart(specification, ending)
