"""Tokens: what proves who a caller is, without the secret itself."""

from dataclasses import dataclass
from enum import StrEnum

from venturi.core.domain.control.principal import IMPLIED_ROLES, Principal, Role
from venturi.core.domain.errors import InvalidTokenRequestError
from venturi.core.domain.interval import Nanoseconds


@dataclass(frozen=True, kw_only=True)
class Token:
    """What is known of a token; times are nanoseconds since the UTC epoch, None where there is none.

    A token of role ``agent`` is bound to one agent id and one host.
    """

    id: str
    name: str
    project_id: str
    role: Role
    created_at: Nanoseconds
    expires_at: Nanoseconds | None = None
    revoked_at: Nanoseconds | None = None
    last_used_at: Nanoseconds | None = None
    agent_id: str | None = None
    host: str | None = None

    def __post_init__(self) -> None:
        """Refuse an agent's token without agent id and host, and others with one, with ``InvalidTokenRequestError``."""
        bound = self.agent_id is not None and self.host is not None
        unbound = self.agent_id is None and self.host is None
        if not (bound if self.role is Role.AGENT else unbound):
            message = "a token of role agent is bound to an agent id and a host, and no other token is"
            raise InvalidTokenRequestError(message)

    @property
    def principal(self) -> Principal:
        """The caller that this token stands for."""
        return Principal(
            user_id=self.name or self.id,
            project_id=self.project_id,
            roles=IMPLIED_ROLES[self.role],
            agent_id=self.agent_id,
            host=self.host,
            token_id=self.id,
        )

    def valid_at(self, now: Nanoseconds) -> bool:
        """Tell whether the token opens anything at the time ``now``."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


class TokenEvent(StrEnum):
    """What is done to a token: ``ROTATED`` says that another was made in its place, ``RESTORED`` that a restore made it valid again."""

    CREATED = "created"
    ROTATED = "rotated"
    REVOKED = "revoked"
    RESTORED = "restored"


@dataclass(frozen=True, kw_only=True)
class TokenChange:
    """What was done to a token, when and by whom; numbers follow the order of commits.

    The token is described as it is then. ``author`` is the caller, ``author_token_id`` the token that proved it, None for one of Keystone's
    and for commands on the server itself.
    """

    number: int
    at: Nanoseconds
    change: TokenEvent
    token_id: str
    name: str
    project_id: str
    role: Role
    agent_id: str | None
    host: str | None
    author: str
    author_project_id: str
    author_token_id: str | None
