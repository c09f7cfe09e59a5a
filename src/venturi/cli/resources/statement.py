"""``venturi statement``: what projects owe, closed so that it never changes and anybody can check it."""

from pathlib import Path
from typing import Any

import rich_click as click

from venturi import composition
from venturi.adapters.client.collections import CONTRACTS, STATEMENTS, ListRequest
from venturi.adapters.client.config import ServerChoice
from venturi.cli.resources.completing import names_of
from venturi.cli.resources.options import as_filters, limit_option, list_options, server_options, show_options
from venturi.cli.times import read_time
from venturi.cli.values import DomainValue
from venturi.core.domain.interval import format_time
from venturi.interfaces.render.resources.view import View

_CONTRACT = click.argument("contract", shell_complete=names_of(CONTRACTS))
_NUMBER = click.argument("number", type=click.IntRange(min=1))
_PERIOD = click.option(
    "--period", metavar="PERIOD", help="The month in which the period begins, such as 2026-10; by default the latest that is over."
)
_FILE = click.Path(dir_okay=False, path_type=Path)
_TIME = DomainValue("time", lambda text: format_time(read_time(text, None, composition.current_time())))


@click.group()
def statement() -> None:
    """Close periods of contracts into statements, and check these."""


@statement.command("check")
@_CONTRACT
@_PERIOD
@list_options
@server_options
def check_period(*, server: ServerChoice, view: View, contract: str, period: str | None) -> int:
    """List what makes the figure of a period doubtful; ends with 1 if anything does."""
    with composition.statement_commands(server) as commands:
        return commands.check(contract, period, view)


@statement.command("close")
@click.argument("contract", required=False, shell_complete=names_of(CONTRACTS))
@click.option("--all", "every", is_flag=True, help="Close the period of all contracts; each that is refused is named with the reason.")
@_PERIOD
@click.option("--accept", "names", multiple=True, metavar="NAME", help="Accept what the check names so; may be repeated.")
@click.option("--reason", metavar="TEXT", help="Why it is accepted; the statement shows it.")
@show_options
@server_options
def close_period(
    *, server: ServerChoice, view: View, contract: str | None, every: bool, period: str | None, names: tuple[str, ...], reason: str | None
) -> int:
    """Close a period of a contract into a numbered statement, which never changes.

    Refused while anything makes the figure doubtful that is not accepted by name.
    """
    if every is (contract is not None):
        message = "name a contract, or all of them by --all."
        raise click.UsageError(message)
    if bool(names) is not bool(reason):
        message = "--accept and --reason go together."
        raise click.UsageError(message)
    accepted = [{"name": name, "reason": str(reason)} for name in names]
    with composition.statement_commands(server) as commands:
        if contract is None:
            return commands.close_all(period, accepted, view)
        return commands.close(contract, period, accepted, view)


@statement.command("list")
@click.option("--project", "project_id", metavar="PROJECT", help="Only statements of this project.")
@click.option("--kind", type=click.Choice(["statement", "void", "closing"]), help="Only statements of this kind.")
@click.option("--period", metavar="PERIOD", help="Only those of the period that begins in this month.")
@click.option("--long", is_flag=True, help="Show all columns.")
@limit_option
@list_options
@server_options
def list_statements(*, server: ServerChoice, view: View, long: bool, limit: int | None, **filters: Any) -> int:  # noqa: ANN401 - click's options
    """List the statements that the caller may see."""
    request = ListRequest(collection=STATEMENTS, filters=as_filters(filters), limit=limit, long=long)
    with composition.resource_commands(server) as commands:
        return commands.list(request, view)


@statement.command("show")
@_NUMBER
@show_options
@server_options
def show_statement(*, server: ServerChoice, view: View, number: int) -> int:
    """Show a statement: figure, price, adjustments, what was accepted, and of which posting it is."""
    with composition.statement_commands(server) as commands:
        return commands.show(number, view)


@statement.command("lines")
@_NUMBER
@click.option("--from", "start", type=_TIME, metavar="TIME", help="Only from this time on.")
@click.option("--to", "end", type=_TIME, metavar="TIME", help="Only before this time.")
@list_options
@server_options
def show_lines(*, server: ServerChoice, view: View, number: int, start: str | None, end: str | None) -> int:
    """List the samples of a statement, each with the postings that it comes from."""
    query = [(name, text) for name, text in (("from", start), ("to", end)) if text is not None]
    with composition.statement_commands(server) as commands:
        return commands.lines(number, query, view)


@statement.command("export")
@_NUMBER
@click.option(
    "--form",
    "form",
    type=click.Choice(["json", "csv", "html"]),
    default="json",
    show_default=True,
    help="The signed document, every sample, or a page to print.",
)
@click.option("-o", "--output", type=_FILE, metavar="FILE", help="Write it to a file.")
@server_options
def export_statement(*, server: ServerChoice, number: int, form: str, output: Path | None) -> int:
    """Give a statement away: signed, as CSV, or as a page."""
    with composition.statement_commands(server) as commands:
        return commands.export(number, form, output)


@statement.command("verify")
@click.argument("what", metavar="FILE|NUMBER")
@click.option("--key", type=_FILE, metavar="FILE", help="The public key, to check the statement of a file without any server.")
@server_options
def verify_statement(*, server: ServerChoice, what: str, key: Path | None) -> int:
    """Check a statement: that of a file by itself, with --key, or that of a number against the server's ledger.

    A file is checked offline: its digest, its signature, and all of its arithmetic from its own samples.
    """
    if key is not None:
        return composition.verify_statement_file(Path(what), key)
    if not what.isascii() or not what.isdecimal():
        message = "a file is checked with the public key: --key FILE."
        raise click.UsageError(message)
    with composition.statement_commands(server) as commands:
        return commands.verify(int(what))


@statement.command("void")
@_NUMBER
@click.option("--reason", required=True, metavar="TEXT", help="Why; the statement that cancels it shows it.")
@show_options
@server_options
def void_statement(*, server: ServerChoice, view: View, number: int, reason: str) -> int:
    """Cancel a statement by another one; the period can be closed again."""
    with composition.statement_commands(server) as commands:
        return commands.void(number, reason, view)


@statement.command("key")
@click.argument("file", type=_FILE)
def make_key(*, file: Path) -> int:
    """Make a key that signs statements: the private one in FILE, the public one in FILE.pub, which customers get."""
    click.echo(str(composition.make_statement_key(file)))
    return 0
