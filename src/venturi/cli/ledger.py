"""``venturi ledger``: what an operator does with the ledger in the server's database."""

from pathlib import Path

import rich_click as click

from venturi.cli.db import database_option
from venturi.cli.held import accept, held, reject
from venturi.cli.resources.options import list_options, outcome_options
from venturi.composition import server
from venturi.interfaces.render.resources.view import View


@click.group()
def ledger() -> None:
    """Prove, rebuild, export and import the ledger, and decide about what is held."""


@ledger.command()
@click.option(
    "--since", type=click.IntRange(min=0), default=0, metavar="POSTING", help="Prove only what came after this posting, which is believed."
)
@database_option
@outcome_options
def verify(since: int, database: str | None, view: View) -> int:
    """Prove that the ledger is as it was posted: recompute seals and roll-ups, check chains.

    Servers may go on meanwhile. Ends with exit code 15 and the first difference if there is one.
    """
    return server.keep_ledger(database).verify(view, since)


@ledger.command()
@database_option
def rebuild(database: str | None) -> int:
    """Make all roll-ups anew from the entries, an hour at a time, and go on where an interrupted run stood.

    On PostgreSQL and MariaDB servers may go on meanwhile.
    """
    return server.keep_ledger(database).rebuild()


@ledger.command()
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@database_option
def export(file: Path, database: str | None) -> int:
    """Write the whole ledger into a new file, as it is at this moment.

    Servers may go on meanwhile.
    """
    return server.keep_ledger(database).export(file)


@ledger.command("import")
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@database_option
def import_ledger(file: Path, database: str | None) -> int:
    """Put an exported ledger into a database, of whatever kind, whose ledger is empty.

    Stop the servers that use it first.
    """
    return server.keep_ledger(database).import_(file)


@ledger.command()
@database_option
@list_options
def spools(database: str | None, view: View) -> int:
    """List the spools that batches came from, with what is outstanding of each."""
    return server.keep_ledger(database).spools(view)


ledger.add_command(held)
ledger.add_command(accept)
ledger.add_command(reject)
