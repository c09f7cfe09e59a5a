"""Lists: filters, order and pages by key, on any table.

Owns how a ``Listing`` becomes a statement. A page begins at the sort keys of its marker, so its cost does not grow with
what lies before it. Columns that are listed are never NULL, so order and comparison are the same on every database.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, false, func, literal, or_, select

from venturi.adapters.store.transaction import Transaction
from venturi.core.domain.control.listing import Listing, SortKey
from venturi.core.domain.errors import InvalidRequestError, NotFoundError

_NUMBER = re.compile("[0-9]{1,18}")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


@dataclass(frozen=True)
class Collection:
    """What is listed: its columns, and the attributes to filter and sort by, ``id`` among them."""

    name: str
    columns: Sequence[ColumnElement[Any]]
    attributes: Mapping[str, ColumnElement[Any]]


@dataclass(frozen=True)
class _Order:
    """The sort keys of a list, the one named ``id`` or the like last, as expressions with their direction."""

    keys: Sequence[tuple[ColumnElement[Any], bool]]

    def beyond(self, marker: Sequence[Any]) -> ColumnElement[bool]:
        """Give the condition of lying after the sort keys of a marker.

        The first key by itself is a redundant bound, from which an index can be read.
        """
        choices: list[ColumnElement[bool]] = []
        equal: list[ColumnElement[bool]] = []
        for (key, ascending), given in zip(self.keys, marker, strict=True):
            limit = literal(given, key.type)
            choices.append(and_(*equal, key > limit if ascending else key < limit))
            equal.append(key == limit)
        first, ascending = self.keys[0]
        limit = literal(marker[0], first.type)
        return and_(first >= limit if ascending else first <= limit, or_(*choices))


def read_page(
    transaction: Transaction, collection: Collection, listing: Listing, restriction: ColumnElement[bool] | None = None
) -> Sequence[Row[Any]]:
    """Read the page that ``listing`` asks for of what meets ``restriction``.

    Raises ``NotFoundError`` for a marker that is not there, ``InvalidRequestError`` for an attribute that is none.
    """
    order = _order(collection, listing)
    statement = select(*collection.columns)
    if restriction is not None:
        statement = statement.where(restriction)
    for attribute, wanted in listing.filters.items():
        statement = statement.where(_meets(_attribute(collection, attribute), wanted))
    if listing.marker is not None:
        statement = statement.where(order.beyond(_read_marker(transaction.connection, collection, listing.marker, order, restriction)))
    statement = statement.order_by(*(key.asc() if ascending else key.desc() for key, ascending in order.keys))
    if listing.limit is not None:
        statement = statement.limit(listing.limit)
    with transaction.fetching:
        rows = transaction.connection.execute(statement).all()
    return rows[::-1] if listing.page_reverse else rows


def searched(text: str, name: ColumnElement[str], identifier: ColumnElement[str]) -> ColumnElement[bool]:
    """Give the condition that a name holds a text, in either case of its letters, or that the text is the id."""
    if not storable(text):
        return false()
    return or_(func.lower(name).contains(text.lower(), autoescape=True), identifier == text)


def storable(text: str) -> bool:
    """Tell whether a database can hold a text: none holds half a surrogate pair, and PostgreSQL no NUL."""
    return _UNSTORABLE.search(text) is None


def _order(collection: Collection, listing: Listing) -> _Order:
    """Order by the sort keys of ``listing``, each once, then by id; backwards for a page before its marker."""
    directions: dict[str, bool] = {}
    for key in (*listing.sort, SortKey("id", ascending=True)):
        directions.setdefault(key.attribute, key.ascending)
    keys = [(_attribute(collection, name), ascending) for name, ascending in directions.items()]
    identifier = list(directions).index("id")
    return _Order([(key, ascending is not listing.page_reverse) for key, ascending in keys[: identifier + 1]])


def _attribute(collection: Collection, name: str) -> ColumnElement[Any]:
    column = collection.attributes.get(name)
    if column is None:
        message = f"'{name}' is no attribute of a {collection.name}"
        raise InvalidRequestError(message)
    return column


def _meets(column: ColumnElement[Any], wanted: Sequence[object]) -> ColumnElement[bool]:
    """Give the condition of having one of the values; those of another type than the column's are never met."""
    kind = column.type.python_type
    fitting = [value for value in wanted if type(value) is kind and (not isinstance(value, str) or storable(value))]
    if not fitting:
        return false()
    return column == fitting[0] if len(fitting) == 1 else column.in_(fitting)


def _read_marker(
    connection: Connection, collection: Collection, marker: str, order: _Order, restriction: ColumnElement[bool] | None
) -> Sequence[Any]:
    """Read the sort keys of the resource that a page comes after."""
    identifier = collection.attributes["id"]
    wanted = int(marker) if identifier.type.python_type is int and _NUMBER.fullmatch(marker) else marker
    statement: Select[Any] = select(*(key for key, _ in order.keys)).where(_meets(identifier, (wanted,)))
    if restriction is not None:
        statement = statement.where(restriction)
    row = connection.execute(statement).first()
    if row is None:
        message = f"there is no {collection.name} '{marker}' to list from"
        raise NotFoundError(message)
    return row
