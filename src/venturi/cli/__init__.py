"""The command line: its modules, each loaded when a command of it is called or its help is shown.

Owns which commands there are and the groups in which help lists them.
"""

import importlib
from collections.abc import MutableMapping
from typing import Any

import rich_click as click

from venturi import __version__

_DAILY = {
    "usage": "usage",
    "status": "status",
    "label": "resources.label",
    "rule": "resources.rule",
    "point": "resources.point",
    "contract": "resources.contract",
    "statement": "resources.statement",
    "apply": "apply",
    "explain": "explain",
    "meter": "meter",
}
_SERVER = {
    "up": "programs.up",
    "demo": "programs.up",
    "serve": "programs.serve",
    "agent": "programs.agent",
    "doctor": "programs.agent",
    "config": "config",
}
_UPKEEP = {
    "alarm": "resources.alarm",
    "token": "resources.token",
    "revision": "resources.revision",
    "ledger": "ledger",
    "db": "db",
}
_ABOUT = {"help": "about:show_help", "version": "about", "completion": "about"}
_HIDDEN = {"rules": "resources.rule"}
_PLACES = {**_DAILY, **_SERVER, **_UPKEEP, **_ABOUT, **_HIDDEN}
"""The module below ``venturi.cli`` of each command, whose name it has there unless another is given."""


class _Commands(click.RichGroup):
    """The commands, each loaded when it is asked for."""

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - click's own
        self._loaded: dict[str, click.Command] = {}
        self._made = False
        super().__init__(*arguments, **options)
        self._made = True

    @property
    def commands(self) -> MutableMapping[str, click.Command]:
        """All of them, loaded: what writes manual pages asks for them so. While the group is made, there are none."""
        if not self._made:
            return {}
        return {name: self._load(name) for name in _PLACES}

    @commands.setter
    def commands(self, given: object) -> None:
        """Take what click sets at first, of which there is nothing to keep."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands as help lists them."""
        del ctx
        return list(_PLACES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Give a command, None if there is none of this name."""
        del ctx
        return self._load(cmd_name) if cmd_name in _PLACES else None

    def _load(self, word: str) -> click.Command:
        if word not in self._loaded:
            module, _, name = _PLACES[word].partition(":")
            self._loaded[word] = getattr(importlib.import_module(f"venturi.cli.{module}"), name or word)
        return self._loaded[word]


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="venturi")
@click.command_panel("Daily", commands=list(_DAILY))
@click.command_panel("Server and agents", commands=list(_SERVER))
@click.command_panel("Upkeep", commands=list(_UPKEEP))
@click.command_panel("About venturi", commands=list(_ABOUT))
def venturi() -> None:
    """Meter network traffic by label, exact to the octet."""
