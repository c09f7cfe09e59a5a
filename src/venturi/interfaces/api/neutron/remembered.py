"""Lists that were answered before and hold still.

Owns how long an answer is remembered: as long as its revision is the latest, since every change of labels or rules makes another. What
a list holds, and who may see it, is for the services.
"""

import threading
from collections.abc import Callable
from http import HTTPStatus

from litestar import Response

from venturi.core.domain.control.principal import Principal, Role
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

    def __init__(self, latest_revision: Callable[[], int]) -> None:
        """Ask ``latest_revision`` at each list; it may be asked by any thread."""
        self._latest_revision = latest_revision
        self._lock = threading.Lock()
        self._revision = -1
        self._answers: dict[_Key, bytes] = {}
        self._octets = 0

    def answer(self, collection: str, request: ApiRequest, caller: Principal, make: Callable[[], Response[bytes]]) -> Response[bytes]:
        """Give the answer to a list as remembered, else made; one made while a change is under way is at least as new as it claims."""
        query = request.scope["query_string"]
        if any(name == "limit" for name, _ in parse_query(query)):
            return make()
        key = (collection, query, caller.project_id, caller.roles)
        revision = self._latest_revision()
        known = self._find(revision, key)
        if known is not None:
            return Response(known, status_code=HTTPStatus.OK, media_type=JSON_MEDIA)
        made = make()
        self._keep(revision, key, made.content)
        return made

    def _find(self, revision: int, key: _Key) -> bytes | None:
        with self._lock:
            return self._answers.get(key) if revision == self._revision else None

    def _keep(self, revision: int, key: _Key, answer: bytes) -> None:
        with self._lock:
            if revision < self._revision:
                return
            octets = len(answer) + len(key[1]) + _OVERHEAD
            full = self._octets + octets > MOST_OCTETS or len(self._answers) >= MOST_ANSWERS
            if revision > self._revision or full:
                self._answers.clear()
                self._octets = 0
                self._revision = revision
            if octets <= MOST_OCTETS and key not in self._answers:
                self._answers[key] = answer
                self._octets += octets
