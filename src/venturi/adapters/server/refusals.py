"""Why a request is refused before any handler sees it, and with which status.

Owns the reasons and what each tells the client. How they are counted and logged is for whoever answers.
"""

from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Protocol


class Refusal(StrEnum):
    """A reason for which requests or connections are turned away; each is counted under this name."""

    ANSWER_UNREAD = "answer_unread"
    BATCH_TOO_LARGE = "batch_too_large"
    BODY_TIMEOUT = "body_timeout"
    BODY_TOO_LARGE = "body_too_large"
    HEADER_TIMEOUT = "header_timeout"
    HEADER_TOO_LARGE = "header_too_large"
    MALFORMED = "malformed"
    PLAIN_HTTP = "plain_http"
    SERVER_BUSY = "server_busy"
    TOO_MANY_CONNECTIONS = "too_many_connections"
    TOO_MANY_REPORTS = "too_many_reports"
    UNAUTHENTICATED = "unauthenticated"
    UNKNOWN_CODING = "unknown_coding"
    URL_TOO_LONG = "url_too_long"


STATUSES: dict[Refusal, HTTPStatus] = {
    Refusal.BATCH_TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Refusal.BODY_TIMEOUT: HTTPStatus.REQUEST_TIMEOUT,
    Refusal.BODY_TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Refusal.HEADER_TIMEOUT: HTTPStatus.REQUEST_TIMEOUT,
    Refusal.HEADER_TOO_LARGE: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    Refusal.MALFORMED: HTTPStatus.BAD_REQUEST,
    Refusal.PLAIN_HTTP: HTTPStatus.FORBIDDEN,
    Refusal.SERVER_BUSY: HTTPStatus.SERVICE_UNAVAILABLE,
    Refusal.TOO_MANY_CONNECTIONS: HTTPStatus.SERVICE_UNAVAILABLE,
    Refusal.TOO_MANY_REPORTS: HTTPStatus.TOO_MANY_REQUESTS,
    Refusal.UNAUTHENTICATED: HTTPStatus.UNAUTHORIZED,
    Refusal.UNKNOWN_CODING: HTTPStatus.NOT_IMPLEMENTED,
    Refusal.URL_TOO_LONG: HTTPStatus.REQUEST_URI_TOO_LONG,
}
"""The status of the answer to each refusal; a client that does not read gets none."""


@dataclass(frozen=True)
class Answer:
    """A whole answer: status, headers and body."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


class RefusalObserver(Protocol):
    """Who words, counts and logs what the connection itself refuses."""

    def refuse(self, refusal: Refusal, sentence: str, *, path: str, client: str) -> Answer:
        """Give the answer to a request for ``path`` that is refused because of ``sentence``."""

    def drop(self, refusal: Refusal, *, client: str) -> None:
        """Hear that a connection was closed without an answer."""
