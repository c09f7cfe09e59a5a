"""``venturi explain``: which labels count a packet, and by which rules."""

import rich_click as click

from venturi import composition
from venturi.adapters.client.collections import POINTS
from venturi.adapters.client.config import ServerChoice
from venturi.cli.resources.completing import names_of
from venturi.cli.resources.options import server_options
from venturi.core.domain.direction import Direction

_DIRECTIONS = click.Choice([direction.value for direction in Direction])


@click.command()
@click.option(
    "--rules", "rules_paths", multiple=True, metavar="FILE", help="Labels and their rules, without a server; several files are joined."
)
@click.option(
    "--point",
    metavar="POINT",
    shell_complete=names_of(POINTS),
    help="The observation point, by id or name; without it, all labels that the caller may see.",
)
@click.argument("source", metavar="SOURCE")
@click.argument("destination", metavar="DESTINATION")
@click.argument("direction", type=_DIRECTIONS, metavar="DIRECTION")
@click.option(
    "-f", "--format", "output_format", type=click.Choice(["table", "json"]), default="table", show_default=True, help="Form of the output."
)
@server_options
def explain(
    *,
    server: ServerChoice,
    rules_paths: tuple[str, ...],
    point: str | None,
    source: str,
    destination: str,
    direction: str,
    output_format: str,
) -> int:
    """Say which labels count a packet from SOURCE to DESTINATION.

    DIRECTION is ingress, egress or unknown. Lists, for each label with a matching rule, whether it counts the packet,
    the rules that include it and the rules that exclude it. With --rules the labels are those of files, else those of
    the server.
    """
    addresses = (source, destination)
    if not rules_paths:
        return composition.explain_at_point(server, point, addresses, Direction(direction), output_format)
    if point is not None:
        message = "--point names a point of a server, which --rules does without."
        raise click.UsageError(message)
    return composition.explain_packet(rules_paths, addresses, Direction(direction), output_format)
