"""Keeping apart what no bin can hold: its intervals are named as long ones, which readers add up in numbers of any size.

Owns how a posting is kept apart whose counts would bring a sum beyond 64 bits. Nothing of it is lost, and nothing that is posted later
waits for it.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, select, tuple_, union_all

from venturi.adapters.store.ledger.bulk import insert_rows
from venturi.adapters.store.ledger.long_intervals import read_long_coverage, read_long_records
from venturi.adapters.store.ledger.rolling.entries import Postings, counts_of
from venturi.adapters.store.ledger.rolling.folding import (
    EVER,
    GATHERED,
    GATHERED_COVERAGE,
    gather,
    prepare,
    spread,
)
from venturi.adapters.store.schema.ledger_tables import (
    LEDGER_CORRECTIONS,
    LEDGER_INTERVALS,
    LEDGER_LONG_INTERVALS,
    LEDGER_POINT_VERSIONS,
    LEDGER_PROJECT_USAGE,
    LEDGER_TOTALS,
    LEDGER_USAGE,
    RESOLUTIONS,
)
from venturi.core.ledger.bins import BIN, HOUR
from venturi.core.ledger.long_intervals import spread_coverage, spread_records

_INTERVALS = LEDGER_INTERVALS.c
_LONG = LEDGER_LONG_INTERVALS.c
_CORRECTIONS = LEDGER_CORRECTIONS.c
IntervalName = tuple[int, int]
"""Posting and ordinal of an interval."""


def keep_apart(connection: Connection, postings: Postings) -> None:
    """Fold one posting without its intervals, and take those that it corrects out of the roll-ups."""
    prepare(connection)
    _name_long(connection, _INTERVALS.posting == postings.last)
    corrected = _corrected_by(connection, postings.last)
    if corrected:
        named = tuple_(_INTERVALS.posting, _INTERVALS.ordinal).in_(corrected)
        for name in _name_long(connection, named):
            _take_out(connection, name, postings.after)
    gather(connection, postings)
    spread(connection)


def _corrected_by(connection: Connection, posting: int) -> Sequence[IntervalName]:
    found = set[IntervalName]()
    for table in (LEDGER_USAGE, LEDGER_TOTALS, LEDGER_PROJECT_USAGE):
        same = and_(table.c.posting == _CORRECTIONS.corrected_posting, table.c.ordinal == _CORRECTIONS.corrected_ordinal)
        entries = select(table.c.posting, table.c.interval_ordinal).join_from(LEDGER_CORRECTIONS, table, same)
        found |= {(row[0], row[1]) for row in connection.execute(entries.where(_CORRECTIONS.posting == posting))}
    return sorted(found)


def _name_long(connection: Connection, which: ColumnElement[bool]) -> list[IntervalName]:
    """Name intervals as long ones, those left out that are held or long already; give which."""
    ends = [
        select(table.c.posting, table.c.interval_ordinal, func.max(table.c.ordinal).label("last"))
        .join(LEDGER_INTERVALS, and_(_INTERVALS.posting == table.c.posting, _INTERVALS.ordinal == table.c.interval_ordinal))
        .where(which)
        .group_by(table.c.posting, table.c.interval_ordinal)
        for table in (LEDGER_USAGE, LEDGER_TOTALS, LEDGER_PROJECT_USAGE)
    ]
    last: dict[IntervalName, int] = {}
    for posting, ordinal, end in connection.execute(union_all(*ends)):
        last[posting, ordinal] = max(end, last.get((posting, ordinal), 0))
    columns: list[Any] = [_INTERVALS[name] for name in ("posting", "ordinal", "point_version", "start_at", "end_at")]
    wanted = select(*columns).join(LEDGER_POINT_VERSIONS, LEDGER_POINT_VERSIONS.c.id == _INTERVALS.point_version)
    known = select(_LONG.posting).where(_LONG.posting == _INTERVALS.posting, _LONG.ordinal == _INTERVALS.ordinal).exists()
    rows = connection.execute(wanted.where(which, ~LEDGER_POINT_VERSIONS.c.held, ~known)).all()
    insert_rows(
        connection,
        LEDGER_LONG_INTERVALS,
        [(row.posting, row.ordinal, last.get((row.posting, row.ordinal), row.ordinal), *tuple(row)[2:]) for row in rows],
    )
    return [(row.posting, row.ordinal) for row in rows]


def _take_out(connection: Connection, name: IntervalName, rolled: int) -> None:
    """Take an interval out of the roll-ups, as corrected up to the posting ``rolled``."""
    this = and_(_LONG.posting == name[0], _LONG.ordinal == name[1])
    for table, target, keys in GATHERED:
        records = read_long_records(connection, table, counts_of(table), keys[1:], this, EVER, corrected_until=rolled)
        sums = spread_records(records, EVER, BIN)
        insert_rows(connection, target, [(*key, *(-count for count in counts)) for key, counts in sums.items()])
    told = read_long_coverage(connection, this, EVER)
    for width in (BIN, HOUR):
        rows = spread_coverage(told, EVER, width)
        negated = [(RESOLUTIONS[width], *row[:-2], *(-int(counted) for counted in row[-2:])) for row in rows]
        insert_rows(connection, GATHERED_COVERAGE, negated)
