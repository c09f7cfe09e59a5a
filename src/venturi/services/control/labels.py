"""Metering labels: their making, changing and removal, by policy.

Owns what a caller may do with labels and the transactions of it. Their rules belong to ``rules``.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from venturi.adapters.store.store import Store, StoreReader
from venturi.core.domain.control.listing import Listing
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.errors import LabelNotFoundError
from venturi.core.domain.label import MeteringLabel
from venturi.services.control.policy import Operation, listed_project, permits, require

_LABELS_AT_ONCE = 500


@dataclass(frozen=True, kw_only=True)
class NewLabel:
    """The label that a caller asks for; ``project_id`` None is the caller's own project."""

    name: str = ""
    description: str = ""
    project_id: str | None = None
    shared: bool = False


class LabelControl:
    """What callers do with labels."""

    def __init__(self, store: Store) -> None:
        """Keep labels in ``store``."""
        self._store = store

    def create(self, caller: Principal, labels: Sequence[NewLabel]) -> list[MeteringLabel]:
        """Make labels, all or none; raises ``ForbiddenError``."""
        made = [make_label(caller, asked) for asked in labels]
        for label in made:
            require(caller, Operation.CREATE_LABEL, label.project_id, shared=label.shared)
        with self._store.writing(caller) as writer:
            writer.labels.insert(made)
        return made

    def find(self, caller: Principal, label_id: str) -> MeteringLabel:
        """Give a label; raises ``LabelNotFoundError`` for one that the caller may not see."""
        with self._store.reading() as reader:
            return visible_label(caller, reader.labels.find(label_id), label_id)

    def list(self, caller: Principal, listing: Listing, search: str = "") -> list[MeteringLabel]:
        """List the labels that the caller may see, with ``search`` those that a text finds.

        Raises ``NotFoundError`` for an unknown marker.
        """
        if lists_nothing(caller, Operation.LIST_LABELS, listing):
            return []
        with self._store.reading() as reader:
            if listing.marker is not None:
                visible_label(caller, reader.labels.find(listing.marker), listing.marker)
            return reader.labels.list(listing, listed_project(caller, Operation.LIST_LABELS), search)

    def update(self, caller: Principal, label_id: str, changes: Mapping[str, str]) -> MeteringLabel:
        """Give a label the ``name`` and ``description`` among ``changes``; nothing happens if it has them. Raises as ``delete`` does."""
        with self._store.writing(caller) as writer:
            before = visible_label(caller, writer.labels.find(label_id), label_id)
            require(caller, Operation.UPDATE_LABEL, before.project_id, shared=before.shared)
            after = change_label(before, changes)
            if after != before:
                writer.labels.update(after)
        return after

    def delete(self, caller: Principal, label_id: str) -> None:
        """Remove a label and its rules; raises ``NotFoundError`` and ``ForbiddenError``."""
        with self._store.writing(caller) as writer:
            label = visible_label(caller, writer.labels.find(label_id), label_id)
            require(caller, Operation.DELETE_LABEL, label.project_id, shared=label.shared)
            writer.labels.delete(label_id)


def visible_label(caller: Principal, label: MeteringLabel | None, label_id: str) -> MeteringLabel:
    """Give a label that the caller may see.

    Raises ``LabelNotFoundError`` for another one, as for one that there is not.
    """
    if label is not None and permits(caller, Operation.SHOW_LABEL, label.project_id, shared=label.shared):
        return label
    message = f"Metering label '{label_id}' does not exist."
    raise LabelNotFoundError(message, shared=label is not None and label.shared)


def lists_nothing(caller: Principal, operation: Operation, listing: Listing) -> bool:
    """Tell whether a list is empty whatever the store holds: nothing may be seen, or a filter allows no value."""
    return not permits(caller, operation) or not all(listing.filters.values())


def find_labels(reader: StoreReader, label_ids: Iterable[str]) -> dict[str, MeteringLabel]:
    """Give those of the labels that there are, by id, in few statements."""
    asked = list(dict.fromkeys(label_ids))
    found: dict[str, MeteringLabel] = {}
    for start in range(0, len(asked), _LABELS_AT_ONCE):
        some = Listing(filters={"id": tuple(asked[start : start + _LABELS_AT_ONCE])})
        found |= {label.id: label for label in reader.labels.list(some)}
    return found


def change_label(label: MeteringLabel, changes: Mapping[str, str]) -> MeteringLabel:
    """Give a label with the ``name`` and ``description`` among ``changes``."""
    return replace(label, name=changes.get("name", label.name), description=changes.get("description", label.description))


def make_label(caller: Principal, asked: NewLabel) -> MeteringLabel:
    """Give the label that ``caller`` asks for, with an id of its own."""
    return MeteringLabel(
        id=str(uuid.uuid4()),
        name=asked.name,
        project_id=caller.project_id if asked.project_id is None else asked.project_id,
        description=asked.description,
        shared=asked.shared,
    )
