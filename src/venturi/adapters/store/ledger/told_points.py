"""The states of points as plans had them, from the history of points: in which plans a point was, from which revision until which.

Owns reading them. The same rule makes plans: ``tables.points.PointTable.on_host``.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, literal, select, union_all
from sqlalchemy.types import BigInteger

from venturi.adapters.store.schema.tables import OBSERVATION_POINTS, OBSERVATION_POINTS_HISTORY
from venturi.adapters.store.tables.label_changes import LabelScope
from venturi.adapters.store.tables.point_rows import read_hosts
from venturi.core.domain.point import PointKind
from venturi.core.ledger.batch import BatchPoint

_COLUMNS = ("id", "name", "project_id", "shared", "kind", "host", "collector_host", "hosts", "line_rate", "boundary", "valid_from")
_ASKED_AT_ONCE = 400


@dataclass(frozen=True, kw_only=True)
class PointState:
    """A point as it was from the revision ``since`` on, until the revision ``until``, None if it is so still.

    ``hosts`` are those whose plans had it, None for every host; ``boundary`` is the one that an operator named, empty for the default.
    """

    point: BatchPoint
    hosts: frozenset[str] | None
    line_rate: int | None
    boundary: str
    since: int
    until: int | None

    @property
    def scope(self) -> LabelScope:
        """Where its labels come from."""
        return None if self.point.shared else self.point.project_id

    @property
    def free(self) -> bool:
        """Whether it is a router that had no host."""
        return self.hosts is None and self.point.kind == PointKind.ROUTER

    def is_told(self, host: str) -> bool:
        """Tell whether the plan of a host had it."""
        return self.hosts is None or host in self.hosts


def find_states(connection: Connection, point_ids: Collection[str]) -> dict[str, list[PointState]]:
    """Give the states of points, by id, in order."""
    wanted = sorted(point_ids)
    found: dict[str, list[PointState]] = {}
    for start in range(0, len(wanted), _ASKED_AT_ONCE):
        some = wanted[start : start + _ASKED_AT_ONCE]
        live, past = OBSERVATION_POINTS.c, OBSERVATION_POINTS_HISTORY.c
        states = union_all(
            select(*(live[name] for name in _COLUMNS), literal(None, BigInteger).label("valid_to")).where(live.id.in_(some)),
            select(*(past[name] for name in _COLUMNS), past.valid_to).where(past.id.in_(some)),
        )
        for row in connection.execute(states):
            found.setdefault(row.id, []).append(_read_state(row))
    return {point_id: sorted(each, key=lambda state: state.since) for point_id, each in found.items()}


def _read_state(row: Row[Any]) -> PointState:
    point = BatchPoint(id=row.id, name=row.name, project_id=row.project_id, shared=bool(row.shared), kind=row.kind)
    hosts: Sequence[str | None] = {PointKind.INTERFACE: (row.host,), PointKind.ROUTER: read_hosts(row.hosts)}.get(
        PointKind(row.kind), (row.collector_host,)
    )
    named = frozenset(host for host in hosts if host)
    return PointState(
        point=point,
        hosts=named or None,
        line_rate=row.line_rate,
        boundary=row.boundary or "",
        since=row.valid_from,
        until=row.valid_to,
    )
