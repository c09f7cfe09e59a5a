"""``venturi apply``: a server's labels and rules as rules files have them."""

from typing import Any

import rich_click as click

from venturi import composition
from venturi.adapters.client.config import ServerChoice
from venturi.cli.resources.options import server_options
from venturi.services.applying.request import ApplyRequest

_MOST_LINES = 100
"""How many lines of a difference are shown unless all are asked for."""


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--dry-run", is_flag=True, help="Show the difference, check whether it is allowed, and change nothing.")
@click.option("--summary", is_flag=True, help="Show how many labels and rules differ, and none of them.")
@click.option("--all", "unabridged", is_flag=True, help="Show each label and rule that differs, also of a long list.")
@click.option("--prune", is_flag=True, help="Delete labels that the files do not name, in the projects that they name.")
@click.option("--all-projects", is_flag=True, help="With --prune: in every project that the caller may see.")
@click.option(
    "--project", "project_id", metavar="PROJECT", help="The project of labels that name none; by default the caller's own project."
)
@click.option("--yes", "assume_yes", is_flag=True, help="Delete labels without asking; only on a terminal is there a question.")
@server_options
def apply(
    *,
    server: ServerChoice,
    files: tuple[str, ...],
    summary: bool,
    unabridged: bool,
    prune: bool,
    all_projects: bool,
    **others: Any,  # noqa: ANN401 - click's options
) -> int:
    """Make a server's labels and rules equal to rules files.

    Labels are matched by project and name. The difference is shown first: + is created, ~ changed, - deleted. A second
    time there is nothing to do. Labels that the files do not name stay, unless --prune is given.
    """
    if all_projects and not prune:
        message = "--all-projects needs --prune."
        raise click.UsageError(message)
    if summary and unabridged:
        message = "--summary shows no label, --all shows each: give one of them."
        raise click.UsageError(message)
    listed = 0 if summary else None if unabridged else _MOST_LINES
    request = ApplyRequest(paths=files, prune=prune, all_projects=all_projects, listed=listed, **others)
    return composition.apply_rules_files(server, request, click.confirm)
