"""Bodies of requests to the Networking API: octets to the mappings of attributes that they carry.

Owns JSON and envelopes, single and plural. What the attributes may be is for ``attributes``. The form is JSON whatever
Content-Type says; of a key given twice, the last counts.
"""

from collections.abc import Mapping

import msgspec

from venturi.core.domain.errors import RefusedRequestError, RequestTooLargeError

Attributes = Mapping[str, object]

_DECODER = msgspec.json.Decoder()
_ECHOED = 1024
_INVALID = "Body contains invalid data"
_OBJECTS_EACH, _VALUES_EACH = 2, 16
_TO_SPARE = 10_000


def read_new(body: bytes, resource: str, most: int) -> tuple[list[Attributes], bool]:
    """Give the resources that a POST asks for, and whether they came in the plural envelope.

    Raises ``RefusedRequestError``, and ``RequestTooLargeError`` for more than ``most`` resources.
    """
    document = _decode(body, most) if body else None
    if not document:
        message = "Resource body required"
        raise RefusedRequestError(message)
    if not isinstance(document, dict):
        raise RefusedRequestError(_INVALID)
    collection = f"{resource}s"
    if collection in document:
        return _read_many(document[collection], resource, most), True
    return [_read_one(document, resource)], False


def read_changes(body: bytes, resource: str) -> Attributes:
    """Give the attributes that a PUT asks to change; raises ``RefusedRequestError``."""
    document = _decode(body) if body else None
    if not isinstance(document, dict | list):
        message = f"Bad body request: Invalid format: {body[:_ECHOED]!r}."
        raise RefusedRequestError(message, "BadRequest")
    if not document:
        message = "Resource body required"
        raise RefusedRequestError(message)
    if isinstance(document, list):
        raise RefusedRequestError(_INVALID)
    if f"{resource}s" in document:
        message = "Bulk operation not supported"
        raise RefusedRequestError(message)
    return _read_one(document, resource)


def refuse_body(body: bytes) -> None:
    """Raise ``RefusedRequestError`` if a DELETE has a body."""
    if body:
        message = "Request body is not supported in DELETE."
        raise RefusedRequestError(message)


def _decode(body: bytes, most: int = 1) -> object:
    """Decode a body for ``most`` resources; one of many more values would take many times its length in memory, and is refused unread."""
    if body.count(b"{") > _OBJECTS_EACH * most + _TO_SPARE or body.count(b",") > _VALUES_EACH * most + _TO_SPARE:
        message = f"the body has too many JSON values for one request, which may carry {most} resources at most"
        raise RequestTooLargeError(message)
    try:
        return _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        message = "Malformed request body: Cannot understand JSON."
        raise RefusedRequestError(message, "MalformedRequestBody") from error


def _read_many(resources: object, resource: str, most: int) -> list[Attributes]:
    if not resources:
        message = "Resources required"
        raise RefusedRequestError(message)
    if not isinstance(resources, list | dict | str):
        raise RefusedRequestError(_INVALID)
    if len(resources) > most:
        message = f"{len(resources)} resources in one request; it may carry {most} at most"
        raise RequestTooLargeError(message)
    return [_read_member(each, resource) for each in resources]


def _read_member(member: object, resource: str) -> Attributes:
    """Read one of many resources, which may stand in the envelope of one."""
    if not isinstance(member, dict | list | str):
        raise RefusedRequestError(_INVALID)
    enveloped = isinstance(member, dict) and resource in member
    return _read_one(member if isinstance(member, dict) and enveloped else {resource: member}, resource)


def _read_one(document: Mapping[str, object], resource: str) -> Attributes:
    attributes = document.get(resource)
    if attributes is None:
        message = f"Unable to find '{resource}' in request body"
        raise RefusedRequestError(message)
    if not isinstance(attributes, dict):
        message = f"Object '{resource}' contains invalid data"
        raise RefusedRequestError(message)
    return attributes
