"""What every request passes before and after its handler: id, limits, authentication, error answers, log and metrics.

Owns the order of these. Each has its own module beside this one.
"""

from collections.abc import Callable
from http import HTTPStatus

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPResponseStartEvent, HTTPScope, Receive, Scope, Send

from venturi.adapters.server.configuration import Limits
from venturi.adapters.server.refusals import Refusal
from venturi.core.domain.errors import (
    BatchTooLargeError,
    PlainHttpError,
    RequestTimedOutError,
    RequestTooLargeError,
    ServerBusyError,
    TooManyReportsError,
    UnauthenticatedError,
    VenturiError,
)
from venturi.interfaces.api.answers import JSON, describe_error, forget_frames
from venturi.interfaces.api.authentication import Authentication
from venturi.interfaces.api.bodies import BoundedBody, announces_body, check_declared_size
from venturi.interfaces.api.origin import TrustedProxies, settle_origin
from venturi.interfaces.api.requests import ObservedRequest, RequestObserver
from venturi.interfaces.api.turns import ending
from venturi.interfaces.web.errors import page_of_error
from venturi.interfaces.web.places import is_page

REFUSALS: dict[type[VenturiError], Refusal] = {
    BatchTooLargeError: Refusal.BATCH_TOO_LARGE,
    PlainHttpError: Refusal.PLAIN_HTTP,
    RequestTimedOutError: Refusal.BODY_TIMEOUT,
    RequestTooLargeError: Refusal.BODY_TOO_LARGE,
    ServerBusyError: Refusal.SERVER_BUSY,
    TooManyReportsError: Refusal.TOO_MANY_REPORTS,
    UnauthenticatedError: Refusal.UNAUTHENTICATED,
}
"""The errors that count as refusals."""

_READING = frozenset({"GET", "HEAD", "OPTIONS"})


class Frame:
    """Stands between the server and the routes."""

    def __init__(
        self,
        routes: ASGIApp,
        *,
        authentication: Authentication,
        proxies: TrustedProxies,
        limits: Limits,
        observer: RequestObserver,
        changed: Callable[[], None],
    ) -> None:
        """Frame ``routes``; ``changed`` hears of every request that may have changed something."""
        self._routes = routes
        self._authentication = authentication
        self._proxies = proxies
        self._limits = limits
        self._observer = observer
        self._changed = changed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != ScopeType.HTTP:
            return
        request = ObservedRequest(scope)
        scope["state"]["request_id"] = request.request_id
        self._observer.metrics.begin_request()
        try:
            with ending(scope):
                await self._answer(request, receive, request.sending(send))
        finally:
            self._observer.end(request)
        if scope["method"] not in _READING and request.status < HTTPStatus.MULTIPLE_CHOICES:
            self._changed()

    async def _answer(self, request: ObservedRequest, receive: Receive, send: Send) -> None:
        scope = request.scope
        try:
            settle_origin(scope, self._proxies)
            check_declared_size(scope, self._limits)
            request.caller = scope["user"] = await self._authentication.identify(scope)
        except VenturiError as error:
            request.error = error
            forget_frames(error)
            await answer_error(scope, send, error, self._observer, challenge=self._authentication.challenge)
            return
        await self._routes(scope, BoundedBody(receive, self._limits, announced=announces_body(scope)).receive, send)


async def answer_error(scope: HTTPScope, send: Send, error: VenturiError, observer: RequestObserver, *, challenge: str = "") -> None:
    """Answer a request with an error, in the form of its API."""
    note_refusal(error, observer)
    status, form, body = describe_to(scope, error)
    headers = [*form, (b"content-length", str(len(body)).encode()), *extra_headers(error, challenge)]
    start: HTTPResponseStartEvent = {"type": "http.response.start", "status": status, "headers": headers}
    await send(start)
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body, "more_body": False})


def describe_to(scope: HTTPScope, error: VenturiError) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Give status, headers and body of the answer to a request that failed: a page to a browser that asked for one."""
    if is_page(scope["path"]):
        status, headers, body = page_of_error(scope, error.status, str(error))
        return status, [(name.lower().encode(), value.encode()) for name, value in headers.items()], body
    status, body = describe_error(scope["path"], error)
    return status, [JSON], body


def note_refusal(error: VenturiError, observer: RequestObserver) -> None:
    """Count an error that is a refusal."""
    refusal = REFUSALS.get(type(error))
    if refusal is not None:
        observer.metrics.count_refusal(refusal)


def extra_headers(error: VenturiError, challenge: str = "") -> list[tuple[bytes, bytes]]:
    """Give the headers that an error's answer has beside form and length."""
    headers = []
    if error.status == HTTPStatus.UNAUTHORIZED and challenge:
        headers.append((b"www-authenticate", challenge.encode()))
    if error.status == HTTPStatus.REQUEST_TIMEOUT:
        headers.append((b"connection", b"close"))
    if error.status in {HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS}:
        headers.append((b"retry-after", b"1"))
    return headers
