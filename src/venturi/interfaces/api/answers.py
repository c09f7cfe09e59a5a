"""How an error reads on the wire: Neutron's form under ``/v2.0``, venturi's own elsewhere.

Owns both envelopes. Which words Neutron has for an error is said in ``neutron.errors``.
"""

from http import HTTPStatus

import msgspec

from venturi.adapters.logs.log import hide_secrets
from venturi.core.domain.errors import UnauthenticatedError, VenturiError
from venturi.interfaces.api.neutron.errors import HIDDEN, neutron_error

NETWORKING_ROOT = "/v2.0"
JSON = (b"content-type", b"application/json")

AUTHENTICATION_REQUIRED = "The request you have made requires authentication."
_NOT_COMPLIED = "The server could not comply with the request since it is either malformed or otherwise incorrect."
_INTERNAL = "The server failed to answer; its log has the reason under the request id."

_NEUTRON_KINDS = {
    HTTPStatus.NOT_FOUND: ("HTTPNotFound", HIDDEN),
    HTTPStatus.METHOD_NOT_ALLOWED: ("HTTPMethodNotAllowed", _NOT_COMPLIED),
    HTTPStatus.INTERNAL_SERVER_ERROR: ("HTTPInternalServerError", _INTERNAL),
}
_OWN_SENTENCES = {
    HTTPStatus.NOT_FOUND: "there is nothing at this path",
    HTTPStatus.METHOD_NOT_ALLOWED: "this method is not offered at this path",
    HTTPStatus.INTERNAL_SERVER_ERROR: _INTERNAL,
}


def is_networking(path: str) -> bool:
    """Tell whether a path belongs to the Networking API."""
    return path == NETWORKING_ROOT or path.startswith(f"{NETWORKING_ROOT}/")


def describe_error(path: str, error: VenturiError) -> tuple[int, bytes]:
    """Give status and body of the answer to a request for ``path`` that failed with ``error``."""
    if isinstance(error, UnauthenticatedError):
        return error.status, _unauthenticated(hide_secrets(str(error)))
    if is_networking(path):
        status, kind, sentence = neutron_error(error)
        return status, _networking(kind, hide_secrets(sentence))
    kind = type(error).__name__.removesuffix("Error")
    return error.status, _own(error.status, kind, hide_secrets(str(error)))


def describe_status(path: str, status: int, sentence: str) -> bytes:
    """Give the body of the answer to a request that no handler took; for well-known statuses the sentence is known too."""
    known = HTTPStatus(status)
    kind = known.phrase.replace(" ", "").replace("-", "")
    if is_networking(path):
        return _networking(*_NEUTRON_KINDS.get(known, (f"HTTP{kind}", sentence)))
    return _own(status, kind, own_sentence(status, sentence))


def own_sentence(status: int, sentence: str) -> str:
    """Give what is said of a status, where that is always the same, else the sentence."""
    return _OWN_SENTENCES.get(HTTPStatus(status), sentence)


def _networking(kind: str, sentence: str) -> bytes:
    return msgspec.json.encode({"NeutronError": {"type": kind, "message": sentence, "detail": ""}})


def _own(status: int, kind: str, sentence: str) -> bytes:
    return msgspec.json.encode({"error": {"code": status, "type": kind, "message": sentence}})


def _unauthenticated(reason: str) -> bytes:
    """Say it as Keystone's middleware does, which clients of both APIs know, and beside that why."""
    status = HTTPStatus.UNAUTHORIZED
    return msgspec.json.encode(
        {"error": {"code": status.value, "title": status.phrase, "message": AUTHENTICATION_REQUIRED, "reason": reason}}
    )


def forget_frames(error: BaseException) -> None:
    """Let go of all that was at hand where an error and its causes were raised.

    A future that fails holds its error, whose frames hold the future: without this, what was refused stays in memory until the collector
    comes by.
    """
    cause: BaseException | None = error
    while cause is not None:
        cause.with_traceback(None)
        cause = cause.__cause__ or cause.__context__
