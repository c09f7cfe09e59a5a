"""Times that are accounted for at points, by what was posted and is not held.

Owns the query. It seeks the ends of intervals, of which an agent's next batch nearly always finds none.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from sqlalchemy import Connection, Row, Select, exists, or_, select

from venturi.adapters.store.schema.ledger_tables import LEDGER_INTERVALS, LEDGER_PLACES, LEDGER_POINT_VERSIONS, LEDGER_TOTALS
from venturi.core.domain.coverage import Coverage
from venturi.core.ledger.believing import AccountedTime

_INTERVALS = LEDGER_INTERVALS.c
_PLACES = LEDGER_PLACES.c
_POINTS = LEDGER_POINT_VERSIONS.c
_AT_ONCE = 200
_ASKED_AT_ONCE = 400


class MeteredPlace(NamedTuple):
    """A device of a host at which a point is metered; ``host`` and ``place`` are empty where the point has but one."""

    point_id: str
    host: str = ""
    place: str = ""


Spans = Mapping[MeteredPlace, tuple[int, int]]
"""Start and end of the time that is asked about, by place."""


def find_accounted(connection: Connection, spans: Spans) -> dict[MeteredPlace, list[AccountedTime]]:
    """Give what is accounted for of each span at its place, in order of the ends; more may be given besides."""
    found: dict[MeteredPlace, list[AccountedTime]] = {place: [] for place in spans}
    names = sorted({place.point_id for place in spans})
    for first in range(0, len(names), _ASKED_AT_ONCE):
        asked = set(names[first : first + _ASKED_AT_ONCE])
        waiting = {place: end for place, (_, end) in spans.items() if place.point_id in asked}
        since = min(start for place, (start, _) in spans.items() if place.point_id in asked)
        for row in _read(connection, _statement(sorted(asked), since)):
            place = _place_of(row, spans)
            if place is None:
                continue
            found[place].append(AccountedTime(row.host, row.start_at, row.end_at))
            # Intervals of a place do not overlap: whatever ends later than one that begins after the span begins after it, too.
            if row.start_at >= waiting.get(place, row.start_at + 1):
                del waiting[place]
                if not waiting:
                    break
    return found


def _read(connection: Connection, statement: Select[tuple[str, str, str, int, int]]) -> Iterator[Row[tuple[str, str, str, int, int]]]:
    """Give the rows, most often none: some at first, and only if there are as many, all."""
    rows = connection.execute(statement.limit(_AT_ONCE)).all()
    if len(rows) < _AT_ONCE:
        yield from rows
        return
    with connection.execute(statement.execution_options(yield_per=_AT_ONCE)) as stream:
        yield from stream


def _statement(point_ids: list[str], since: int) -> Select[tuple[str, str, str, int, int]]:
    counted = exists().where(LEDGER_TOTALS.c.posting == _INTERVALS.posting, LEDGER_TOTALS.c.interval_ordinal == _INTERVALS.ordinal)
    named = select(_POINTS.point_id, _PLACES.host, _PLACES.place, _INTERVALS.start_at, _INTERVALS.end_at)
    joined = named.select_from(LEDGER_POINT_VERSIONS).join(LEDGER_INTERVALS, _INTERVALS.point_version == _POINTS.id)
    placed = joined.join(LEDGER_PLACES, _PLACES.id == _INTERVALS.place)
    there = placed.where(_POINTS.point_id.in_(point_ids), _POINTS.held.is_(False), _INTERVALS.end_at >= since)
    there = there.where(or_(_INTERVALS.end_at > since, _INTERVALS.start_at == since))
    return there.where(or_(_INTERVALS.coverage != Coverage.GAP.value, counted)).order_by(_INTERVALS.end_at)


def _place_of(row: Row[tuple[str, str, str, int, int]], spans: Spans) -> MeteredPlace | None:
    for place in (MeteredPlace(row.point_id, row.host.lower(), row.place), MeteredPlace(row.point_id)):
        if place in spans:
            return place
    return None
