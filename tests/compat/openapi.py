"""What the API promises, as short sentences out of its OpenAPI document; ``python -m tests.compat.openapi`` keeps the present ones, too.

Owns what counts as a promise: operations, parameters and their values, fields of requests, statuses and fields of answers. Descriptions,
names of schemas and bounds do not.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.support.document import make_document

KEPT = Path(__file__).parent / "made" / "api.txt"
"""The promises that were made so far, a line each, and what each operation needs."""

_METHODS = frozenset({"get", "post", "put", "patch", "delete"})
_ALTERNATIVES = ("anyOf", "oneOf", "allOf")


def read_kept() -> set[str]:
    """Read what was promised so far."""
    return set(KEPT.read_text(encoding="utf-8").splitlines())


def list_promises(document: Mapping[str, Any]) -> set[str]:
    """List what a document promises; parameters of a path have no names of their own."""
    return set(_promises(document))


def list_needs(document: Mapping[str, Any]) -> set[str]:
    """List what callers must give: of an operation that is promised, none may be added."""
    needs = set()
    for operation, described in _operations(document):
        given = [each for each in described.get("parameters", []) if each.get("required") and each["in"] != "path"]
        needs |= {f"{operation} needs parameter {each['name']}" for each in given}
        needs |= {f"{operation} needs request {name}" for schema in _bodies(described) for name in _fields(document, schema, needed=True)}
    return needs


def find_broken(document: Mapping[str, Any], kept: Collection[str], removals: Collection[str]) -> list[str]:
    """Name what was promised and is gone, unless its removal was announced, and what promised operations have come to need."""
    promises, needs = list_promises(document), list_needs(document)
    gone = {each for each in kept if " needs " not in each} - promises - set(removals)
    promised = {each for each in kept if each.count(" ") == 1}
    added = {each for each in needs - set(kept) if " ".join(each.split(" ")[:2]) in promised}
    return sorted(gone | added)


def present_document() -> Mapping[str, Any]:
    """Give the present document, as it is sent."""
    return make_document()


def _promises(document: Mapping[str, Any]) -> Iterator[str]:
    for operation, described in _operations(document):
        yield operation
        for parameter in described.get("parameters", []):
            if parameter["in"] == "path":
                continue
            yield f"{operation} parameter {parameter['name']}"
            yield from (f"{operation} parameter {parameter['name']} value {word}" for word in _words(document, parameter["schema"]))
        for schema in _bodies(described):
            yield from (f"{operation} request {name}" for name in _fields(document, schema))
        for status, answer in described["responses"].items():
            if status.startswith("2"):
                yield f"{operation} answer {status}"
                for media_type, content in answer.get("content", {}).items():
                    yield f"{operation} answer {status} {media_type}"
                    yield from (f"{operation} answer {name}" for name in _fields(document, content.get("schema", {})))


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for path, operations in document["paths"].items():
        for method, described in operations.items():
            if method in _METHODS:
                yield f"{method.upper()} {re.sub(r'{[^}]*}', '{}', path)}", described


def _bodies(described: Mapping[str, Any]) -> list[Any]:
    return [content.get("schema", {}) for content in described.get("requestBody", {}).get("content", {}).values()]


def _resolve(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def _fields(
    document: Mapping[str, Any], schema: Mapping[str, Any], where: str = "", seen: tuple[int, ...] = (), *, needed: bool = False
) -> Iterator[str]:
    """Give the paths of the fields below a schema; with ``needed``, of those that must be given."""
    schema = _resolve(document, schema)
    if id(schema) in seen:
        return
    within = (*seen, id(schema))
    for alternative in _ALTERNATIVES:
        for each in schema.get(alternative, []):
            yield from _fields(document, each, where, within, needed=needed)
    if "items" in schema:
        yield from _fields(document, schema["items"], f"{where}[]", within, needed=needed)
    required = schema.get("required", [])
    for name, field in schema.get("properties", {}).items():
        if not needed or name in required:
            yield f"{where}.{name}"
            yield from _fields(document, field, f"{where}.{name}", within, needed=needed)


def _words(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[str]:
    """Give the values of an enumeration."""
    schema = _resolve(document, schema)
    yield from map(str, schema.get("enum", []))
    for alternative in _ALTERNATIVES:
        for each in schema.get(alternative, []):
            yield from _words(document, each)
    if "items" in schema:
        yield from _words(document, schema["items"])


if __name__ == "__main__":
    present = present_document()
    KEPT.write_text("".join(f"{line}\n" for line in sorted(read_kept() | list_promises(present) | list_needs(present))), encoding="utf-8")
