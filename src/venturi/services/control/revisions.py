"""Revisions, read back: their list, what each changed, and the whole state of any.

Owns who may read them. They are written with every change, by the store.
"""

from dataclasses import dataclass

from venturi.adapters.store.store import Store
from venturi.core.domain.control.listing import Listing
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.control.revision import Change, Revision
from venturi.core.domain.errors import RevisionNotFoundError
from venturi.core.domain.label import MeteringLabel
from venturi.core.domain.point import ObservationPoint
from venturi.core.rules.given_rule import GivenRule
from venturi.services.control.policy import Operation, require


@dataclass(frozen=True, kw_only=True)
class State:
    """All labels with their rules as given, and all observation points, as they stood at a revision."""

    revision: Revision
    labels: list[tuple[MeteringLabel, list[GivenRule]]]
    points: list[ObservationPoint]


class RevisionControl:
    """What callers read of revisions."""

    def __init__(self, store: Store) -> None:
        """Read from ``store``."""
        self._store = store

    def list_revisions(self, caller: Principal, listing: Listing) -> list[Revision]:
        """List revisions; raises ``ForbiddenError``."""
        require(caller, Operation.LIST_REVISIONS)
        with self._store.reading() as reader:
            return reader.revisions.list(listing)

    def find(self, caller: Principal, number: int) -> tuple[Revision, list[Change]]:
        """Give a revision and what it changed; raises ``RevisionNotFoundError`` and ``ForbiddenError``."""
        require(caller, Operation.SHOW_REVISION)
        with self._store.reading() as reader:
            return _known(reader.revisions.find(number), number), reader.revisions.changes(number)

    def state(self, caller: Principal, number: int) -> State:
        """Give all that stood at a revision; raises ``RevisionNotFoundError`` and ``ForbiddenError``."""
        require(caller, Operation.SHOW_REVISION)
        with self._store.reading() as reader:
            revision = _known(reader.revisions.find(number), number)
            return State(revision=revision, labels=reader.revisions.labels_at(number), points=reader.revisions.points_at(number))


def _known(revision: Revision | None, number: int) -> Revision:
    if revision is None:
        message = f"Revision {number} does not exist."
        raise RevisionNotFoundError(message)
    return revision
