"""Alarms in the store: a row for each, found by its id whoever raises it; they are no part of a revision.

Owns what becomes of a row when its alarm is seen, and the bounds on rows. When an alarm is over is for the services.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, insert, select, update

from venturi.adapters.store.schema.alarm_tables import ALARMS
from venturi.adapters.store.schema.columns import IDENTIFIER_LENGTH
from venturi.adapters.store.tables.paging import Collection as ListedCollection
from venturi.adapters.store.tables.paging import read_page, storable
from venturi.adapters.store.transaction import Transaction
from venturi.core.domain.alarm import LONGEST_KIND, LONGEST_SUBJECT, AlarmState, KeptAlarm, Sighting, spell_on_one_line
from venturi.core.domain.control.listing import Listing

MOST_OF_KIND = 1000
"""How many alarms of one kind are kept, open or cleared."""

MOST_ALARMS = 10_000
"""How many alarms are kept in all."""

_AT_ONCE = 500
_LENGTHS = {
    "kind": LONGEST_KIND,
    "point_id": IDENTIFIER_LENGTH,
    **dict.fromkeys(("subject", "agent_id", "host", "reporter"), LONGEST_SUBJECT),
}
_COLUMNS = list(ALARMS.c)
_LISTED = ListedCollection("alarm", _COLUMNS, {name: ALARMS.c[name] for name in ("id", "kind", "state", "last_seen_at")})
Alarms = list[KeptAlarm]  # the method ``list`` hides the built-in type


class AlarmTable:
    """The alarms that one transaction sees."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._connection = transaction.connection

    def find(self, alarm_id: str) -> KeptAlarm | None:
        """Give an alarm, or None."""
        if not storable(alarm_id):
            return None
        row = self._connection.execute(select(ALARMS).where(ALARMS.c.id == alarm_id)).first()
        return None if row is None else _read(row)

    def list(self, listing: Listing, project_id: str | None = None, since: int | None = None) -> Alarms:
        """List alarms, with ``project_id`` those of the project, with ``since`` those that were seen at that time or later."""
        conditions: list[ColumnElement[bool]] = []
        if project_id is not None:
            conditions.append(ALARMS.c.project_id == project_id)
        if since is not None:
            conditions.append(ALARMS.c.last_seen_at >= since)
        return [_read(row) for row in read_page(self._transaction, _LISTED, listing, and_(*conditions) if conditions else None)]

    def count_open(self) -> Mapping[str, int]:
        """Count open alarms by kind."""
        counted = select(ALARMS.c.kind, func.count()).where(ALARMS.c.state == AlarmState.OPEN).group_by(ALARMS.c.kind)
        return {row[0]: int(row[1]) for row in self._connection.execute(counted)}

    def open_of(self, reporter: str) -> set[str]:
        """Give the ids of the open alarms that an agent reported."""
        found = select(ALARMS.c.id).where(ALARMS.c.reporter == reporter, ALARMS.c.state == AlarmState.OPEN)
        return set(self._connection.execute(found).scalars())

    def open_of_kind(self, kind: str) -> set[str]:
        """Give the ids of the open alarms of a kind."""
        found = select(ALARMS.c.id).where(ALARMS.c.kind == kind, ALARMS.c.state == AlarmState.OPEN)
        return set(self._connection.execute(found).scalars())

    def open_about(self, agent_id: str) -> set[str]:
        """Give the ids of the open alarms that are about an agent."""
        found = select(ALARMS.c.id).where(ALARMS.c.agent_id == agent_id, ALARMS.c.state == AlarmState.OPEN)
        return set(self._connection.execute(found).scalars())

    def note(self, sightings: Sequence[Sighting], exempt: str = "") -> int:
        """Note what was seen; give how often alarms were raised that there was no room for, the ``exempt`` kind has always room."""
        self._transaction.require_writing()
        known = self._known([sighting.alarm.id for sighting in sightings])
        new: list[dict[str, Any]] = []
        for sighting in sightings:
            row = known.get(sighting.alarm.id)
            if row is not None:
                self._change(row, sighting)
            elif sighting.count:
                new.append(_spell_alarm(sighting) | _opened(sighting))
        return self._add(new, exempt)

    def clear(self, alarm_ids: Collection[str], at: int) -> None:
        """Note that alarms are over."""
        for some in _in_parts(sorted(alarm_ids)):
            self._clear(ALARMS.c.id.in_(some), at)

    def age(self, now: int, ages: Mapping[str, int | None], usual: int) -> None:
        """Clear the alarms that were not seen for the age of their kind, or the ``usual`` one; None is no age."""
        self._clear(and_(ALARMS.c.kind.not_in(list(ages)), ALARMS.c.last_seen_at < now - usual), now)
        for kind, age in ages.items():
            if age is not None:
                self._clear(and_(ALARMS.c.kind == kind, ALARMS.c.last_seen_at < now - age), now)

    def forget(self, before: int) -> None:
        """Remove the alarms that were cleared before a time."""
        self._transaction.require_writing()
        self._connection.execute(delete(ALARMS).where(ALARMS.c.state == AlarmState.CLEARED, ALARMS.c.cleared_at < before))

    def acknowledge(self, alarm_id: str, by: str, at: int) -> None:
        """Note who has seen an alarm; the first one stays."""
        self._transaction.require_writing()
        wanted = ALARMS.c.id == alarm_id, ALARMS.c.acknowledged_at.is_(None)
        self._connection.execute(update(ALARMS).where(*wanted).values(acknowledged_at=at, acknowledged_by=by))

    def _known(self, alarm_ids: Sequence[str]) -> dict[str, Any]:
        rows: dict[str, Any] = {}
        for some in _in_parts(alarm_ids):
            found = self._connection.execute(select(ALARMS.c.id, ALARMS.c.state, ALARMS.c.count).where(ALARMS.c.id.in_(some)))
            rows.update({row.id: row for row in found})
        return rows

    def _change(self, row: Any, sighting: Sighting) -> None:  # noqa: ANN401 - a row of ``_known``
        """Change the row of an alarm: it is seen once more, opened again, or cleared."""
        columns: dict[str, Any] = {}
        if sighting.count:
            columns = _spell_alarm(sighting)
            if row.state == AlarmState.CLEARED:
                columns |= _opened(sighting)
            else:
                columns["last_seen_at"] = sighting.last_at
                columns["count"] = sighting.count if sighting.total else row.count + (0 if sighting.lasting else sighting.count)
        if sighting.cleared and (sighting.count or row.state == AlarmState.OPEN):
            columns |= {"state": AlarmState.CLEARED.value, "cleared_at": sighting.last_at}
        if columns:
            self._connection.execute(update(ALARMS).where(ALARMS.c.id == row.id).values(**columns))

    def _add(self, new: Sequence[dict[str, Any]], exempt: str) -> int:
        """Add rows where there is room, for which the alarms give way that were cleared first; count what there is no room for."""
        if not new:
            return 0
        counted = select(ALARMS.c.kind, func.count()).group_by(ALARMS.c.kind)
        kept = Counter({row[0]: int(row[1]) for row in self._connection.execute(counted)})
        overflow, added = 0, []
        for row in new:
            kind = row["kind"]
            if kind != exempt and (kept[kind] >= MOST_OF_KIND or kept.total() >= MOST_ALARMS):
                gone = self._give_way(kind if kept[kind] >= MOST_OF_KIND else None)
                if gone is None:
                    overflow += row["count"]
                    continue
                kept[gone] -= 1
            kept[kind] += 1
            added.append(row)
        if added:
            self._connection.execute(insert(ALARMS), added)
        return overflow

    def _give_way(self, kind: str | None) -> str | None:
        """Remove the alarm, of a kind or any, that was cleared first, and give its kind; None where all are open."""
        conditions = [ALARMS.c.state == AlarmState.CLEARED] + ([] if kind is None else [ALARMS.c.kind == kind])
        oldest = select(ALARMS.c.id, ALARMS.c.kind).where(*conditions).order_by(ALARMS.c.cleared_at).limit(1)
        row = self._connection.execute(oldest).first()
        if row is None:
            return None
        self._connection.execute(delete(ALARMS).where(ALARMS.c.id == row.id))
        return str(row.kind)

    def _clear(self, condition: ColumnElement[bool], at: int) -> None:
        self._transaction.require_writing()
        changed = update(ALARMS).where(condition, ALARMS.c.state == AlarmState.OPEN)
        self._connection.execute(changed.values(state=AlarmState.CLEARED.value, cleared_at=at))


def _spell_alarm(sighting: Sighting) -> dict[str, Any]:
    """Give what an alarm says as columns, in texts that every database and terminal can take."""
    alarm = sighting.alarm
    texts = {name: spell_on_one_line(getattr(alarm, name), longest) for name, longest in _LENGTHS.items()}
    sentences = {name: spell_on_one_line(getattr(alarm, name)) for name in ("sentence", "project_sentence")}
    return {"id": alarm.id, "project_id": alarm.project_id, **texts, **sentences}


def _opened(sighting: Sighting) -> dict[str, Any]:
    state = AlarmState.CLEARED if sighting.cleared else AlarmState.OPEN
    times = {"first_seen_at": sighting.first_at, "last_seen_at": sighting.last_at}
    ends = {"cleared_at": sighting.last_at if sighting.cleared else None, "acknowledged_at": None, "acknowledged_by": None}
    return {"state": state.value, "count": sighting.count, **times, **ends}


def _in_parts(names: Sequence[str]) -> list[Sequence[str]]:
    return [names[start : start + _AT_ONCE] for start in range(0, len(names), _AT_ONCE)]


def _read(row: Any) -> KeptAlarm:  # noqa: ANN401 - a row of the table
    return KeptAlarm(**(row._asdict() | {"state": AlarmState(row.state)}))
