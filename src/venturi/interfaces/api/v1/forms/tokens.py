"""Wire forms of tokens: the one asked for, and what is known of one; and of a caller: who the server takes it for.

Owns their fields. The secret appears in the answer to its making and nowhere else.
"""

from typing import Annotated

from msgspec import Meta, Struct

from venturi.core.domain.control.principal import Principal, Role
from venturi.core.domain.control.token import Token, TokenChange, TokenEvent
from venturi.core.domain.errors import InvalidTimeError
from venturi.core.domain.grammars import TIME_OF_EXPIRY
from venturi.core.domain.interval import Nanoseconds, format_time, parse_time
from venturi.interfaces.api.v1.forms.texts import PRINTABLE_OR_EMPTY, AgentId, Host, Identifier, ProjectId, TimeText
from venturi.services.control.tokens import NewToken

TokenName = Annotated[str, Meta(max_length=255, pattern=PRINTABLE_OR_EMPTY, description="By which revisions and logs know its bearer.")]
RoleField = Annotated[
    Role, Meta(description="What its bearer is in the project. A token of role agent is bound to an agent id and a host.")
]
Expiry = Annotated[
    str,
    Meta(
        max_length=64,
        description="When it ends, RFC 3339, after now and not after 2261; null for never.",
        examples=["2027-01-01T00:00:00Z"],
        extra_json_schema={"pattern": TIME_OF_EXPIRY},
    ),
]

Overlap = Annotated[
    int, Meta(ge=0, le=366 * 86_400, description="For how many seconds the token goes on opening; less if it ends before that.")
]

_LAST_YEAR = "2261"
"""The last year that can be kept whole: 64 bits of nanoseconds end in 2262."""


class NewTokenForm(Struct, kw_only=True, forbid_unknown_fields=True):
    """A token to be made; without a project, one of the caller's."""

    role: RoleField
    name: TokenName = ""
    project_id: ProjectId | None = None
    expires_at: Expiry | None = None
    agent_id: AgentId | None = None
    host: Host | None = None


class RotationForm(Struct, kw_only=True, forbid_unknown_fields=True):
    """How a token is to be rotated."""

    overlap_seconds: Overlap = 86_400


class TokenForm(Struct, kw_only=True):
    """What is known of a token."""

    id: Identifier
    name: str
    project_id: str
    role: Role
    created_at: TimeText
    expires_at: TimeText | None
    revoked_at: TimeText | None
    last_used_at: TimeText | None
    agent_id: str | None
    host: str | None


class MadeTokenForm(TokenForm, kw_only=True):
    """A token just made, with its secret, which is shown this once."""

    secret: str


class TokenList(Struct, kw_only=True):
    """A page of tokens; ``next`` is the marker of the page after it, null on the last."""

    tokens: list[TokenForm]
    next: str | None


class TokenChangeForm(Struct, kw_only=True):
    """What was done to a token, described as it was then; ``author_token_id`` is null for callers without a token of the server."""

    number: int
    at: TimeText
    change: TokenEvent
    token_id: Identifier
    name: str
    project_id: str
    role: Role
    agent_id: str | None
    host: str | None
    author: str
    author_project_id: str
    author_token_id: Identifier | None


class TokenChangeList(Struct, kw_only=True):
    """A page of changes of tokens; ``next`` is the marker of the page after it, null on the last."""

    token_changes: list[TokenChangeForm]
    next: str | None


def new_token(form: NewTokenForm) -> NewToken:
    """Translate the token asked for; raises ``InvalidTimeError`` that names the field."""
    return NewToken(
        role=form.role,
        project_id=form.project_id,
        name=form.name,
        expires_at=None if form.expires_at is None else _expiry(form.expires_at),
        agent_id=form.agent_id,
        host=None if form.host is None else form.host.lower(),
    )


def token_fields(token: Token) -> dict[str, object]:
    """Spell what is known of a token."""
    return {
        "id": token.id,
        "name": token.name,
        "project_id": token.project_id,
        "role": str(token.role),
        "created_at": format_time(token.created_at),
        "expires_at": _spelled(token.expires_at),
        "revoked_at": _spelled(token.revoked_at),
        "last_used_at": _spelled(token.last_used_at),
        "agent_id": token.agent_id,
        "host": token.host,
    }


def token_change_form(change: TokenChange) -> TokenChangeForm:
    """Spell what was done to a token."""
    return TokenChangeForm(
        number=change.number,
        at=format_time(change.at),
        change=change.change,
        token_id=change.token_id,
        name=change.name,
        project_id=change.project_id,
        role=change.role,
        agent_id=change.agent_id,
        host=change.host,
        author=change.author,
        author_project_id=change.author_project_id,
        author_token_id=change.author_token_id,
    )


def _expiry(text: str) -> Nanoseconds:
    try:
        time = parse_time(text)
    except InvalidTimeError as error:
        message = f"expires_at: {error}"
        raise InvalidTimeError(message) from error
    if text[: len(_LAST_YEAR)] > _LAST_YEAR:
        message = f"expires_at: '{text}' is later than {_LAST_YEAR}, the last year that can be kept; leave it out for never"
        raise InvalidTimeError(message)
    return time


def _spelled(time: Nanoseconds | None) -> str | None:
    return None if time is None else format_time(time)


class CallerForm(Struct, kw_only=True):
    """A caller, with the roles that its own one includes; an agent with its id and host."""

    user_id: str
    project_id: str
    roles: list[Role]
    agent_id: str | None
    host: str | None


def caller_form(caller: Principal) -> CallerForm:
    """Spell who a caller is; roles are in the order of the alphabet."""
    return CallerForm(
        user_id=caller.user_id, project_id=caller.project_id, roles=sorted(caller.roles), agent_id=caller.agent_id, host=caller.host
    )
