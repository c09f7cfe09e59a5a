"""``venturi label``: the metering labels of a server."""

from typing import Any

import rich_click as click

from venturi import composition
from venturi.adapters.client.collections import LABELS, ListRequest, Reference
from venturi.adapters.client.config import ServerChoice
from venturi.cli.resources.completing import names_of
from venturi.cli.resources.options import as_filters, given, limit_option, list_options, server_options, show_options
from venturi.interfaces.render.resources.view import View

_PROJECT = click.option("--project", "project_id", metavar="PROJECT", help="The project's id; by default the caller's own project.")


@click.group()
def label() -> None:
    """Manage metering labels."""


@label.command("create")
@click.argument("name")
@click.option("--description", help="What the label is for.")
@_PROJECT
@click.option("--share/--no-share", "shared", default=None, help="Let the label apply at every observation point, or not.")
@show_options
@server_options
def create_label(*, server: ServerChoice, view: View, **attributes: Any) -> int:  # noqa: ANN401 - click's options
    """Create the label NAME and show it."""
    with composition.resource_commands(server) as commands:
        return commands.create(LABELS, given(attributes), view)


@label.command("list")
@click.option("--name", help="Only labels of this very name.")
@click.option("--description", help="Only labels of this very description.")
@click.option("--project", "project_id", metavar="PROJECT", help="Only labels of this project.")
@click.option("--share/--no-share", "shared", default=None, help="Only shared labels, or only others.")
@click.option("--long", is_flag=True, help="Show all columns.")
@limit_option
@list_options
@server_options
def list_labels(*, server: ServerChoice, view: View, long: bool, limit: int | None, **filters: Any) -> int:  # noqa: ANN401 - click's options
    """List the labels that the caller may see."""
    request = ListRequest(collection=LABELS, filters=as_filters(filters), limit=limit, long=long)
    with composition.resource_commands(server) as commands:
        return commands.list(request, view)


@label.command("show")
@click.argument("label", shell_complete=names_of(LABELS))
@show_options
@server_options
def show_label(*, server: ServerChoice, view: View, label: str) -> int:
    """Show a label, named by its id or its name."""
    with composition.resource_commands(server) as commands:
        return commands.show(Reference(LABELS, label), view)


@label.command("set")
@click.argument("label", shell_complete=names_of(LABELS))
@click.option("--name", help="The new name.")
@click.option("--description", help="The new description.")
@server_options
def set_label(*, server: ServerChoice, label: str, **changes: Any) -> int:  # noqa: ANN401 - click's options
    """Rename or redescribe a label; its id, and with it its usage, stays."""
    with composition.resource_commands(server) as commands:
        return commands.change(Reference(LABELS, label), given(changes))


@label.command("delete")
@click.argument("labels", shell_complete=names_of(LABELS), nargs=-1, required=True, metavar="LABEL...")
@server_options
def delete_labels(*, server: ServerChoice, labels: tuple[str, ...]) -> int:
    """Delete labels together with their rules; none is deleted if one of them is not there."""
    with composition.resource_commands(server) as commands:
        return commands.delete([Reference(LABELS, label) for label in labels])
