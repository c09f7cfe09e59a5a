"""The wire form of a caller: who the server takes it for. Its token is no part of it."""

from msgspec import Struct

from venturi.core.domain.control.principal import Principal, Role


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
