"""What the record of classifiers says, and how far it goes.

Owns its statements. What follows for a claim is for ``told``.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, or_, select

from venturi.adapters.store.schema.tables import REVISION_COUNTER, REVISIONS, TOLD_CLASSIFIERS, TOLD_STATE
from venturi.adapters.store.tables.label_changes import LabelScope
from venturi.core.domain.interval import Nanoseconds

_ASKED_AT_ONCE = 400


@dataclass(frozen=True, kw_only=True)
class RecordVersion:
    """The latest revision, and the state of the record as ``telling.ToldState`` has it.

    ``latest_at`` is the time of the latest revision, and ``seen_at`` that of one that was latest before: if that has changed, the database
    was put back meanwhile.
    """

    latest: int
    latest_at: Nanoseconds | None
    seen_at: Nanoseconds | None
    history_end: int
    worked_out: int
    recorded: int

    @property
    def content(self) -> tuple[object, ...]:
        """What nothing that is looked up changes without."""
        return self.latest, self.latest_at, self.worked_out, self.recorded

    def is_missing(self, since: int, until: int | None) -> bool:
        """Tell whether what was told from a revision on, until another, is still to be worked out."""
        last = self.history_end if until is None else min(self.history_end, until - 1)
        return since <= self.history_end and last > self.worked_out


def read_version(connection: Connection, seen: int) -> RecordVersion:
    """Give the version of the record; ``seen`` is a revision that was the latest before."""
    latest_at = select(REVISIONS.c.at).where(REVISIONS.c.number == REVISION_COUNTER.c.number).scalar_subquery()
    seen_at = select(REVISIONS.c.at).where(REVISIONS.c.number == seen).scalar_subquery()
    state = TOLD_STATE.c.history_end, TOLD_STATE.c.worked_out, TOLD_STATE.c.recorded
    both = select(REVISION_COUNTER.c.number, latest_at, seen_at, *state).join_from(
        REVISION_COUNTER, TOLD_STATE, REVISION_COUNTER.c.id == TOLD_STATE.c.id
    )
    latest, at, earlier_at, history_end, worked_out, recorded = connection.execute(both).one()
    return RecordVersion(latest=latest, latest_at=at, seen_at=earlier_at, history_end=history_end, worked_out=worked_out, recorded=recorded)


def find_sinces(
    connection: Connection, classifiers: Collection[str], scopes: Collection[LabelScope]
) -> dict[tuple[LabelScope, str], list[int]]:
    """Give the revisions since which plans of a scope had a classifier, in order, by scope and digest."""
    columns, found = TOLD_CLASSIFIERS.c, defaultdict(list)
    projects = sorted(scope for scope in scopes if scope is not None)
    wanted = sorted(classifiers)
    for start in range(0, len(wanted), _ASKED_AT_ONCE):
        some = columns.classifier.in_(wanted[start : start + _ASKED_AT_ONCE])
        for first in range(0, len(projects) or 1, _ASKED_AT_ONCE):
            scoped = or_(columns.shared.is_(True), columns.project_id.in_(projects[first : first + _ASKED_AT_ONCE]))
            rows = connection.execute(select(columns.project_id, columns.shared, columns.classifier, columns.since).where(some, scoped))
            for project_id, shared, classifier, since in rows:
                found[None if shared else project_id, classifier].append(since)
    return {key: sorted(set(sinces)) for key, sinces in found.items()}


def find_times(connection: Connection, revisions: Collection[int]) -> dict[int, Nanoseconds]:
    """Give the server's times of revisions."""
    wanted, found = sorted(revisions), dict[int, Nanoseconds]()
    for start in range(0, len(wanted), _ASKED_AT_ONCE):
        some = REVISIONS.c.number.in_(wanted[start : start + _ASKED_AT_ONCE])
        for number, at in connection.execute(select(REVISIONS.c.number, REVISIONS.c.at).where(some)):
            found[number] = Nanoseconds(at)
    return found
