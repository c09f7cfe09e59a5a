"""The composition root: builds what a command needs, out of settings and requests.

The one folder whose modules may import inside functions, so that a command loads only what it uses and help appears at once.
"""

import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, BinaryIO, cast

from venturi.adapters.client.config import ServerChoice
from venturi.composition.extras import require_extras
from venturi.config.surroundings import connection_config, host_name, kernel_cache_config, spare_threads, wants_colours
from venturi.core.domain.direction import Direction
from venturi.core.domain.errors import (
    ForbiddenError,
    InvalidPrefixError,
    RulesFileError,
    UnauthenticatedError,
    UnreachableServerError,
    VenturiError,
)
from venturi.core.domain.interval import Nanoseconds
from venturi.core.domain.prefix import parse_address
from venturi.interfaces.render.request import OutputRequest
from venturi.interfaces.render.resources.view import View
from venturi.interfaces.render.usage.question import UsageQuestion

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from venturi.adapters.client.collections import Collection
    from venturi.adapters.client.resources import Resources
    from venturi.adapters.files.flow_records import FlowRecordReader
    from venturi.adapters.files.opening import InputStream
    from venturi.core.classify.reference import Explanation
    from venturi.core.decode.format import InputFormat
    from venturi.core.domain.flow_batch import FlowTables
    from venturi.interfaces.contract_commands import ContractCommands
    from venturi.interfaces.render.chart import Specification
    from venturi.interfaces.render.resources.selection import Row
    from venturi.interfaces.render.rules import InapplicableExplanation
    from venturi.interfaces.resource_commands import ResourceCommands
    from venturi.interfaces.statement_commands import StatementCommands
    from venturi.services.applying.request import ApplyRequest
    from venturi.services.offline.report import MeterReport
    from venturi.services.offline.request import MeterRequest

__all__ = ["wants_colours"]

INTERRUPTED = 130
"""The exit code of a command that Ctrl-C stopped."""

_NOTHING_WRONG = 0
_SOON = 2.0
"""In seconds: how long the completion of a name waits."""
_MOST_NAMES = 1000


def meter_files(request: "MeterRequest", rules_paths: Sequence[str], output: OutputRequest, *, strict: bool) -> int:
    """Meter files by the labels of rules files and write the report; give the exit code.

    With ``strict``, traffic that was skipped or lost raises ``TrafficDroppedError`` after the report is written.
    """
    require_extras("venturi meter", "offline")
    if output.form == "parquet":
        require_extras("Parquet", "archive")
    if output.charts:
        require_extras("a chart", "charts")
    spare_threads()
    from venturi.adapters.files.rules_file import load_rules
    from venturi.interfaces.render.output import Renderers, check_output, write_output
    from venturi.services.offline.strictness import require_nothing_lost

    check_output(output)
    rules = load_rules(rules_paths)
    report, failure = _run(replace(request, labels=rules.labels, inside=request.inside or rules.inside), quiet=output.quiet)
    report = replace(report, notes=(*rules.notes, *report.notes))
    write_output(report, output, Renderers(_write_parquet, partial(_draw_chart, quiet=output.quiet)))
    if failure is not None:
        raise failure
    if strict:
        require_nothing_lost(report)
    return INTERRUPTED if report.partial else _NOTHING_WRONG


def check_rules_files(paths: Sequence[str], view: View) -> int:
    """Write what is wrong in rules files, or that nothing is; give the exit code."""
    from venturi.adapters.files.rules_file import check_rules
    from venturi.interfaces.render.rules import write_reading
    from venturi.interfaces.standard_output import write_standard_output

    reading = check_rules(paths)
    write_standard_output(partial(write_reading, reading, view))
    return RulesFileError.exit_code if reading.problem_count else _NOTHING_WRONG


def explain_packet(rules_paths: Sequence[str], addresses: tuple[str, str], direction: Direction, form: str) -> int:
    """Write which labels count a packet from the first address to the second, as a table or JSON; give the exit code."""
    from venturi.adapters.files.rules_file import load_rules
    from venturi.core.classify.reference import Passage, explain

    (family, source), (other_family, destination) = (parse_address(address) for address in addresses)
    if family != other_family:
        message = f"{addresses[0]} and {addresses[1]} are not of one family, so no packet can have both"
        raise InvalidPrefixError(message)
    _write_explanations(explain(load_rules(rules_paths).labels, Passage(direction, family, source, destination)), form=form)
    return _NOTHING_WRONG


@contextmanager
def server_resources(server: ServerChoice) -> "Iterator[Resources]":
    """Open a connection to a server, for the resources on it; it is closed at the end."""
    from venturi.adapters.client.connection import Connection
    from venturi.adapters.client.resources import Resources

    config = connection_config(server)
    with Connection(config) as connection:
        resources = Resources(connection)
        try:
            yield resources
        except (ForbiddenError, UnauthenticatedError, UnreachableServerError) as error:
            from venturi.interfaces.refusals import advise

            raise advise(error, resources, config) from error


@contextmanager
def resource_commands(server: ServerChoice) -> "Iterator[ResourceCommands]":
    """Open a connection to a server, for commands on its resources; it is closed at the end."""
    from venturi.interfaces.resource_commands import ResourceCommands

    with server_resources(server) as resources:
        yield ResourceCommands(resources)


@contextmanager
def contract_commands(server: ServerChoice) -> "Iterator[ContractCommands]":
    """Open a connection to a server, for commands on its contracts; it is closed at the end."""
    from venturi.interfaces.contract_commands import ContractCommands

    with server_resources(server) as resources:
        yield ContractCommands(resources)


@contextmanager
def statement_commands(server: ServerChoice) -> "Iterator[StatementCommands]":
    """Open a connection to a server, for commands on its statements; it is closed at the end."""
    from venturi.interfaces.statement_commands import StatementCommands

    with server_resources(server) as resources:
        yield StatementCommands(resources)


def verify_statement_file(path: "Path", key: "Path") -> int:
    """Check a statement with a public key, without a server; give the exit code."""
    require_extras("venturi statement verify", "statements")
    from venturi.adapters.signing import check_signature
    from venturi.interfaces.statement_commands import verify_file

    return verify_file(path, partial(check_signature, path=key))


def make_statement_key(path: "Path") -> "Path":
    """Make a key that signs statements; give the path of its public part."""
    require_extras("venturi statement key", "statements")
    from venturi.adapters.signing import make_key

    return make_key(path)


def list_names(server: ServerChoice, collection: "Collection") -> list[str]:
    """Give the names of what a collection of a server holds, sorted; raises ``VenturiError`` where it does not answer soon."""
    from venturi.adapters.client.connection import Connection
    from venturi.adapters.client.resources import Resources

    hasty = replace(connection_config(server), connect_seconds=_SOON, read_seconds=_SOON)
    with Connection(hasty) as connection:
        found = Resources(connection).find_all(collection, (), _MOST_NAMES)
    return sorted({str(each["name"]) for each in found if each.get("name")})


def explain_at_point(server: ServerChoice, point: str | None, addresses: tuple[str, str], direction: Direction, form: str) -> int:
    """Write which labels of a server count a packet at a point, None for all labels that the caller may see; give the exit code."""
    from venturi.interfaces.asked_explanations import ask_explanations

    with server_resources(server) as resources:
        _write_explanations(*ask_explanations(resources, point, addresses, direction), form=form)
    return _NOTHING_WRONG


def show_usage(server: ServerChoice, ask: Callable[[], UsageQuestion], view: View, watched: float | None = None) -> int:
    """Write a report of the usage on a server; give the exit code.

    With ``watched``, ``ask`` is called and its question put again after so many seconds, until SIGTERM or Ctrl-C.
    """
    from venturi.adapters.ending import Ending
    from venturi.interfaces import usage_command
    from venturi.interfaces.signals import ended_by_signals

    if view.form == "parquet":
        require_extras("Parquet", "archive")
    renderers = usage_command.UsageRenderers(_write_usage_parquet, _draw_chart)
    with server_resources(server) as resources:

        def show() -> int:
            return usage_command.show_usage(resources, ask(), view, renderers)

        if watched is None:
            return show()
        ending = Ending()
        with ended_by_signals(ending.call):
            return usage_command.watch_usage(show, watched, ending)


def show_status(server: ServerChoice, view: View) -> int:
    """Write how a server is, with its agents and alarms; give the exit code."""
    from venturi.interfaces import status_command

    with server_resources(server) as resources:
        return status_command.show_status(resources, connection_config(server).url, current_time(), view)


def apply_rules_files(server: ServerChoice, request: "ApplyRequest", confirm: Callable[[str], bool]) -> int:
    """Make a server's labels and rules equal to rules files; ``confirm`` is asked on a terminal before labels are deleted."""
    from venturi.adapters.files.rules_file import load_rules
    from venturi.interfaces.apply_command import ApplyCommand
    from venturi.services.applying.applying import Applying

    rules = load_rules(request.paths)
    terminal = sys.stdin.isatty() and sys.stdout.isatty()
    with server_resources(server) as resources:
        return ApplyCommand(Applying(resources, request), confirm if terminal else None).run(rules, request)


def name_host() -> str:
    """Give the name of this host, as an agent on it has it unless told another."""
    return host_name()


def current_time() -> Nanoseconds:
    """Give the time by this machine's clock."""
    return Nanoseconds(time.time_ns())


def time_from_now(duration: Nanoseconds) -> Nanoseconds:
    """Give the time that is ``duration`` from now."""
    return Nanoseconds(time.time_ns() + duration)


def _write_explanations(
    explanations: "Sequence[Explanation]", inapplicable: "Sequence[InapplicableExplanation]" = (), *, form: str
) -> None:
    from venturi.interfaces.render.rules import write_explanations_json, write_explanations_table
    from venturi.interfaces.standard_output import write_standard_output

    write = write_explanations_json if form == "json" else write_explanations_table
    write_standard_output(partial(write, explanations, inapplicable=inapplicable))


def _run(request: "MeterRequest", *, quiet: bool) -> "tuple[MeterReport, VenturiError | None]":
    """Meter, with compiled kernels from the cache and, unless ``quiet``, progress on a terminal.

    Give the report and, where a file failed on the way, its error.
    """
    from venturi.interfaces.render.progress import show_progress

    prepare_kernels(quiet=quiet)
    from venturi.services.offline.run import OfflineRun

    with show_progress(quiet=quiet) as progress:
        run = OfflineRun(request, progress, open_flow_records)
        with _interruptible(run.interrupt):
            return run.run(), run.failure


def prepare_kernels(*, quiet: bool) -> None:
    """Find the compiled kernels of the package or of an earlier run; without any, say unless ``quiet`` how long compiling takes."""
    from venturi.adapters.kernel_cache import KernelCache
    from venturi.interfaces.render.progress import announce

    compiled_before = KernelCache(kernel_cache_config(), Path(__file__).parent.parent / "core").start()
    if not compiled_before and not quiet:
        announce("venturi: compiling the metering kernels for this machine: about 20 seconds, once")


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
    require_extras(f"{stream.name}, a file of flow records,", "archive")
    from venturi.adapters.files.flow_records import FlowRecordReader

    file = stream.seekable_file() or cast("BinaryIO", stream)
    return FlowRecordReader(file, stream.name, found, columns=columns, tables=tables, drops=drops)


def _write_parquet(report: "MeterReport", stream: BinaryIO) -> None:
    from venturi.interfaces.render.parquet import write_parquet

    write_parquet(report, stream)


def _write_usage_parquet(rows: "Sequence[Row]", columns: Sequence[str], stream: BinaryIO) -> None:
    from venturi.interfaces.render.usage.parquet import write_parquet

    write_parquet(rows, columns, stream)


def _draw_chart(specification: "Specification", ending: str, *, quiet: bool = False) -> bytes:
    require_extras("a chart", "charts")
    from venturi.interfaces.render.progress import Unit, progress_of

    with progress_of(Unit.WHOLE, quiet=quiet) as progress:
        progress.begin("drawing a chart", None)
        from venturi.interfaces.render.chart_files import draw_chart

        return draw_chart(specification, ending)
