"""What an operation of the API is described by, and its translation to OpenAPI 3.1.

Owns the form of descriptions. The descriptions themselves are in the modules beside.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from msgspec import Struct

Json = dict[str, Any]
SchemaOf = Callable[[Any], Json]
"""Gives the JSON Schema of a type, a reference where it has a name."""


class ErrorCause(Struct, kw_only=True):
    """What went wrong: the status, its kind, and one sentence."""

    code: int
    type: str
    message: str


class Error(Struct, kw_only=True):
    """The answer to a request that was refused or failed."""

    error: ErrorCause


class RefusedCause(Struct, kw_only=True):
    """What Keystone's middleware says, which clients know."""

    code: int
    title: str
    message: str


class Unauthenticated(Struct, kw_only=True):
    """The answer to a request without a valid token."""

    error: RefusedCause


class NeutronCause(Struct, kw_only=True):
    """What went wrong, in Neutron's words."""

    type: str
    message: str
    detail: str


class NeutronError(Struct, kw_only=True):
    """The answer of the Networking API to a request that was refused or failed."""

    NeutronError: NeutronCause


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A parameter in the path or the query, or a header; ``form`` is a type, ``many`` lets it be repeated."""

    name: str
    description: str
    form: Any = str
    place: str = "query"
    many: bool = False

    def document(self, schema_of: SchemaOf) -> Json:
        """Describe it in OpenAPI's words."""
        schema = {"type": "array", "items": schema_of(self.form)} if self.many else schema_of(self.form)
        return {"name": self.name, "in": self.place, "description": self.description, "required": self.place == "path", "schema": schema}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer that is no error: its meaning and its form, None for no body; ``text_form`` is a media type that it has as text too."""

    description: str
    form: Any = None
    media_type: str = "application/json"
    text_form: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def document(self, schema_of: SchemaOf) -> Json:
        """Describe it as OpenAPI does."""
        described: Json = {"description": self.description}
        if self.headers:
            described["headers"] = {name: {"description": text, "schema": {"type": "string"}} for name, text in self.headers.items()}
        if self.form is not None:
            described["content"] = {self.media_type: {"schema": schema_of(self.form)}}
            if self.text_form is not None:
                described["content"][self.text_form] = {"schema": {"type": "string"}}
        return described


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One method at one path. ``refusals`` are the statuses of errors beside those that every operation has.

    A form is a type that msgspec knows, or a tuple of alternatives.
    """

    method: str
    path: str
    group: str
    summary: str
    description: str
    answers: Mapping[int, Answer]
    parameters: Sequence[Parameter] = ()
    request: Any = None
    request_media_type: str = "application/json"
    example: Any = None
    refusals: Sequence[int] = ()
    error_form: Any = Error
    needs_token: bool = True

    def document(self, schema_of: SchemaOf) -> Json:
        """Describe the operation, its errors included."""
        described: Json = {
            "operationId": self.identifier,
            "tags": [self.group],
            "summary": self.summary,
            "description": self.description,
            "parameters": [parameter.document(schema_of) for parameter in self.parameters],
            "responses": self._responses(schema_of),
        }
        if self.request is not None:
            content: Json = {"schema": schema_of(self.request)}
            if self.example is not None:
                content["example"] = self.example
            described["requestBody"] = {"required": True, "content": {self.request_media_type: content}}
        if not self.needs_token:
            described["security"] = []
        return described

    @property
    def identifier(self) -> str:
        """A name that no other operation has, made of method and path."""
        words = self.path.replace("{", "").replace("}", "").replace("-", "_").replace(".", "_").strip("/").split("/")
        return "_".join([self.method.lower(), *filter(None, words)])

    def _responses(self, schema_of: SchemaOf) -> Json:
        responses = {str(status): each.document(schema_of) for status, each in self.answers.items()}
        for status in sorted({*self.refusals, *(_ALWAYS if self.needs_token else ())}):
            form = Unauthenticated if status == HTTPStatus.UNAUTHORIZED else self.error_form
            responses[str(status)] = Answer(description=_MEANINGS[status], form=form).document(schema_of)
        return responses


_ALWAYS = (400, 401, 403, 500, 503)
_MEANINGS = {
    HTTPStatus.BAD_REQUEST: "The request is malformed; the message names the field.",
    HTTPStatus.UNAUTHORIZED: "No valid token came with the request.",
    HTTPStatus.FORBIDDEN: "The policy does not let this caller do this.",
    HTTPStatus.NOT_FOUND: "There is no such resource that the caller may see.",
    HTTPStatus.CONFLICT: "The change contradicts what the server holds.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The request is larger than the server's limits.",
    HTTPStatus.TOO_MANY_REQUESTS: "Not now: send the same again later.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "The server failed; its log has the reason under the request id.",
    HTTPStatus.SERVICE_UNAVAILABLE: "The database cannot be reached, or the server has as much to do as it may.",
}
