"""The options that commands on a server's resources share: the server, and the form of the output.

Each decorator hands over one value in place of its options.
"""

import functools
from collections.abc import Callable
from typing import Any

import rich_click as click

from venturi.adapters.client.config import ServerChoice
from venturi.cli.resources.completing import complete_column
from venturi.composition import wants_colours
from venturi.interfaces.render.resources.view import FORMS, View

Command = Callable[..., int]
"""What click calls; it gives the exit code."""

_SERVER = (
    click.option("--url", metavar="URL", help="The server; by default VENTURI_URL, or the one on this machine."),
    click.option("--ca-file", type=click.Path(dir_okay=False), help="The authority that signed the server's certificate."),
    click.option("--insecure-token", is_flag=True, help="Send the token over plain HTTP to another host all the same."),
)


def _form_option(forms: tuple[str, ...]) -> Callable[[Command], Command]:
    return click.option("-f", "--format", "form", type=click.Choice(forms), default="table", show_default=True, help="Form of the output.")


_FORM = _form_option(FORMS)
_COLUMN = click.option(
    "-c", "--column", "columns", multiple=True, metavar="COLUMN", shell_complete=complete_column, help="Show this column; may be repeated."
)
_SORT = click.option(
    "--sort-column",
    "sort_columns",
    multiple=True,
    metavar="COLUMN",
    shell_complete=complete_column,
    help="Sort by this column; may be repeated.",
)

RAW = click.option("--raw", is_flag=True, help="Write CSV cells as they are, also those that a spreadsheet would run as a formula.")


def server_options(command: Command) -> Command:
    """Give a command the options that name the server, as ``server``."""

    @functools.wraps(command)
    def with_server(*, url: str | None, ca_file: str | None, insecure_token: bool, **others: Any) -> int:  # noqa: ANN401 - click's options
        return command(server=ServerChoice(url=url, ca_file=ca_file, insecure_token=insecure_token), **others)

    return _decorate(with_server, _SERVER)


def list_options(command: Command) -> Command:
    """Give a command the options of a list's form, as ``view``."""
    return _list_options(command, _FORM)


def report_options(command: Command) -> Command:
    """Give a command the options of a report's form, which may be Parquet, as ``view``."""
    return _list_options(command, _form_option((*FORMS, "parquet")))


def _list_options(command: Command, form_option: Callable[[Command], Command]) -> Command:
    @functools.wraps(command)
    def with_view(  # click's options
        *,
        form: str,
        columns: tuple[str, ...],
        sort_columns: tuple[str, ...],
        raw: bool,
        **others: Any,  # noqa: ANN401
    ) -> int:
        view = View(form=form, columns=columns, sort_columns=sort_columns, raw=raw, coloured=wants_colours())
        return command(view=view, **others)

    return _decorate(with_view, (form_option, _COLUMN, _SORT, RAW))


def show_options(command: Command) -> Command:
    """Give a command the options of a single resource's form, as ``view``."""

    @functools.wraps(command)
    def with_view(*, form: str, columns: tuple[str, ...], raw: bool, **others: Any) -> int:  # noqa: ANN401 - click's options
        return command(view=View(form=form, columns=columns, raw=raw, coloured=wants_colours()), **others)

    return _decorate(with_view, (_FORM, _COLUMN, RAW))


def outcome_options(command: Command) -> Command:
    """Give a command that tells of one outcome the option of its form, as ``view``."""

    @functools.wraps(command)
    def with_view(*, form: str, **others: Any) -> int:  # noqa: ANN401 - click's options
        return command(view=View(form=form, coloured=wants_colours()), **others)

    return _decorate(with_view, (_form_option(("table", "json", "yaml")),))


def limit_option(command: Command) -> Command:
    """Give a command the option that bounds a list."""
    return click.option("--limit", type=click.IntRange(min=1), help="List this many at most.")(command)


def given(attributes: dict[str, object]) -> dict[str, object]:
    """Keep the attributes that were given on the command line."""
    return {name: value for name, value in attributes.items() if value is not None and value != ()}


def as_filters(attributes: dict[str, object]) -> tuple[tuple[str, str], ...]:
    """Spell the attributes that were given as filters of a list."""
    return tuple((name, _spell(value)) for name, value in given(attributes).items())


def _spell(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _decorate(command: Command, options: tuple[Callable[[Command], Command], ...]) -> Command:
    for option in reversed(options):
        command = option(command)
    return command
