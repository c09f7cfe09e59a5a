"""Batches that were refused because they contradict what is posted, kept aside for an operator to look at.

Owns how much is kept, each batch once however often it comes, and the form: the envelope in MessagePack, compressed with Zstandard and in
base64. What was kept by earlier versions is not compressed, and is read all the same.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import zstandard
from sqlalchemy import ColumnElement, Connection, func, insert, select

from venturi.adapters.store.schema.ledger_tables import LEDGER_CONFLICTS

MOST_KEPT = 100
"""How many batches of one spool are kept aside."""

MOST_OCTETS_OF_AGENT = 8 << 20
"""How many octets are kept aside of one agent, compressed and in base64."""

MOST_OCTETS = 256 << 20
"""How many octets are kept aside of all agents."""

_LEVEL = 3
_FRAME = b"\x28\xb5\x2f\xfd"
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
        """Keep a batch aside, unless it is already, or too many of its spool or octets of its agent are."""
        of_spool = _CONFLICTS.spool_id == conflict.spool_id
        known = select(func.count()).where(of_spool, _CONFLICTS.sequence == conflict.sequence, _CONFLICTS.content == conflict.content)
        count = self._connection.execute(select(func.count()).select_from(LEDGER_CONFLICTS).where(of_spool)).scalar_one()
        if count >= MOST_KEPT or self._connection.execute(known.select_from(LEDGER_CONFLICTS)).scalar_one():
            return
        encoded = base64.b64encode(zstandard.ZstdCompressor(level=_LEVEL).compress(conflict.envelope)).decode("ascii")
        of_agent = self._octets(_CONFLICTS.agent_id == conflict.agent_id)
        if of_agent + len(encoded) > MOST_OCTETS_OF_AGENT or self._octets() + len(encoded) > MOST_OCTETS:
            return
        self._connection.execute(insert(LEDGER_CONFLICTS), [vars(conflict) | {"envelope": encoded, "received_at": at}])

    def _octets(self, *conditions: ColumnElement[bool]) -> int:
        kept = select(func.coalesce(func.sum(func.length(_CONFLICTS.envelope)), 0)).where(*conditions)
        return int(self._connection.execute(kept).scalar_one())


def read_kept(encoded: str) -> bytes:
    """Read the column ``envelope``: the envelope in MessagePack, of whichever version kept it."""
    content = base64.b64decode(encoded)
    return zstandard.ZstdDecompressor().decompress(content) if content.startswith(_FRAME) else content
