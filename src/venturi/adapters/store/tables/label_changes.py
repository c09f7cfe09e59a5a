"""At which revisions the labels that apply somewhere changed.

Owns noting that with a revision, and looking it up. A *label scope* is a project, whose labels and the shared ones apply at its points, or
None for shared points, where all labels apply. Nothing but a change that is noted here changes the classifier of a scope.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import BigInteger, Connection, and_, func, insert, literal, select, union, union_all

from venturi.adapters.store.schema.tables import LABEL_CHANGES, LABELS, LABELS_HISTORY, RULES, RULES_HISTORY

LabelScope = str | None
"""A project, or None for shared points."""

_ASKED_AT_ONCE = 100
_CHANGES = LABEL_CHANGES.c


def note_label_changes(connection: Connection, revision: int) -> None:
    """Note whose labels ``revision`` changed, in its own transaction: a row for each owner."""
    live, past = LABELS.c, LABELS_HISTORY.c
    of_live = live.id == RULES.c.metering_label_id
    changed = union(
        select(live.project_id, live.shared, literal(revision, BigInteger)).where(live.valid_from == revision),
        select(past.project_id, past.shared, literal(revision, BigInteger)).where(past.valid_to == revision),
        select(live.project_id, live.shared, literal(revision, BigInteger))
        .join_from(RULES, LABELS, of_live)
        .where(RULES.c.valid_from == revision),
        select(live.project_id, live.shared, literal(revision, BigInteger))
        .join_from(RULES_HISTORY, LABELS, live.id == RULES_HISTORY.c.metering_label_id)
        .where(RULES_HISTORY.c.valid_to == revision),
    )
    connection.execute(insert(LABEL_CHANGES).from_select(["project_id", "shared", "revision"], changed))


def last_label_changes(connection: Connection, asked: Iterable[tuple[LabelScope, int]]) -> dict[tuple[LabelScope, int], int]:
    """Give, for each scope and revision, the latest revision up to it at which the labels of the scope changed, 0 for none."""
    distinct = list(dict.fromkeys(asked))
    found: dict[tuple[LabelScope, int], int] = {}
    for start in range(0, len(distinct), _ASKED_AT_ONCE):
        some = distinct[start : start + _ASKED_AT_ONCE]
        parts = [part for number, (scope, revision) in enumerate(some) for part in _latest(number, scope, revision)]
        for row in connection.execute(union_all(*parts)):
            found[some[row[0]]] = max(found.get(some[row[0]], 0), row[1] or 0)
    return found


def find_label_changes(connection: Connection, after: int, until: int, limit: int) -> dict[int, list[tuple[str, bool]]]:
    """Give the first revisions, in order, at which labels changed, after one and up to another; each with the owners of the labels."""
    between = and_(_CHANGES.revision > after, _CHANGES.revision <= until)
    numbers = select(_CHANGES.revision).where(between).distinct().order_by(_CHANGES.revision).limit(limit)
    found: dict[int, list[tuple[str, bool]]] = {number: [] for number in connection.execute(numbers).scalars()}
    if found:
        owners = select(_CHANGES.revision, _CHANGES.project_id, _CHANGES.shared).where(_CHANGES.revision.between(min(found), max(found)))
        for number, project_id, shared in connection.execute(owners):
            found[number].append((project_id, shared))
    return found


def _latest(number: int, scope: LabelScope, revision: int) -> list[Any]:  # selects of two columns
    """Select the latest change in the parts that an index can answer; ``number`` names what was asked."""
    latest = select(literal(number), func.max(_CHANGES.revision)).where(_CHANGES.revision <= revision)
    if scope is None:
        return [latest]
    return [latest.where(_CHANGES.shared.is_(True)), latest.where(_CHANGES.project_id == scope, _CHANGES.shared.is_(False))]
