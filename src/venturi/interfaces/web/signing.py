"""Pages for signing in and out, and the files that all pages load.

Owns the cookie's way to the browser. What a session is, ``services.control.sessions`` knows.
"""

from functools import cache
from http import HTTPStatus
from importlib.resources import files

from litestar import Response, get, post
from litestar.concurrency import sync_to_thread
from litestar.di import NamedDependency
from litestar.params import FromPath, RawBody
from litestar.types import ControllerRouterHandler

from venturi.core.domain.errors import ForbiddenError, NotFoundError, TooManySignInsError, UnauthenticatedError
from venturi.core.domain.interval import SECOND
from venturi.core.rules.checks import printable
from venturi.interfaces.api.authentication import Authentication
from venturi.interfaces.api.v1.forms.reading import read_once
from venturi.interfaces.api.v1.wire import ApiRequest, query_of
from venturi.interfaces.web.forms import check_sender, read_form
from venturi.interfaces.web.places import ASSETS, ROOT, SIGN_IN, SIGN_OUT, is_own_place, session_key, spell_cookie
from venturi.interfaces.web.rendering import HEADERS, redirect, render
from venturi.interfaces.web.services import PageServices
from venturi.services.control.policy import OPERATION, Operation

_TYPES = {".css": "text/css; charset=utf-8", ".woff2": "font/woff2", ".svg": "image/svg+xml"}
_KEPT = {"Cache-Control": "public, max-age=31536000, immutable"}
_LOCAL = "local"


@get(SIGN_IN, sync_to_thread=False, include_in_schema=False, opt={OPERATION: Operation.DISCOVER})
def show_sign_in(request: ApiRequest, services: NamedDependency[PageServices]) -> Response[bytes]:
    """Ask for a token."""
    if not services.sessions.is_needed:
        return redirect(ROOT)
    return _ask(request, _wanted(read_once(query_of(request), "to") or ""))


@post(SIGN_IN, status_code=303, include_in_schema=False, opt={OPERATION: Operation.DISCOVER})
async def sign_in(
    request: ApiRequest, body: RawBody, authentication: NamedDependency[Authentication], services: NamedDependency[PageServices]
) -> Response[bytes]:
    """Sign in by the token that the form carries."""
    check_sender(request)
    form = read_form(body)
    to = _wanted(form.get("to", ""))
    client = request.scope["client"][0] if request.scope["client"] else _LOCAL
    authentication.require_private_transport(request.scope)
    try:
        key, session = await sync_to_thread(services.sessions.open, form.get("token", "").strip(), client)
    except (UnauthenticatedError, ForbiddenError, TooManySignInsError) as error:
        status = HTTPStatus.FORBIDDEN if isinstance(error, UnauthenticatedError) else error.status
        return _ask(request, to, status=status, sentence=str(error))
    seconds = (session.expires_at - session.created_at) // SECOND
    return redirect(to, {"Set-Cookie": spell_cookie(request.scope, key, seconds)})


@post(SIGN_OUT, sync_to_thread=True, status_code=303, include_in_schema=False, opt={OPERATION: Operation.SHOW_CALLER})
def sign_out(request: ApiRequest, body: RawBody, services: NamedDependency[PageServices]) -> Response[bytes]:
    """Sign out, here or everywhere."""
    caller = request.user
    form = read_form(body)
    check_sender(request, form)
    services.sessions.close(session_key(request.scope), caller, everywhere="everywhere" in form)
    return redirect(SIGN_IN, {"Set-Cookie": spell_cookie(request.scope, "", 0)})


@get(f"{ASSETS}/{{name:str}}", sync_to_thread=False, include_in_schema=False, opt={OPERATION: Operation.DISCOVER})
def give_asset(name: FromPath[str]) -> Response[bytes]:
    """Give a file that pages load."""
    found = _assets().get(name)
    if found is None:
        message = f"the dashboard has no file '{printable(name)}'"
        raise NotFoundError(message)
    kind = name[name.rindex(".") :]
    return Response(found, media_type=_TYPES[kind], headers={**HEADERS, **_KEPT})


@cache
def _assets() -> dict[str, bytes]:
    folder = files("venturi.interfaces.web").joinpath("assets")
    return {each.name: each.read_bytes() for each in folder.iterdir() if each.name.endswith(tuple(_TYPES))}


def _ask(request: ApiRequest, to: str, *, status: int = 200, sentence: str = "") -> Response[bytes]:
    return render(request.scope, "sign_in.html", status=status, to=to, sentence=sentence)


def _wanted(to: str) -> str:
    return to if is_own_place(to) else ROOT


SIGNING_ROUTES: list[ControllerRouterHandler] = [show_sign_in, sign_in, sign_out, give_asset]
