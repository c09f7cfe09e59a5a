"""Proving seals: each posting with its entries, in order, against the seal that it was given.

Owns the walk over postings, some at a time, so that memory stays bounded.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, select

from venturi.adapters.store.ledger.postings import sealed_columns
from venturi.adapters.store.schema.ledger_tables import (
    LEDGER_CORRECTIONS,
    LEDGER_GENERATIONS,
    LEDGER_INTERVALS,
    LEDGER_LABEL_VERSIONS,
    LEDGER_PLACES,
    LEDGER_POINT_VERSIONS,
    LEDGER_POSTINGS,
    LEDGER_STATE,
    LEDGER_TOTALS,
    LEDGER_USAGE,
)
from venturi.core.domain.errors import LedgerError
from venturi.core.ledger.seal import seal

_KINDS = (LEDGER_INTERVALS, LEDGER_TOTALS, LEDGER_USAGE, LEDGER_CORRECTIONS)
_POSTINGS = LEDGER_POSTINGS.c
_ENTRIES_AT_ONCE = 100_000
_NAMED = (
    (LEDGER_INTERVALS.c.point_version, LEDGER_POINT_VERSIONS),
    (LEDGER_INTERVALS.c.place, LEDGER_PLACES),
    (LEDGER_INTERVALS.c.generation, LEDGER_GENERATIONS),
    (LEDGER_USAGE.c.label_version, LEDGER_LABEL_VERSIONS),
)


def prove_seals(connection: Connection) -> tuple[int, int]:
    """Prove that postings are numbered without holes, and that they and their entries are what was sealed.

    Gives how many postings and entries there are; raises ``LedgerError``.
    """
    state = connection.execute(select(LEDGER_STATE)).one()
    expected, entries, before = state.removable, 0, _seal_of(connection, state.removable)
    for postings in _some_at_a_time(connection, state.removable):
        kinds = [_read_entries(connection, table, postings[0].posting, postings[-1].posting) for table in _KINDS]
        for posting in postings:
            expected += 1
            if posting.posting != expected:
                _refuse(f"posting {expected} is missing")
            before = _prove_posting(posting, before, [kind[posting.posting] for kind in kinds])
            entries += posting.entries
    if expected != state.posting:
        _refuse(f"the latest posting should be {state.posting}, but is {expected}")
    _prove_names(connection)
    return expected - state.removable, entries


def _prove_posting(posting: Row[Any], before: str, entries: Sequence[Sequence[Any]]) -> str:
    if sum(map(len, entries)) != posting.entries:
        _refuse(f"posting {posting.posting} had {posting.entries} entries, and has {sum(map(len, entries))}")
    if seal(before, sealed_columns(posting._mapping), *entries) != posting.seal:  # noqa: SLF001 - the public name of a row's columns
        _refuse(f"posting {posting.posting} or one of its entries is not what was sealed")
    return str(posting.seal)


def _seal_of(connection: Connection, number: int) -> str:
    return connection.execute(select(_POSTINGS.seal).where(_POSTINGS.posting == number)).scalar() or ""


def _some_at_a_time(connection: Connection, after: int) -> Iterator[list[Row[Any]]]:
    """Give postings in order, together as many as have so many entries."""
    last = after
    while True:
        statement = select(LEDGER_POSTINGS).where(_POSTINGS.posting > last).order_by(_POSTINGS.posting).limit(1000)
        page = connection.execute(statement).all()
        if not page:
            return
        some: list[Row[Any]] = []
        for posting in page:
            some.append(posting)
            if sum(each.entries for each in some) >= _ENTRIES_AT_ONCE:
                yield some
                some = []
        if some:
            yield some
        last = page[-1].posting


def _read_entries(connection: Connection, table: Any, first: int, last: int) -> dict[int, list[tuple[Any, ...]]]:  # noqa: ANN401
    found: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    statement = select(table).where(table.c.posting >= first, table.c.posting <= last).order_by(table.c.posting, table.c.ordinal)
    for row in connection.execute(statement):
        found[row.posting].append(tuple(row))
    return found


def _prove_names(connection: Connection) -> None:
    """Prove that whatever an entry names is there."""
    for column, table in _NAMED:
        lost = select(func.min(column)).where(column.not_in(select(table.c.id)))
        number = connection.execute(lost).scalar()
        if number is not None:
            _refuse(f"{table.name} lacks {number}, which entries name")


def _refuse(sentence: str) -> None:
    raise LedgerError(sentence)
