"""What a browser is told when a page cannot be shown.

Owns the page of errors, and that whoever is not signed in is led to where one signs in.
"""

from http import HTTPStatus

from litestar.types import HTTPScope

from venturi.adapters.logs.log import hide_secrets
from venturi.interfaces.web.places import sign_in_link
from venturi.interfaces.web.rendering import HEADERS, HTML, render_text

_TITLES = {
    HTTPStatus.BAD_REQUEST: "This cannot be shown",
    HTTPStatus.FORBIDDEN: "You may not see this",
    HTTPStatus.NOT_FOUND: "There is nothing here",
    HTTPStatus.INTERNAL_SERVER_ERROR: "The server failed",
    HTTPStatus.SERVICE_UNAVAILABLE: "The server has too much to do",
    HTTPStatus.TOO_MANY_REQUESTS: "Too many requests",
}


def page_of_error(scope: HTTPScope, status: int, sentence: str) -> tuple[int, dict[str, str], bytes]:
    """Give status, headers and body of the page that says why another one is not shown."""
    headers = {**HEADERS, "Content-Type": HTML, "Cache-Control": "no-store"}
    if status == HTTPStatus.UNAUTHORIZED:
        return HTTPStatus.SEE_OTHER, {**headers, "Location": sign_in_link(scope)}, b""
    known = HTTPStatus(status)
    page = render_text(
        scope,
        "message.html",
        title=_TITLES.get(known, known.phrase),
        sentence=hide_secrets(sentence),
        request_id=scope["state"].get("request_id", ""),
    )
    return status, headers, page
