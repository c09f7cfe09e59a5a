"""The settings of server and agent: what there is to set, and their reading from options, environment and configuration file."""

import os
import tomllib
import types
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from venturi.adapters.client.config import ServerChoice
from venturi.adapters.keystone.configuration import KeystoneConfig
from venturi.adapters.logs.configuration import LogConfig, LogForm
from venturi.adapters.server.configuration import Count, Limits, ServerConfig, TlsConfig
from venturi.config.surroundings import (
    CONFIG_SETTING,
    DATABASE_SETTING,
    agent_spool,
    config_file,
    connection_config,
    host_name,
    state_folder,
    user_files,
)
from venturi.core.domain.errors import ConfigurationError, InvalidTimeError
from venturi.core.domain.interval import parse_duration
from venturi.core.domain.point import LONGEST_BOUNDARY
from venturi.core.domain.text import HIDDEN, hide_url_secrets
from venturi.services.agent.configuration import AgentConfig, AgentSettings
from venturi.services.agent.schedule import Schedule
from venturi.services.ledger.configuration import LedgerConfig

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
    statement_key: str = ""


@dataclass(frozen=True, kw_only=True)
class AllSettings(ServeSettings):
    """What the configuration file may hold: the settings of the server, and those of an agent in a table of their own."""

    agent: AgentSettings = field(default_factory=AgentSettings)


Settings = TypeVar("Settings")
Key = tuple[str, ...]


def database_url(given: str | None = None) -> str:
    """Give the URL of the server's database: the one given, that of the environment, or that of the file that VENTURI_CONFIG names.

    Without any it is SQLite, in the state folder of the unit that systemd runs, or else in the user's data folder.
    """
    named = given or os.environ.get(DATABASE_SETTING) or read_settings(None, {}).database
    if named:
        return named
    return f"sqlite:///{state_folder() or user_files() / 'venturi'}/venturi.db"


def read_settings(path: str | None, options: Mapping[str, object]) -> AllSettings:
    """Give what server and agent are told: options (by key, with dots) over the environment over a configuration file.

    Raises ``ConfigurationError`` for an unknown key or a value of the wrong type, naming file or variable and key.
    """
    known = dict(list_keys(AllSettings))
    chosen = config_file(path)
    merged: dict[Key, object] = {}
    if chosen:
        merged |= read_file(chosen, known)
    merged |= read_environment(known)
    for name, given in options.items():
        key = tuple(name.split("."))
        merged[key] = _convert(given, known[key], f"--{name}", strict=False)
    return _build(AllSettings, merged)


def log_form(options: Mapping[str, object]) -> LogForm:
    """Give the form of the log where the settings cannot be read: as an option or the environment says, else that without a word."""
    named = str(options.get("logs.form") or os.environ.get(variable(("logs", "form")), ""))
    return LogForm(named) if named in set(LogForm) else LogForm.AUTO


def find_contradictions(path: str | None, options: Mapping[str, object]) -> list[str]:
    """Say which settings the file and the environment give differently, and which are given and not used; a sentence each, without secrets.

    Takes what ``read_settings`` takes, and raises as that does. An option is no contradiction: whoever starts the program by hand means it.
    """
    known = dict(list_keys(AllSettings))
    chosen = config_file(path)
    from_file = read_file(chosen, known) if chosen else {}
    from_variables = read_environment(known)
    sentences = []
    if path and os.environ.get(CONFIG_SETTING, path) != path:
        sentences.append(f"--config {path} is read; {CONFIG_SETTING}={os.environ[CONFIG_SETTING]} is not used")
    for key in sorted(from_file.keys() & from_variables.keys()):
        if from_file[key] != from_variables[key]:
            name, named = ".".join(key), variable(key)
            used, unused = _show_setting(key, from_variables[key]), _show_setting(key, from_file[key])
            ignored = "" if name in options else ": the variable is used, the file is not"
            sentences.append(f"{named} is {used} in the environment, but {name} is {unused} in {chosen}{ignored}")
    listen = ("listen",)
    given = [f"--listen {options['listen']}"] if "listen" in options else []
    given += [f"{variable(listen)}={from_variables[listen]}"] if listen in from_variables else []
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
    host = settings.host.lower() or host_name()
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


def list_setting_keys() -> list[str]:
    """Give every key of the configuration file, with dots between table and key."""
    return [".".join(key) for key, _ in list_keys(AllSettings)]


def _server_choice(settings: AgentSettings) -> ServerChoice:
    ca_file = None if settings.ca_file is None else str(settings.ca_file)
    return ServerChoice(url=settings.server or None, ca_file=ca_file, insecure_token=settings.insecure_token)


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


def variable(key: Key) -> str:
    """Name the variable of a key."""
    return "_".join((_PREFIX, *key)).upper()


def spell_setting(key: Key, given: object) -> str:
    """Spell a setting for people, without what is secret in it."""
    if given and key[-1] in _HIDDEN_VALUES:
        return HIDDEN
    if given is None or isinstance(given, bool):
        return "" if given is None else str(given).lower()
    if isinstance(given, tuple | list | frozenset):
        return ", ".join(map(str, given))
    return hide_url_secrets(str(given))


def _show_setting(key: Key, given: object) -> str:
    return spelled if (spelled := spell_setting(key, given)) == HIDDEN else f"'{spelled}'"


def read_environment(known: Mapping[Key, Any]) -> dict[Key, object]:
    """Read the keys that the environment gives; raises ``ConfigurationError``."""
    named = {key: variable(key) for key in known}
    return {
        key: _convert(os.environ[variable], known[key], variable, strict=False) for key, variable in named.items() if variable in os.environ
    }


def read_file(path: str, known: Mapping[Key, Any]) -> dict[Key, object]:
    """Read the keys that a configuration file gives; raises ``ConfigurationError`` also for one that there is not."""
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


def list_keys(settings: type, above: Key = ()) -> Iterator[tuple[Key, Any]]:
    """Give the keys of a dataclass of settings and of the tables in it, each with its type."""
    for name, kind in get_type_hints(settings, include_extras=True).items():
        table = table_of(kind)
        if table is not None:
            yield from list_keys(table, (*above, name))
        else:
            yield (*above, name), Path if Path in get_args(kind) else kind


def table_of(kind: Any) -> type | None:  # noqa: ANN401 - any type that a setting has
    """Give the dataclass that a setting is, optional or not; None if it is a plain one."""
    choices = get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
    return next((choice for choice in choices if is_dataclass(choice) and isinstance(choice, type)), None)


def _build(settings: type[Settings], merged: Mapping[Key, object], above: Key = ()) -> Settings:
    """Make settings of what was given; tables of which nothing was given keep their default."""
    given: dict[str, Any] = {}
    kinds = get_type_hints(settings)
    for setting in fields(settings):  # type: ignore[arg-type] # only dataclasses get here
        key = (*above, setting.name)
        table = table_of(kinds[setting.name])
        if table is not None and any(other[: len(key)] == key for other in merged):
            given[setting.name] = _build(table, merged, key)
        elif key in merged:
            given[setting.name] = merged[key]
        elif setting.default is MISSING and setting.default_factory is MISSING:
            message = f"the setting '{'.'.join(key)}' is missing"
            raise ConfigurationError(message)
    return settings(**given)
