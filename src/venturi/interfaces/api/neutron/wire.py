"""What the routes of labels and of rules share: types of request and answer, ids in paths, and the forms of answers.

Owns the envelope of answers. What a label or a rule looks like in it is for their own modules.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Generic, Protocol, TypeVar

import msgspec
from litestar import Request, Response

from venturi.core.domain.control.listing import Listing
from venturi.core.domain.control.principal import Principal
from venturi.interfaces.api.neutron.attributes import Resource
from venturi.interfaces.api.neutron.links import page_links
from venturi.interfaces.api.neutron.queries import Filterable, Query, parse_query, read_fields, read_listing, unused_marker

ApiRequest = Request[Principal, Any, Any]

JSON_MEDIA = "application/json"
"""The media type of every answer."""

_ENCODER = msgspec.json.Encoder()


def answer(document: object, status: int = HTTPStatus.OK) -> Response[bytes]:
    """Answer with a JSON document."""
    return Response(_ENCODER.encode(document), status_code=status, media_type=JSON_MEDIA)


def answer_made(resource: Resource, forms: Sequence[msgspec.Struct], *, plural: bool) -> Response[bytes]:
    """Answer with what was made, in the envelope that the request had."""
    document = {resource.collection: forms} if plural else {resource.name: forms[0]}
    return answer(document, HTTPStatus.CREATED)


def answer_one(resource: Resource, form: msgspec.Struct, query: Query) -> Response[bytes]:
    """Answer with one resource, or those of its attributes that the query names."""
    fields = read_fields(query)
    return answer({resource.name: form if fields is None else _choose(form, fields)})


class Identified(Protocol):
    """Something with an id."""

    @property
    def id(self) -> str:
        """What tells it from others of its kind."""
        ...


Listed = TypeVar("Listed", bound=Identified)


class Control(Protocol[Listed]):
    """What callers do with resources of one kind, as far as lists need it."""

    def find(self, caller: Principal, identifier: str, /) -> Listed:
        """Give one that the caller may see, else raise ``NotFoundError``."""
        ...

    def list(self, caller: Principal, listing: Listing, /) -> list[Listed]:
        """Give those that the caller may see."""
        ...


@dataclass(frozen=True)
class Collection(Generic[Listed]):
    """How a collection is listed: its names, what it can be filtered by, and the wire form of one of its resources."""

    resource: Resource
    filterable: Filterable
    form: Callable[[Listed], msgspec.Struct]


def answer_list(request: ApiRequest, caller: Principal, control: Control[Listed], collection: Collection[Listed]) -> Response[bytes]:
    """Answer with a list or a page of it, and the links to the pages beside it."""
    query = parse_query(request.scope["query_string"])
    listing = read_listing(query, collection.filterable)
    unused = unused_marker(query, listing)
    if unused is not None:
        control.find(caller, unused)
    found = control.list(caller, listing)
    fields = read_fields(query)
    forms = map(collection.form, found)
    name = collection.resource.collection
    document: dict[str, object] = {name: list(forms) if fields is None else [_choose(form, fields) for form in forms]}
    links = page_links(request.scope, query, listing, [resource.id for resource in found])
    if links is not None:
        document[f"{name}_links"] = links
    return answer(document)


def answer_nothing() -> Response[None]:
    """Answer that it is done."""
    return Response(None, status_code=HTTPStatus.NO_CONTENT)


def named(identifier: str) -> str:
    """Give the id that the end of a path names, with or without ``.json``."""
    return identifier.removesuffix(".json")


def _choose(form: msgspec.Struct, fields: frozenset[str]) -> dict[str, object]:
    names = zip(form.__struct_encode_fields__, form.__struct_fields__, strict=True)
    return {name: getattr(form, attribute) for name, attribute in names if name in fields}
