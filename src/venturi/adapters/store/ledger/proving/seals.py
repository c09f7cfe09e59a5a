"""Proving seals: each posting with its entries, in order, against the seal that it was given.

Owns the walk over postings, some at a time, so that memory stays bounded.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Row, and_, exists, func, select

from venturi.adapters.store.ledger.held import Decision
from venturi.adapters.store.ledger.postings import sealed_columns, sealed_kinds
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
from venturi.core.domain.errors import LedgerError
from venturi.core.domain.progress import Progress
from venturi.core.ledger.seal import seal

_KINDS = (LEDGER_INTERVALS, LEDGER_TOTALS, LEDGER_USAGE, LEDGER_CORRECTIONS, LEDGER_HELD, LEDGER_PROJECT_USAGE)
_POSTINGS = LEDGER_POSTINGS.c
_ENTRIES_AT_ONCE = 100_000
_NAMED = (
    (LEDGER_INTERVALS.c.point_version, LEDGER_POINT_VERSIONS),
    (LEDGER_INTERVALS.c.place, LEDGER_PLACES),
    (LEDGER_INTERVALS.c.generation, LEDGER_GENERATIONS),
    (LEDGER_USAGE.c.label_version, LEDGER_LABEL_VERSIONS),
    (LEDGER_PROJECT_USAGE.c.owner, LEDGER_OWNERS),
)


def prove_seals(connection: Connection, progress: Progress, since: int = 0) -> tuple[int, int]:
    """Prove that postings after one are numbered without holes, and that they and their entries are what was sealed.

    Gives how many such postings and entries there are; raises ``LedgerError``.
    """
    state = connection.execute(select(LEDGER_STATE)).one()
    first = max(state.removable, since)
    if first > state.posting:
        _refuse(f"there is no posting {first}: the latest is {state.posting}")
    expected, entries, before = first, 0, _seal_of(connection, first)
    progress.begin("proving seals", state.posting - first)
    for postings in _some_at_a_time(connection, first):
        kinds = [_read_entries(connection, table, postings[0].posting, postings[-1].posting) for table in _KINDS]
        for posting in postings:
            expected += 1
            if posting.posting != expected:
                _refuse(f"posting {expected} is missing")
            before = _prove_posting(posting, before, [kind[posting.posting] for kind in kinds])
            entries += posting.entries
        progress.update(expected - first)
    if expected != state.posting:
        _refuse(f"the latest posting should be {state.posting}, but is {expected}")
    _prove_names(connection)
    _prove_held(connection)
    return expected - first, entries


def _prove_posting(posting: Row[Any], before: str, entries: Sequence[Sequence[Any]]) -> str:
    if sum(map(len, entries)) != posting.entries:
        _refuse(f"posting {posting.posting} had {posting.entries} entries, and has {sum(map(len, entries))}")
    if seal(before, sealed_columns(posting._mapping), *sealed_kinds(*entries)) != posting.seal:  # noqa: SLF001 - the public name of a row's columns
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


def _prove_held(connection: Connection) -> None:
    """Prove that what is held, and nothing else, names versions of what is held, and that each interval is decided about once at most."""
    held, later = LEDGER_HELD.c, LEDGER_HELD.alias("later").c
    points, labels, intervals, usage = LEDGER_POINT_VERSIONS.c, LEDGER_LABEL_VERSIONS.c, LEDGER_INTERVALS.c, LEDGER_USAGE.c
    marked = exists().where(held.held_posting == intervals.posting, held.held_ordinal == intervals.ordinal, held.decision == Decision.HELD)
    named = select(intervals.posting).join(LEDGER_POINT_VERSIONS, points.id == intervals.point_version)
    used = select(usage.posting).join(LEDGER_LABEL_VERSIONS, labels.id == usage.label_version)
    used = used.join(LEDGER_INTERVALS, and_(intervals.posting == usage.posting, intervals.ordinal == usage.interval_ordinal))
    used = used.join(LEDGER_POINT_VERSIONS, points.id == intervals.point_version)
    orphaned = ~exists().where(
        later.held_posting == held.held_posting, later.held_ordinal == held.held_ordinal, later.decision == Decision.HELD
    )
    decided = select(func.max(held.posting)).where(held.decision != Decision.HELD).group_by(held.held_posting, held.held_ordinal)
    for statement, problem in (
        (named.where(points.held != marked), "has an interval that is held and counts, or does neither"),
        (used.where(points.held != labels.held), "has usage that is not held as its interval is"),
        (select(held.posting).where(orphaned), "decides about what is not held"),
        (decided.having(func.count() > 1), "decides about what was decided"),
    ):
        number = connection.execute(statement.limit(1)).scalar()
        if number is not None:
            _refuse(f"posting {number} {problem}")


def _refuse(sentence: str) -> None:
    raise LedgerError(sentence)
