"""What the server is built of, out of settings."""

import importlib.util
import platform
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from venturi.composition.extras import EXTRAS, require_extras
from venturi.composition.starting import run_logged
from venturi.config.surroundings import config_file
from venturi.core.domain.errors import ServeError, UnacceptableFormError
from venturi.core.domain.interval import Nanoseconds
from venturi.interfaces.render.resources.view import View

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from venturi.adapters.server.server import HttpServer
    from venturi.adapters.signing import StatementSigner
    from venturi.adapters.store.store import Store
    from venturi.adapters.threads.supervisor import Supervisor
    from venturi.config.settings import AllSettings, ServeSettings
    from venturi.core.domain.control.principal import Principal
    from venturi.core.domain.control.token import Token
    from venturi.interfaces.api.application import ApiParts
    from venturi.interfaces.api.authentication import Authentication
    from venturi.interfaces.api.requests import RequestObserver
    from venturi.interfaces.api.v1.usage.routes import WriteColumns
    from venturi.interfaces.ledger_commands import LedgerCommands
    from venturi.interfaces.maintenance_commands import MaintenanceCommands
    from venturi.services.alarms.keeping import AlarmKeeping
    from venturi.services.control.last_use import LastUse
    from venturi.services.control.tokens import NewToken, TokenControl

_NOTHING_WRONG = 0


def serve(config_path: str | None, options: Mapping[str, object]) -> int:
    """Serve the API until SIGTERM or Ctrl-C; give the exit code. ``options`` go before environment and configuration file."""
    require_extras("venturi serve", "server")
    return run_logged(config_path, options, partial(_serve, config_file(config_path)))


def _serve(file: str | None, settings: "AllSettings", log: "FilteringBoundLogger") -> int:
    from venturi import __version__
    from venturi.config.settings import database_url
    from venturi.core.domain.text import hide_url_secrets

    with ExitStack() as running:
        server, supervisor = build_server(settings, log, running)
        database = hide_url_secrets(database_url(settings.database))
        log.info("listening", urls=server.start(), auth=settings.auth.value, version=__version__, database=database, config=file)
        server.run()
        log.info("stopped")
    supervisor.require_alive()
    return _NOTHING_WRONG


def build_server(settings: "ServeSettings", log: "FilteringBoundLogger", running: ExitStack) -> "tuple[HttpServer, Supervisor]":
    """Build the server and start what it stands on, which ``running`` stops again; the supervisor has its threads."""
    from venturi import __version__
    from venturi.adapters.server.server import HttpServer
    from venturi.config.settings import server_config
    from venturi.interfaces.api.application import build_application
    from venturi.interfaces.api.metrics import ServerMetrics
    from venturi.interfaces.api.requests import RequestObserver

    config = server_config(settings)
    observer = RequestObserver(log, ServerMetrics(__version__))
    parts = _api_parts(settings, observer, running)
    return HttpServer(config, build_application(parts), observer, parts.stopping), parts.supervisor


def create_first_token(database: str, attributes: Mapping[str, object], view: View) -> int:
    """Make a token in a database, on the server itself, and write it with its secret; give the exit code."""
    require_extras("venturi token create --database", "server")
    import json

    from venturi.adapters.client.collections import TOKENS
    from venturi.interfaces.api.v1.forms.reading import read_body
    from venturi.interfaces.api.v1.forms.tokens import NewTokenForm, new_token, token_fields
    from venturi.interfaces.resource_commands import check_columns, show

    check_columns(TOKENS, view)
    token, secret = create_token_locally(database, new_token(read_body(json.dumps(attributes).encode(), NewTokenForm)))
    return show({**token_fields(token), "secret": secret}, TOKENS, view)


def create_token_locally(database: str | None, asked: "NewToken") -> "tuple[Token, str]":
    """Make a token on the server itself, in the database given, and give it and its secret; the first token is made so."""
    with _open_store(database) as store:
        return _token_control(store)[0].create(None, asked)


def maintain_database(database: str | None) -> "MaintenanceCommands":
    """Give the commands on a database, None for the server's."""
    require_extras("venturi db", "server")
    from venturi.config.settings import database_url
    from venturi.interfaces.maintenance_commands import MaintenanceCommands

    return MaintenanceCommands(database_url(database), sys.stdout)


def restore_database(database: str | None, backup: Path, *, replace: bool, revoke_tokens: bool) -> int:
    """Restore a backup into a database, None for the server's; give the exit code."""
    return maintain_database(database).restore(backup, replace=replace, revoke_tokens_at=_now() if revoke_tokens else None)


def keep_ledger(database: str | None) -> "LedgerCommands":
    """Give the commands on the ledger of a database, None for the server's."""
    require_extras("venturi ledger", "server")
    from venturi.config.settings import database_url
    from venturi.interfaces.ledger_commands import LedgerCommands

    return LedgerCommands(database_url(database), sys.stdout)


def _api_parts(settings: "ServeSettings", observer: "RequestObserver", running: ExitStack) -> "ApiParts":
    """Start the store and what runs beside it, and give the parts of the API; ``running`` stops them again."""
    from venturi.interfaces.api.application import ApiParts
    from venturi.interfaces.api.neutron.routes import neutron_routes
    from venturi.interfaces.api.origin import read_trusted_proxies
    from venturi.interfaces.api.turns import make_turns, report_threads
    from venturi.interfaces.api.v1.routes import v1_routes
    from venturi.interfaces.web.routes import web_routes
    from venturi.interfaces.web.services import PageServices
    from venturi.services.control.planning.past import PastPlans
    from venturi.services.control.plans import PlanControl
    from venturi.services.control.sessions import SessionControl
    from venturi.services.ledger.rolling import Roller

    threads = settings.database_connections
    store = running.enter_context(_open_store(settings.database, threads + report_threads(threads) + 2))
    alarms, supervisor = _keep_alarms(store, observer, running)
    tokens, last_use = _token_control(store, observer.log)
    last_use.start(supervisor)
    running.callback(last_use.stop)
    past = PastPlans(store)
    past.start(supervisor)
    running.callback(past.stop)
    roller = Roller(store, _now, alarms.raise_alarm, clear=alarms.clear_alarm)
    roller.start(supervisor)
    running.callback(roller.stop)
    plans = PlanControl(store, _now, alarms.raise_alarm)
    running.callback(plans.stop)
    turns = make_turns(settings.limits, threads)
    authentication = _authentication(settings, tokens)
    sessions = SessionControl(store, _now, authentication.verify)
    authentication = replace(authentication, find_session=sessions.find)
    own = {
        "plans": plans,
        "tokens": tokens,
        "alarm_keeping": alarms,
        "turns": turns,
        "sessions": sessions,
        "authentication": authentication,
    }
    services = {**_store_services(store, settings), **_ledger_services(store, settings, alarms), **own}
    services["services"] = PageServices(**{each.name: services[each.name] for each in fields(PageServices)})  # type: ignore[arg-type] # by their names
    return ApiParts(
        store=store,
        services=services,
        routes=(*neutron_routes(), *v1_routes(), *web_routes()),
        authentication=authentication,
        observer=observer,
        proxies=read_trusted_proxies(settings.trusted_proxies),
        limits=settings.limits,
        threads=threads,
        changed=plans.notify,
        stopping=plans.stop,
        supervisor=supervisor,
    )


def _keep_alarms(store: "Store", observer: "RequestObserver", running: ExitStack) -> "tuple[AlarmKeeping, Supervisor]":
    """Start what makes rows of alarms, under a supervisor whose own alarms become rows too."""
    from venturi.adapters.threads.supervisor import Supervisor, ThreadFailure
    from venturi.core.domain.alarm import Alarm
    from venturi.services.alarms.keeping import AlarmKeeping
    from venturi.services.alarms.kinds import ServerAlarm

    alarms = AlarmKeeping(store, _now, observer.raise_alarm, observer.log)
    host = platform.node()

    def tell(failure: ThreadFailure) -> None:
        sentence = f"on server '{host}', {failure.sentence}"
        alarms.raise_alarm(Alarm(kind=ServerAlarm.THREAD_FAILED, subject=f"{failure.thread} on {host}", sentence=sentence, host=host))

    supervisor = Supervisor(observer.log, tell)
    running.enter_context(supervisor.watching_others())
    alarms.start(supervisor)
    running.callback(alarms.stop)
    return alarms, supervisor


def _ledger_services(store: "Store", settings: "ServeSettings", alarms: "AlarmKeeping") -> dict[str, object]:
    from venturi.adapters.server.memory import trim_memory
    from venturi.core.ledger.measuring import BatchBounds
    from venturi.services.ledger.correcting import CorrectionPosting
    from venturi.services.ledger.deciding import HeldDecisions
    from venturi.services.ledger.grouping import GroupPosting
    from venturi.services.ledger.posting import BatchPosting
    from venturi.services.ledger.reading import LedgerReading
    from venturi.services.ledger.trusting import HostTrust

    limits = settings.limits
    bounds = BatchBounds(octets=limits.batch_octets, rows=limits.batch_rows, labels=limits.batch_labels)
    trust = HostTrust(store, settings.ledger, alarms.raise_alarm)
    batches = BatchPosting(store, _now, alarms.raise_alarm, trust, settings.ledger, clear=alarms.clear_alarm, bounds=bounds)
    batches.start()
    held = HeldDecisions(store, _now)
    group = GroupPosting(batches, trim_memory)
    return {"batches": group, "corrections": CorrectionPosting(store, _now), "held": held, "ledger": LedgerReading(store)}


def _store_services(store: "Store", settings: "ServeSettings") -> dict[str, object]:
    """Make the services that need nothing but the store and a setting."""
    from venturi.interfaces.api.neutron.remembered import RememberedLists
    from venturi.services.alarms.reading import AlarmReading
    from venturi.services.contracts.keeping import ContractControl
    from venturi.services.contracts.measuring import ContractMeasures
    from venturi.services.control.applying import ApplyControl
    from venturi.services.control.explaining import Explaining
    from venturi.services.control.labels import LabelControl
    from venturi.services.control.points import PointControl
    from venturi.services.control.revisions import RevisionControl
    from venturi.services.control.rules import RuleControl
    from venturi.services.reports.reporting import UsageReports
    from venturi.services.statements.closing import StatementControl
    from venturi.services.statements.keeping import Statements
    from venturi.services.statements.lines import StatementLines
    from venturi.services.statements.verifying import StatementVerifying

    signer = _statement_signer(settings.statement_key)
    return {
        "alarms": AlarmReading(store, _now),
        "applying": ApplyControl(store),
        "contracts": ContractControl(store, _now),
        "measures": ContractMeasures(store, _now),
        "labels": LabelControl(store),
        "rules": RuleControl(store),
        "lists": RememberedLists(store.latest),
        "points": PointControl(store),
        "explaining": Explaining(store),
        "revisions": RevisionControl(store),
        "statements": Statements(store, _now),
        "closing": StatementControl(store, _now, signer, default_line_rate=settings.ledger.default_line_rate),
        "lines": StatementLines(store),
        "verifying": StatementVerifying(store),
        "reports": UsageReports(store, _now, settings.billing_boundary),
        "load_columns": load_columns,
    }


def _statement_signer(key: str) -> "StatementSigner | None":
    """Read the key that signs statements, if the settings name one; raises ``MissingExtraError`` where its package is not installed."""
    if not key:
        return None
    require_extras("statement_key", "statements")
    from venturi.adapters.signing import StatementSigner

    return StatementSigner(Path(key))


def load_columns() -> "WriteColumns":
    """Load what writes reports by columns, which takes a while; raises ``UnacceptableFormError`` where its packages are not installed."""
    if importlib.util.find_spec(EXTRAS["archive"]) is None:
        message = (
            "Parquet and Arrow need the extra archive, which this server lacks: run pip install 'venturi[archive]' there, or ask for CSV"
        )
        raise UnacceptableFormError(message)
    from venturi.interfaces.api.v1.usage.columns import write_columns

    return write_columns


def _authentication(settings: "ServeSettings", tokens: "TokenControl") -> "Authentication":
    from venturi.config.settings import AuthMode
    from venturi.interfaces.api.authentication import Authentication, authenticate_nobody

    match settings.auth:
        case AuthMode.NONE:
            return authenticate_nobody(settings.default_project, own_pages_only=not settings.insecure_listen)
        case AuthMode.TOKEN:
            return Authentication(
                challenge='Bearer realm="venturi"', verify=tokens.authenticate, allow_plain_http=settings.allow_plain_http
            )
        case AuthMode.KEYSTONE:
            return _keystone_authentication(settings, tokens)


def _keystone_authentication(settings: "ServeSettings", tokens: "TokenControl") -> "Authentication":
    """Have Keystone verify its tokens, and take the server's own; raise ``ServeError`` without settings, or for a missing extra."""
    from venturi.interfaces.api.authentication import Authentication

    if settings.keystone is None:
        message = "--auth keystone needs the table [keystone] of the configuration file"
        raise ServeError(message)
    require_extras("--auth keystone", "keystone")
    from venturi.adapters.keystone.verifier import KeystoneVerifier
    from venturi.services.control.tokens import is_own

    verifier = KeystoneVerifier(settings.keystone)

    def verify(secret: str) -> "Principal":
        return tokens.authenticate(secret) if is_own(secret) else verifier.verify(secret)

    return Authentication(challenge=settings.keystone.challenge, verify=verify, allow_plain_http=settings.allow_plain_http)


def _token_control(store: "Store", log: "FilteringBoundLogger | None" = None) -> "tuple[TokenControl, LastUse]":
    from venturi.services.control.last_use import LastUse
    from venturi.services.control.tokens import TokenControl

    last_use = LastUse(store)
    return TokenControl(store, _now, last_use, log), last_use


def _now() -> Nanoseconds:
    return Nanoseconds(time.time_ns())


@contextmanager
def _open_store(database: str | None, connections: int = 1) -> "Iterator[Store]":
    from venturi.adapters.store.store import Store, StoreConfig
    from venturi.config.settings import database_url

    store = Store(StoreConfig(url=database_url(database), pool_size=connections))
    store.start()
    try:
        yield store
    finally:
        store.stop()
