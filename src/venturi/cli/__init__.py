"""The command line: one file for each command, gathered here."""

import rich_click as click

from venturi import __version__
from venturi.cli.explain import explain
from venturi.cli.meter import meter
from venturi.cli.rules import rules


@click.group()
@click.version_option(__version__, prog_name="venturi")
def venturi() -> None:
    """Meter network traffic by label, exact to the octet."""


for command in (meter, rules, explain):
    venturi.add_command(command)
