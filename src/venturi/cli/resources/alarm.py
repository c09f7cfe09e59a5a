"""``venturi alarm``: what an operator should see to."""

from typing import Any

import rich_click as click

from venturi import composition
from venturi.adapters.client.collections import ALARMS, ListRequest
from venturi.adapters.client.config import ServerChoice
from venturi.cli.resources.options import as_filters, limit_option, list_options, server_options
from venturi.cli.times import read_time
from venturi.cli.values import DomainValue
from venturi.core.domain.interval import format_time
from venturi.interfaces.render.resources.view import View


def _read_since(text: str) -> str:
    """Read a time as people write it, in the zone of this machine; else ``InvalidTimeError``."""
    return format_time(read_time(text, None, composition.current_time()))


_SINCE = DomainValue("time or duration", _read_since)


@click.group()
def alarm() -> None:
    """List and acknowledge alarms."""


@alarm.command("list")
@click.option("--kind", help="Only alarms of this kind.")
@click.option("--state", type=click.Choice(["open", "cleared"]), help="Only open or only cleared alarms; both unless given.")
@click.option("--since", type=_SINCE, help="Only alarms seen since then, such as 2h (before now), today or 2026-11-29.")
@click.option("--long", is_flag=True, help="Show all columns.")
@limit_option
@list_options
@server_options
def list_alarms(*, server: ServerChoice, view: View, long: bool, limit: int | None, **filters: Any) -> int:  # noqa: ANN401 - click's options
    """List alarms: all to an administrator, those of the own points and labels to others."""
    request = ListRequest(collection=ALARMS, filters=as_filters(filters), limit=limit, long=long)
    with composition.resource_commands(server) as commands:
        return commands.list(request, view)


@alarm.command()
@click.argument("alarms", nargs=-1, required=True, metavar="ALARM...")
@server_options
def ack(*, server: ServerChoice, alarms: tuple[str, ...]) -> int:
    """Acknowledge alarms, named by their ids: note that you have seen them."""
    with composition.resource_commands(server) as commands:
        return commands.acknowledge(alarms)
