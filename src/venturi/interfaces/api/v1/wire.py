"""What all routes of the own API share: their types of request and answer, and the reading of query and path.

Owns nothing of any resource.
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qs

import msgspec
from litestar import Request, Response

from venturi.core.domain.control.principal import Principal
from venturi.core.domain.errors import NotFoundError
from venturi.core.rules.checks import printable
from venturi.interfaces.api.openapi.declaring import JSON_MEDIA, RequestBody
from venturi.interfaces.api.turns import ServerTurns, at_end
from venturi.interfaces.api.v1.forms.reading import Query, read_body

ApiRequest = Request[Principal, Any, Any]

Form = TypeVar("Form")


@dataclass(frozen=True, kw_only=True)
class JsonBody(RequestBody, Generic[Form]):
    """A body that is read by its form."""

    form: type[Form]

    def read(self, body: bytes) -> Form:
        """Decode it; raises ``InvalidRequestError`` that names the field in which it is wrong."""
        return read_body(body, self.form)


def answer(document: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response[bytes]:
    """Answer with a document, as JSON."""
    return Response(msgspec.json.encode(document), status_code=status, headers=dict(headers or {}), media_type=JSON_MEDIA)


async def answer_in_turn(
    request: ApiRequest,
    turns: ServerTurns,
    work: Callable[[], bytes],
    media_type: str = JSON_MEDIA,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response[bytes]:
    """Do the work when it is the caller's turn, as reports do theirs."""
    caller = request.user.user_id
    at_end(request.scope, await turns.places.take(caller))
    content = await turns.reports.run(caller, work)
    return Response(content, media_type=media_type, status_code=status, headers=dict(headers or {}))


def query_of(request: ApiRequest) -> Query:
    """Give all values of each query parameter, empty ones too."""
    return parse_qs(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)


def identifier(text: str, missing: type[NotFoundError], noun: str) -> str:
    """Give the id that a path names, in its canonical spelling; a text that is no UUID is the id of nothing: raises ``missing``."""
    try:
        return str(uuid.UUID(text))
    except ValueError as error:
        message = f"{noun} '{printable(text)}' does not exist."
        raise missing(message) from error
