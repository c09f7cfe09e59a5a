"""``venturi config``: the settings of server and agent, and an example of their file."""

import rich_click as click

from venturi.cli.resources.options import list_options
from venturi.composition import settings
from venturi.interfaces.render.resources.view import View


@click.group()
def config() -> None:
    """Show the settings of this machine, and an example of the configuration file."""


@config.command()
@click.option("--config", "config_path", type=click.Path(dir_okay=False), help="Configuration file (TOML); by default VENTURI_CONFIG.")
@click.option("--set", "only_set", is_flag=True, help="Only settings that the file or the environment gives.")
@list_options
def show(*, config_path: str | None, only_set: bool, view: View) -> int:
    """Show each setting, its value and where that came from: a variable, the file, or the default.

    Passwords and tokens are not shown. Options of a command go before what is shown here.
    """
    return settings.show_settings(config_path, view, only_set=only_set)


@config.command()
def example() -> int:
    """Print a configuration file in which every setting has its default and is explained.

    venturi config example > venturi.toml
    """
    return settings.print_example()
