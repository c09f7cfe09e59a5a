"""Postings in the store: the lock under which they are numbered, and adding one with its entries.

Owns the order of these. What a posting holds, and whether it may be posted, is for the services; roll-ups follow later (``rolling``).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, select, update

from venturi.adapters.store.ledger.bulk import Rows, insert_rows
from venturi.adapters.store.ledger.conflicts import ConflictTable
from venturi.adapters.store.ledger.held import HeldTable
from venturi.adapters.store.ledger.held_counts import HeldCounts
from venturi.adapters.store.ledger.spools import SpoolTable
from venturi.adapters.store.ledger.versions import VersionMemory, VersionNumbers
from venturi.adapters.store.schema.ledger_tables import (
    LEDGER_CORRECTIONS,
    LEDGER_HELD,
    LEDGER_INTERVALS,
    LEDGER_LONG_INTERVALS,
    LEDGER_POSTINGS,
    LEDGER_PROJECT_USAGE,
    LEDGER_STATE,
    LEDGER_TOTALS,
    LEDGER_USAGE,
)
from venturi.core.ledger.seal import seal

_PARTS = 4
_ALONE = 2
_LOCK = select(LEDGER_STATE.c.posting).with_for_update()


@dataclass
class EntryRows:
    """The entries of one posting, as rows of their tables."""

    intervals: list[tuple[Any, ...]] = field(default_factory=list)
    totals: list[tuple[Any, ...]] = field(default_factory=list)
    usage: list[tuple[Any, ...]] = field(default_factory=list)
    corrections: list[tuple[Any, ...]] = field(default_factory=list)
    held: list[tuple[Any, ...]] = field(default_factory=list)
    project_usage: list[tuple[Any, ...]] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many entries there are."""
        return sum(map(len, self._kinds))

    @property
    def kinds(self) -> Sequence[Rows]:
        """The entries by kind, as they are sealed."""
        return sealed_kinds(*self._kinds)

    @property
    def _kinds(self) -> Sequence[Rows]:
        return self.intervals, self.totals, self.usage, self.corrections, self.held, self.project_usage


class LedgerWriter:
    """A transaction that posts, the only one that does on all servers; ``posting`` is the number that it gives next."""

    def __init__(self, connection: Connection, memory: VersionMemory, held_counts: HeldCounts) -> None:
        """Take the lock of the ledger."""
        self.connection = connection
        self.posting = int(connection.execute(_LOCK).scalar_one()) + 1
        seals = self._read_seals({memory.seen, self.posting - 1})
        memory.begin(self.posting - 1, seals)
        self._seal = seals.get(self.posting - 1, "")
        self.versions = VersionNumbers(connection, memory)
        self.spools = SpoolTable(connection)
        self.conflicts = ConflictTable(connection)
        self.held = HeldTable(connection)
        self._held_counts = held_counts
        self._committed = self.posting - 1

    def find(self, spool_id: str, sequences: Sequence[int]) -> dict[int, Row[Any]]:
        """Give the postings of batches of a spool, by sequence."""
        wanted = LEDGER_POSTINGS.c.spool_id == spool_id, LEDGER_POSTINGS.c.sequence.in_(sequences)
        return {row.sequence: row for row in self.connection.execute(select(LEDGER_POSTINGS).where(*wanted))}

    def count_held(self, agent_id: str) -> int:
        """Give how many entries of an agent are held and not decided about."""
        return self._held_counts.count(self.connection, agent_id, self._committed)

    def add_posting(self, columns: Mapping[str, Any], rows: EntryRows) -> None:
        """Add a posting under the next number, with its entries, sealed onto the posting before."""
        row = {"posting": self.posting, "entries": rows.count, **columns}
        row["seal"] = self._seal = seal(self._seal, sealed_columns(row), *rows.kinds)
        insert_rows(self.connection, LEDGER_POSTINGS, [tuple(row.get(column.name) for column in LEDGER_POSTINGS.c)])
        self.connection.execute(update(LEDGER_STATE).values(posting=self.posting))
        insert_rows(self.connection, LEDGER_INTERVALS, rows.intervals)
        insert_rows(self.connection, LEDGER_TOTALS, rows.totals)
        insert_rows(self.connection, LEDGER_USAGE, rows.usage)
        insert_rows(self.connection, LEDGER_CORRECTIONS, rows.corrections)
        insert_rows(self.connection, LEDGER_HELD, rows.held)
        insert_rows(self.connection, LEDGER_PROJECT_USAGE, rows.project_usage)

    def advance(self) -> None:
        """Go on to the next number, after a posting was added whole; both become durable together."""
        self.posting += 1

    def _read_seals(self, postings: Collection[int]) -> dict[int, str]:
        statement = select(LEDGER_POSTINGS.c.posting, LEDGER_POSTINGS.c.seal).where(LEDGER_POSTINGS.c.posting.in_(postings))
        return {row.posting: row.seal for row in self.connection.execute(statement)}

    def add_long_intervals(self, rows: Rows) -> None:
        """Name the intervals whose entries get into no roll-up, as rows of their table."""
        insert_rows(self.connection, LEDGER_LONG_INTERVALS, rows)


def sealed_columns(row: Mapping[Any, Any]) -> list[Any]:
    """Give the columns of a posting that its seal covers."""
    return [row.get(column.name) for column in LEDGER_POSTINGS.c if column.name != "seal"]


def sealed_kinds(intervals: Rows, totals: Rows, usage: Rows, corrections: Rows, held: Rows, project_usage: Rows) -> Sequence[Rows]:
    """Give the entries of a posting by kind, in the order of ``ENTRY_TABLES``, as its seal covers them.

    The last two kinds, and the last columns of totals and corrections, count only where there is any of them: postings from before
    there were these keep their seals.
    """
    first = intervals, _without_zeros(totals, _PARTS), usage, _without_zeros(corrections, _PARTS + _ALONE)
    if project_usage:
        return *first, held, project_usage
    return (*first, held) if held else first


def _without_zeros(rows: Rows, count: int) -> Rows:
    """Leave out the last columns of each row that has nothing but zeros there."""
    return [row if any(row[-count:]) else row[:-count] for row in rows]
