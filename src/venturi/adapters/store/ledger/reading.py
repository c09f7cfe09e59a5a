"""The ledger as a transaction that reads sees it: postings, their entries, spools.

Owns the statements. Who may read is for the services.
"""

from collections.abc import Collection as Some
from collections.abc import Sequence
from heapq import merge
from typing import Any

from sqlalchemy import Row, Table, and_, case, exists, null, or_, select

from venturi.adapters.store.ledger.conflicts import count_conflicts
from venturi.adapters.store.ledger.held import HeldTable
from venturi.adapters.store.ledger.spools import Spool, SpoolTable
from venturi.adapters.store.schema.ledger_tables import (
    LEDGER_CORRECTIONS,
    LEDGER_GENERATIONS,
    LEDGER_HELD,
    LEDGER_INTERVALS,
    LEDGER_LABEL_VERSIONS,
    LEDGER_OWNERS,
    LEDGER_PLACES,
    LEDGER_POINT_VERSIONS,
    LEDGER_POSTINGS,
    LEDGER_PROJECT_USAGE,
    LEDGER_STATE,
    LEDGER_TOTALS,
    LEDGER_USAGE,
)
from venturi.adapters.store.tables.paging import Collection, read_page
from venturi.adapters.store.transaction import Transaction
from venturi.core.domain.control.listing import Listing

_POSTINGS = LEDGER_POSTINGS.c
_BEFORE = LEDGER_POSTINGS.alias("before")
_LINKED = case(
    (_POSTINGS.spool_id.is_(None), null()),
    else_=or_(
        _POSTINGS.sequence == 1,
        exists().where(_BEFORE.c.spool_id == _POSTINGS.spool_id, _BEFORE.c.sequence == _POSTINGS.sequence - 1),
    ),
).label("linked")
_COLLECTION = Collection(
    "posting", [*_POSTINGS, _LINKED], {"id": _POSTINGS.posting, **{name: _POSTINGS[name] for name in ("kind", "agent_id", "spool_id")}}
)
_METERED = (LEDGER_PLACES.c.place.label("device"), LEDGER_GENERATIONS.c.generation.label("counted_by"))
_INTERVALS = (
    select(LEDGER_INTERVALS, *LEDGER_POINT_VERSIONS.c, *_METERED, *list(LEDGER_GENERATIONS.c)[2:])
    .join(LEDGER_POINT_VERSIONS, LEDGER_POINT_VERSIONS.c.id == LEDGER_INTERVALS.c.point_version)
    .join(LEDGER_PLACES, LEDGER_PLACES.c.id == LEDGER_INTERVALS.c.place)
    .join(LEDGER_GENERATIONS, LEDGER_GENERATIONS.c.id == LEDGER_INTERVALS.c.generation)
)
_USAGE = select(LEDGER_USAGE, *LEDGER_LABEL_VERSIONS.c).join(
    LEDGER_LABEL_VERSIONS, LEDGER_LABEL_VERSIONS.c.id == LEDGER_USAGE.c.label_version
)
_PROJECT_USAGE = select(LEDGER_PROJECT_USAGE, LEDGER_OWNERS.c.project_id).join(
    LEDGER_OWNERS, LEDGER_OWNERS.c.id == LEDGER_PROJECT_USAGE.c.owner
)

Entry = tuple[Table, Row[Any]]
"""A table of entries, and one of its rows beside what it names."""


class LedgerReader:
    """The ledger that one transaction sees."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._connection = transaction.connection
        self.held = HeldTable(self._connection)

    def latest_posting(self) -> int:
        """Give the number of the latest posting, 0 before the first."""
        return int(self._connection.execute(select(LEDGER_STATE.c.posting)).scalar_one())

    def postings(self, listing: Listing) -> Sequence[Row[Any]]:
        """List postings by number, ``linked`` beside: whether the batch before is posted too; raises ``NotFoundError`` for a marker."""
        return read_page(self._transaction, _COLLECTION, listing)

    def posting(self, number: int) -> Row[Any] | None:
        """Give a posting as ``postings`` does, or None."""
        return self._connection.execute(select(LEDGER_POSTINGS, _LINKED).where(_POSTINGS.posting == number)).first()

    def entries(self, number: int, after: int, limit: int) -> list[Entry]:
        """Give entries of a posting by ordinal, at most ``limit`` of those after one, each with the versions that it names."""
        found: list[list[Entry]] = []
        for table, statement in (
            (LEDGER_INTERVALS, _INTERVALS),
            (LEDGER_TOTALS, select(LEDGER_TOTALS)),
            (LEDGER_USAGE, _USAGE),
            (LEDGER_CORRECTIONS, select(LEDGER_CORRECTIONS)),
            (LEDGER_HELD, select(LEDGER_HELD)),
            (LEDGER_PROJECT_USAGE, _PROJECT_USAGE),
        ):
            page = and_(table.c.posting == number, table.c.ordinal > after)
            with self._transaction.fetching:
                rows = self._connection.execute(statement.where(page).order_by(table.c.ordinal).limit(limit)).all()
            found.append([(table, row) for row in rows])
        return list(merge(*found, key=lambda entry: entry[1].ordinal))[:limit]

    def spool(self, spool_id: str) -> Spool | None:
        """Give a spool, or None."""
        return SpoolTable(self._connection).find(spool_id)

    def outstanding(self, agents: Some[str]) -> dict[str, tuple[str, int]]:
        """Give the spools of agents of which batches are outstanding: the agent, and how many."""
        return SpoolTable(self._connection).outstanding(agents)

    def seal(self, number: int) -> str:
        """Give the seal of a posting, empty before the first."""
        return str(self._connection.execute(select(_POSTINGS.seal).where(_POSTINGS.posting == number)).scalar() or "")

    def spools(self, limit: int, after: str) -> list[Spool]:
        """List spools by id, at most ``limit`` of those after one."""
        return SpoolTable(self._connection).list(limit, after)

    def conflicts(self, spool_ids: Sequence[str]) -> dict[str, int]:
        """Give how many batches of spools are kept aside, by spool."""
        return count_conflicts(self._connection, spool_ids)
