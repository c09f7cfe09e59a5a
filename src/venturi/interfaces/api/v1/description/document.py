"""The OpenAPI 3.1 document of the whole server, made of the descriptions beside.

Owns what stands once in the document: title, security schemes, the forms.
"""

from collections.abc import Sequence
from itertools import chain
from typing import Any

import msgspec

from venturi import __version__
from venturi.interfaces.api.v1.description.alarms import alarm_operations
from venturi.interfaces.api.v1.description.examples import add_examples
from venturi.interfaces.api.v1.description.frame import frame_operations
from venturi.interfaces.api.v1.description.ledger import ledger_operations
from venturi.interfaces.api.v1.description.networking import networking_operations
from venturi.interfaces.api.v1.description.operations import Error, Json, NeutronError, Operation, Unauthenticated
from venturi.interfaces.api.v1.description.own import own_operations
from venturi.interfaces.api.v1.description.usage import usage_operations

_REFERENCE = "#/components/schemas/{name}"
_DESCRIPTION = (
    "Labels and rules are made with the Networking API, as OpenStack's clients do it; observation points, tokens, revisions and plans "
    "belong to venturi's own API under /v1. No text sent to /v1 may hold control or invisible characters. "
    "Every answer carries X-Openstack-Request-Id, which the log of the server names too."
)
_SECURITY: Json = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "A token in Authorization: Bearer."},
    "token": {"type": "apiKey", "in": "header", "name": "X-Auth-Token", "description": "A token as OpenStack's clients send it."},
}


def all_operations(largest_page: int) -> list[Operation]:
    """Describe every operation of a server whose pages hold ``largest_page`` resources at most."""
    own = [*own_operations(largest_page), *alarm_operations(largest_page), *ledger_operations(largest_page), *usage_operations()]
    return [*own, *networking_operations(), *frame_operations()]


def make_document(largest_page: int) -> Json:
    """Make the document."""
    operations = all_operations(largest_page)
    types = _types(operations)
    schemas, components = msgspec.json.schema_components(types, ref_template=_REFERENCE)
    known = list(zip(types, schemas, strict=True))

    def schema_of(form: Any) -> Json:  # noqa: ANN401 - a type, a union or an annotated type
        if isinstance(form, tuple):
            return {"oneOf": [schema_of(each) for each in form]}
        return next(schema for each, schema in known if each is form or each == form)

    paths: dict[str, Json] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = operation.document(schema_of)
    document = {
        "openapi": "3.1.0",
        "info": {"title": "venturi", "version": __version__, "description": _DESCRIPTION, "license": {"name": "Apache-2.0"}},
        "servers": [{"url": "/"}],
        "tags": [{"name": name} for name in dict.fromkeys(operation.group for operation in operations)],
        "security": [{"bearer": []}, {"token": []}],
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": _SECURITY},
    }
    _translate_patterns(document)
    add_examples(document)
    return document


def _translate_patterns(part: object) -> None:
    r"""Write patterns as JSON Schema does: there ``$`` is the very end, which Python spells ``\Z`` (ECMA-262 §22.2.2.4).

    Surrogates, which no JSON text holds in UTF-8, are no characters to many who read patterns.
    """
    if isinstance(part, dict):
        pattern = part.get("pattern")
        if isinstance(pattern, str):
            ending = "$" if pattern.endswith(r"\Z") else ""
            part["pattern"] = pattern.removesuffix(r"\Z").replace(r"\ud800-\udfff", "") + ending
        part = list(part.values())
    if isinstance(part, list):
        for each in part:
            _translate_patterns(each)


def _types(operations: Sequence[Operation]) -> list[Any]:
    """List every type that the operations name."""
    forms: list[Any] = [Error, NeutronError, Unauthenticated]
    for operation in operations:
        forms += [operation.request, *(parameter.form for parameter in operation.parameters)]
        forms += [each.form for each in operation.answers.values()]
    single = chain.from_iterable(form if isinstance(form, tuple) else (form,) for form in forms)
    return [form for form in single if form is not None]
