"""``venturi ledger held``, ``accept`` and ``reject``: what an administrator does about intervals that failed a check."""

from collections.abc import Callable
from typing import Any

import rich_click as click

from venturi import composition
from venturi.adapters.client.collections import HELD, ListRequest
from venturi.adapters.client.config import ServerChoice
from venturi.cli.resources.options import as_filters, given, limit_option, list_options, server_options
from venturi.core.ledger.trust import HeldReason
from venturi.interfaces.render.resources.view import View

_REASONS = [reason.value for reason in HeldReason]
_Command = Callable[..., int]


def _selection_options(command: _Command) -> _Command:
    """Give a command the options that say which intervals are meant."""
    for option in (
        click.option("--reason-held", "held_reason", type=click.Choice(_REASONS), help="Those that are held for this reason."),
        click.option("--label-id", metavar="ID", help="Those with usage of the label of this id."),
        click.option("--point-id", "observation_point_id", metavar="ID", help="Those of the observation point of this id."),
        click.option("--agent-id", metavar="AGENT", help="Those that this agent posted."),
    ):
        command = option(command)
    return command


def _decision_options(command: _Command) -> _Command:
    """Give a command its intervals and the reason of the decision."""
    command = _selection_options(command)
    command = click.option("--reason", required=True, help="Why you decide so; it is kept with the posting.")(command)
    return click.argument("intervals", nargs=-1, metavar="[POSTING.ORDINAL]...")(command)


@click.command()
@_selection_options
@click.option("--decision", type=click.Choice(["held", "accepted", "rejected"]), help="Those that this became of.  [default: held]")
@click.option("--long", is_flag=True, help="Show all columns.")
@limit_option
@list_options
@server_options
def held(*, server: ServerChoice, view: View, long: bool, limit: int | None, held_reason: str | None, **filters: Any) -> int:  # noqa: ANN401 - click's options
    """List the intervals that are held: posted, but counted nowhere until an administrator accepts or rejects them."""
    request = ListRequest(collection=HELD, filters=as_filters({"reason": held_reason, **filters}), limit=limit, long=long)
    with composition.resource_commands(server) as commands:
        return commands.list(request, view)


@click.command()
@_decision_options
@server_options
def accept(*, server: ServerChoice, intervals: tuple[str, ...], reason: str, **selection: Any) -> int:  # noqa: ANN401 - click's options
    """Accept intervals that are held: they count from now on.

    Name them as venturi ledger held lists them, or say which are meant. What overlaps other usage of its place cannot be accepted.
    """
    with composition.resource_commands(server) as commands:
        return commands.decide("/v1/acceptances", intervals, {"reason": reason, **given(selection)}, "accepted")


@click.command()
@_decision_options
@server_options
def reject(*, server: ServerChoice, intervals: tuple[str, ...], reason: str, **selection: Any) -> int:  # noqa: ANN401 - click's options
    """Reject intervals that are held: they never count."""
    with composition.resource_commands(server) as commands:
        return commands.decide("/v1/rejections", intervals, {"reason": reason, **given(selection)}, "rejected")
