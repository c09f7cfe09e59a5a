"""Lists that were answered before and hold still.

Owns how long an answer is remembered: as long as its revision is the latest, since every change of labels or rules makes another. What
a list holds, and who may see it, is for the services.
"""

import threading
from collections.abc import Callable
from http import HTTPStatus

from litestar import Response

from venturi.core.domain.control.principal import Principal, Role
from venturi.core.domain.control.revision import LatestRevision
from venturi.interfaces.api.neutron.queries import parse_query
from venturi.interfaces.api.neutron.wire import JSON_MEDIA, ApiRequest

MOST_OCTETS = 4 << 20
"""How much is remembered in all, answers and what they are remembered by; a larger answer is not remembered."""

MOST_ANSWERS = 1_000
"""How many answers are remembered."""

_OVERHEAD = 1_000
"""What an answer costs besides its octets and those of its query, about."""

_Key = tuple[str, bytes, str, frozenset[Role]]


class RememberedLists:
    """Remembers whole lists, by collection, query, project and roles. Pages, which carry links to other pages, are not remembered."""

    def __init__(self, latest: Callable[[], LatestRevision]) -> None:
        """Ask ``latest`` before and after each list is made; it may be asked by any thread."""
        self._latest = latest
        self._lock = threading.Lock()
        self._revision: LatestRevision | None = None
        self._answers: dict[_Key, bytes] = {}
        self._octets = 0

    def answer(self, collection: str, request: ApiRequest, caller: Principal, make: Callable[[], Response[bytes]]) -> Response[bytes]:
        """Give the answer to a list as remembered, else made; one during which the latest revision became another is not remembered.

        A revision is known by its number and time, so that lists of a database that was put back under the server are forgotten.
        """
        query = request.scope["query_string"]
        if any(name == "limit" for name, _ in parse_query(query)):
            return make()
        key = (collection, query, caller.project_id, caller.roles)
        revision = self._latest()
        known = self._find(revision, key)
        if known is not None:
            return Response(known, status_code=HTTPStatus.OK, media_type=JSON_MEDIA)
        made = make()
        if self._latest() == revision:
            self._keep(revision, key, made.content)
        return made

    def _find(self, revision: LatestRevision, key: _Key) -> bytes | None:
        with self._lock:
            return self._answers.get(key) if revision == self._revision else None

    def _keep(self, revision: LatestRevision, key: _Key, answer: bytes) -> None:
        with self._lock:
            octets = len(answer) + len(key[1]) + _OVERHEAD
            full = self._octets + octets > MOST_OCTETS or len(self._answers) >= MOST_ANSWERS
            if revision != self._revision or full:
                self._answers.clear()
                self._octets = 0
                self._revision = revision
            if octets <= MOST_OCTETS and key not in self._answers:
                self._answers[key] = answer
                self._octets += octets
