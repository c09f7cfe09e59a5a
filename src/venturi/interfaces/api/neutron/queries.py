"""Queries of lists in the Networking API: filters, order, page and fields.

Owns the translation of a query string into a ``Listing``. Links to other pages are for ``links``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import parse_qsl

from msgspec import Meta

from venturi.core.domain.control.listing import Listing, SortKey
from venturi.core.domain.errors import RefusedRequestError
from venturi.core.rules.checks import check_label_boolean
from venturi.interfaces.api.neutron.attributes import INVALID_INPUT, check_value
from venturi.interfaces.api.openapi.declaring import Parameter

FIELDS = Parameter(name="fields", description="An attribute to answer with; without any, all.", many=True)
_PAGING = (
    Parameter(name="limit", description="How many there are on a page; 0 for all.", form=Annotated[int, Meta(ge=0)]),
    Parameter(name="marker", description="The id of the last one before the page."),
    Parameter(name="page_reverse", description="True for the page before the marker; any other text is false."),
    FIELDS,
)
PAGING = frozenset({"sort_key", "sort_dir", *(parameter.name for parameter in _PAGING)})
"""The parameters that are no filters."""

_LARGEST_LIMIT = 2**31 - 1
_ASCENDING = "asc"
_DIRECTIONS = (_ASCENDING, "desc")

Query = Sequence[tuple[str, str]]
"""The parameters of a query in order, repeated ones too."""


@dataclass(frozen=True)
class Filterable:
    """The attributes by which a collection can be filtered and sorted.

    ``aliases`` are other names of some, ``booleans`` hold truth values, ``absent`` are those that a resource may lack: an empty
    text is none of their values.
    """

    attributes: Sequence[str]
    aliases: Mapping[str, str]
    booleans: frozenset[str]
    absent: frozenset[str] = frozenset()


LABELS = Filterable(("id", "name", "description", "shared", "project_id"), {"tenant_id": "project_id"}, frozenset({"shared"}))
_PREFIXES = ("remote_ip_prefix", "source_ip_prefix", "destination_ip_prefix")
RULES = Filterable(
    ("id", "metering_label_id", "direction", "excluded", *_PREFIXES), {}, frozenset({"excluded"}), absent=frozenset(_PREFIXES)
)


def list_parameters(filterable: Filterable) -> list[Parameter]:
    """Describe what a list can be asked for."""
    names = [*filterable.attributes, *filterable.aliases]
    forms = dict.fromkeys(filterable.booleans, bool)
    keys = Annotated[str, Meta(extra_json_schema={"enum": ["", *names]})]
    directions = Annotated[str, Meta(extra_json_schema={"enum": ["", *_DIRECTIONS]})]
    return [
        *_PAGING,
        Parameter(name="sort_key", description="An attribute to order by; an empty text is none.", form=keys, many=True),
        Parameter(name="sort_dir", description="asc or desc, for each sort_key; an empty text is none.", form=directions, many=True),
        *(Parameter(name=name, description=f"Only those with this {name}.", form=forms.get(name, str), many=True) for name in names),
    ]


def parse_query(query_string: bytes) -> Query:
    """Part a query string; a parameter without ``=`` has an empty value."""
    return parse_qsl(query_string.decode("latin-1"), keep_blank_values=True)


def read_listing(query: Query, filterable: Filterable) -> Listing:
    """Read what a list is asked for; raises ``RefusedRequestError``.

    Without a limit there are no pages, and no marker (``unused_marker``). An empty tuple of filter values is met by nothing.
    """
    filters = _read_filters(query, filterable)
    sort = _read_sort(query, filterable)
    limit = _read_limit(query)
    marker = (_last(query, "marker") or None) if limit is not None else None
    reverse = limit is not None and (_last(query, "page_reverse") or "").lower() == "true"
    return Listing(filters=filters, sort=sort, limit=limit, marker=marker, page_reverse=reverse)


def unused_marker(query: Query, listing: Listing) -> str | None:
    """Give the marker of a list that has no pages: it changes nothing, but must exist."""
    return _last(query, "marker") or None if listing.limit is None else None


def read_fields(query: Query) -> frozenset[str] | None:
    """Give the names of the attributes that an answer is to hold, None for all."""
    return frozenset(value for name, value in query if name == "fields" and value) or None


def _read_filters(query: Query, filterable: Filterable) -> Mapping[str, tuple[object, ...]]:
    given: dict[str, list[object]] = {}
    for name, value in query:
        if name not in PAGING:
            given.setdefault(name, []).append(value)
    invalid = [name for name in given if name not in filterable.attributes and name not in filterable.aliases]
    if invalid:
        message = f"{invalid} is invalid attribute for filtering"
        raise RefusedRequestError(message)
    filters: dict[str, tuple[object, ...]] = {}
    for name, values in given.items():
        attribute = filterable.aliases.get(name, name)
        allowed = _read_values(attribute, values, filterable)
        filters[attribute] = tuple(value for value in filters[attribute] if value in allowed) if attribute in filters else allowed
    return filters


def _read_values(attribute: str, values: Sequence[object], filterable: Filterable) -> tuple[object, ...]:
    if attribute in filterable.booleans:
        return tuple(check_value(attribute, value, check_label_boolean, INVALID_INPUT) for value in values)
    return tuple(value for value in values if value or attribute not in filterable.absent)


def _read_sort(query: Query, filterable: Filterable) -> tuple[SortKey, ...]:
    keys = [value for name, value in query if name == "sort_key" and value]
    directions = [value for name, value in query if name == "sort_dir" and value]
    if len(keys) != len(directions):
        message = "The number of sort_keys and sort_dirs must be same"
        raise RefusedRequestError(message)
    attributes = [filterable.aliases.get(key, key) for key in keys]
    invalid = [key for key, attribute in zip(keys, attributes, strict=True) if attribute not in filterable.attributes]
    if invalid:
        message = f"{invalid} is invalid attribute for sort_keys"
        raise RefusedRequestError(message)
    wrong = [direction for direction in directions if direction not in _DIRECTIONS]
    if wrong:
        message = f"{wrong} is invalid value for sort_dirs, valid value is 'asc' and 'desc'"
        raise RefusedRequestError(message)
    return tuple(SortKey(key, direction == _ASCENDING) for key, direction in zip(attributes, directions, strict=True))


def _read_limit(query: Query) -> int | None:
    """Read the limit, None for none; one that no list reaches is as good as the largest."""
    text = _last(query, "limit")
    if text is None:
        return None
    try:
        limit = int(text)
    except ValueError:
        limit = -1
    if limit < 0:
        message = f"Bad limit request: Limit must be an integer 0 or greater and not '{text}'."
        raise RefusedRequestError(message, "BadRequest")
    return min(limit, _LARGEST_LIMIT) or None


def _last(query: Query, name: str) -> str | None:
    return next((value for key, value in reversed(query) if key == name), None)
