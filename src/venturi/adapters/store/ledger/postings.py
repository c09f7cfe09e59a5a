"""Postings in the store: the lock under which they are numbered, and adding one with its entries and roll-ups.

Owns the order of these. What a posting holds, and whether it may be posted, is for the services.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, Table, select, update
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from venturi.adapters.store.ledger.bulk import Rows, add_rows, insert_rows
from venturi.adapters.store.ledger.conflicts import ConflictTable
from venturi.adapters.store.ledger.held import HeldTable
from venturi.adapters.store.ledger.spools import SpoolTable
from venturi.adapters.store.ledger.versions import VersionMemory, VersionNumbers
from venturi.adapters.store.schema.ledger_tables import (
    LEDGER_CORRECTIONS,
    LEDGER_COVERAGE_BINS,
    LEDGER_HELD,
    LEDGER_INTERVALS,
    LEDGER_LABEL_BINS,
    LEDGER_LONG_INTERVALS,
    LEDGER_OWNER_BINS,
    LEDGER_POINT_BINS,
    LEDGER_POSTINGS,
    LEDGER_STATE,
    LEDGER_TOTALS,
    LEDGER_USAGE,
)
from venturi.core.domain.errors import SumTooLargeError
from venturi.core.ledger.roll_ups import RollUps, roll_up, sum_owners
from venturi.core.ledger.seal import seal

_OUT_OF_RANGE = 1690
"""The number of MariaDB's error for a sum out of range."""

_LOCK = select(LEDGER_STATE.c.posting).with_for_update()


@dataclass
class EntryRows:
    """The entries of one posting, as rows of their tables."""

    intervals: list[tuple[Any, ...]] = field(default_factory=list)
    totals: list[tuple[Any, ...]] = field(default_factory=list)
    usage: list[tuple[Any, ...]] = field(default_factory=list)
    corrections: list[tuple[Any, ...]] = field(default_factory=list)
    held: list[tuple[Any, ...]] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many entries there are."""
        return len(self.intervals) + len(self.totals) + len(self.usage) + len(self.corrections) + len(self.held)

    @property
    def kinds(self) -> Sequence[Rows]:
        """The entries by kind, as they are sealed."""
        return sealed_kinds(self.intervals, self.totals, self.usage, self.corrections, self.held)


class LedgerWriter:
    """A transaction that posts, the only one that does on all servers."""

    def __init__(self, connection: Connection, memory: VersionMemory) -> None:
        """Take the lock of the ledger."""
        self.connection = connection
        self.posting = int(connection.execute(_LOCK).scalar_one()) + 1
        seals = self._read_seals({memory.seen, self.posting - 1})
        memory.begin(self.posting - 1, seals)
        self._seal_before = seals.get(self.posting - 1, "")
        self.versions = VersionNumbers(connection, memory)
        self.spools = SpoolTable(connection)
        self.conflicts = ConflictTable(connection)
        self.held = HeldTable(connection)

    def find(self, spool_id: str, sequences: Sequence[int]) -> dict[int, Row[Any]]:
        """Give the postings of batches of a spool, by sequence."""
        wanted = LEDGER_POSTINGS.c.spool_id == spool_id, LEDGER_POSTINGS.c.sequence.in_(sequences)
        return {row.sequence: row for row in self.connection.execute(select(LEDGER_POSTINGS).where(*wanted))}

    def add_posting(self, columns: Mapping[str, Any], rows: EntryRows) -> None:
        """Add a posting under the next number, with its entries, sealed onto the posting before."""
        row = {"posting": self.posting, "entries": rows.count, **columns}
        row["seal"] = seal(self._seal_before, sealed_columns(row), *rows.kinds)
        insert_rows(self.connection, LEDGER_POSTINGS, [tuple(row.get(column.name) for column in LEDGER_POSTINGS.c)])
        self.connection.execute(update(LEDGER_STATE).values(posting=self.posting))
        insert_rows(self.connection, LEDGER_INTERVALS, rows.intervals)
        insert_rows(self.connection, LEDGER_TOTALS, rows.totals)
        insert_rows(self.connection, LEDGER_USAGE, rows.usage)
        insert_rows(self.connection, LEDGER_CORRECTIONS, rows.corrections)
        insert_rows(self.connection, LEDGER_HELD, rows.held)

    def _read_seals(self, postings: Collection[int]) -> dict[int, str]:
        statement = select(LEDGER_POSTINGS.c.posting, LEDGER_POSTINGS.c.seal).where(LEDGER_POSTINGS.c.posting.in_(postings))
        return {row.posting: row.seal for row in self.connection.execute(statement)}

    def add_roll_ups(self, sums: RollUps, owners: Mapping[int, int]) -> None:
        """Add to the roll-ups what the entries add; ``owners`` names the owner of each label, by their numbers.

        Raises ``SumTooLargeError`` for more than they can hold.
        """
        for table, added in (
            (LEDGER_LABEL_BINS, roll_up(sums.labels)),
            (LEDGER_OWNER_BINS, roll_up(sum_owners(sums.labels, owners))),
            (LEDGER_POINT_BINS, roll_up(sums.points)),
            (LEDGER_COVERAGE_BINS, roll_up(sums.coverage, sums.coverage_of_hours)),
        ):
            for rows in added:
                self._add(table, rows)

    def add_long_intervals(self, rows: Rows) -> None:
        """Name the intervals whose entries are in no roll-up, as rows of their table."""
        insert_rows(self.connection, LEDGER_LONG_INTERVALS, rows)

    def _add(self, table: Table, rows: Rows) -> None:
        try:
            add_rows(self.connection, table, rows)
        except DBAPIError as error:
            if not _is_overflow(error):
                raise
            message = "intervals: together with what is posted, their counts are more than a roll-up can hold"
            raise SumTooLargeError(message) from error


def sealed_columns(row: Mapping[Any, Any]) -> list[Any]:
    """Give the columns of a posting that its seal covers."""
    return [row.get(column.name) for column in LEDGER_POSTINGS.c if column.name != "seal"]


def sealed_kinds(*kinds: Rows) -> Sequence[Rows]:
    """Give the entries of a posting by kind, in the order of ``ENTRY_TABLES``, as its seal covers them.

    The last kind, of what is held, counts only where there is any: postings from before there was that kind keep their seals.
    """
    return kinds if kinds[-1] else kinds[:-1]


def _is_overflow(error: DBAPIError) -> bool:
    """Tell whether a sum left the range of 64 bits, which each database refuses in its own way."""
    if isinstance(error, IntegrityError | DataError):
        return True
    arguments: tuple[Any, ...] = getattr(error.orig, "args", ())
    return bool(arguments) and arguments[0] == _OUT_OF_RANGE
