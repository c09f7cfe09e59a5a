"""The composition root: builds what a command needs, out of settings and requests.

The one folder whose modules may import inside functions, so that a command loads only what it uses and help appears at once.
"""

import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, BinaryIO, cast

from venturi.adapters.client.config import ServerChoice
from venturi.config import (
    AuthMode,
    ServeSettings,
    connection_config,
    database_url,
    kernel_cache_config,
    read_settings,
    server_config,
    spare_threads,
)
from venturi.core.domain.direction import Direction
from venturi.core.domain.errors import InvalidPrefixError, RulesFileError, ServeError, VenturiError
from venturi.core.domain.interval import Nanoseconds
from venturi.core.domain.prefix import parse_address
from venturi.interfaces.render.request import OutputRequest
from venturi.interfaces.render.resources.view import View
from venturi.interfaces.render.usage.question import UsageQuestion
from venturi.services.applying.request import ApplyRequest
from venturi.services.offline.request import MeterRequest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from venturi.adapters.client.resources import Resources
    from venturi.adapters.files.flow_records import FlowRecordReader
    from venturi.adapters.files.opening import InputStream
    from venturi.adapters.store.store import Store
    from venturi.core.classify.reference import Explanation
    from venturi.core.decode.format import InputFormat
    from venturi.core.domain.control.token import Token
    from venturi.core.domain.flow_batch import FlowTables
    from venturi.interfaces.api.application import ApiParts
    from venturi.interfaces.api.authentication import Authentication
    from venturi.interfaces.api.requests import RequestObserver
    from venturi.interfaces.ledger_commands import LedgerCommands
    from venturi.interfaces.maintenance_commands import MaintenanceCommands
    from venturi.interfaces.render.chart import Specification
    from venturi.interfaces.resource_commands import ResourceCommands
    from venturi.services.control.last_use import LastUse
    from venturi.services.control.tokens import NewToken, TokenControl
    from venturi.services.offline.report import MeterReport

INTERRUPTED = 130
"""The exit code of a command that Ctrl-C stopped."""

_NOTHING_WRONG = 0


def meter_files(request: MeterRequest, rules_paths: Sequence[str], output: OutputRequest, *, strict: bool) -> int:
    """Meter files by the labels of rules files and write the report; give the exit code.

    With ``strict``, traffic that was skipped or lost raises ``TrafficDroppedError`` after the report is written.
    """
    spare_threads()
    from venturi.adapters.files.rules_file import load_rules
    from venturi.interfaces.render.output import Renderers, check_output, write_output
    from venturi.services.offline.strictness import require_nothing_lost

    check_output(output)
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

    (family, source), (other_family, destination) = (parse_address(address) for address in addresses)
    if family != other_family:
        message = f"{addresses[0]} and {addresses[1]} are not of one family, so no packet can have both"
        raise InvalidPrefixError(message)
    _write_explanations(explain(load_rules(rules_paths).labels, Passage(direction, family, source, destination)), form)
    return _NOTHING_WRONG


@contextmanager
def server_resources(server: ServerChoice) -> "Iterator[Resources]":
    """Open a connection to a server, for the resources on it; it is closed at the end."""
    from venturi.adapters.client.connection import Connection
    from venturi.adapters.client.resources import Resources

    with Connection(connection_config(server)) as connection:
        yield Resources(connection)


@contextmanager
def resource_commands(server: ServerChoice) -> "Iterator[ResourceCommands]":
    """Open a connection to a server, for commands on its resources; it is closed at the end."""
    from venturi.interfaces.resource_commands import ResourceCommands

    with server_resources(server) as resources:
        yield ResourceCommands(resources)


def explain_at_point(server: ServerChoice, point: str | None, addresses: tuple[str, str], direction: Direction, form: str) -> int:
    """Write which labels of a server count a packet at a point, None for all labels that the caller may see; give the exit code."""
    from venturi.interfaces.asked_explanations import ask_explanations

    with server_resources(server) as resources:
        _write_explanations(ask_explanations(resources, point, addresses, direction), form)
    return _NOTHING_WRONG


def show_usage(server: ServerChoice, question: UsageQuestion, view: View) -> int:
    """Write a report of the usage on a server; give the exit code."""
    from venturi.interfaces import usage_command

    with server_resources(server) as resources:
        return usage_command.show_usage(resources, question, view)


def apply_rules_files(server: ServerChoice, request: ApplyRequest, confirm: Callable[[str], bool]) -> int:
    """Make a server's labels and rules equal to rules files; ``confirm`` is asked on a terminal before labels are deleted."""
    from venturi.adapters.files.rules_file import load_rules
    from venturi.interfaces.apply_command import ApplyCommand
    from venturi.services.applying.applying import Applying

    rules = load_rules(request.paths)
    terminal = sys.stdin.isatty() and sys.stdout.isatty()
    with server_resources(server) as resources:
        return ApplyCommand(Applying(resources, request), confirm if terminal else None).run(rules, request)


def create_first_token(database: str, attributes: Mapping[str, object], view: View) -> int:
    """Make a token in a database, on the server itself, and write it with its secret; give the exit code."""
    import json

    from venturi.adapters.client.collections import TOKENS
    from venturi.interfaces.api.v1.forms.reading import read_body
    from venturi.interfaces.api.v1.forms.tokens import NewTokenForm, new_token, token_fields
    from venturi.interfaces.resource_commands import check_columns, show

    check_columns(TOKENS, view)
    token, secret = create_token_locally(database, new_token(read_body(json.dumps(attributes).encode(), NewTokenForm)))
    return show({**token_fields(token), "secret": secret}, TOKENS, view)


def time_from_now(duration: Nanoseconds) -> Nanoseconds:
    """Give the time that is ``duration`` from now."""
    return Nanoseconds(time.time_ns() + duration)


def serve(config_path: str | None, options: Mapping[str, object]) -> int:
    """Serve the API until SIGTERM or Ctrl-C; give the exit code. ``options`` go before environment and configuration file."""
    from venturi import __version__
    from venturi.adapters.logs.log import LibraryLog, build_log
    from venturi.adapters.server.server import HttpServer
    from venturi.interfaces.api.application import build_application
    from venturi.interfaces.api.metrics import ServerMetrics
    from venturi.interfaces.api.requests import RequestObserver

    settings = read_settings(config_path, options)
    config = server_config(settings)
    log = build_log(sys.stderr, settings.logs)
    observer = RequestObserver(log, ServerMetrics(__version__))
    with ExitStack() as running:
        library_log = LibraryLog(log, settings.logs)
        library_log.start()
        running.callback(library_log.stop)
        parts = _api_parts(settings, observer, running)
        server = HttpServer(config, build_application(parts), observer, parts.stopping)
        log.info("listening", urls=server.start(), auth=settings.auth.value, version=__version__)
        server.run()
        log.info("stopped")
    return _NOTHING_WRONG


def create_token_locally(database: str | None, asked: "NewToken") -> "tuple[Token, str]":
    """Make a token on the server itself, in the database given, and give it and its secret; the first token is made so."""
    with _open_store(database) as store:
        return _token_control(store)[0].create(None, asked)


def maintain_database(database: str | None) -> "MaintenanceCommands":
    """Give the commands on a database, None for the server's."""
    from venturi.interfaces.maintenance_commands import MaintenanceCommands

    return MaintenanceCommands(database_url(database), sys.stdout)


def keep_ledger(database: str | None) -> "LedgerCommands":
    """Give the commands on the ledger of a database, None for the server's."""
    from venturi.interfaces.ledger_commands import LedgerCommands

    return LedgerCommands(database_url(database), sys.stdout)


def _write_explanations(explanations: "Sequence[Explanation]", form: str) -> None:
    from venturi.interfaces.render.rules.explaining import write_explanations_json, write_explanations_table
    from venturi.interfaces.standard_output import write_standard_output

    write = write_explanations_json if form == "json" else write_explanations_table
    write_standard_output(partial(write, explanations))


def _api_parts(settings: ServeSettings, observer: "RequestObserver", running: ExitStack) -> "ApiParts":
    """Start the store and what runs beside it, and give the parts of the API; ``running`` stops them again."""
    from venturi.interfaces.api.application import ApiParts
    from venturi.interfaces.api.neutron.routes import neutron_routes
    from venturi.interfaces.api.v1.routes import v1_routes
    from venturi.services.control.plans import PlanControl

    store = running.enter_context(_open_store(settings.database, settings.database_connections))
    tokens, last_use = _token_control(store)
    last_use.start()
    running.callback(last_use.stop)
    plans = PlanControl(store, _now, observer.raise_alarm)
    running.callback(plans.stop)
    services = {**_store_services(store), **_ledger_services(store, observer), "plans": plans, "tokens": tokens}
    return ApiParts(
        store=store,
        services=services,
        routes=(*neutron_routes(), *v1_routes()),
        authentication=_authentication(settings, tokens),
        observer=observer,
        limits=settings.limits,
        threads=settings.database_connections,
        changed=plans.notify,
        stopping=plans.stop,
    )


def _ledger_services(store: "Store", observer: "RequestObserver") -> dict[str, object]:
    from venturi.services.ledger.correcting import CorrectionPosting
    from venturi.services.ledger.posting import BatchPosting
    from venturi.services.ledger.reading import LedgerReading

    batches = BatchPosting(store, _now, observer.raise_alarm)
    batches.start()
    return {"batches": batches, "corrections": CorrectionPosting(store, _now), "ledger": LedgerReading(store)}


def _store_services(store: "Store") -> dict[str, object]:
    """Make the services that need nothing but the store."""
    from venturi.interfaces.api.neutron.remembered import RememberedLists
    from venturi.services.control.explaining import Explaining
    from venturi.services.control.labels import LabelControl
    from venturi.services.control.points import PointControl
    from venturi.services.control.revisions import RevisionControl
    from venturi.services.control.rules import RuleControl
    from venturi.services.reports.reporting import UsageReports

    return {
        "labels": LabelControl(store),
        "rules": RuleControl(store),
        "lists": RememberedLists(store.latest_revision),
        "points": PointControl(store),
        "explaining": Explaining(store),
        "revisions": RevisionControl(store),
        "reports": UsageReports(store, _now),
    }


def _authentication(settings: ServeSettings, tokens: "TokenControl") -> "Authentication":
    from venturi.interfaces.api.authentication import Authentication, authenticate_nobody

    match settings.auth:
        case AuthMode.NONE:
            return authenticate_nobody(settings.default_project, own_pages_only=not settings.insecure_listen)
        case AuthMode.TOKEN:
            return Authentication(
                challenge='Bearer realm="venturi"', verify=tokens.authenticate, allow_plain_http=settings.allow_plain_http
            )
        case AuthMode.KEYSTONE:
            return _keystone_authentication(settings)


def _keystone_authentication(settings: ServeSettings) -> "Authentication":
    """Have Keystone verify tokens; raise ``ServeError`` without its settings or the extra that speaks to it."""
    from venturi.interfaces.api.authentication import Authentication

    if settings.keystone is None:
        message = "--auth keystone needs the table [keystone] of the configuration file"
        raise ServeError(message)
    try:
        from venturi.adapters.keystone.verifier import KeystoneVerifier
    except ImportError as error:
        message = f"--auth keystone needs the extra venturi[keystone]: {error}"
        raise ServeError(message) from error
    verifier = KeystoneVerifier(settings.keystone)
    return Authentication(challenge=settings.keystone.challenge, verify=verifier.verify, allow_plain_http=settings.allow_plain_http)


def _token_control(store: "Store") -> "tuple[TokenControl, LastUse]":
    from venturi.services.control.last_use import LastUse
    from venturi.services.control.tokens import TokenControl

    last_use = LastUse(store)
    return TokenControl(store, _now, last_use), last_use


def _now() -> Nanoseconds:
    return Nanoseconds(time.time_ns())


@contextmanager
def _open_store(database: str | None, connections: int = 1) -> "Iterator[Store]":
    from venturi.adapters.store.store import Store, StoreConfig

    store = Store(StoreConfig(url=database_url(database), pool_size=connections))
    store.start()
    try:
        yield store
    finally:
        store.stop()


def _run(request: MeterRequest, *, quiet: bool) -> "tuple[MeterReport, VenturiError | None]":
    """Meter, with compiled kernels from the cache and, unless ``quiet``, progress on a terminal.

    Give the report and, where a file failed on the way, its error.
    """
    from venturi.adapters.kernel_cache import KernelCache
    from venturi.interfaces.render.progress import announce, show_progress

    compiled_before = KernelCache(kernel_cache_config(), Path(__file__).parent.parent / "core").start()
    if not compiled_before and not quiet:
        announce("venturi: compiling the metering kernels for this machine; this takes some seconds, once")
    from venturi.services.offline.run import OfflineRun

    with show_progress(quiet=quiet) as progress:
        run = OfflineRun(request, progress, open_flow_records)
        with _interruptible(run.interrupt):
            return run.run(), run.failure


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
