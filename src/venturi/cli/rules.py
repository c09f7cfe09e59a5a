"""``venturi rules``: what can be done with rules files besides metering by them."""

import rich_click as click

from venturi import composition


@click.group()
def rules() -> None:
    """Work with rules files."""


@rules.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
def check(files: tuple[str, ...]) -> int:
    """Check rules files as the API would, and list what is wrong.

    Reads YAML and JSON, documents of the metering API, and what the OpenStack client prints; - is standard input.
    Several files are joined, as by meter.
    """
    return composition.check_rules_files(files)
