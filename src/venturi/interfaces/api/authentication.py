"""Who is calling: finds the token in a request and has it verified.

Owns which paths need none and over which transport a token may come. What a token is, the verifiers know.
"""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass

from litestar.concurrency import sync_to_thread
from litestar.types import HTTPScope

from venturi.adapters.server.listening import is_loopback
from venturi.core.domain.control.principal import IMPLIED_ROLES, Principal, Role
from venturi.core.domain.errors import ForbiddenError, PlainHttpError, UnauthenticatedError
from venturi.interfaces.web.places import is_open_page, is_page, session_key

_OPEN_PATHS = frozenset({"/", "/openapi.json", "/healthz/live", "/healthz/ready"})
_OPEN_TREE = "/docs"
_BEARER = b"bearer"


@dataclass(frozen=True, kw_only=True)
class Authentication:
    """How callers prove who they are.

    ``verify`` gives the caller that a token stands for or raises ``UnauthenticatedError``; it runs in a thread. Without it, every
    caller is ``everyone``. ``find_session`` does the same for the key of a session, which only pages take. ``challenge`` tells in
    ``WWW-Authenticate`` what is wanted. With ``own_pages_only``, web pages of other places get no answer: a browser on this machine
    would let them use a server that asks for no token.
    """

    challenge: str
    everyone: Principal | None = None
    verify: Callable[[str], Principal] | None = None
    find_session: Callable[[str], Principal] | None = None
    allow_plain_http: bool = False
    own_pages_only: bool = False

    async def identify(self, scope: HTTPScope) -> Principal | None:
        """Give the caller of a request, None where none is needed.

        Raises ``UnauthenticatedError`` without a valid token, ``PlainHttpError`` for one that others could have read, and
        ``ForbiddenError`` for a web page of another place.
        """
        if self.own_pages_only:
            _require_own_page(scope)
        if self.verify is None:
            return self.everyone
        if is_open(scope["path"]):
            return None
        secret, verify = _find_token(scope), self.verify
        if secret is None and self.find_session is not None and is_page(scope["path"]):
            secret, verify = session_key(scope), self.find_session
        if secret is None:
            message = "the request carries no token"
            raise UnauthenticatedError(message)
        self.require_private_transport(scope)
        return await sync_to_thread(verify, secret)

    def require_private_transport(self, scope: HTTPScope) -> None:
        """Raise ``PlainHttpError`` where others could have read what proves who the caller is."""
        if not self.allow_plain_http:
            _require_private_transport(scope)


def authenticate_nobody(project_id: str, *, own_pages_only: bool) -> Authentication:
    """Take every caller for an administrator of a project; tokens are ignored."""
    everyone = Principal(user_id="anonymous", project_id=project_id, roles=IMPLIED_ROLES[Role.ADMIN])
    return Authentication(challenge="", everyone=everyone, own_pages_only=own_pages_only)


def is_open(path: str) -> bool:
    """Tell whether a path needs no token."""
    return path in _OPEN_PATHS or path == _OPEN_TREE or path.startswith(f"{_OPEN_TREE}/") or is_open_page(path)


def _find_token(scope: HTTPScope) -> str | None:
    """Give what ``X-Auth-Token`` or ``Authorization: Bearer`` holds."""
    headers = dict(scope["headers"])
    token = headers.get(b"x-auth-token", b"").strip()
    scheme, _, credentials = headers.get(b"authorization", b"").strip().partition(b" ")
    if not token and scheme.lower() == _BEARER:
        token = credentials.strip()
    return token.decode("latin-1") or None


def _require_own_page(scope: HTTPScope) -> None:
    """Refuse what a page of another place asks a browser for: by a form, or by a name that was made to lead to this machine."""
    headers = dict(scope["headers"])
    host = headers.get(b"host", b"").decode("latin-1").lower()
    if scope["client"] is not None and host and not _is_address(_without_port(host)):
        message = f"a server without authentication answers to localhost and to addresses, not to '{host}'; --insecure-listen lifts this"
        raise ForbiddenError(message)
    origin = headers.get(b"origin", b"").decode("latin-1").lower()
    if origin and origin.partition("://")[2] != host:
        message = f"a server without authentication takes nothing from web pages of '{origin}'; --insecure-listen lifts this"
        raise ForbiddenError(message)


def _without_port(host: str) -> str:
    return host.partition("]")[0].removeprefix("[") if host.startswith("[") else host.partition(":")[0]


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")
    return True


def _require_private_transport(scope: HTTPScope) -> None:
    client = scope["client"]
    if scope["scheme"] == "http" and client is not None and not is_loopback(client[0]):
        message = "the token came over plain HTTP from another host, where others can read it: use TLS, or allow it in the configuration"
        raise PlainHttpError(message)
