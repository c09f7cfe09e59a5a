"""Settings from options, the environment and a configuration file, each turned into the Config of the component that it is for.

Nothing else reads the environment.
"""

import os
import socket
import tomllib
import types
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from venturi.adapters.client.config import DEFAULT_URL, ConnectionConfig, ServerChoice
from venturi.adapters.kernel_cache_config import KernelCacheConfig
from venturi.adapters.keystone.configuration import KeystoneConfig
from venturi.adapters.logs.configuration import LogConfig, LogForm
from venturi.adapters.server.configuration import Count, Limits, ServerConfig, TlsConfig
from venturi.core.domain.errors import ConfigurationError, InvalidTimeError
from venturi.core.domain.interval import parse_duration
from venturi.core.domain.point import LONGEST_BOUNDARY
from venturi.core.domain.text import hide_url_secrets
from venturi.services.agent.configuration import AgentConfig, AgentSettings
from venturi.services.agent.schedule import Schedule
from venturi.services.ledger.configuration import LedgerConfig

CACHE_SETTING = "VENTURI_CACHE_DIR"
"""The variable that names the folder of compiled kernels; without it, ``venturi`` in the user's cache folder."""

CONFIG_SETTING = "VENTURI_CONFIG"
"""The variable that names the server's configuration file."""

DATABASE_SETTING = "VENTURI_DATABASE"
"""The variable that names the database; without it, SQLite in the user's data folder."""

URL_SETTING = "VENTURI_URL"
"""The variable that names the server that commands ask; without it, the one on this machine."""

TOKEN_SETTING = "VENTURI_TOKEN"  # noqa: S105 - the name of a variable
"""The variable that holds the token by which commands prove who the caller is."""

CA_FILE_SETTING = "VENTURI_CA_FILE"
"""The variable that names the file with the authority that signed the server's certificate."""

SPOOL_SETTING = "VENTURI_AGENT_SPOOL"
"""The variable that names the spool of an agent; without it, one in the user's data folder."""

INSECURE_TOKEN_SETTING = "VENTURI_INSECURE_TOKEN"  # noqa: S105 - the name of a variable
"""The variable that, set to 1, lets commands send the token over plain HTTP to another host."""

STATE_SETTING = "STATE_DIRECTORY"
"""The variable by which systemd names the folders that a unit keeps its state in, separated by colons (systemd.exec(5))."""

_PREFIX = "VENTURI"
_HIDDEN_VALUES = frozenset({"password"})
_LISTEN_PIDS = "LISTEN_PID"
_LISTEN_COUNT = "LISTEN_FDS"
_MOST_PORTS = 65_535


BoundaryName = Annotated[str, msgspec.Meta(max_length=LONGEST_BOUNDARY)]
"""The name of a boundary, empty for none."""


class AuthMode(StrEnum):
    """How callers of the API prove who they are."""

    NONE = "none"
    TOKEN = "token"  # noqa: S105 - the name of a mode
    KEYSTONE = "keystone"


@dataclass(frozen=True, kw_only=True)
class ServeSettings:
    """What ``venturi serve`` can be told; the tables of the configuration file are named as the fields."""

    listen: str = "127.0.0.1:9696"
    database: str = ""
    database_connections: Count = 10
    auth: AuthMode = AuthMode.NONE
    insecure_listen: bool = False
    default_project: str = "default"
    allow_plain_http: bool = False
    trusted_proxies: tuple[str, ...] = ()
    stop_seconds: Count = 20
    tls: TlsConfig | None = None
    keystone: KeystoneConfig | None = None
    logs: LogConfig = field(default_factory=LogConfig)
    limits: Limits = field(default_factory=Limits)
    ledger: LedgerConfig = field(default_factory=LedgerConfig)
    billing_boundary: BoundaryName = ""


@dataclass(frozen=True, kw_only=True)
class AllSettings(ServeSettings):
    """What the configuration file may hold: the settings of the server, and those of an agent in a table of their own."""

    agent: AgentSettings = field(default_factory=AgentSettings)


Settings = TypeVar("Settings")
Key = tuple[str, ...]


def spare_threads() -> None:
    """Keep numpy's linear algebra, which nothing here uses, from starting threads that do nothing but take processor time.

    Takes effect only before numpy is imported.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def kernel_cache_config() -> KernelCacheConfig:
    """Where compiled kernels are kept."""
    chosen = os.environ.get(CACHE_SETTING)
    if chosen:
        return KernelCacheConfig(Path(chosen))
    user_cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return KernelCacheConfig(Path(user_cache) / "venturi")


def connection_config(choice: ServerChoice) -> ConnectionConfig:
    """How commands reach their server: as the command line says, else as the environment does."""
    return ConnectionConfig(
        url=choice.url or os.environ.get(URL_SETTING) or DEFAULT_URL,
        token=os.environ.get(TOKEN_SETTING) or None,
        ca_file=choice.ca_file or os.environ.get(CA_FILE_SETTING) or None,
        insecure_token=choice.insecure_token or os.environ.get(INSECURE_TOKEN_SETTING) == "1",
    )


def database_url(given: str | None = None) -> str:
    """Give the URL of the server's database: the one given, that of the environment, or that of the file that VENTURI_CONFIG names.

    Without any it is SQLite, in the state folder of the unit that systemd runs, or else in the user's data folder.
    """
    named = given or os.environ.get(DATABASE_SETTING) or read_settings(None, {}).database
    if named:
        return named
    return f"sqlite:///{_state_folder() or _user_files() / 'venturi'}/venturi.db"


def read_settings(path: str | None, options: Mapping[str, object]) -> AllSettings:
    """Give what server and agent are told: options (by key, with dots) over the environment over a configuration file.

    Raises ``ConfigurationError`` for an unknown key or a value of the wrong type, naming file or variable and key.
    """
    known = dict(_list_keys(AllSettings))
    chosen = config_file(path)
    merged: dict[Key, object] = {}
    if chosen:
        merged |= _read_file(chosen, known)
    merged |= _read_environment(known)
    for name, given in options.items():
        key = tuple(name.split("."))
        merged[key] = _convert(given, known[key], f"--{name}", strict=False)
    return _build(AllSettings, merged)


def config_file(path: str | None) -> str | None:
    """Name the configuration file: the one given or that of the environment, None where there is none."""
    return path or os.environ.get(CONFIG_SETTING) or None


def log_form(options: Mapping[str, object]) -> LogForm:
    """Give the form of the log where the settings cannot be read: as an option or the environment says, else that without a word."""
    named = str(options.get("logs.form") or os.environ.get(_variable(("logs", "form")), ""))
    return LogForm(named) if named in set(LogForm) else LogForm.AUTO


def find_contradictions(path: str | None, options: Mapping[str, object]) -> list[str]:
    """Say which settings the file and the environment give differently, and which are given and not used; a sentence each, without secrets.

    Takes what ``read_settings`` takes, and raises as that does. An option is no contradiction: whoever starts the program by hand means it.
    """
    known = dict(_list_keys(AllSettings))
    chosen = config_file(path)
    from_file = _read_file(chosen, known) if chosen else {}
    from_variables = _read_environment(known)
    sentences = []
    if path and os.environ.get(CONFIG_SETTING, path) != path:
        sentences.append(f"--config {path} is read; {CONFIG_SETTING}={os.environ[CONFIG_SETTING]} is not used")
    for key in sorted(from_file.keys() & from_variables.keys()):
        if from_file[key] != from_variables[key]:
            name, variable = ".".join(key), _variable(key)
            used, unused = _show_setting(key, from_variables[key]), _show_setting(key, from_file[key])
            ignored = "" if name in options else ": the variable is used, the file is not"
            sentences.append(f"{variable} is {used} in the environment, but {name} is {unused} in {chosen}{ignored}")
    listen = ("listen",)
    given = [f"--listen {options['listen']}"] if "listen" in options else []
    given += [f"{_variable(listen)}={from_variables[listen]}"] if listen in from_variables else []
    given += [f"listen = '{from_file[listen]}' in {chosen}"] if listen in from_file else []
    if given and _count_inherited():
        sentences.append(f"{' and '.join(given)} is not used: systemd handed over the sockets that its unit names as ListenStream")
    return sentences


def server_config(settings: ServeSettings) -> ServerConfig:
    """Where and how the server listens; sockets that systemd handed over go before ``listen``."""
    host, port = _split_address("listen", settings.listen)
    return ServerConfig(
        host=host,
        port=port,
        inherited_sockets=_count_inherited(),
        tls=settings.tls,
        loopback_only=settings.auth is AuthMode.NONE and not settings.insecure_listen,
        stop_seconds=settings.stop_seconds,
        limits=settings.limits,
    )


def agent_config(settings: AgentSettings) -> AgentConfig:
    """Give what an agent is built of; raises ``ConfigurationError`` for settings that cannot be."""
    host = (settings.host or socket.gethostname()).lower()
    return AgentConfig(
        agent_id=settings.agent_id or host,
        host=host,
        spool=agent_spool(settings.spool),
        spool_limit=settings.spool_limit,
        schedule=Schedule(
            _parse_duration("agent.measure_interval", settings.measure_interval),
            _parse_duration("agent.report_interval", settings.report_interval),
        ),
        server=connection_config(_server_choice(settings)) if settings.server or settings.plan is None else None,
        plan=settings.plan,
        metrics=_split_address("agent.metrics", settings.metrics) if settings.metrics else None,
    )


def _parse_duration(setting: str, text: str) -> int:
    try:
        return parse_duration(text)
    except InvalidTimeError as error:
        message = f"{setting}: {error}"
        raise ConfigurationError(message) from error


def agent_spool(given: Path | None = None) -> Path:
    """Name the file of an agent's spool: the one given, that of the environment, or one in the user's data folder."""
    named = given or os.environ.get(SPOOL_SETTING)
    return Path(named) if named else (_state_folder() or _user_files() / "venturi" / "agent") / "spool.db"


def service_manager() -> str | None:
    """Give the address of the service manager's socket, None where none started this process (sd_notify(3))."""
    return os.environ.get("NOTIFY_SOCKET")


def list_setting_keys() -> list[str]:
    """Give every key of the configuration file, with dots between table and key."""
    return [".".join(key) for key, _ in _list_keys(AllSettings)]


def _server_choice(settings: AgentSettings) -> ServerChoice:
    ca_file = None if settings.ca_file is None else str(settings.ca_file)
    return ServerChoice(url=settings.server or None, ca_file=ca_file, insecure_token=settings.insecure_token)


def _user_files() -> Path:
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")


def _count_inherited() -> int:
    """Count the sockets that systemd handed to this process (sd_listen_fds(3))."""
    count = os.environ.get(_LISTEN_COUNT, "")
    return int(count) if count.isdigit() and os.environ.get(_LISTEN_PIDS) == str(os.getpid()) else 0


def _split_address(setting: str, address: str) -> tuple[str, int]:
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdigit() or int(port) > _MOST_PORTS:
        message = f"{setting}: '{address}' is not HOST:PORT"
        raise ConfigurationError(message)
    return host.removeprefix("[").removesuffix("]"), int(port)


def _variable(key: Key) -> str:
    return "_".join((_PREFIX, *key)).upper()


def _show_setting(key: Key, given: object) -> str:
    """Spell a setting for a message, without what is secret in it."""
    if key[-1] in _HIDDEN_VALUES:
        return "[hidden]"
    return f"'{hide_url_secrets(given)}'" if key == ("database",) and isinstance(given, str) else f"'{given}'"


def _state_folder() -> Path | None:
    """Give the folder in which systemd has a unit keep its state, None outside of a unit that has one."""
    first = os.environ.get(STATE_SETTING, "").partition(":")[0]
    return Path(first) if first else None


def _read_environment(known: Mapping[Key, Any]) -> dict[Key, object]:
    named = {key: _variable(key) for key in known}
    return {
        key: _convert(os.environ[variable], known[key], variable, strict=False) for key, variable in named.items() if variable in os.environ
    }


def _read_file(path: str, known: Mapping[Key, Any]) -> dict[Key, object]:
    try:
        tables = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        message = f"cannot read {path}: {error.strerror}"
        raise ConfigurationError(message) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        message = f"{path} is not TOML: {error}"
        raise ConfigurationError(message) from error
    found: dict[Key, object] = {}
    for key, given in _flatten(tables):
        if key not in known:
            message = f"{path}: there is no setting '{'.'.join(key)}'"
            raise ConfigurationError(message)
        found[key] = _convert(given, known[key], f"{path}: {'.'.join(key)}", strict=True)
    return found


def _flatten(tables: Mapping[str, object], above: Key = ()) -> Iterator[tuple[Key, object]]:
    for name, given in tables.items():
        if isinstance(given, dict):
            yield from _flatten(given, (*above, name))
        else:
            yield (*above, name), given


def _convert(given: object, kind: Any, place: str, *, strict: bool) -> object:  # noqa: ANN401 - any type that a setting has
    if kind is Path and isinstance(given, str):
        return Path(given)
    if get_origin(kind) is tuple and isinstance(given, str) and not strict:
        given = [part.strip() for part in given.split(",") if part.strip()]
    try:
        return msgspec.convert(given, kind, strict=strict)
    except msgspec.ValidationError as error:
        message = f"{place}: {error}"
        raise ConfigurationError(message) from error


def _list_keys(settings: type, above: Key = ()) -> Iterator[tuple[Key, Any]]:
    """Give the keys of a dataclass of settings and of the tables in it, each with its type."""
    for name, kind in get_type_hints(settings, include_extras=True).items():
        table = _table_of(kind)
        if table is not None:
            yield from _list_keys(table, (*above, name))
        else:
            yield (*above, name), Path if Path in get_args(kind) else kind


def _table_of(kind: Any) -> type | None:  # noqa: ANN401 - any type that a setting has
    """Give the dataclass that a setting is, optional or not; None if it is a plain one."""
    choices = get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
    return next((choice for choice in choices if is_dataclass(choice) and isinstance(choice, type)), None)


def _build(settings: type[Settings], merged: Mapping[Key, object], above: Key = ()) -> Settings:
    """Make settings of what was given; tables of which nothing was given keep their default."""
    given: dict[str, Any] = {}
    kinds = get_type_hints(settings)
    for setting in fields(settings):  # type: ignore[arg-type] # only dataclasses get here
        key = (*above, setting.name)
        table = _table_of(kinds[setting.name])
        if table is not None and any(other[: len(key)] == key for other in merged):
            given[setting.name] = _build(table, merged, key)
        elif key in merged:
            given[setting.name] = merged[key]
        elif setting.default is MISSING and setting.default_factory is MISSING:
            message = f"the setting '{'.'.join(key)}' is missing"
            raise ConfigurationError(message)
    return settings(**given)
