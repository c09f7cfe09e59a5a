"""Resources on a server: listing whole collections, finding by id or name, creating, changing and deleting.

Owns paging and name look-up. HTTP belongs to ``connection``; what resources mean belongs to whoever asks for them.
"""

import re
import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from urllib.parse import parse_qsl, quote, urlsplit

from venturi.adapters.client.answers import Json
from venturi.adapters.client.collections import Attributes, Collection, Reference
from venturi.adapters.client.connection import Connection, Query
from venturi.core.domain.errors import ConflictError, InvalidRequestError, NotFoundError, ServerError
from venturi.core.domain.text import SHORT_IDENTIFIER

PAGE = 1000
"""How many resources of the metering API are asked for at once, which does not page by itself."""

LONGEST_DOCUMENT = 1 << 28
"""How many octets of a document are read at most."""

_SHORT_FORM = re.compile(f"[0-9a-fA-F]{{{SHORT_IDENTIFIER}}}[0-9a-fA-F-]{{0,27}}")
_MOST_LISTED = 5

_SMALL_PAGE = 100
"""A page that every server gives: what is larger is left to a server that pages by itself."""

Resource = dict[str, object]
"""A resource as it stands on the wire."""


class Resources:
    """The collections of one server."""

    def __init__(self, connection: Connection) -> None:
        """Ask over ``connection``, which must be started."""
        self._connection = connection

    def find_all(self, collection: Collection, filters: Query = (), limit: int | None = None) -> list[Resource]:
        """List the resources that pass ``filters``, page by page, the first ``limit`` of them or all."""
        query: Query | None = (*filters, *_page_size(collection, limit))
        found: list[Resource] = []
        seen: set[Query] = set()
        while query is not None and (limit is None or len(found) < limit):
            if query in seen:
                message = f"the list of {collection.noun}s goes round in circles, so the server does not page as it should"
                raise ServerError(message)
            seen.add(query)
            answer = _document(self._connection.ask("GET", collection.path, query=query), collection)
            page = _resources(answer.get(collection.plural), collection)
            found += page
            query = _next_query(answer, collection, query) if page else None
        return found[:limit]

    def find(self, reference: Reference) -> Resource:
        """Find a resource by its id, or else by its exact name.

        Raises the collection's ``NotFoundError`` where there is none and ``ConflictError`` where several have the name, or an id that
        begins so.
        """
        collection, text = reference.collection, reference.text
        if _is_identifier(text):
            with suppress(NotFoundError):
                return self._show(collection, text.lower())
        named = self.find_all(collection, (("name", text),)) if collection.named else []
        found = named or (self._begin(collection, text) if _SHORT_FORM.fullmatch(text) else [])
        if len(found) == 1:
            return found[0]
        if found:
            raise _ambiguous(collection, text, found, by="name" if named else "beginning of the id")
        message = (
            f"there is no {collection.noun} with the id or name '{text}'" if collection.named else f"there is no {collection.noun} '{text}'"
        )
        raise collection.missing(message)

    def complete(self, collection: Collection, text: str) -> str:
        """Give the whole id of what is named by one, or by a short one; what is no short id stays as it is."""
        if not _SHORT_FORM.fullmatch(text):
            return text
        found = self._begin(collection, text)
        if len(found) > 1:
            raise _ambiguous(collection, text, found, by="beginning of the id")
        return str(found[0]["id"]) if found else text

    def _begin(self, collection: Collection, text: str) -> list[Resource]:
        return [each for each in self.find_all(collection) if str(each.get("id", "")).startswith(text.lower())]

    def identify(self, reference: Reference) -> str:
        """Give the id of the resource that ``reference`` names; raises as ``find``."""
        return str(self.find(reference)["id"])

    def resolve(self, attributes: Attributes) -> Resource:
        """Replace references among ``attributes`` by the ids of what they name; raises as ``find``."""
        return {name: self.identify(value) if isinstance(value, Reference) else value for name, value in attributes.items()}

    def create(self, collection: Collection, attributes: Attributes) -> Resource:
        """Create a resource and give it as the server keeps it."""
        body = self.resolve(attributes)
        wrapped = {collection.singular: body} if collection.singular else body
        return self._one(self._connection.ask("POST", collection.path, body=wrapped), collection)

    def create_many(self, collection: Collection, many: Sequence[Json]) -> list[Resource]:
        """Create resources in one request, all or none, and give them in the same order."""
        answer = _document(self._connection.ask("POST", collection.path, body={collection.plural: many}), collection)
        created = _resources(answer.get(collection.plural), collection)
        if len(created) != len(many):
            message = f"{len(many)} {collection.noun}s were to be created, and the answer lists {len(created)}"
            raise ServerError(message)
        return created

    def change(self, collection: Collection, identifier: str, changes: Json) -> Resource:
        """Change attributes of a resource and give it as it is then."""
        path = f"{collection.change_path}/{quote(identifier, safe='')}"
        return self._one(self._connection.ask("PATCH", path, body=changes), collection)

    def delete(self, collection: Collection, identifier: str) -> None:
        """Delete a resource."""
        self._connection.ask("DELETE", f"{collection.path}/{quote(identifier, safe='')}")

    def ask(self, method: str, path: str, body: Json | None = None, *, query: Query = ()) -> Json:
        """Ask for what is in no collection and is answered by an object."""
        answer = self._connection.ask(method, path, query=query, body=body)
        if not isinstance(answer, dict):
            message = f"{method} {path}: the answer is no JSON object"
            raise ServerError(message)
        return answer

    def fetch(self, path: str, query: Query) -> bytes:
        """Get octets as they are."""
        found = self._connection.fetch(path, query, "", LONGEST_DOCUMENT)
        return b"" if found is None else found[1]

    def offers(self, path: str) -> bool:
        """Tell whether the server has anything at a path, which an older one may not (404, or 405 of what is in between)."""
        try:
            self._connection.ask("OPTIONS", path)
        except (NotFoundError, InvalidRequestError):
            return False
        return True

    def _show(self, collection: Collection, identifier: str) -> Resource:
        return self._one(self._connection.ask("GET", f"{collection.path}/{quote(identifier, safe='')}"), collection)

    def _one(self, answer: object, collection: Collection) -> Resource:
        document = _document(answer, collection)
        wrapped = document.get(collection.singular) if collection.singular and collection.singular in document else document
        return _resources([wrapped], collection)[0]


def _ambiguous(collection: Collection, text: str, found: Sequence[Resource], *, by: str) -> ConflictError:
    """Say which resources are meant by the same text, so that one can be chosen."""
    listed = [_distinguish(each) for each in found[:_MOST_LISTED]]
    more = f" and {len(found) - _MOST_LISTED} more" if len(found) > _MOST_LISTED else ""
    return ConflictError(f"{len(found)} {collection.noun}s have the {by} '{text}': give the id, {', '.join(listed)}{more}")


def _distinguish(resource: Resource) -> str:
    project = resource.get("project_id")
    return f"{resource['id']} (project '{project}')" if project else str(resource["id"])


def _page_size(collection: Collection, limit: int | None) -> Query:
    if collection.singular is not None:
        return (("limit", str(min(limit or PAGE, PAGE))),)
    return (("limit", str(limit)),) if limit is not None and limit <= _SMALL_PAGE else ()


def _document(answer: object, collection: Collection) -> Resource:
    if not isinstance(answer, dict):
        raise _nonsense(collection)
    return answer


def _resources(answer: object, collection: Collection) -> list[Resource]:
    if not isinstance(answer, list) or not all(isinstance(each, dict) and collection.columns[0] in each for each in answer):
        raise _nonsense(collection)
    return answer


def _nonsense(collection: Collection) -> ServerError:
    message = f"the answer does not describe {collection.noun}s, so this is no venturi server, or one of another version"
    return ServerError(message)


def _next_query(answer: Json, collection: Collection, query: Query) -> Query | None:
    """Find the query of the next page: by Neutron's links, of which only the query counts, or by a marker."""
    for link in _links(answer.get(f"{collection.plural}_links")):
        return tuple(parse_qsl(urlsplit(link).query, keep_blank_values=True))
    marker = answer.get("next")
    if marker is None:
        return None
    return (*(pair for pair in query if pair[0] != "marker"), ("marker", str(marker)))


def _links(links: object) -> Iterator[str]:
    for link in links if isinstance(links, list) else ():
        if isinstance(link, dict) and link.get("rel") == "next":
            yield str(link.get("href"))


def _is_identifier(text: str) -> bool:
    """Tell whether a text may be the id of anything: a UUID, or the number of a revision."""
    try:
        return text.isdecimal() or str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False
