"""Writing the record of what hosts are told: the digest of a classifier, before a plan with it is answered.

Owns the lock under which it is written, and which of it is worked out for the time before there was one. The points of the record are the
history of points; labels follow from the history of labels and rules.
"""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from venturi.adapters.store.schema.tables import REVISION_COUNTER, REVISIONS, TOLD_CLASSIFIERS, TOLD_STATE
from venturi.adapters.store.tables.label_changes import LabelScope
from venturi.core.domain.control.revision import LatestRevision
from venturi.core.domain.interval import Nanoseconds

_STATE = select(TOLD_STATE.c.history_end, TOLD_STATE.c.worked_out, TOLD_STATE.c.recorded)
_SAME = REVISION_COUNTER.c.id == TOLD_STATE.c.id
_AT = select(REVISIONS.c.at).where(REVISIONS.c.number == REVISION_COUNTER.c.number).scalar_subquery()
_VERSION = select(REVISION_COUNTER.c.number, _AT, TOLD_STATE.c.recorded).join_from(REVISION_COUNTER, TOLD_STATE, _SAME)
_AT_ONCE = 200


@dataclass(frozen=True)
class ToldClassifier:
    """A digest of the classifier of a scope, as its labels stand from the revision ``since`` on, at which they changed."""

    scope: LabelScope
    since: int
    digest: str


@dataclass(frozen=True)
class ToldState:
    """How far the record goes: the revisions up to ``history_end`` are worked out up to ``worked_out``; ``recorded`` counts writings."""

    history_end: int
    worked_out: int
    recorded: int


def read_told_state(connection: Connection) -> ToldState:
    """Give the state of the record."""
    return ToldState(*connection.execute(_STATE).one())


def read_told_version(connection: Connection) -> tuple[LatestRevision, int]:
    """Give the latest revision with its time, and how often the record was written."""
    number, at, recorded = connection.execute(_VERSION).one()
    return LatestRevision(number, Nanoseconds(at or 0)), recorded


class ToldWriter:
    """A transaction that writes the record, the only one that does on all servers."""

    def __init__(self, connection: Connection) -> None:
        """Take the lock of the record."""
        self._connection = connection
        self._state = ToldState(*connection.execute(_STATE.with_for_update()).one())

    def record(self, told: Collection[ToldClassifier]) -> int:
        """Record digests, those that are not there yet; give how often the record has been written by then."""
        new = self._find_new(told)
        if new:
            self._insert(new)
            self._note(self._state.worked_out)
        return self._state.recorded

    def record_history(self, told: Collection[ToldClassifier], before: int, until: int) -> bool:
        """Record what was worked out for the revisions after ``before``, up to ``until``; False if another server was faster."""
        if self._state.worked_out != before:
            return False
        self._insert(self._find_new(told))
        self._note(until)
        return True

    def _note(self, worked_out: int) -> None:
        self._state = ToldState(self._state.history_end, worked_out, self._state.recorded + 1)
        self._connection.execute(update(TOLD_STATE).values(worked_out=worked_out, recorded=self._state.recorded))

    def _insert(self, rows: Collection[tuple[str, bool, int, str]]) -> None:
        if rows:
            names = [column.name for column in TOLD_CLASSIFIERS.c]
            self._connection.execute(insert(TOLD_CLASSIFIERS), [dict(zip(names, row, strict=True)) for row in rows])

    def _find_new(self, told: Collection[ToldClassifier]) -> list[tuple[str, bool, int, str]]:
        rows = dict.fromkeys((each.scope or "", each.scope is None, each.since, each.digest) for each in told)
        revisions = sorted({each.since for each in told})
        for start in range(0, len(revisions), _AT_ONCE):
            some = revisions[start : start + _AT_ONCE]
            for row in self._connection.execute(select(*TOLD_CLASSIFIERS.c).where(TOLD_CLASSIFIERS.c.since.in_(some))):
                rows.pop(tuple(row), None)
        return list(rows)
