"""Spools in the store: how far each has been posted, and which sequences are outstanding.

Owns the ranges that are missing: kept as ranges, so that a spool of years costs no more to ask about than one of a day.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from venturi.adapters.store.ledger.conflicts import count_conflicts
from venturi.adapters.store.schema.ledger_tables import LEDGER_MISSING, LEDGER_POSTINGS, LEDGER_SPOOLS

_AT_ONCE = 500
_SPOOLS = LEDGER_SPOOLS.c
_MISSING = LEDGER_MISSING.c


@dataclass(frozen=True, kw_only=True)
class Spool:
    """What the ledger has of a spool: ``digest`` (hexadecimal) is that of the batch ``highest``; ``missing`` holds both ends."""

    spool_id: str
    agent_id: str
    host: str
    highest: int
    digest: str
    first_posted_at: int
    last_posted_at: int
    missing: Sequence[tuple[int, int]]


Spools = list[Spool]  # the method ``list`` hides the built-in type


class SpoolTable:
    """The spools that one transaction sees."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def owner(self, spool_id: str) -> str | None:
        """Give the agent that a spool belongs to, None for a spool of which nothing was posted."""
        return self._connection.execute(select(_SPOOLS.agent_id).where(_SPOOLS.spool_id == spool_id)).scalar()

    def find(self, spool_id: str) -> Spool | None:
        """Give a spool with what is missing of it, or None."""
        return next(iter(self._read(_SPOOLS.spool_id == spool_id)), None)

    def list(self, limit: int, after: str = "") -> Spools:
        """List spools by id, those after one."""
        return self._read(_SPOOLS.spool_id > after, limit)

    def count_missing(self, spool_ids: Collection[str]) -> dict[str, int]:
        """Give how many sequences are outstanding below the highest of each spool of which any is."""
        lengths = func.sum(_MISSING.last_sequence - _MISSING.first_sequence + 1)
        statement = select(_MISSING.spool_id, lengths).where(_MISSING.spool_id.in_(sorted(spool_ids))).group_by(_MISSING.spool_id)
        return {row[0]: int(row[1]) for row in self._connection.execute(statement)}

    def outstanding(self, agents: Collection[str]) -> dict[str, tuple[str, int]]:
        """Give the spools of agents of which sequences are outstanding: the agent, and how many."""
        lengths = func.sum(_MISSING.last_sequence - _MISSING.first_sequence + 1)
        joined = select(_MISSING.spool_id, _SPOOLS.agent_id, lengths).join(LEDGER_SPOOLS, _SPOOLS.spool_id == _MISSING.spool_id)
        chosen = joined.where(_SPOOLS.agent_id.in_(sorted(agents))).group_by(_MISSING.spool_id, _SPOOLS.agent_id)
        return {row[0]: (row[1], int(row[2])) for row in self._connection.execute(chosen)}

    def note(self, spool_id: str, agent_id: str, host: str, sequence: int, at: int) -> None:
        """Note that a batch is posted that was not before."""
        highest = self._connection.execute(select(_SPOOLS.highest).where(_SPOOLS.spool_id == spool_id)).scalar()
        if highest is None:
            first = {"spool_id": spool_id, "agent_id": agent_id, "first_posted_at": at}
            self._connection.execute(insert(LEDGER_SPOOLS), [first | {"host": host, "highest": sequence, "last_posted_at": at}])
        else:
            changed = {"host": host, "highest": max(highest, sequence), "last_posted_at": at}
            self._connection.execute(update(LEDGER_SPOOLS).where(_SPOOLS.spool_id == spool_id).values(**changed))
        reached = highest or 0
        if sequence > reached:
            self._add_missing(spool_id, reached + 1, sequence - 1)
        else:
            self._fill(spool_id, sequence)

    def _fill(self, spool_id: str, sequence: int) -> None:
        """Take a sequence out of the range that it is missing from."""
        within = _MISSING.spool_id == spool_id, _MISSING.first_sequence <= sequence
        latest = select(LEDGER_MISSING).where(*within).order_by(_MISSING.first_sequence.desc()).limit(1)
        found = self._connection.execute(latest).one()
        self._connection.execute(
            delete(LEDGER_MISSING).where(_MISSING.spool_id == spool_id, _MISSING.first_sequence == found.first_sequence)
        )
        self._add_missing(spool_id, found.first_sequence, sequence - 1)
        self._add_missing(spool_id, sequence + 1, found.last_sequence)

    def _add_missing(self, spool_id: str, first: int, last: int) -> None:
        if first <= last:
            self._connection.execute(insert(LEDGER_MISSING), [{"spool_id": spool_id, "first_sequence": first, "last_sequence": last}])

    def _read(self, condition: Any, limit: int | None = None) -> Spools:  # noqa: ANN401 - a condition on spools
        newest = (LEDGER_POSTINGS.c.spool_id == _SPOOLS.spool_id) & (LEDGER_POSTINGS.c.sequence == _SPOOLS.highest)
        statement = select(LEDGER_SPOOLS, LEDGER_POSTINGS.c.digest).join_from(LEDGER_SPOOLS, LEDGER_POSTINGS, newest)
        rows = self._connection.execute(statement.where(condition).order_by(_SPOOLS.spool_id).limit(limit)).all()
        missing = select(LEDGER_MISSING).where(_MISSING.spool_id.in_([row.spool_id for row in rows]))
        ranges = self._connection.execute(missing.order_by(_MISSING.spool_id, _MISSING.first_sequence)).all()
        return [_read_spool(row, [(each[1], each[2]) for each in ranges if each.spool_id == row.spool_id]) for row in rows]


def read_spools(connection: Connection) -> Iterator[tuple[Spool, int]]:
    """Give all spools by id, each with how many of its batches are kept aside."""
    table, after = SpoolTable(connection), ""
    while page := table.list(_AT_ONCE, after):
        conflicts = count_conflicts(connection, [spool.spool_id for spool in page])
        yield from ((spool, conflicts.get(spool.spool_id, 0)) for spool in page)
        after = page[-1].spool_id


def _read_spool(row: Row[Any], missing: Sequence[tuple[int, int]]) -> Spool:
    return Spool(**row._asdict(), missing=missing)
