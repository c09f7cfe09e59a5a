"""``venturi doctor``: what this host can count by, and what it would miss."""

import rich_click as click

from venturi.composition import wants_colours
from venturi.composition.agent import examine_host
from venturi.interfaces.render.resources.view import View


@click.command()
@click.option("--config", "config_path", type=click.Path(dir_okay=False), help="Configuration file (TOML) of the agent.")
@click.option(
    "-f", "--format", "output_format", type=click.Choice(["table", "json"]), default="table", show_default=True, help="Form of the output."
)
def doctor(config_path: str | None, output_format: str) -> int:
    """Tell what this host can count by, and what goes uncounted.

    Tries every driver, and says why not where one cannot run; lists the ways around the hook at each device. Ends with exit
    code 13 if no driver can count.
    """
    return examine_host(config_path, View(form=output_format, coloured=wants_colours()))
