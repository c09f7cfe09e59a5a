"""Proving chains: the batches of each spool follow from each other, and what is said to be missing is what is.

Owns the walk over spools.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, select

from venturi.adapters.store.schema.ledger_tables import LEDGER_MISSING, LEDGER_POSTINGS, LEDGER_SPOOLS
from venturi.core.domain.errors import LedgerError
from venturi.core.ledger.chain import FIRST_PREVIOUS

_POSTINGS = LEDGER_POSTINGS.c
_AT_ONCE = 2000
Range = tuple[int, int]


def prove_chains(connection: Connection) -> None:
    """Raise ``LedgerError`` for the first link that does not fit, and the first spool that is not what its batches say."""
    spools = {row.spool_id: row for row in connection.execute(select(LEDGER_SPOOLS))}
    missing: dict[str, list[Range]] = {}
    for row in connection.execute(select(LEDGER_MISSING).order_by(*LEDGER_MISSING.primary_key)):
        missing.setdefault(row.spool_id, []).append((row.first_sequence, row.last_sequence))
    columns = _POSTINGS.spool_id, _POSTINGS.sequence, _POSTINGS.previous, _POSTINGS.digest, _POSTINGS.agent_id
    batches = select(*columns).where(_POSTINGS.spool_id.is_not(None)).order_by(_POSTINGS.spool_id, _POSTINGS.sequence)
    proven = set()
    with connection.execute(batches.execution_options(yield_per=_AT_ONCE)) as rows:
        for spool_id, some in groupby(rows, key=attrgetter("spool_id")):
            holes, highest, agent_id = _prove_links(spool_id, some)
            found = spools.get(spool_id)
            if found is None or (found.highest, found.agent_id) != (highest, agent_id) or missing.get(spool_id, []) != holes:
                message = f"spool {spool_id} is posted up to {highest} by {agent_id}, with {holes} missing, which is not what is kept of it"
                raise LedgerError(message)
            proven.add(spool_id)
    for spool_id in sorted({*spools, *missing} - proven):
        message = f"spool {spool_id} is kept, but nothing of it is posted"
        raise LedgerError(message)


def _prove_links(spool_id: str, batches: Iterable[Any]) -> tuple[list[Range], int, str]:
    """Give what is missing of a spool, its highest sequence and its agent."""
    holes: list[Range] = []
    highest, digest, agent_id = 0, FIRST_PREVIOUS.hex(), ""
    for batch in batches:
        if batch.sequence == highest + 1 and batch.previous != digest:
            message = f"batch {batch.sequence} of spool {spool_id} does not follow from the one before"
            raise LedgerError(message)
        holes += _hole(highest, batch.sequence)
        highest, digest, agent_id = batch.sequence, batch.digest, batch.agent_id
    return holes, highest, agent_id


def _hole(before: int, sequence: int) -> Iterator[Range]:
    if sequence > before + 1:
        yield before + 1, sequence - 1
