"""``venturi token``: what proves to a server who a caller is."""

from typing import Any

import rich_click as click

from venturi import composition
from venturi.adapters.client.collections import TOKEN_CHANGES, TOKENS, ListRequest, Reference
from venturi.adapters.client.config import ServerChoice
from venturi.cli.resources.completing import names_of
from venturi.cli.resources.options import as_filters, given, limit_option, list_options, server_options, show_options
from venturi.cli.values import DomainValue
from venturi.composition.server import create_first_token
from venturi.core.domain.control.principal import Role
from venturi.core.domain.control.token import TokenEvent
from venturi.core.domain.interval import SECOND, format_time, parse_duration, parse_time
from venturi.interfaces.render.resources.view import View

_ROLES = [role.value for role in Role]


def _read_expiry(text: str) -> str:
    """Read an RFC 3339 time, or a duration from now on; else ``InvalidTimeError``."""
    if text[-1:] in {"s", "m", "h", "d"}:
        return format_time(composition.time_from_now(parse_duration(text)))
    return format_time(parse_time(text))


def _read_overlap(text: str) -> int:
    """Read a duration, which may be none; else ``InvalidTimeError``."""
    return 0 if text in {"0", "0s"} else parse_duration(text)


_OVERLAP = DomainValue("duration", _read_overlap)
_EXPIRY = DomainValue("time or duration", _read_expiry)


@click.group()
def token() -> None:
    """Manage the tokens by which callers prove who they are."""


@token.command("create")
@click.option("--project", "project_id", metavar="PROJECT", required=True, help="The id of the project that the token is for.")
@click.option("--role", type=click.Choice(_ROLES), required=True, help="What the caller is in that project.")
@click.option("--name", help="What the token is called in revisions and logs.")
@click.option("--expires", "expires_at", type=_EXPIRY, help="When it ends: an RFC 3339 time, or a duration such as 90d.")
@click.option("--agent-id", help="Of role agent: the one agent that may use the token.")
@click.option("--host", help="Of role agent: the host that the agent is on.")
@click.option("--database", metavar="URL", help="Write into this database instead of asking a server: for the first token.")
@show_options
@server_options
def create_token(*, server: ServerChoice, view: View, database: str | None, **attributes: Any) -> int:  # noqa: ANN401 - click's options
    """Create a token and show its secret, which is never shown again."""
    if database is not None:
        return create_first_token(database, given(attributes), view)
    with composition.resource_commands(server) as commands:
        return commands.create(TOKENS, given(attributes), view)


@token.command("list")
@click.option("--project", "project_id", metavar="PROJECT", help="Only tokens of this project.")
@click.option("--role", type=click.Choice(_ROLES), help="Only tokens of this role.")
@click.option("--name", help="Only tokens of this very name.")
@click.option("--long", is_flag=True, help="Show all columns.")
@limit_option
@list_options
@server_options
def list_tokens(*, server: ServerChoice, view: View, long: bool, limit: int | None, **filters: Any) -> int:  # noqa: ANN401 - click's options
    """List tokens, expired and revoked ones too; a secret is never listed."""
    request = ListRequest(collection=TOKENS, filters=as_filters(filters), limit=limit, long=long)
    with composition.resource_commands(server) as commands:
        return commands.list(request, view)


@token.command("show")
@click.argument("token", shell_complete=names_of(TOKENS))
@show_options
@server_options
def show_token(*, server: ServerChoice, view: View, token: str) -> int:
    """Show what is known of a token, named by its id or its name."""
    with composition.resource_commands(server) as commands:
        return commands.show(Reference(TOKENS, token), view)


@token.command("rotate")
@click.argument("token", shell_complete=names_of(TOKENS))
@click.option(
    "--overlap",
    type=_OVERLAP,
    default="24h",
    show_default=True,
    help="For how long the former token goes on opening, such as 1h or 7d; 0s.",
)
@show_options
@server_options
def rotate_token(*, server: ServerChoice, view: View, token: str, overlap: int) -> int:
    """Make a token like TOKEN and show its secret, which is never shown again; TOKEN ends after the overlap.

    The new one has the same name, project, role and lifetime. Give it to whoever carries the former one before the overlap is over.
    """
    with composition.resource_commands(server) as commands:
        return commands.rotate(Reference(TOKENS, token), overlap // SECOND, view)


@token.command("revoke")
@click.argument("tokens", shell_complete=names_of(TOKENS), nargs=-1, required=True, metavar="TOKEN...")
@server_options
def revoke_tokens(*, server: ServerChoice, tokens: tuple[str, ...]) -> int:
    """Revoke tokens at once and for good; none is revoked if one of them is not there."""
    with composition.resource_commands(server) as commands:
        return commands.delete([Reference(TOKENS, token) for token in tokens])


@token.command("changes")
@click.option("--token", metavar="TOKEN", help="Only what was done to this token, named by its id or its name.")
@click.option("--change", type=click.Choice([event.value for event in TokenEvent]), help="Only changes of this kind.")
@click.option("--author", metavar="NAME", help="Only what this caller did; local is who works on the server itself.")
@click.option("--long", is_flag=True, help="Show all columns.")
@limit_option
@list_options
@server_options
def list_changes(*, server: ServerChoice, view: View, long: bool, limit: int | None, token: str | None, **filters: Any) -> int:  # noqa: ANN401 - click's options
    """List what was done to tokens: when, by whom, and with which token."""
    references = {} if token is None else {"token_id": Reference(TOKENS, token)}
    request = ListRequest(collection=TOKEN_CHANGES, filters=as_filters(filters), references=references, limit=limit, long=long)
    with composition.resource_commands(server) as commands:
        return commands.list(request, view)
