"""``venturi apply``: a server's labels and rules as rules files have them."""

import rich_click as click

from venturi import composition
from venturi.adapters.client.config import ServerChoice
from venturi.cli.resources.options import server_options
from venturi.services.applying.request import ApplyRequest


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--dry-run", is_flag=True, help="Show the difference and change nothing.")
@click.option("--prune", is_flag=True, help="Delete labels that the files do not name, in the projects that they name.")
@click.option("--all-projects", is_flag=True, help="With --prune: in every project that the caller may see.")
@click.option("--project", metavar="PROJECT", help="The project of labels that name none; by default the caller's own project.")
@click.option("--yes", is_flag=True, help="Delete labels without asking; only on a terminal is there a question.")
@server_options
def apply(
    *, server: ServerChoice, files: tuple[str, ...], dry_run: bool, prune: bool, all_projects: bool, project: str | None, yes: bool
) -> int:
    """Make a server's labels and rules equal to rules files.

    Labels are matched by project and name. The difference is shown first: + is created, ~ changed, - deleted. A second
    time there is nothing to do. Labels that the files do not name stay, unless --prune is given.
    """
    if all_projects and not prune:
        message = "--all-projects needs --prune."
        raise click.UsageError(message)
    request = ApplyRequest(paths=files, dry_run=dry_run, prune=prune, all_projects=all_projects, project_id=project, assume_yes=yes)
    return composition.apply_rules_files(server, request, click.confirm)
