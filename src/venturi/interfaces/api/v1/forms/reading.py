"""The reading of bodies and queries of the own API; whatever is wrong becomes one sentence that names the field.

Owns how a request is refused. What a field may hold is for ``texts``.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from types import UnionType
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from venturi.core.domain.control.listing import Listing
from venturi.core.domain.errors import InvalidRequestError
from venturi.core.domain.text import is_fit
from venturi.core.rules.checks import printable
from venturi.interfaces.api.openapi.declaring import Parameter
from venturi.interfaces.api.v1.forms.texts import REFUSALS, FitText

Form = TypeVar("Form")
Resource = TypeVar("Resource")
Query = Mapping[str, Sequence[str]]
"""The values of each query parameter, by name."""

Filters = Mapping[str, Any]
"""The attributes that a list can be filtered by, and the types of their values."""

_PLACE = re.compile(r"(?P<reason>.*?)(?: - at `(?:key in )?\$(?P<place>[^`]*)`)?")
_FIELD = re.compile(r"Object (?P<fault>missing required|contains unknown) field `(?P<field>.*)`")
_PATTERN = re.compile(r"Expected `str` matching regex (?P<pattern>'.*'|\".*\")")
_TRUTHS: Mapping[str, bool] = {"true": True, "false": False}


def read_body(body: bytes, form: type[Form]) -> Form:
    """Decode a JSON body; raises ``InvalidRequestError`` that names the field in which it is wrong."""
    read: Form = read_variant(body, form)
    return read


def read_variant(body: bytes, form: type | UnionType) -> Any:  # noqa: ANN401 - what it is depends on the union
    """Decode a JSON body that may have one of several forms, told apart by a tag; raises as ``read_body`` does."""
    try:
        read = _decode(body, form)
    except msgspec.ValidationError as error:
        raise InvalidRequestError(_explain(str(error))) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        message = f"the body is no JSON: {printable(error)}"
        raise InvalidRequestError(message) from error
    _refuse_unfit_characters(msgspec.to_builtins(read), "")
    return read


def listing_parameters(filters: Filters | None = None, marker: Any = FitText) -> list[Parameter]:  # noqa: ANN401 - a type
    """Describe what ``read_listing`` reads."""
    return [
        Parameter(name="limit", description="How many the page holds at most.", form=Annotated[int, Meta(ge=1)]),
        Parameter(name="marker", description="The ``next`` of the page before.", form=marker),
        *(
            Parameter(name=name, description=f"Only those with this very {name}; repeated, any of them.", form=form, many=True)
            for name, form in (filters or {}).items()
        ),
    ]


def _decode(body: bytes, form: type | UnionType) -> Any:  # noqa: ANN401 - what it is depends on the form
    """Decode a body; a whole number may be spelled with a fraction of zero, as it is an integer to JSON Schema too."""
    try:
        return msgspec.json.decode(body, type=form)
    except msgspec.ValidationError as error:
        if "got `float`" not in str(error):
            raise
        return msgspec.convert(_whole(msgspec.json.decode(body)), type=form)


def _whole(value: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        return {name: _whole(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_whole(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def read_listing(query: Query, largest: int, filters: Filters | None = None) -> Listing:
    """Read ``limit``, by default and at most ``largest``, ``marker`` and exact filters; raises ``InvalidRequestError`` for any other name.

    The listing asks for one resource more than the page holds, which tells whether another page follows (``cut_page``).
    """
    attributes = filters or {}
    unknown = sorted(set(query) - {"limit", "marker"} - set(attributes))
    if unknown:
        message = f"{printable(unknown[0])}: this list has no such parameter; it can be filtered by {', '.join(attributes) or 'nothing'}"
        raise InvalidRequestError(message)
    given = {name: tuple(_filter_value(name, text, form) for text in query[name]) for name, form in attributes.items() if name in query}
    text = read_once(query, "limit")
    limit = largest if text is None else read_whole_number("limit", text, 1, largest)
    marker = read_once(query, "marker")
    _refuse_unfit_characters(marker, "marker")
    return Listing(filters=given, limit=limit + 1, marker=marker)


def cut_page(found: Sequence[Resource], listing: Listing, marker_of: Callable[[Resource], str]) -> tuple[Sequence[Resource], str | None]:
    """Give the resources of a page and the marker of the next one, None if there is none."""
    size = (listing.limit or len(found) + 1) - 1
    if len(found) <= size:
        return found, None
    return found[:size], marker_of(found[size - 1])


def read_once(query: Query, name: str) -> str | None:
    """Give the value of a query parameter that may be given once, or None; raises ``InvalidRequestError`` if it is given more often."""
    values = query.get(name, ())
    if len(values) > 1:
        message = f"{name}: given {len(values)} times"
        raise InvalidRequestError(message)
    return values[0] if values else None


def read_whole_number(name: str, text: str, lowest: int, highest: int) -> int:
    """Read a number between bounds, both included; else ``InvalidRequestError``."""
    number = int(text) if re.fullmatch("[0-9]{1,18}", text) else -1
    if not lowest <= number <= highest:
        message = f"{name}: '{printable(text)}' is no whole number from {lowest} to {highest}"
        raise InvalidRequestError(message)
    return number


def read_text(name: str, text: str, form: type[Form]) -> Form:
    """Check the text of a query or path parameter against a type of ``texts``; else ``InvalidRequestError``."""
    try:
        read = msgspec.convert(text, type=form)
    except msgspec.ValidationError as error:
        message = f"{name}: {_reason(str(error))}"
        raise InvalidRequestError(message) from error
    _refuse_unfit_characters(read, f".{name}")
    return read


def read_boolean(name: str, text: str) -> bool:
    """Read ``true`` or ``false``; else ``InvalidRequestError``."""
    if text not in _TRUTHS:
        message = f"{name}: '{printable(text)}' is neither true nor false"
        raise InvalidRequestError(message)
    return _TRUTHS[text]


def _filter_value(name: str, text: str, form: Any) -> object:  # noqa: ANN401 - a type
    if form is bool:
        return read_boolean(name, text)
    _refuse_unfit_characters(text, name)
    words = list(form) if isinstance(form, type) and issubclass(form, StrEnum) else [text]
    if text not in words:
        message = f"{name}: '{printable(text)}' is none of {', '.join(words)}"
        raise InvalidRequestError(message)
    return text


def _explain(text: str) -> str:
    found = _PLACE.fullmatch(text)
    place = (found["place"] or "").lstrip(".") if found else ""
    reason = found["reason"] if found else text
    field = _FIELD.fullmatch(reason)
    if field and field["fault"] == "missing required":
        place, reason = f"{place}.{field['field']}".lstrip("."), "this field is required"
    elif field:
        reason = f"there is no field '{field['field']}' here"
    reason = _reason(reason)
    return f"{printable(place)}: {reason}" if place else f"the body: {reason}"


def _reason(text: str) -> str:
    found = _PATTERN.match(text)
    if found:
        known = next((words for pattern, words in REFUSALS.items() if repr(pattern) == found["pattern"]), None)
        if known:
            return f"expected {known}"
    return printable(text.replace("`", "'"))


def _refuse_unfit_characters(value: object, place: str) -> None:
    if isinstance(value, str):
        if not is_fit(value):
            message = f"{place.lstrip('.') or 'the body'}: control and invisible characters are not allowed"
            raise InvalidRequestError(message)
    elif isinstance(value, dict):
        for name, each in value.items():
            _refuse_unfit_characters(each, f"{place}.{name}")
    elif isinstance(value, list | tuple):
        for number, each in enumerate(value):
            _refuse_unfit_characters(each, f"{place}[{number}]")
