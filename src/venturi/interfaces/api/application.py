"""The API as one application: routes and services joined in one frame.

Owns how services reach handlers and how errors become answers. Routes and services come from the composition.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from litestar import Litestar, Request, Response
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.types import ControllerRouterHandler
from structlog.typing import FilteringBoundLogger

from venturi.adapters.server.configuration import Limits
from venturi.adapters.store.store import Store
from venturi.adapters.threads.supervisor import EVENT_LOOP, Supervisor
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.errors import InvalidRequestError, VenturiError
from venturi.interfaces.api.answers import describe_status, forget_frames, own_sentence
from venturi.interfaces.api.authentication import Authentication
from venturi.interfaces.api.frame import Frame, describe_to, extra_headers, note_refusal
from venturi.interfaces.api.openapi.document import ApiDocument
from venturi.interfaces.api.operations import operations_routes
from venturi.interfaces.api.origin import TrustedProxies
from venturi.interfaces.api.requests import FAILURE, RequestObserver
from venturi.interfaces.web.errors import page_of_error
from venturi.interfaces.web.places import is_page

_JSON = "application/json"
AnyRequest = Request[Any, Any, Any]


@dataclass(frozen=True, kw_only=True)
class ApiParts:
    """What the application is made of.

    ``services`` reach handlers by their names, beside ``store``, ``limits`` and ``caller``; ``threads`` is how many handlers run
    at a time, which is how many connections the store has. ``changed`` hears of every request that may have changed
    something, ``stopping`` when the server begins to stop, ``supervisor`` of tasks and threads that fail.
    """

    store: Store
    services: Mapping[str, object]
    routes: Sequence[ControllerRouterHandler]
    authentication: Authentication
    observer: RequestObserver
    proxies: TrustedProxies = field(default_factory=TrustedProxies)
    limits: Limits = field(default_factory=Limits)
    threads: int = 10
    changed: Callable[[], None]
    stopping: Callable[[], None]
    supervisor: Supervisor


def build_application(parts: ApiParts) -> Litestar:
    """Join the parts; the application is inert until a server starts it."""
    provided = {
        "store": parts.store,
        "limits": parts.limits,
        "server_metrics": parts.observer.metrics,
        "supervisor": parts.supervisor,
        **parts.services,
    }
    routes = [*operations_routes(), *parts.routes]
    provided["api_document"] = ApiDocument(routes, parts.limits.page_resources)
    application = Litestar(
        route_handlers=routes,
        dependencies={"caller": Provide(_provide_caller, sync_to_thread=False)} | {name: _provide(part) for name, part in provided.items()},
        exception_handlers=_ErrorAnswers(parts).handlers(),
        openapi_config=None,
        request_max_body_size=None,
        logging_config=None,
        on_startup=[_WorkerThreads(parts.threads).start, lambda: watch_tasks(parts.supervisor, parts.observer.log)],
    )
    application.asgi_handler = Frame(
        application.asgi_handler,
        authentication=parts.authentication,
        proxies=parts.proxies,
        limits=parts.limits,
        observer=parts.observer,
        changed=parts.changed,
    )
    return application


class _WorkerThreads:
    """The threads that handlers run in: as many as the store has connections, so that none waits for one."""

    def __init__(self, count: int) -> None:
        self._count = count

    def start(self) -> None:
        """Give the running loop its threads."""
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(self._count, thread_name_prefix="handler"))


def watch_tasks(supervisor: Supervisor, log: FilteringBoundLogger) -> None:
    """Have the running loop tell the supervisor of what fails in it outside of any request.

    A connection that breaks off is no failure, for anybody can have that; it is only logged.
    """

    def note(_loop: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
        error = context.get("exception")
        if error is None or isinstance(error, OSError):
            log.warning("event loop", problem=str(context.get("message", "")), reason=str(error or ""))
        else:
            supervisor.note(EVENT_LOOP, error, "other tasks go on")

    supervisor.expect(EVENT_LOOP)
    asyncio.get_running_loop().set_exception_handler(note)


class _ErrorAnswers:
    """Turns what handlers raise into answers in the form of their API."""

    def __init__(self, parts: ApiParts) -> None:
        self._observer = parts.observer
        self._challenge = parts.authentication.challenge

    def handlers(self) -> dict[int | type[Exception], Callable[[AnyRequest, Any], Response[bytes]]]:
        """Give the handler for each kind of error."""
        return {VenturiError: self.answer, HTTPException: self.answer_http, Exception: self.answer_fault}

    def answer(self, request: AnyRequest, error: VenturiError) -> Response[bytes]:
        """Answer an error that was raised on purpose."""
        note_refusal(error, self._observer)
        request.scope["state"][FAILURE] = error
        forget_frames(error)
        status, form, body = describe_to(request.scope, error)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            self._observer.log.error("failed", request_id=_request_id(request), reason=str(error))
        headers = {name.decode(): value.decode() for name, value in (*form, *extra_headers(error, self._challenge))}
        return Response(body, status_code=status, headers=headers, media_type=headers["content-type"])

    def answer_http(self, request: AnyRequest, error: HTTPException) -> Response[bytes]:
        """Answer what the framework itself refuses: unknown paths, wrong methods, values of the wrong type."""
        if error.status_code == HTTPStatus.BAD_REQUEST:
            return self.answer(request, InvalidRequestError(_tell_refused(error)))
        if error.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return self.answer_fault(request, error)
        forget_frames(error)
        return _respond(request, error.status_code, error.detail, error.headers)

    def answer_fault(self, request: AnyRequest, error: Exception) -> Response[bytes]:
        """Answer a fault of the server's own, whose trace goes to the log and nowhere else."""
        self._observer.log.error("fault", request_id=_request_id(request), exc_info=error)
        forget_frames(error)
        return _respond(request, HTTPStatus.INTERNAL_SERVER_ERROR, "")


def _provide_caller(request: Request[Principal, Any, Any]) -> Principal:
    return request.user


def _provide(part: object) -> Provide:
    def give() -> Any:  # noqa: ANN401 - handlers say what they expect
        return part

    return Provide(give, sync_to_thread=False, use_cache=True)


def _respond(request: AnyRequest, status: int, sentence: str, headers: Mapping[str, str] | None = None) -> Response[bytes]:
    """Answer what no handler took, or what one failed in: as a page where one was asked for."""
    if is_page(request.scope["path"]):
        status, page_headers, page = page_of_error(request.scope, status, own_sentence(status, sentence))
        return Response(page, status_code=status, headers={**page_headers, **(headers or {})}, media_type=page_headers["Content-Type"])
    body = describe_status(request.scope["path"], status, sentence)
    return Response(body, status_code=status, headers=dict(headers or {}), media_type=_JSON)


def _request_id(request: AnyRequest) -> str | None:
    return request.scope["state"].get("request_id")


def _tell_refused(error: HTTPException) -> str:
    """Say in one sentence what did not fit, naming the fields."""
    extra = error.extra if isinstance(error.extra, list) else []
    reasons = [
        f"{refused.get('key', '')}: {refused.get('message', '')}".removeprefix(": ") for refused in extra if isinstance(refused, dict)
    ]
    return "; ".join(reasons) or error.detail
