"""Who asks: the caller of an operation, with project and roles.

What a role may do is the policy's affair, how a caller proves who it is that of the API.
"""

from dataclasses import dataclass, field
from enum import StrEnum


class Role(StrEnum):
    """What a caller is in its project, as OpenStack names roles.

    ``AGENT`` reads one host's plan and posts its counts, ``MONITOR`` reads the server's metrics.
    """

    ADMIN = "admin"
    MANAGER = "manager"
    MEMBER = "member"
    READER = "reader"
    AGENT = "agent"
    MONITOR = "monitor"
    NONE = "none"


IMPLIED_ROLES: dict[Role, frozenset[Role]] = {
    Role.ADMIN: frozenset({Role.ADMIN, Role.MANAGER, Role.MEMBER, Role.READER}),
    Role.MANAGER: frozenset({Role.MANAGER, Role.MEMBER, Role.READER}),
    Role.MEMBER: frozenset({Role.MEMBER, Role.READER}),
    Role.READER: frozenset({Role.READER}),
    Role.AGENT: frozenset({Role.AGENT}),
    Role.MONITOR: frozenset({Role.MONITOR}),
    Role.NONE: frozenset(),
}
"""The roles that a role includes."""


@dataclass(frozen=True, kw_only=True)
class Principal:
    """An authenticated caller.

    ``user_id`` names it in revisions and logs. ``agent_id`` and ``host`` are those that an agent's token is bound to. ``token_id`` names
    the token that proved it, for logs and the record of what is done to tokens.
    """

    user_id: str
    project_id: str
    roles: frozenset[Role] = field(default_factory=frozenset)
    agent_id: str | None = None
    host: str | None = None
    token_id: str | None = field(default=None, compare=False)

    @property
    def is_admin(self) -> bool:
        """Tell whether the caller may do anything in any project."""
        return Role.ADMIN in self.roles
