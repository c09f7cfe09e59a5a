"""Where each setting comes from: the environment, the configuration file, or the default.

Owns what of a setting is shown; what is secret in it never is.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields
from typing import NamedTuple, get_type_hints

from venturi.adapters.client.config import DEFAULT_URL
from venturi.config.settings import (
    AllSettings,
    Key,
    database_url,
    list_keys,
    read_environment,
    read_file,
    spell_setting,
    table_of,
    variable,
)
from venturi.config.surroundings import (
    CA_FILE_SETTING,
    CACHE_SETTING,
    CONFIG_SETTING,
    INSECURE_TOKEN_SETTING,
    TOKEN_SETTING,
    URL_SETTING,
    agent_spool,
    config_file,
    host_name,
    kernel_cache_config,
)
from venturi.core.domain.text import HIDDEN

DEFAULT = "default"
"""The origin of what is given nowhere."""


class Source(NamedTuple):
    """A setting by its key, or by its variable where it has no key: its value as it may be shown, and the variable or file it came from."""

    setting: str
    shown: str
    origin: str


def list_sources(path: str | None) -> list[Source]:
    """List the settings of commands, then those of server and agent in the order of the documents; raises as ``read_settings`` does."""
    chosen = config_file(path)
    known = dict(list_keys(AllSettings))
    from_file = read_file(chosen, known) if chosen else {}
    from_environment = read_environment(known)
    defaults = dict(_defaults(AllSettings))
    machine = _machine_defaults({**from_file, **from_environment})
    sources = list(_commands_settings(chosen, path))
    for key in known:
        if key in from_environment:
            shown, origin = spell_setting(key, from_environment[key]), variable(key)
        elif key in from_file:
            shown, origin = spell_setting(key, from_file[key]), str(chosen)
        else:
            shown, origin = spell_setting(key, machine[key] if key in machine else defaults.get(key)), DEFAULT
        sources.append(Source(".".join(key), shown, origin))
    return sources


def _commands_settings(chosen: str | None, path: str | None) -> Iterator[Source]:
    """Give what commands that ask a server are told, which is in no file."""
    token = HIDDEN if os.environ.get(TOKEN_SETTING) else ""
    insecure = "true" if os.environ.get(INSECURE_TOKEN_SETTING) == "1" else "false"
    yield Source(CONFIG_SETTING, chosen or "", "--config" if path else _origin(CONFIG_SETTING))
    for name, shown in (
        (URL_SETTING, os.environ.get(URL_SETTING) or DEFAULT_URL),
        (TOKEN_SETTING, token),
        (CA_FILE_SETTING, os.environ.get(CA_FILE_SETTING, "")),
        (INSECURE_TOKEN_SETTING, insecure),
        (CACHE_SETTING, str(kernel_cache_config().folder)),
    ):
        yield Source(name, shown, _origin(name))


def _origin(name: str) -> str:
    return name if os.environ.get(name) else DEFAULT


def _machine_defaults(given: Mapping[Key, object]) -> Mapping[Key, object]:
    """Give the defaults that depend on the machine, and on what else is ``given``."""
    host = given.get(("agent", "host")) or host_name()
    return {
        ("database",): database_url(),
        ("agent", "server"): "" if given.get(("agent", "plan")) else os.environ.get(URL_SETTING) or DEFAULT_URL,
        ("agent", "host"): host,
        ("agent", "agent_id"): host,
        ("agent", "spool"): agent_spool(),
    }


def _defaults(settings: type, above: Key = ()) -> Iterator[tuple[Key, object]]:
    """Give the default of every key that has one."""
    kinds = get_type_hints(settings)
    for setting in fields(settings):
        key = (*above, setting.name)
        table = table_of(kinds[setting.name])
        if table is not None:
            yield from _defaults(table, key)
        elif setting.default is not MISSING:
            yield key, setting.default
        elif setting.default_factory is not MISSING:
            yield key, setting.default_factory()


def list_defaults() -> dict[str, object]:
    """Give the default of every key of the configuration file that has one, with dots between table and key."""
    return {".".join(key): default for key, default in _defaults(AllSettings)}
