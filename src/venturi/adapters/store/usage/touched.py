"""Postings that say something of a time: by intervals in it, by corrections of what was counted in it, or by decisions about what is held.

Owns the statements. What such postings change is for whoever reads sums before and after.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, and_, select

from venturi.adapters.store.ledger.rolling.entries import Postings
from venturi.adapters.store.schema.ledger_tables import (
    LEDGER_CORRECTIONS,
    LEDGER_GENERATIONS,
    LEDGER_HELD,
    LEDGER_INTERVALS,
    LEDGER_PLACES,
    LEDGER_POINT_VERSIONS,
    LEDGER_POSTINGS,
    LEDGER_PROJECT_USAGE,
    LEDGER_TOTALS,
    LEDGER_USAGE,
)
from venturi.core.ledger.bins import JITTER

_INTERVALS = LEDGER_INTERVALS.c
_CORRECTIONS = LEDGER_CORRECTIONS.c
_HELD = LEDGER_HELD.c


class Touched(NamedTuple):
    """A posting that says something of a time at a point."""

    posting: int
    point_id: str


class Metered(NamedTuple):
    """By what points were metered: the seals of postings by their numbers, (revision, classifier) of the rules, and the agents."""

    seals: Mapping[int, str]
    rules: frozenset[tuple[int, str]]
    agents: frozenset[str]


def read_touched(connection: Connection, postings: Postings, window: tuple[int, int]) -> set[Touched]:
    """Find which of some postings say something of a window of time, in nanoseconds since the UTC epoch, and at which points."""
    within = and_(_INTERVALS.end_at > window[0] - JITTER, _INTERVALS.start_at < window[1] + JITTER)
    return {Touched(*row) for statement in _statements(postings, within) for row in connection.execute(statement)}


def read_metered(connection: Connection, points: frozenset[int], window: tuple[int, int], up_to: int) -> Metered:
    """Read by what points, named by their versions, were metered in a window of time, as far as the posting ``up_to`` says."""
    if not points:
        return Metered({}, frozenset(), frozenset())
    within = and_(_INTERVALS.point_version.in_(sorted(points)), _INTERVALS.end_at > window[0], _INTERVALS.start_at < window[1])
    postings, generations, places = LEDGER_POSTINGS.c, LEDGER_GENERATIONS.c, LEDGER_PLACES.c
    joined = LEDGER_INTERVALS.join(LEDGER_POSTINGS, postings.posting == _INTERVALS.posting)
    named = select(_INTERVALS.posting, postings.seal, _INTERVALS.generation, _INTERVALS.place).select_from(joined)
    rows = connection.execute(named.where(within, _INTERVALS.posting <= up_to).distinct()).all()
    seals = {row[0]: row[1] for row in rows}
    for corrections in _corrections(within):
        found = corrections.where(_CORRECTIONS.posting <= up_to).subquery("corrections")
        seals |= {
            row[0]: row[1]
            for row in connection.execute(select(postings.posting, postings.seal).join(found, found.c.posting == postings.posting))
        }
    counted = select(generations.revision, generations.classifier).where(generations.id.in_(sorted({row[2] for row in rows})))
    agents = select(places.agent_id).where(places.id.in_(sorted({row[3] for row in rows})))
    return Metered(
        dict(sorted(seals.items())),
        frozenset((row[0], row[1]) for row in connection.execute(counted)),
        frozenset(connection.execute(agents).scalars()),
    )


def _statements(postings: Postings, within: ColumnElement[bool]) -> Iterator[Select[Any]]:
    point = LEDGER_POINT_VERSIONS.c.point_id
    named = LEDGER_POINT_VERSIONS.c.id == _INTERVALS.point_version
    said = select(_INTERVALS.posting, point).select_from(LEDGER_INTERVALS.join(LEDGER_POINT_VERSIONS, named))
    yield said.where(within, _are(_INTERVALS.posting, postings)).distinct()
    for corrections in _corrections(within):
        yield corrections.where(_are(_CORRECTIONS.posting, postings))
    interval = and_(_INTERVALS.posting == _HELD.held_posting, _INTERVALS.ordinal == _HELD.held_ordinal)
    joined = LEDGER_HELD.join(LEDGER_INTERVALS, interval).join(LEDGER_POINT_VERSIONS, named)
    yield select(_HELD.posting, point).select_from(joined).where(within, _are(_HELD.posting, postings)).distinct()


def _corrections(within: ColumnElement[bool]) -> Iterator[Select[Any]]:
    """Select the postings that correct entries of intervals that are within, and their points."""
    for table in (LEDGER_USAGE, LEDGER_PROJECT_USAGE, LEDGER_TOTALS):
        entry = and_(table.c.posting == _CORRECTIONS.corrected_posting, table.c.ordinal == _CORRECTIONS.corrected_ordinal)
        interval = and_(_INTERVALS.posting == table.c.posting, _INTERVALS.ordinal == table.c.interval_ordinal)
        point = LEDGER_POINT_VERSIONS.c.id == _INTERVALS.point_version
        joined = LEDGER_CORRECTIONS.join(table, entry).join(LEDGER_INTERVALS, interval).join(LEDGER_POINT_VERSIONS, and_(within, point))
        yield select(_CORRECTIONS.posting, LEDGER_POINT_VERSIONS.c.point_id).select_from(joined).distinct()


def _are(posting: ColumnElement[int], postings: Postings) -> ColumnElement[bool]:
    return and_(posting > postings.after, posting <= postings.last)
