"""Revisions in the store: which there are, what each changed, and the whole state at any of them.

Owns reading the history back. It is written by the tables whose rows change.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Row, Table, insert, literal, select, union_all, update

from venturi.adapters.store.schema.tables import (
    LABEL_ATTRIBUTES,
    LABELS,
    LABELS_HISTORY,
    OBSERVATION_POINTS,
    OBSERVATION_POINTS_HISTORY,
    POINT_ATTRIBUTES,
    REVISION_COUNTER,
    REVISIONS,
    RULE_ATTRIBUTES,
    RULES,
    RULES_HISTORY,
)
from venturi.adapters.store.tables.label_changes import last_label_changes
from venturi.adapters.store.tables.paging import Collection, read_page
from venturi.adapters.store.tables.point_rows import read_point
from venturi.adapters.store.tables.rows import read_labels, read_rules
from venturi.adapters.store.transaction import Transaction
from venturi.core.domain.control.listing import Listing
from venturi.core.domain.control.revision import Change, ChangeKind, LatestRevision, Revision
from venturi.core.domain.interval import Nanoseconds
from venturi.core.domain.label import MeteringLabel
from venturi.core.domain.point import ObservationPoint
from venturi.core.rules.given_rule import GivenRule

_VERSIONED = (
    ("label", LABELS, LABELS_HISTORY),
    ("rule", RULES, RULES_HISTORY),
    ("observation_point", OBSERVATION_POINTS, OBSERVATION_POINTS_HISTORY),
)
_COLUMNS = [REVISIONS.c[name] for name in ("number", "at", "author", "project_id")]
_COLLECTION = Collection("revision", _COLUMNS, {column.name: column for column in _COLUMNS} | {"id": REVISIONS.c.number})
_LATEST = select(REVISION_COUNTER.c.number)
_LATEST_WITH_TIME = select(REVISION_COUNTER.c.number, REVISIONS.c.at).join_from(
    REVISION_COUNTER, REVISIONS, REVISION_COUNTER.c.number == REVISIONS.c.number, isouter=True
)
_LOCK = select(REVISION_COUNTER.c.number).with_for_update()
_HIGHEST = (1 << 63) - 1

# The method ``list`` hides the built-in type from the annotations of its class.
Revisions = list[Revision]
Changes = list[Change]
LabelsAsGiven = list[tuple[MeteringLabel, list[GivenRule]]]
Points = list[ObservationPoint]


class RevisionTable:
    """The revisions that one transaction sees."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._connection = transaction.connection

    def latest(self) -> int:
        """Give the number of the latest revision, 0 before the first."""
        return read_latest(self._connection)

    def find(self, number: int) -> Revision | None:
        """Give a revision, or None."""
        if not 0 < number <= _HIGHEST:
            return None
        row = self._connection.execute(select(*_COLUMNS).where(REVISIONS.c.number == number)).first()
        return None if row is None else _read_revision(row)

    def list(self, listing: Listing) -> Revisions:
        """List revisions; ``id`` and marker are the number. Raises ``NotFoundError`` for an unknown marker."""
        return [_read_revision(row) for row in read_page(self._transaction, _COLLECTION, listing)]

    def changes(self, number: int) -> Changes:
        """Give what a revision changed, by resource and id."""
        return [change for name, live, history in _VERSIONED for change in self._changes_of(name, live, history, number)]

    def last_label_change(self, project_id: str | None) -> tuple[int, Nanoseconds]:
        """Give the latest revision at which the labels that apply at points of a project changed, for None at shared points, and its time.

        Before the first it is 0, at 0.
        """
        latest = self.latest()
        number = last_label_changes(self._connection, [(project_id, latest)])[project_id, latest]
        found = self.find(number)
        return number, Nanoseconds(0) if found is None else found.at

    def labels_at(self, number: int) -> LabelsAsGiven:
        """Give all labels at a revision, by id, each with its rules as given."""
        rules: defaultdict[str, list[GivenRule]] = defaultdict(list)
        for rule in read_rules(self._rows_at(RULES, RULES_HISTORY, RULE_ATTRIBUTES, number)):
            rules[rule.metering_label_id].append(rule)
        labels = read_labels(self._rows_at(LABELS, LABELS_HISTORY, LABEL_ATTRIBUTES, number))
        return [(label, rules[label.id]) for label in labels]

    def points_at(self, number: int) -> Points:
        """Give all observation points at a revision, by id."""
        rows = self._rows_at(OBSERVATION_POINTS, OBSERVATION_POINTS_HISTORY, POINT_ATTRIBUTES, number)
        return [read_point(row) for row in rows]

    def _rows_at(self, live: Table, history: Table, names: Sequence[str], number: int) -> Sequence[Row[Any]]:
        still = select(*(live.c[name] for name in names)).where(live.c.valid_from <= number)
        ended = select(*(history.c[name] for name in names)).where(history.c.valid_from <= number, history.c.valid_to > number)
        held = union_all(still, ended)
        return self._connection.execute(held.order_by(held.selected_columns.id)).all()

    def _changes_of(self, resource: str, live: Table, history: Table, number: int) -> Changes:
        began = self._ids(live, live.c.valid_from == number) | self._ids(history, history.c.valid_from == number)
        ended = self._ids(history, history.c.valid_to == number)
        kinds = dict.fromkeys(began - ended, ChangeKind.CREATED) | dict.fromkeys(ended - began, ChangeKind.DELETED)
        kinds |= dict.fromkeys(began & ended, ChangeKind.CHANGED)
        return [Change(resource=resource, id=identifier, kind=kind) for identifier, kind in sorted(kinds.items())]

    def _ids(self, table: FromClause, condition: ColumnElement[bool]) -> set[str]:
        return set(self._connection.execute(select(table.c.id).where(condition)).scalars())


def read_latest(connection: Connection) -> int:
    """Give the number of the latest revision."""
    return int(connection.execute(_LATEST).scalar_one())


def read_latest_revision(connection: Connection) -> LatestRevision:
    """Give the latest revision with its time."""
    number, at = connection.execute(_LATEST_WITH_TIME).one()
    return LatestRevision(int(number), Nanoseconds(at or 0))


def lock_revisions(connection: Connection) -> int:
    """Wait until no other transaction writes, keep others from it until this one ends, and give the latest number."""
    return int(connection.execute(_LOCK).scalar_one())


def write_revision(connection: Connection, revision: Revision) -> None:
    """Note a revision as the latest."""
    connection.execute(
        insert(REVISIONS), [{"number": revision.number, "at": revision.at, "author": revision.author, "project_id": revision.project_id}]
    )
    connection.execute(update(REVISION_COUNTER).values(number=literal(revision.number)))


def _read_revision(row: Any) -> Revision:  # noqa: ANN401 - a row of ``_COLUMNS``
    return Revision(number=row.number, at=Nanoseconds(row.at), author=row.author, project_id=row.project_id)
