"""What is held: intervals with their reason, and what was decided about them.

Owns the statements. Whether an interval is held, and who decides, is for the services.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Row, Select, and_, exists, func, or_, select

from venturi.adapters.store.schema.ledger_tables import (
    LEDGER_GENERATIONS,
    LEDGER_HELD,
    LEDGER_INTERVALS,
    LEDGER_LABEL_VERSIONS,
    LEDGER_OWNERS,
    LEDGER_PLACES,
    LEDGER_POINT_VERSIONS,
    LEDGER_PROJECT_USAGE,
    LEDGER_TOTALS,
    LEDGER_USAGE,
)


class Decision(StrEnum):
    """What became of an interval that failed a check."""

    HELD = "held"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


Position = tuple[int, int]
"""The number of a posting, and the ordinal of one of its intervals."""

_NAMED_AT_ONCE = 200
_HELD = LEDGER_HELD.alias("held")
_LATER = LEDGER_HELD.alias("later")
_ANOTHER = LEDGER_HELD.alias("another")
_INTERVAL = and_(LEDGER_INTERVALS.c.posting == _HELD.c.held_posting, LEDGER_INTERVALS.c.ordinal == _HELD.c.held_ordinal)
_PLACE_COLUMNS = (LEDGER_PLACES.c.agent_id, LEDGER_PLACES.c.host, LEDGER_PLACES.c.place.label("device"))
_POINT_COLUMNS = [LEDGER_POINT_VERSIONS.c[name] for name in ("point_id", "name", "project_id", "shared", "kind", "boundary")]


@dataclass(frozen=True, kw_only=True)
class HeldSelection:
    """Which intervals are meant: those that pass all that is given; of ``positions``, those named."""

    agent_ids: Sequence[str] = ()
    point_ids: Sequence[str] = ()
    label_ids: Sequence[str] = ()
    reasons: Sequence[str] = ()
    decisions: Sequence[str] = (Decision.HELD,)
    positions: Sequence[Position] = ()


class HeldTable:
    """What is held, as one transaction sees it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def count(self, selection: HeldSelection) -> int:
        """Give how many intervals a selection has."""
        parts = (_select(part, [func.count()]) for part in _parts(selection))
        return sum(int(self._connection.execute(part).scalar_one()) for part in parts)

    def list(self, selection: HeldSelection, limit: int, after: Position = (0, -1)) -> Sequence[Row[Any]]:
        """List intervals by posting and ordinal, at most ``limit`` of those after one.

        Each row names the interval by ``posting`` and ``ordinal``, with what it names, its ``held_reason`` and ``decision``, and
        ``decided_by``, the posting that decided. ``first_label_id`` and ``first_label_name`` are of its first usage, None without any.
        """
        posting, ordinal = after
        later = or_(_HELD.c.held_posting > posting, and_(_HELD.c.held_posting == posting, _HELD.c.held_ordinal > ordinal))
        found: list[Row[Any]] = []
        for part in _parts(selection):
            statement = _select(part, _COLUMNS).where(later).order_by(_HELD.c.held_posting, _HELD.c.held_ordinal)
            found += self._connection.execute(statement.limit(limit - len(found))).all()
        return found

    def totals_of(self, position: Position, entries: int) -> Sequence[Row[Any]]:
        """Give the entries of totals of an interval that has so many ``entries``, in order."""
        return self._entries_of(select(LEDGER_TOTALS), LEDGER_TOTALS.c, position, entries)

    def usage_of(self, position: Position, entries: int) -> Sequence[Row[Any]]:
        """Give the entries of usage of an interval that has so many ``entries``, in order, each with its label."""
        labels = LEDGER_LABEL_VERSIONS.c
        columns = [labels[name] for name in ("label_id", "name", "project_id", "shared")]
        named = select(LEDGER_USAGE, *columns).join(LEDGER_LABEL_VERSIONS, labels.id == LEDGER_USAGE.c.label_version)
        return self._entries_of(named, LEDGER_USAGE.c, position, entries)

    def project_usage_of(self, position: Position, entries: int) -> Sequence[Row[Any]]:
        """Give the entries of what projects used in an interval, in order, each with its ``project_id``."""
        named = select(LEDGER_PROJECT_USAGE, LEDGER_OWNERS.c.project_id)
        owned = named.join(LEDGER_OWNERS, LEDGER_OWNERS.c.id == LEDGER_PROJECT_USAGE.c.owner)
        return self._entries_of(owned, LEDGER_PROJECT_USAGE.c, position, entries)

    def _entries_of(self, statement: Select[Any], columns: Any, position: Position, entries: int) -> Sequence[Row[Any]]:  # noqa: ANN401
        posting, ordinal = position
        wanted = statement.where(columns.posting == posting, columns.ordinal > ordinal, columns.ordinal < ordinal + entries)
        return self._connection.execute(wanted.order_by(columns.ordinal)).all()


def _decides(row: FromClause) -> ColumnElement[bool]:
    """Say that a row tells what became of an interval."""
    same = row.c.held_posting == _HELD.c.held_posting, row.c.held_ordinal == _HELD.c.held_ordinal
    return and_(*same, row.c.decision != Decision.HELD.value)


def _parts(selection: HeldSelection) -> Sequence[HeldSelection]:
    """Part a selection that names many intervals into some of which one statement can name all, in order."""
    if len(selection.positions) <= _NAMED_AT_ONCE:
        return [selection]
    named = sorted(selection.positions)
    return [replace(selection, positions=named[first : first + _NAMED_AT_ONCE]) for first in range(0, len(named), _NAMED_AT_ONCE)]


def _entries_within(columns: Any) -> tuple[ColumnElement[bool], ...]:  # noqa: ANN401 - the columns of a table of entries
    """Say which entries are of an interval: those numbered right behind it, which are found without reading the whole posting."""
    first, count = _HELD.c.held_ordinal, _HELD.c.entries
    return columns.posting == _HELD.c.held_posting, columns.ordinal > first, columns.ordinal < first + count


def _first_label(name: str) -> Any:  # noqa: ANN401 - a scalar subquery
    used = LEDGER_USAGE.c
    labels = select(LEDGER_LABEL_VERSIONS.c[name]).join(LEDGER_USAGE, used.label_version == LEDGER_LABEL_VERSIONS.c.id)
    return labels.where(*_entries_within(used)).order_by(used.ordinal).limit(1).scalar_subquery()


def _sum_of(name: str) -> Any:  # noqa: ANN401 - a scalar subquery
    return select(func.coalesce(func.sum(LEDGER_TOTALS.c[name]), 0)).where(*_entries_within(LEDGER_TOTALS.c)).scalar_subquery()


_COLUMNS: list[Any] = [
    _HELD.c.held_posting.label("posting"),
    _HELD.c.held_ordinal.label("ordinal"),
    _HELD.c.entries,
    _HELD.c.gap_version,
    _HELD.c.reason.label("held_reason"),
    func.coalesce(_LATER.c.decision, Decision.HELD.value).label("decision"),
    _LATER.c.posting.label("decided_by"),
    *(LEDGER_INTERVALS.c[name] for name in ("start_at", "end_at", "coverage", "reason", "place")),
    LEDGER_GENERATIONS.c.generation.label("counted_by"),
    *_POINT_COLUMNS,
    *_PLACE_COLUMNS,
    LEDGER_GENERATIONS.c.classifier,
    LEDGER_GENERATIONS.c.revision,
    LEDGER_GENERATIONS.c.segments,
    LEDGER_GENERATIONS.c.parted,
    *(_sum_of(name).label(name) for name in ("packets", "octets")),
    *(_first_label(name).label(f"first_label_{name.removeprefix('label_')}") for name in ("label_id", "name")),
]


def _select(selection: HeldSelection, columns: Sequence[Any]) -> Select[Any]:
    """Select columns of the intervals of a selection, and of what they name."""
    joined = (
        select(*columns)
        .select_from(_HELD)
        .join(LEDGER_INTERVALS, _INTERVAL)
        .join(LEDGER_POINT_VERSIONS, LEDGER_POINT_VERSIONS.c.id == LEDGER_INTERVALS.c.point_version)
        .join(LEDGER_PLACES, LEDGER_PLACES.c.id == LEDGER_INTERVALS.c.place)
        .join(LEDGER_GENERATIONS, LEDGER_GENERATIONS.c.id == LEDGER_INTERVALS.c.generation)
        .outerjoin(_LATER, _decides(_LATER))
    )
    return joined.where(_HELD.c.decision == Decision.HELD.value, *_conditions(selection))


def _conditions(selection: HeldSelection) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    for column, wanted in (
        (LEDGER_PLACES.c.agent_id, selection.agent_ids),
        (LEDGER_POINT_VERSIONS.c.point_id, selection.point_ids),
        (_HELD.c.reason, selection.reasons),
    ):
        if wanted:
            found.append(column.in_(list(map(str, wanted))))
    if list(selection.decisions) == [Decision.HELD]:
        # Of most that were ever held, all else need not be looked up.
        found.append(~exists().where(_decides(_ANOTHER)))
    elif selection.decisions:
        found.append(func.coalesce(_LATER.c.decision, Decision.HELD.value).in_(list(map(str, selection.decisions))))
    if selection.label_ids:
        used = LEDGER_USAGE.c
        same = _entries_within(used)
        labelled = LEDGER_LABEL_VERSIONS.c.id == used.label_version, LEDGER_LABEL_VERSIONS.c.label_id.in_(selection.label_ids)
        found.append(exists().where(*same, *labelled))
    if selection.positions:
        by_posting: dict[int, list[int]] = {}
        for posting, ordinal in selection.positions:
            by_posting.setdefault(posting, []).append(ordinal)
        found.append(or_(*(and_(_HELD.c.held_posting == posting, _HELD.c.held_ordinal.in_(some)) for posting, some in by_posting.items())))
    return found
