"""``venturi rule check``, and the former spelling of it: ``venturi rules check``."""

import rich_click as click

from venturi import composition
from venturi.cli.resources.options import outcome_options
from venturi.interfaces.render.resources.view import View


@click.group(hidden=True)
def rules() -> None:
    """Work with rules files; now venturi rule check."""


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@outcome_options
def check(files: tuple[str, ...], view: View) -> int:
    """Check rules files as the API would, and list what is wrong.

    Reads YAML and JSON, documents of the metering API, and what the OpenStack client prints; - is standard input.
    Several files are joined, as by meter.
    """
    return composition.check_rules_files(files, view)


rules.add_command(check)
