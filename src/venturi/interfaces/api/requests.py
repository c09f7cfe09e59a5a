"""One request from its header to its answer: its id, its line in the log, its share in the metrics.

Owns what is observed of every request. What is done with it is the application's affair.
"""

import logging
import time
import uuid
from dataclasses import dataclass, field
from http import HTTPStatus

from litestar.types import HTTPScope, Message, Send
from structlog.typing import FilteringBoundLogger

from venturi.adapters.server.refusals import STATUSES, Answer, Refusal
from venturi.core.domain.alarm import Alarm
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.errors import VenturiError
from venturi.interfaces.api.answers import JSON, describe_status
from venturi.interfaces.api.metrics import UNMATCHED_ROUTE, ServerMetrics

REQUEST_ID = "x-openstack-request-id"
"""The header that carries the request id; the name is OpenStack's."""

FAILURE = "failure"
"""The key of a request's state under which the error stands that a handler ended in."""

WAITED = "waited"
"""The key of a request's state that says that it asked to be answered later: how long that took tells nothing of the server."""

_ASKED_OFTEN = frozenset({"/metrics", "/healthz/live", "/healthz/ready"})
"""What programs ask for without end: a line in the log only if it fails, or at level ``debug``."""

_UNANSWERED = 499
"""What stands in the log for a request whose client went away before the answer."""


def make_request_id() -> str:
    """Give a new request id, in OpenStack's form."""
    return f"req-{uuid.uuid4()}"


@dataclass
class ObservedRequest:
    """A request that is being answered."""

    scope: HTTPScope
    caller: Principal | None = None
    request_id: str = field(default_factory=make_request_id)
    status: int = _UNANSWERED
    error: VenturiError | None = None
    began: float = field(default_factory=time.perf_counter)

    def sending(self, send: Send) -> Send:
        """Give a ``send`` that notes the status and adds the request id to the header."""

        async def send_observed(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.status = message["status"]
                message["headers"] = [*message["headers"], (REQUEST_ID.encode(), self.request_id.encode())]
            await send(message)

        return send_observed


class RequestObserver:
    """Counts and logs requests, those too that the connection refused."""

    def __init__(self, log: FilteringBoundLogger, metrics: ServerMetrics) -> None:
        """Write to ``log`` and ``metrics``."""
        self.log = log
        self.metrics = metrics

    def end(self, request: ObservedRequest) -> None:
        """Log and count a request that is over."""
        seconds = time.perf_counter() - request.began
        scope, caller = request.scope, request.caller
        route = scope.get("path_template") or UNMATCHED_ROUTE
        self.metrics.end_request(scope["method"], str(route), request.status, None if scope["state"].get(WAITED) else seconds)
        error = request.error or scope["state"].get(FAILURE)
        token_id = caller.token_id if caller else getattr(error, "token_id", None)
        refused = {"reason": str(error)} if error is not None else {}
        quiet = route in _ASKED_OFTEN and request.status < HTTPStatus.BAD_REQUEST
        self.log.log(
            logging.DEBUG if quiet else logging.INFO,
            "request",
            request_id=request.request_id,
            caller=caller.user_id if caller else None,
            project=caller.project_id if caller else None,
            token_id=token_id,
            client=scope["client"][0] if scope["client"] else "local",
            method=scope["method"],
            path=scope["path"],
            status=request.status,
            duration_ms=round(seconds * 1_000, 3),
            **refused,
        )

    def refuse(self, refusal: Refusal, sentence: str, *, path: str, client: str) -> Answer:
        """Word, count and log what a connection refuses (``adapters.server.refusals.RefusalObserver``)."""
        request_id, status = make_request_id(), STATUSES[refusal]
        self.metrics.count_refusal(refusal)
        self.log.warning("refused", request_id=request_id, reason=refusal.value, client=client, path=path, status=int(status))
        body = describe_status(path, status, sentence)
        headers = (JSON, (b"content-length", str(len(body)).encode()), (REQUEST_ID.encode(), request_id.encode()))
        return Answer(int(status), headers, body)

    def raise_alarm(self, alarm: Alarm) -> None:
        """Count and log what an operator should see to; kinds are an enumeration of whoever raises them."""
        self.metrics.count_alarm(alarm.kind)
        self.log.error("alarm", kind=alarm.kind, subject=alarm.subject, reason=alarm.sentence)

    def drop(self, refusal: Refusal, *, client: str) -> None:
        """Count and log a connection that was closed without an answer."""
        self.metrics.count_refusal(refusal)
        self.log.warning("dropped", reason=refusal.value, client=client)
