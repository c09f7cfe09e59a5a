"""Reading the ledger back: postings, their entries, and the spools that they came from.

Owns who may read what.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from venturi.adapters.store.ledger.reading import Entry
from venturi.adapters.store.ledger.spools import Spool
from venturi.adapters.store.store import Store
from venturi.core.domain.control.listing import Listing
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.errors import EntryNotFoundError
from venturi.services.control.policy import Operation, require


@dataclass(frozen=True)
class SpoolState:
    """A spool as the ledger has it, and how many of its batches are kept aside."""

    spool: Spool
    conflicts: int


class LedgerReading:
    """What callers read of the ledger."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def spool(self, caller: Principal, spool_id: str) -> SpoolState:
        """Give what is posted of a spool: of one that nothing is posted of, and of another agent's, nothing. Raises ``ForbiddenError``."""
        require(caller, Operation.SHOW_SPOOL)
        with self._store.reading() as reader:
            found = reader.ledger.spool(spool_id)
            conflicts = reader.ledger.conflicts([spool_id]).get(spool_id, 0)
        if found is not None and caller.agent_id not in {None, found.agent_id}:
            found, conflicts = None, 0
        if found is None:
            return SpoolState(_nothing_of(spool_id, caller), conflicts)
        return SpoolState(found, conflicts)

    def spools(self, caller: Principal, limit: int, after: str) -> list[SpoolState]:
        """List spools by id, at most ``limit`` of those after one; raises ``ForbiddenError``."""
        require(caller, Operation.LIST_SPOOLS)
        with self._store.reading() as reader:
            found = reader.ledger.spools(limit, after)
            conflicts = reader.ledger.conflicts([spool.spool_id for spool in found])
        return [SpoolState(spool, conflicts.get(spool.spool_id, 0)) for spool in found]

    def postings(self, caller: Principal, listing: Listing) -> Sequence[Any]:
        """List postings by number; raises ``ForbiddenError``, and ``NotFoundError`` for an unknown marker."""
        require(caller, Operation.LIST_POSTINGS)
        with self._store.reading() as reader:
            return reader.ledger.postings(listing)

    def posting(self, caller: Principal, number: int, after: int, limit: int) -> tuple[Any, list[Entry]]:
        """Give a posting and its entries by ordinal, at most ``limit`` of those after one.

        Raises ``EntryNotFoundError`` and ``ForbiddenError``.
        """
        require(caller, Operation.SHOW_POSTING)
        with self._store.reading() as reader:
            posting = reader.ledger.posting(number)
            if posting is None:
                message = f"Posting {number} does not exist."
                raise EntryNotFoundError(message)
            return posting, reader.ledger.entries(number, after, limit)


def _nothing_of(spool_id: str, caller: Principal) -> Spool:
    return Spool(
        spool_id=spool_id, agent_id=caller.agent_id or "", host="", highest=0, digest="", first_posted_at=0, last_posted_at=0, missing=[]
    )
