"""The OpenAPI 3.1 document of the whole server, which the framework makes of the routes and their docstrings.

Owns what stands once in the document: title, security schemes, and the schemas of forms, which are msgspec's.
"""

import threading
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import msgspec
from litestar import Litestar, Router
from litestar.di import Provide
from litestar.enums import HttpMethod
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, License, SecurityScheme
from litestar.types import ControllerRouterHandler, Method
from litestar.types.internal_types import PathParameterDefinition
from msgspec import Meta

from venturi import __version__
from venturi.interfaces.api.answers import is_networking
from venturi.interfaces.api.authentication import is_open
from venturi.interfaces.api.openapi.declaring import DECLARED, Error, Json, NeutronError, SchemaOf
from venturi.interfaces.api.openapi.examples import add_examples
from venturi.interfaces.api.v1.forms.texts import FIT_OR_EMPTY

_REFERENCE = "#/components/schemas/{name}"
_DESCRIPTION = (
    "Labels and rules are made with the Networking API, as OpenStack's clients do it; observation points, tokens, revisions and plans "
    "belong to venturi's own API under /v1. No text sent to /v1 may hold control or invisible characters. "
    "Every answer carries X-Openstack-Request-Id, which the log of the server names too."
)
_SCHEMES = {
    "bearer": SecurityScheme(type="http", scheme="bearer", description="A token in Authorization: Bearer."),
    "token": SecurityScheme(
        type="apiKey", security_scheme_in="header", name="X-Auth-Token", description="A token as OpenStack's clients send it."
    ),
}
_OWN_ROOT = "/v1/"
_SAID = frozenset({"pattern", "format", "enum", "const"})
_UNDESCRIBED = frozenset({"head", "options"})


class ApiDocument:
    """The document of a server, made when it is asked for first."""

    def __init__(self, routes: Sequence[ControllerRouterHandler], largest_page: int) -> None:
        """Describe ``routes``, whose pages hold ``largest_page`` resources at most."""
        self._routes = routes
        self._largest_page = largest_page
        self._lock = threading.Lock()
        self._written = b""

    def write(self) -> bytes:
        """Give the document in JSON."""
        with self._lock:
            self._written = self._written or msgspec.json.encode(make_document(self._routes, self._largest_page))
            return self._written


def make_document(routes: Sequence[ControllerRouterHandler], largest_page: int) -> Json:
    """Make the document of ``routes``, whose pages hold ``largest_page`` resources at most."""
    document = _found(routes)
    document["paths"] = {path: _describe(path, methods) for path, methods in document["paths"].items()}
    document["tags"] = [{"name": name} for name in dict.fromkeys(tag for each in _operations(document) for tag in each["tags"])]
    _bound_pages(document, largest_page)
    _write_schemas(document)
    _keep_unfit_out(document)
    _translate_patterns(document)
    add_examples(document)
    return document


def _found(routes: Sequence[ControllerRouterHandler]) -> Json:
    """Have the framework describe the routes, in an application that nobody serves: this one has paths for documents."""
    config = OpenAPIConfig(
        title="venturi",
        version=__version__,
        description=_DESCRIPTION,
        license=License(name="Apache-2.0"),
        security=[{"bearer": []}, {"token": []}],
        components=Components(security_schemes=dict(_SCHEMES)),
        use_handler_docstrings=True,
        operation_id_creator=_name_operation,
        render_plugins=[JsonRenderPlugin()],
        path="/unserved",
    )
    nothing = {name: Provide(lambda: None, sync_to_thread=False) for name in _dependencies(routes)}
    application = Litestar(route_handlers=routes, dependencies=nothing, openapi_config=config, logging_config=None)
    return application.openapi_schema.to_schema()


def _dependencies(routes: Sequence[ControllerRouterHandler]) -> set[str]:
    """List what handlers are given that is no part of a request."""
    handlers = [handler for route in Router("/", route_handlers=routes).routes for handler in getattr(route, "route_handlers", ())]
    return {name for handler in handlers for name, given in handler.parsed_fn_signature.parameters.items() if given.is_di_field}


def _name_operation(_handler: HTTPRouteHandler, method: Method | HttpMethod, path: list[str | PathParameterDefinition]) -> str:
    """Give a name that no other operation has, made of method and path."""
    words = [part if isinstance(part, str) else part.name for part in path]
    return "_".join([method.lower(), *(word.replace("-", "_").replace(".", "_") for word in words)])


def _describe(path: str, methods: Json) -> Json:
    error = NeutronError if is_networking(path) else Error
    needs_token = not is_open(path)
    return {
        method: found[DECLARED].document(found, needs_token=needs_token, error=error)
        for method, found in methods.items()
        if method not in _UNDESCRIBED
    }


def _operations(document: Json) -> Iterator[Json]:
    for methods in document["paths"].values():
        yield from methods.values()


def _bound_pages(document: Json, largest: int) -> None:
    """Say how much a page of venturi's own API holds, which is a setting."""
    for path, methods in document["paths"].items():
        for parameter in (each for described in methods.values() for each in described["parameters"]):
            if path.startswith(_OWN_ROOT) and parameter["name"] == "limit":
                parameter["schema"] = SchemaOf(Annotated[int, Meta(ge=1, le=largest)])


def _write_schemas(document: Json) -> None:
    """Write the schema of each form where it is meant, those that have names once."""
    types = [form for meant in _meant(document["paths"]) for form in meant.types]
    schemas, components = msgspec.json.schema_components(types, ref_template=_REFERENCE)
    known = {repr(form): schema for form, schema in zip(types, schemas, strict=True)}
    document["paths"] = _replace(document["paths"], known)
    document["components"]["schemas"] = components


def _meant(part: object) -> Iterator[SchemaOf]:
    if isinstance(part, SchemaOf):
        yield part
    for each in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from _meant(each)


def _replace(part: Any, known: Json) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(part, SchemaOf):
        schemas = [known[repr(form)] for form in part.types]
        return {"oneOf": schemas} if isinstance(part.form, tuple) else dict(schemas[0])
    if isinstance(part, dict):
        return {name: _replace(each, known) for name, each in part.items()}
    return [_replace(each, known) for each in part] if isinstance(part, list) else part


def _keep_unfit_out(document: Json) -> None:
    """Say of every text that is sent to venturi's own API what holds for all of them: it has no unfit characters."""
    components = document["components"]["schemas"]
    own = [methods for path, methods in document["paths"].items() if path.startswith(_OWN_ROOT)]
    bodies = [described["requestBody"] for methods in own for described in methods.values() if "requestBody" in described]
    seen: set[str] = set()
    for body in bodies:
        for content in body["content"].values():
            _keep_unfit_out_of(content["schema"], components, seen)


def _keep_unfit_out_of(schema: object, components: Json, seen: set[str]) -> None:
    if isinstance(schema, list):
        for each in schema:
            _keep_unfit_out_of(each, components, seen)
    if not isinstance(schema, dict):
        return
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    if name and name not in seen:
        seen.add(name)
        _keep_unfit_out_of(components[name], components, seen)
    if schema.get("type") == "string" and not _SAID & set(schema):
        schema["pattern"] = FIT_OR_EMPTY
    if isinstance(schema.get("additionalProperties"), dict):
        schema["propertyNames"] = {"type": "string", **schema.get("propertyNames", {}), "pattern": FIT_OR_EMPTY}
    for key in ("properties", "items", "additionalProperties", "anyOf", "oneOf", "allOf"):
        inner = schema.get(key)
        _keep_unfit_out_of(list(inner.values()) if key == "properties" and isinstance(inner, dict) else inner, components, seen)


def _translate_patterns(part: object) -> None:
    r"""Write patterns as JSON Schema does: there ``^`` and ``$`` are the very ends, ``\A`` and ``\Z`` in Python (ECMA-262 §22.2.2.4).

    Surrogates, which no JSON text holds in UTF-8, are no characters to many who read patterns.
    """
    if isinstance(part, dict):
        pattern = part.get("pattern")
        if isinstance(pattern, str):
            beginning, ending = "^" if pattern.startswith(r"\A") else "", "$" if pattern.endswith(r"\Z") else ""
            part["pattern"] = beginning + pattern.removeprefix(r"\A").removesuffix(r"\Z").replace(r"\ud800-\udfff", "") + ending
        part = list(part.values())
    if isinstance(part, list):
        for each in part:
            _translate_patterns(each)
