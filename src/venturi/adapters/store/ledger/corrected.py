"""Entries that are to be corrected, with what has been corrected of them before, and corrections as they were posted.

Owns the statements. What a correction may do is for the services.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from venturi.adapters.store.schema.ledger_tables import (
    LEDGER_CORRECTIONS,
    LEDGER_INTERVALS,
    LEDGER_POINT_VERSIONS,
    LEDGER_POSTINGS,
    LEDGER_PROJECT_USAGE,
    LEDGER_TOTALS,
    LEDGER_USAGE,
)
from venturi.core.ledger.roll_ups import PointCounts

COUNT_NAMES = (*PointCounts._fields, "alone_packets", "alone_octets")
"""The counts of entries, in the order of their columns: those of totals, and behind them what a project used alone."""

_COUNTING = (LEDGER_USAGE, LEDGER_TOTALS, LEDGER_PROJECT_USAGE)


@dataclass(frozen=True, kw_only=True)
class CorrectedEntry:
    """An entry of usage or totals with its ``counts`` by name as they are now; one that is ``held`` counts nowhere."""

    counts: Mapping[str, int]
    held: bool


@dataclass(frozen=True)
class PostedCorrection:
    """A correction: its posting, its reason, and lines of corrected posting, corrected ordinal and what is added to the counts."""

    posting: int
    reason: str
    lines: Sequence[Sequence[int]]


def find_correction(connection: Connection, correction_id: str) -> PostedCorrection | None:
    """Give the correction that was posted under an id, None if there is none."""
    postings, added = LEDGER_POSTINGS.c, LEDGER_CORRECTIONS.c
    found = connection.execute(select(postings.posting, postings.reason).where(postings.correction_id == correction_id)).first()
    if found is None:
        return None
    columns = [added.corrected_posting, added.corrected_ordinal, *(added[name] for name in COUNT_NAMES)]
    lines = connection.execute(select(*columns).where(added.posting == found.posting).order_by(added.ordinal))
    return PostedCorrection(found.posting, found.reason, [tuple(line) for line in lines])


def find_entry(connection: Connection, posting: int, ordinal: int) -> CorrectedEntry | None:
    """Give an entry of usage, of labels or projects, or of totals with its corrections added, None if there is none."""
    for table in _COUNTING:
        interval = (LEDGER_INTERVALS.c.posting == table.c.posting) & (LEDGER_INTERVALS.c.ordinal == table.c.interval_ordinal)
        point = LEDGER_POINT_VERSIONS.c.id == LEDGER_INTERVALS.c.point_version
        statement = (
            select(table, LEDGER_POINT_VERSIONS.c.held.label("of_held")).join(LEDGER_INTERVALS, interval).join(LEDGER_POINT_VERSIONS, point)
        )
        row = connection.execute(statement.where(table.c.posting == posting, table.c.ordinal == ordinal)).mappings().first()
        if row is not None:
            before = dict(zip(COUNT_NAMES, _read_corrections(connection, posting, ordinal), strict=True))
            corrected = {name: row[name] + before[name] for name in COUNT_NAMES if name in table.c}
            return CorrectedEntry(counts=corrected, held=bool(row["of_held"]))
    return None


def _read_corrections(connection: Connection, posting: int, ordinal: int) -> list[int]:
    sums = [func.coalesce(func.sum(LEDGER_CORRECTIONS.c[name]), 0) for name in COUNT_NAMES]
    named = LEDGER_CORRECTIONS.c.corrected_posting == posting, LEDGER_CORRECTIONS.c.corrected_ordinal == ordinal
    return [int(number) for number in connection.execute(select(*sums).where(*named)).one()]
