"""What a server answers: decoded JSON, or the error that its status stands for.

Owns the way from statuses and error documents, those of Neutron and those of ``/v1``, to errors. Sends nothing.
"""

import json
from collections.abc import Mapping

from venturi.core.domain.errors import (
    ConflictError,
    ForbiddenError,
    InvalidRequestError,
    NotFoundError,
    RequestTooLargeError,
    ServerError,
    UnauthenticatedError,
    VenturiError,
)
from venturi.core.domain.text import escape_unfit

Json = Mapping[str, object]
"""An object on the wire."""

_REFUSALS: dict[int, type[VenturiError]] = {
    401: UnauthenticatedError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    413: RequestTooLargeError,
}
_PASSING = frozenset({408, 429})
"""Refusals of what may be asked again as it is (RFC 9110 §15.5.9, RFC 6585 §4)."""

_FIRST_SUCCESS, _FIRST_REDIRECT, _FIRST_REFUSAL, _FIRST_FAILURE = 200, 300, 400, 500
_LONGEST_SENTENCE = 1000


def read_answer(status: int, content: bytes, request: str) -> object:
    """Decode an answer; ``request`` says what was asked.

    Raises the error of the status, with the server's own sentence where it gives one, and ``ServerError`` for what is no answer.
    """
    if status >= _FIRST_REFUSAL:
        raise _refusal(status, content, request)
    if not _FIRST_SUCCESS <= status < _FIRST_REDIRECT:
        message = f"{request}: the answer is {status}, which a venturi server does not give"
        raise ServerError(message)
    if not content:
        return None
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        message = f"{request}: the answer is not JSON, so this is no venturi server"
        raise ServerError(message) from error


def _refusal(status: int, content: bytes, request: str) -> VenturiError:
    sentence = _sentence(content) or f"{request}: refused with status {status}"
    if status >= _FIRST_FAILURE or status in _PASSING:
        return ServerError(sentence, status)
    return _REFUSALS.get(status, InvalidRequestError)(sentence)


def _sentence(content: bytes) -> str:
    """Find the message in ``{"NeutronError": {…}}`` or ``{"error": {…}}``, with the reason if it gives one; empty where there is none."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return ""
    envelope = (document.get("NeutronError") or document.get("error")) if isinstance(document, dict) else None
    told = [envelope.get("message"), envelope.get("reason")] if isinstance(envelope, dict) else []
    sentence = " ".join(" ".join(text.split()) for text in told if isinstance(text, str))
    return escape_unfit(sentence)[:_LONGEST_SENTENCE]
