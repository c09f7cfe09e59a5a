"""``venturi explain``: which labels count a packet, and by which rules."""

import rich_click as click

from venturi import composition
from venturi.core.domain.direction import Direction

_DIRECTIONS = click.Choice([direction.value for direction in Direction])


@click.command()
@click.option(
    "--rules", "rules_paths", multiple=True, required=True, metavar="FILE", help="Labels and their rules; several files are joined."
)
@click.argument("source", metavar="SRC")
@click.argument("destination", metavar="DST")
@click.argument("direction", type=_DIRECTIONS, metavar="DIRECTION")
@click.option(
    "-f", "--format", "output_format", type=click.Choice(["table", "json"]), default="table", show_default=True, help="Form of the output."
)
def explain(rules_paths: tuple[str, ...], source: str, destination: str, direction: str, output_format: str) -> int:
    """Say which labels count a packet from SRC to DST.

    DIRECTION is ingress, egress or unknown. Lists, for each label with a matching rule, whether it counts the packet,
    the rules that include it and the rules that exclude it.
    """
    return composition.explain_packet(rules_paths, (source, destination), Direction(direction), output_format)
