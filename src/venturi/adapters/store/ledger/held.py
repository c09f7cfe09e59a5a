"""What is held: intervals with their reason, and what was decided about them.

Owns the statements. Whether an interval is held, and who decides, is for the services.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, exists, func, or_, select

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

_HELD = LEDGER_HELD.alias("held")
_LATER = LEDGER_HELD.alias("later")
_DECIDED = and_(
    _LATER.c.held_posting == _HELD.c.held_posting, _LATER.c.held_ordinal == _HELD.c.held_ordinal, _LATER.c.decision != Decision.HELD.value
)
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

    def count_entries(self, agent_id: str) -> int:
        """Give how many entries of an agent's are held and not decided about."""
        places = select(LEDGER_PLACES.c.id).where(LEDGER_PLACES.c.agent_id == agent_id)
        statement = select(func.coalesce(func.sum(_HELD.c.entries), 0)).join(LEDGER_INTERVALS, _INTERVAL)
        undecided = ~exists().where(_DECIDED)
        of_agent = statement.where(_HELD.c.decision == Decision.HELD.value, LEDGER_INTERVALS.c.place.in_(places), undecided)
        return int(self._connection.execute(of_agent).scalar_one())

    def count(self, selection: HeldSelection) -> int:
        """Give how many intervals a selection has."""
        return int(self._connection.execute(select(func.count()).select_from(_select(selection).subquery())).scalar_one())

    def list(self, selection: HeldSelection, limit: int, after: Position = (0, -1)) -> Sequence[Row[Any]]:
        """List intervals by posting and ordinal, at most ``limit`` of those after one.

        Each row names the interval by ``posting`` and ``ordinal``, with what it names, its ``held_reason`` and ``decision``, and
        ``decided_by``, the posting that decided. ``first_label_id`` and ``first_label_name`` are of its first usage, None without any.
        """
        posting, ordinal = after
        later = or_(_HELD.c.held_posting > posting, and_(_HELD.c.held_posting == posting, _HELD.c.held_ordinal > ordinal))
        statement = _select(selection).where(later).order_by(_HELD.c.held_posting, _HELD.c.held_ordinal)
        return self._connection.execute(statement.limit(limit)).all()

    def totals_of(self, position: Position) -> Sequence[Row[Any]]:
        """Give the entries of totals of an interval, in order."""
        return self._entries_of(select(LEDGER_TOTALS), LEDGER_TOTALS.c, position)

    def usage_of(self, position: Position) -> Sequence[Row[Any]]:
        """Give the entries of usage of an interval, in order, each with its label."""
        labels = LEDGER_LABEL_VERSIONS.c
        columns = [labels[name] for name in ("label_id", "name", "project_id", "shared")]
        named = select(LEDGER_USAGE, *columns).join(LEDGER_LABEL_VERSIONS, labels.id == LEDGER_USAGE.c.label_version)
        return self._entries_of(named, LEDGER_USAGE.c, position)

    def project_usage_of(self, position: Position) -> Sequence[Row[Any]]:
        """Give the entries of what projects used in an interval, in order, each with its ``project_id``."""
        named = select(LEDGER_PROJECT_USAGE, LEDGER_OWNERS.c.project_id)
        owned = named.join(LEDGER_OWNERS, LEDGER_OWNERS.c.id == LEDGER_PROJECT_USAGE.c.owner)
        return self._entries_of(owned, LEDGER_PROJECT_USAGE.c, position)

    def _entries_of(self, statement: Select[Any], columns: Any, position: Position) -> Sequence[Row[Any]]:  # noqa: ANN401 - columns
        posting, ordinal = position
        wanted = statement.where(columns.posting == posting, columns.interval_ordinal == ordinal)
        return self._connection.execute(wanted.order_by(columns.ordinal)).all()


def _select(selection: HeldSelection) -> Select[Any]:
    of_interval = LEDGER_TOTALS.c.posting == _HELD.c.held_posting, LEDGER_TOTALS.c.interval_ordinal == _HELD.c.held_ordinal
    sums = [select(func.coalesce(func.sum(LEDGER_TOTALS.c[name]), 0)).where(*of_interval) for name in ("packets", "octets")]
    columns: list[Any] = [
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
        *(each.scalar_subquery().label(name) for each, name in zip(sums, ("packets", "octets"), strict=True)),
        *(_first_label(name).label(f"first_label_{name.removeprefix('label_')}") for name in ("label_id", "name")),
    ]
    joined = (
        select(*columns)
        .select_from(_HELD)
        .join(LEDGER_INTERVALS, _INTERVAL)
        .join(LEDGER_POINT_VERSIONS, LEDGER_POINT_VERSIONS.c.id == LEDGER_INTERVALS.c.point_version)
        .join(LEDGER_PLACES, LEDGER_PLACES.c.id == LEDGER_INTERVALS.c.place)
        .join(LEDGER_GENERATIONS, LEDGER_GENERATIONS.c.id == LEDGER_INTERVALS.c.generation)
        .outerjoin(_LATER, _DECIDED)
    )
    return joined.where(_HELD.c.decision == Decision.HELD.value, *_conditions(selection))


def _first_label(name: str) -> Any:  # noqa: ANN401 - a scalar subquery
    used = LEDGER_USAGE.c
    of_interval = used.posting == _HELD.c.held_posting, used.interval_ordinal == _HELD.c.held_ordinal
    labels = select(LEDGER_LABEL_VERSIONS.c[name]).join(LEDGER_USAGE, used.label_version == LEDGER_LABEL_VERSIONS.c.id)
    return labels.where(*of_interval).order_by(used.ordinal).limit(1).scalar_subquery()


def _conditions(selection: HeldSelection) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    for column, wanted in (
        (LEDGER_PLACES.c.agent_id, selection.agent_ids),
        (LEDGER_POINT_VERSIONS.c.point_id, selection.point_ids),
        (_HELD.c.reason, selection.reasons),
        (func.coalesce(_LATER.c.decision, Decision.HELD.value), selection.decisions),
    ):
        if wanted:
            found.append(column.in_(list(map(str, wanted))))
    if selection.label_ids:
        used = LEDGER_USAGE.c
        same = used.posting == _HELD.c.held_posting, used.interval_ordinal == _HELD.c.held_ordinal
        labelled = LEDGER_LABEL_VERSIONS.c.id == used.label_version, LEDGER_LABEL_VERSIONS.c.label_id.in_(selection.label_ids)
        found.append(exists().where(*same, *labelled))
    if selection.positions:
        by_posting: dict[int, list[int]] = {}
        for posting, ordinal in selection.positions:
            by_posting.setdefault(posting, []).append(ordinal)
        found.append(or_(*(and_(_HELD.c.held_posting == posting, _HELD.c.held_ordinal.in_(some)) for posting, some in by_posting.items())))
    return found
