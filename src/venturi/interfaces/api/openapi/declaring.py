"""What a route declares for the OpenAPI document beyond what the framework reads off it.

The framework knows path, method, status and parameters of the path, and takes summary and description from the docstring of the handler.
Owns what is declared beside that: forms of request and answer, parameters of the query, statuses of refusals.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from litestar.openapi.spec import Operation
from msgspec import Struct

Json = dict[str, Any]
JSON_MEDIA = "application/json"
"""The media type of whatever has no other."""

DECLARED = "declared"
"""The key under which an operation hands on its ``Declaration``."""


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


@dataclass(frozen=True)
class SchemaOf:
    """Stands in a document where the schema of ``form`` goes: a type that msgspec knows, or a tuple of alternatives."""

    form: Any

    @property
    def types(self) -> tuple[Any, ...]:
        """The types meant."""
        return self.form if isinstance(self.form, tuple) else (self.form,)


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A parameter in the query, or a header; ``form`` is a type, ``many`` lets it be repeated.

    One in the ``path`` says more of what the framework finds there.
    """

    name: str
    description: str
    form: Any = str
    place: str = "query"
    many: bool = False

    def document(self) -> Json:
        """Describe the parameter in OpenAPI's words."""
        form = SchemaOf(self.form)
        schema = {"type": "array", "items": form} if self.many else form
        return {"name": self.name, "in": self.place, "description": self.description, "required": self.place == "path", "schema": schema}


@dataclass(frozen=True, kw_only=True)
class RequestBody:
    """What an operation is sent: its form, and an example in JSON."""

    form: Any
    example: Any = None
    media_type: str = JSON_MEDIA

    def document(self) -> Json:
        """Describe what is sent in OpenAPI's words."""
        content: Json = {"schema": SchemaOf(self.form)}
        if self.example is not None:
            content["example"] = self.example
        return {"required": True, "content": {self.media_type: content}}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer that is no error: its form, None for no body, and its meaning, by default that of the form.

    ``text_forms`` are media types that it has as text too, ``binary_forms`` others.
    """

    form: Any = None
    meaning: str = ""
    media_type: str = JSON_MEDIA
    text_forms: Sequence[str] = ()
    binary_forms: Sequence[str] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def document(self) -> Json:
        """Describe it as OpenAPI does."""
        described: Json = {"description": self.meaning or paragraphs(self.form.__doc__)[0]}
        if self.headers:
            described["headers"] = {name: {"description": text, "schema": {"type": "string"}} for name, text in self.headers.items()}
        if self.form is not None:
            described["content"] = {self.media_type: {"schema": SchemaOf(self.form)}}
            described["content"] |= {name: {"schema": {"type": "string"}} for name in self.text_forms}
            described["content"] |= {name: {"schema": {"type": "string", "format": "binary"}} for name in self.binary_forms}
        return described


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """What a route declares of one operation.

    ``answer`` is None where every request is refused, ``others`` are answers of other statuses, ``refusals`` the statuses of errors
    that not every operation has; one that is sent something has 413 in any case.
    """

    answer: Answer | None
    others: Mapping[int, Answer] = field(default_factory=dict)
    parameters: Sequence[Parameter] = ()
    request: RequestBody | None = None
    refusals: Sequence[int] = ()

    def document(self, found: Json, *, needs_token: bool, error: type[Struct]) -> Json:
        """Complete what the framework ``found``; the first of its responses is that of success."""
        summary, *rest = paragraphs(found["description"])
        in_path = {each["name"]: each for each in found.get("parameters", ()) if each["in"] == "path"}
        declared = {parameter.name: parameter.document() for parameter in self.parameters}
        described: Json = {
            "operationId": found["operationId"],
            "tags": found["tags"],
            "summary": summary.removesuffix("."),
            "description": " ".join(rest) or summary,
            "parameters": list((in_path | declared).values()),
            "responses": self._responses(next(iter(found["responses"])), error, needs_token=needs_token),
        }
        if self.request is not None:
            described["requestBody"] = self.request.document()
        if not needs_token:
            described["security"] = []
        return described

    def _responses(self, success: str, error: type[Struct], *, needs_token: bool) -> Json:
        answers = {} if self.answer is None else {success: self.answer.document()}
        answers |= {str(status): answer.document() for status, answer in self.others.items()}
        too_large = () if self.request is None else (HTTPStatus.REQUEST_ENTITY_TOO_LARGE.value,)
        for status in sorted({*self.refusals, *too_large, *(_ALWAYS if needs_token else _WITHOUT_TOKEN)}):
            form = Unauthenticated if status == HTTPStatus.UNAUTHORIZED else error
            answers.setdefault(str(status), Answer(form=form, meaning=_MEANINGS[HTTPStatus(status)]).document())
        return answers


@dataclass
class DeclaredOperation(Operation):
    """The framework's description of an operation, which knows what its route declares."""

    declaration = Declaration(answer=None)

    def to_schema(self) -> Json:
        """Describe the operation as the framework does, and hand on what is declared (``DECLARED``)."""
        return {**super().to_schema(), DECLARED: self.declaration}


def declare(
    answer: Answer | Any,  # noqa: ANN401 - a type
    *parameters: Parameter,
    request: RequestBody | None = None,
    refusals: Sequence[int] = (),
    others: Mapping[int, Answer] | None = None,
) -> type[Operation]:
    """Declare an operation, as the ``operation_class`` of its route; ``answer`` is an ``Answer``, a form that tells all of it, or None."""
    declaration = Declaration(
        answer=answer if answer is None or isinstance(answer, Answer) else Answer(form=answer),
        others=others or {},
        parameters=parameters,
        request=request,
        refusals=refusals,
    )
    return type("Declared", (DeclaredOperation,), {"declaration": declaration})


def paragraphs(docstring: str | None) -> list[str]:
    """Give the paragraphs of a docstring, each as one line."""
    return [" ".join(part.split()) for part in (docstring or "").strip().split("\n\n")]


def parameter_in_path(name: str, description: str, form: Any = str) -> Parameter:  # noqa: ANN401 - a type
    """Say more of a parameter of the path."""
    return Parameter(name=name, description=description, form=form, place="path")


_ALWAYS = (400, 401, 403, 500, 503)
_WITHOUT_TOKEN = (500,)
_MEANINGS = {
    HTTPStatus.BAD_REQUEST: "The request is malformed; the message names the field.",
    HTTPStatus.UNAUTHORIZED: "No valid token came with the request.",
    HTTPStatus.FORBIDDEN: "The policy does not let this caller do this.",
    HTTPStatus.NOT_FOUND: "There is no such resource that the caller may see.",
    HTTPStatus.NOT_ACCEPTABLE: "The server has no such form, or the answer does not fit it.",
    HTTPStatus.CONFLICT: "The change contradicts what the server holds.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The request is larger than the server's limits.",
    HTTPStatus.TOO_MANY_REQUESTS: "Not now: send the same again later.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "The server failed; its log has the reason under the request id.",
    HTTPStatus.SERVICE_UNAVAILABLE: "The database cannot be reached, or the server has as much to do as it may.",
}
