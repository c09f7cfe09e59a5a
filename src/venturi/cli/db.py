"""``venturi db``: what an operator does with the server's database."""

from collections.abc import Callable
from pathlib import Path

import rich_click as click

from venturi.cli.resources.options import outcome_options
from venturi.composition import server
from venturi.interfaces.render.resources.view import View

_Command = Callable[..., int]


def database_option(command: _Command) -> _Command:
    """Give a command the option that names the database."""
    spelled = "The database, as a URL: sqlite:///FILE, postgresql://USER@HOST/NAME, mariadb://USER@HOST/NAME.  [default: the server's]"
    return click.option("--database", metavar="URL", help=spelled)(command)


@click.group()
def db() -> None:
    """Look after the server's database."""


@db.command()
@database_option
def upgrade(database: str | None) -> int:
    """Give the database the tables of this version of venturi.

    Stop the servers that use it first. The embedded database needs no such command: the server upgrades it when it starts.
    """
    return server.maintain_database(database).upgrade()


@db.command()
@database_option
@outcome_options
def current(database: str | None, view: View) -> int:
    """Show which schema the database has, and which one this version needs."""
    return server.maintain_database(database).current(view)


@db.command()
@database_option
@outcome_options
def check(database: str | None, view: View) -> int:
    """Check the database: its schema, its integrity, and what must be true of all that it holds.

    Servers may go on meanwhile. Ends with exit code 10 if anything is wrong.
    """
    return server.maintain_database(database).check(view)


@db.command()
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@database_option
def backup(file: Path, database: str | None) -> int:
    """Write the whole database into a new file, as it is at this moment.

    Servers may go on meanwhile. The file of an embedded database is one itself; of the others it is a dump.
    """
    return server.maintain_database(database).backup(file)


@db.command()
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@database_option
@click.option("--replace", is_flag=True, help="Drop what the database holds; without it, one that is not empty is refused.")
@click.option("--revoke-tokens", is_flag=True, help="Revoke all tokens of the backup.")
def restore(file: Path, database: str | None, *, replace: bool, revoke_tokens: bool) -> int:
    """Restore a backup into a database, which may be of another kind than the one that was backed up.

    Stop the servers that use it first; it is refused while they run. Tokens that were revoked since the backup are valid again, unless
    all are revoked.
    """
    return server.restore_database(database, file, replace=replace, revoke_tokens=revoke_tokens)
