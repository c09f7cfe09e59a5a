"""Examples of whatever the OpenAPI document describes and has no example of its own, made of the schemas, so that none can be out of date.

Owns the values that stand in examples. What an operation is sent has an example with the operation.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from venturi.interfaces.api.openapi.declaring import JSON_MEDIA, Json

_IDENTIFIER = "6a1b7b3c-6f0e-4c0e-9a43-3a5c6d0f4c11"
_BY_FORMAT = {"uuid": _IDENTIFIER, "date-time": "2026-03-01T00:00:00Z", "ipv4": "192.0.2.1", "byte": "AA=="}
_BY_NAME: Mapping[str, Any] = {
    "agent_id": "agent-1",
    "alias": "metering",
    "code": 404,
    "description": "all traffic",
    "device": "eth0",
    "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "direction": "egress",
    "host": "edge-1",
    "href": "http://127.0.0.1:9696/v2.0",
    "identifier": _IDENTIFIER,
    "message": "there is nothing at this path",
    "name": "customer 7",
    "number": 17,
    "project_id": "7",
    "remote_ip_prefix": None,
    "source_ip_prefix": "10.0.0.0/24",
    "spool_id": "0f8fad5bd9cb469fa16570867728950e",
    "status": "CURRENT",
    "tenant_id": "7",
    "version": "1.0.0",
}
_TEXT = "text"
_DEEPEST = 12


class ExampleMaker:
    """Makes examples of schemas that may refer to the ``components`` of a document."""

    def __init__(self, components: Mapping[str, Json]) -> None:
        """Look names of schemas up in ``components``."""
        self._components = components

    def make(self, schema: Json, name: str = "", depth: int = 0) -> Any:  # noqa: ANN401 - any JSON
        """Give a value that meets ``schema``, that of a field or parameter ``name``."""
        schema = self._resolve(schema)
        known = _known(schema, name)
        if known:
            return known[0]
        alternatives = schema.get("oneOf") or schema.get("anyOf")
        if alternatives and schema.get("type") != "string":
            return self.make(alternatives[0], name, depth)
        if schema.get("type") == "object":
            return self._object(schema, depth)
        if schema.get("type") == "array":
            return self._array(schema, name, depth)
        return _plain(schema)

    def _resolve(self, schema: Json) -> Json:
        """Follow a reference; an ``allOf`` of one is that one."""
        while "$ref" in schema or len(schema.get("allOf", ())) == 1:
            inner = schema["allOf"][0] if "allOf" in schema else self._components[schema["$ref"].rpartition("/")[2]]
            schema = inner if isinstance(inner, dict) else {}
        return schema

    def _object(self, schema: Json, depth: int) -> Json:
        if depth > _DEEPEST:
            return {}
        return {name: self.make(each, name, depth + 1) for name, each in schema.get("properties", {}).items()}

    def _array(self, schema: Json, name: str, depth: int) -> list[Any]:
        if "prefixItems" in schema:
            return [self.make(each, name, depth + 1) for each in schema["prefixItems"]]
        items = schema.get("items")
        if not isinstance(items, dict) or depth > _DEEPEST:
            return []
        return [self.make(items, name, depth + 1)] * max(1, schema.get("minItems", 1))


def add_examples(document: Json) -> None:
    """Give every JSON body and every parameter of a path an example, unless it has one."""
    maker = ExampleMaker(document["components"]["schemas"])
    for methods in document["paths"].values():
        for operation in methods.values():
            for parameter in operation["parameters"]:
                if parameter["in"] == "path":
                    parameter.setdefault("example", maker.make(parameter["schema"], _noun(parameter["name"])))
            bodies = [operation["requestBody"]] if "requestBody" in operation else []
            for body in (*bodies, *operation["responses"].values()):
                content = body.get("content", {}).get(JSON_MEDIA)
                if content is not None:
                    content.setdefault("example", maker.make(content["schema"]))


def _noun(parameter: str) -> str:
    """Give the name by which examples know a parameter: ids of labels, points and tokens are UUIDs."""
    return "identifier" if parameter in {"label_id", "point_id", "token_id", "alarm_id"} else parameter


def _known(schema: Json, name: str) -> Sequence[Any]:
    """Give the values that a schema names itself, or the one that fits its name; none where there are none."""
    if "example" in schema or "const" in schema:
        return [schema.get("example", schema.get("const"))]
    named = schema.get("examples") or schema.get("enum") or ()
    return named or ([_BY_NAME[name]] if name in _BY_NAME and _is_of(_BY_NAME[name], schema) else ())


def _plain(schema: Json) -> Any:  # noqa: ANN401 - any JSON
    """Give a text, a number or a truth value, None for null."""
    match schema.get("type"):
        case "integer" | "number":
            return max(schema.get("minimum", 1), schema.get("exclusiveMinimum", 0) + 1)
        case "boolean":
            return schema.get("default", False)
        case "string":
            return _BY_FORMAT.get(schema.get("format", ""), _TEXT)
    return None


def _is_of(value: object, schema: Json) -> bool:
    """Tell whether a value may be of the type that a schema names."""
    kinds = {each.get("type") for each in (schema, *schema.get("anyOf", ()), *schema.get("oneOf", ()))}
    return {str: "string", int: "integer", type(None): "null"}[type(value)] in kinds
