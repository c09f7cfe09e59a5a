"""Metering labels in the store.

Owns reading and writing them, their rules' going with them included. Who may do so is for the services.
"""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import and_, bindparam, insert, or_, select, true, update
from sqlalchemy.exc import IntegrityError

from venturi.adapters.store.schema.tables import LABEL_ATTRIBUTES, LABELS, LABELS_HISTORY, RULE_ATTRIBUTES, RULES, RULES_HISTORY
from venturi.adapters.store.tables.history import close_rows, delete_rows
from venturi.adapters.store.tables.paging import Collection, read_page, searched, storable
from venturi.adapters.store.tables.rows import read_labels, read_rules, write_label
from venturi.adapters.store.transaction import Transaction
from venturi.core.domain.control.listing import Listing
from venturi.core.domain.errors import ConflictError, LabelNotFoundError
from venturi.core.domain.label import LabelWithRules, MeteringLabel, MeteringLabelRule

_COLUMNS = [LABELS.c[name] for name in LABEL_ATTRIBUTES]
_COLLECTION = Collection("metering label", _COLUMNS, {name: LABELS.c[name] for name in LABEL_ATTRIBUTES})
_FIND = select(*_COLUMNS).where(LABELS.c.id == bindparam("identifier"))
_INSERT = insert(LABELS)
_AT_ONCE = 500

# The method ``list`` hides the built-in type from the annotations of its class.
Labels = list[MeteringLabel]
LabelsWithRules = list[LabelWithRules]


class LabelTable:
    """The labels that one transaction sees."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._connection = transaction.connection

    def find(self, label_id: str) -> MeteringLabel | None:
        """Give a label, or None."""
        if not storable(label_id):
            return None
        found = read_labels(self._connection.execute(_FIND, {"identifier": label_id}))
        return found[0] if found else None

    def project_of(self, label_id: str) -> str | None:
        """Give the project of a label, or None if there is no such label."""
        label = self.find(label_id)
        return None if label is None else label.project_id

    def list(self, listing: Listing, project_id: str | None = None, search: str = "") -> Labels:
        """List labels, with ``project_id`` only those of the project; raises ``NotFoundError`` for an unknown marker.

        With ``search``, those alone whose name holds the text, in either case of its letters, or whose id it is.
        """
        conditions = [] if project_id is None else [LABELS.c.project_id == project_id]
        if search:
            conditions.append(searched(search, LABELS.c.name, LABELS.c.id))
        return read_labels(read_page(self._transaction, _COLLECTION, listing, and_(*conditions) if conditions else None))

    def applicable(self, project_id: str | None) -> LabelsWithRules:
        """Give the labels that apply at a point of a project, shared ones included, with their rules; None: all labels."""
        applies = true() if project_id is None else or_(LABELS.c.shared.is_(True), LABELS.c.project_id == project_id)
        labels = read_labels(self._connection.execute(select(*_COLUMNS).where(applies).order_by(LABELS.c.id)))
        owned = select(*(RULES.c[name] for name in RULE_ATTRIBUTES)).order_by(RULES.c.id)
        if project_id is not None:
            owned = owned.join(LABELS).where(applies)
        rules: defaultdict[str, list[MeteringLabelRule]] = defaultdict(list)
        for given in read_rules(self._connection.execute(owned)):
            rules[given.metering_label_id].append(given.rule)
        return [LabelWithRules(label, tuple(rules[label.id])) for label in labels]

    def insert(self, labels: Sequence[MeteringLabel]) -> None:
        """Add labels; raises ``ConflictError`` if there is one of the same id already."""
        if not labels:
            return
        revision = self._transaction.change()
        try:
            with self._connection.begin_nested():
                self._connection.execute(_INSERT, [write_label(label) | {"valid_from": revision} for label in labels])
        except IntegrityError as error:
            message = "there is a metering label of this id already"
            raise ConflictError(message) from error

    def update(self, label: MeteringLabel) -> None:
        """Give a label new attributes; nothing happens if it has them. Raises ``LabelNotFoundError``."""
        before = self.find(label.id)
        if before is None:
            message = f"Metering label '{label.id}' does not exist."
            raise LabelNotFoundError(message)
        if before != label:
            revision, itself = self._transaction.change(), LABELS.c.id == label.id
            close_rows(self._connection, LABELS, LABELS_HISTORY, itself, revision)
            self._connection.execute(update(LABELS).where(itself).values(**write_label(label), valid_from=revision))

    def update_all(self, labels: Sequence[MeteringLabel]) -> None:
        """Give labels, which must be there and differ, new attributes, in few statements."""
        for start in range(0, len(labels), _AT_ONCE):
            some = labels[start : start + _AT_ONCE]
            revision = self._transaction.change()
            close_rows(self._connection, LABELS, LABELS_HISTORY, LABELS.c.id.in_([label.id for label in some]), revision)
            rows = [write_label(label) | {"valid_from": revision, "itself": label.id} for label in some]
            names = [name for name in rows[0] if name != "itself"]
            changed = update(LABELS).where(LABELS.c.id == bindparam("itself")).values({name: bindparam(name) for name in names})
            self._connection.execute(changed, rows)

    def delete(self, label_id: str) -> bool:
        """Remove a label and its rules; tell whether there was one."""
        return self.delete_all([label_id]) == 1

    def delete_all(self, label_ids: Sequence[str]) -> int:
        """Remove labels and their rules; tell how many of them there were."""
        self._transaction.require_writing()
        wanted = [label_id for label_id in label_ids if storable(label_id)]
        return sum(self._delete_some(wanted[start : start + _AT_ONCE]) for start in range(0, len(wanted), _AT_ONCE))

    def _delete_some(self, label_ids: Sequence[str]) -> int:
        chosen = LABELS.c.id.in_(label_ids)
        if self._connection.execute(select(LABELS.c.id).where(chosen).limit(1)).first() is None:
            return 0
        revision = self._transaction.change()
        close_rows(self._connection, RULES, RULES_HISTORY, RULES.c.metering_label_id.in_(label_ids), revision)
        return delete_rows(self._connection, LABELS, LABELS_HISTORY, chosen, revision)
