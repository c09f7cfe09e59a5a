"""``venturi status``: how a server and all that reports to it are, on one screen."""

import rich_click as click

from venturi import composition
from venturi.adapters.client.config import ServerChoice
from venturi.cli.resources.options import outcome_options, server_options
from venturi.interfaces.render.resources.view import View


@click.command()
@outcome_options
@server_options
def status(*, server: ServerChoice, view: View) -> int:
    """Show how a server is: its database, its agents with spools and lag, and the alarms that are open.

    Ends with exit code 11 if no server answers.
    """
    return composition.show_status(server, view)
