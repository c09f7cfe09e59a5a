"""``venturi revision``: what changed on a server, when and by whom, and how everything was then."""

import rich_click as click

from venturi import composition
from venturi.adapters.client.collections import REVISIONS, ListRequest, Reference
from venturi.adapters.client.config import ServerChoice
from venturi.cli.resources.options import limit_option, list_options, server_options, show_options
from venturi.interfaces.render.resources.view import View


@click.group()
def revision() -> None:
    """Look at the revisions of labels, rules and observation points."""


@revision.command("list")
@limit_option
@list_options
@server_options
def list_revisions(*, server: ServerChoice, view: View, limit: int | None) -> int:
    """List the revisions: number, time and author of each."""
    with composition.resource_commands(server) as commands:
        return commands.list(ListRequest(collection=REVISIONS, limit=limit), view)


@revision.command("show")
@click.argument("number", type=click.IntRange(min=0))
@click.option("--state", is_flag=True, help="Show all labels, rules and observation points as they were then.")
@show_options
@server_options
def show_revision(*, server: ServerChoice, view: View, number: int, state: bool) -> int:
    """Show what a revision changed, or, with --state, all that was there then."""
    if state:
        with composition.resource_commands(server) as commands:
            return commands.show_state(number, view)
    with composition.resource_commands(server) as commands:
        return commands.show(Reference(REVISIONS, str(number)), view)
