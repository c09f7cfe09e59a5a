"""Batches that were refused because they contradict what is posted, kept aside for an operator to look at.

Owns how many are kept: of one spool a limited number, each once however often it comes.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select

from venturi.adapters.store.schema.ledger_tables import LEDGER_CONFLICTS

MOST_KEPT = 100
"""How many batches of one spool are kept aside."""

_CONFLICTS = LEDGER_CONFLICTS.c


@dataclass(frozen=True, kw_only=True)
class Conflict:
    """A batch that was refused: ``content`` is the digest of its ``envelope`` in hexadecimal, ``sentence`` says why."""

    agent_id: str
    host: str
    spool_id: str
    sequence: int
    content: str
    envelope: bytes
    sentence: str


def count_conflicts(connection: Connection, spool_ids: Sequence[str]) -> dict[str, int]:
    """Give how many batches of each spool are kept aside, for those of which any are."""
    statement = select(_CONFLICTS.spool_id, func.count()).where(_CONFLICTS.spool_id.in_(spool_ids))
    return {row[0]: row[1] for row in connection.execute(statement.group_by(_CONFLICTS.spool_id))}


class ConflictTable:
    """The batches kept aside that one transaction sees."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def keep(self, conflict: Conflict, at: int) -> None:
        """Keep a batch aside, unless it is already, or too many of its spool are."""
        of_spool = _CONFLICTS.spool_id == conflict.spool_id
        known = select(func.count()).where(of_spool, _CONFLICTS.sequence == conflict.sequence, _CONFLICTS.content == conflict.content)
        count = self._connection.execute(select(func.count()).select_from(LEDGER_CONFLICTS).where(of_spool)).scalar_one()
        if count >= MOST_KEPT or self._connection.execute(known.select_from(LEDGER_CONFLICTS)).scalar_one():
            return
        encoded = base64.b64encode(conflict.envelope).decode("ascii")
        self._connection.execute(insert(LEDGER_CONFLICTS), [vars(conflict) | {"envelope": encoded, "received_at": at}])
