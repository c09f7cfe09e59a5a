"""What to do about a refusal of a server, or about none answering: said after what went wrong.

Owns these sentences. What went wrong is said by the server or the client.
"""

import re

from venturi.adapters.client.answers import Json
from venturi.adapters.client.config import ConnectionConfig
from venturi.adapters.client.resources import Resources
from venturi.core.domain.control.principal import Role
from venturi.core.domain.errors import ForbiddenError, UnauthenticatedError, UnreachableServerError, VenturiError
from venturi.core.domain.text import escape_unfit
from venturi.services.control.policy import POLICY, Operation

_RULE = re.compile(r"\brule:(\w+) is disallowed by policy")
_RANKS = (Role.READER, Role.MEMBER, Role.MANAGER, Role.AGENT, Role.MONITOR, Role.ADMIN)
"""Roles in the order of what they may do, the least first."""


def advise(error: VenturiError, resources: Resources, config: ConnectionConfig) -> VenturiError:
    """Give an error of the same kind that says also what to do about it; one about which nothing is known is given as it is."""
    match error:
        case UnreachableServerError():
            advice = "Start one by `venturi serve`, or name another by --url or VENTURI_URL."
        case UnauthenticatedError() if config.token is None:
            advice = "Put a token of this server into VENTURI_TOKEN; an administrator makes one by `venturi token create`."
        case UnauthenticatedError():
            advice = "VENTURI_TOKEN holds it: put another there, which an administrator makes by `venturi token create`."
        case ForbiddenError():
            advice = _tell_roles(str(error), resources)
        case _:
            advice = ""
    return type(error)(f"{str(error).removesuffix('.')}. {advice}") if advice else error


def _tell_roles(sentence: str, resources: Resources) -> str:
    """Say which role the policy asks for, and which one the caller has; empty where either is not known."""
    found = _RULE.search(sentence)
    if found is None or found[1] not in set(Operation):
        return ""
    try:
        caller = resources.ask("GET", "/v1/caller")
    except VenturiError:
        return ""
    grant = POLICY[Operation(found[1])]
    own, other = _least(grant.own), _least(grant.other)
    needed = f"role {own} in its own project, or {other}" if own != other else f"role {own}"
    return f"This needs {needed}; you are {_tell_held(caller)}."


def _least(roles: frozenset[Role]) -> Role:
    return next((role for role in _RANKS if role in roles), Role.ADMIN)


def _tell_held(caller: Json) -> str:
    roles = caller.get("roles")
    held = [role for role in reversed(_RANKS) if isinstance(roles, list) and role.value in roles]
    role = held[0].value if held else "without a role"
    return f"'{escape_unfit(str(caller.get('user_id')))}', {role} of project '{escape_unfit(str(caller.get('project_id')))}'"
