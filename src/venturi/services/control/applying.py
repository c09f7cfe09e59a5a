"""Many changes of labels and rules as one: one transaction, one revision, and so one switch of what counts.

Owns the order in which they are made, and what of them contradicts each other. Each change is allowed and refused as it is by itself
(``labels``, ``rules``); if one is refused, none is made.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from venturi.adapters.store.store import Store, StoreReader, StoreWriter
from venturi.core.domain.control.listing import Listing
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.errors import InvalidRequestError
from venturi.core.domain.label import MeteringLabel
from venturi.core.rules.given_rule import GivenRule
from venturi.core.rules.rule_fields import RuleFields
from venturi.services.control.labels import NewLabel, change_label, find_labels, make_label, visible_label
from venturi.services.control.policy import Operation, require
from venturi.services.control.rules import NewRule, insert_rules, require_labels, settle_rules, visible_rule

_AT_ONCE = 500


@dataclass(frozen=True)
class LabelToCreate:
    """A label that is to come with its rules."""

    label: NewLabel
    rules: Sequence[RuleFields] = ()


@dataclass(frozen=True)
class LabelToChange:
    """The ``name`` and ``description`` that a label is to have, and all its rules, None where they stay."""

    label_id: str
    attributes: Mapping[str, str]
    rules: Sequence[RuleFields] | None = None


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What is to be applied: labels and rules to create, to change and to delete, the latter by their ids."""

    create_labels: Sequence[LabelToCreate] = ()
    change_labels: Sequence[LabelToChange] = ()
    delete_labels: Sequence[str] = ()
    create_rules: Sequence[NewRule] = ()
    delete_rules: Sequence[str] = ()


@dataclass(frozen=True)
class AppliedLabel:
    """A label that was created or changed, and its rules in the order asked for, None where they stayed."""

    label: MeteringLabel
    rules: Sequence[GivenRule] | None


@dataclass(kw_only=True)
class Applied:
    """What came of changes, each list in the order asked for; ``revision`` is the one that they made, None if nothing changed."""

    revision: int | None = None
    created: list[AppliedLabel] = field(default_factory=list)
    changed: list[AppliedLabel] = field(default_factory=list)
    created_rules: list[GivenRule] = field(default_factory=list)


class ApplyControl:
    """Applies changes."""

    def __init__(self, store: Store) -> None:
        """Keep labels and rules in ``store``."""
        self._store = store

    def check(self, caller: Principal, changes: Changes) -> None:
        """Raise what ``apply`` would raise, and change nothing."""
        require(caller, Operation.APPLY)
        _refuse_doubles(changes)
        with suppress(_Undone), self._store.writing(caller) as writer:
            self._apply(caller, changes, writer)
            raise _Undone

    def apply(self, caller: Principal, changes: Changes) -> Applied:
        """Make all changes in one revision.

        Deletions come first, so that a prefix may move to another rule of its label. Raises ``InvalidRequestError`` for changes that
        contradict each other, and what ``LabelControl`` and ``RuleControl`` raise for each of them.
        """
        require(caller, Operation.APPLY)
        _refuse_doubles(changes)
        with self._store.writing(caller) as writer:
            return self._apply(caller, changes, writer)

    def _apply(self, caller: Principal, changes: Changes, writer: StoreWriter) -> Applied:
        application = _Application(caller, writer)
        application.delete_rules(changes.delete_rules)
        application.delete_labels(changes.delete_labels)
        application.change_labels(changes.change_labels)
        application.create_labels(changes.create_labels)
        application.create_rules(changes.create_rules)
        application.done.revision = writer.revision
        return application.done


class _Undone(Exception):  # noqa: N818 - no error
    """Ends a transaction without its changes."""


class _Application:
    """The changes of one transaction, each list in as few statements as it takes."""

    def __init__(self, caller: Principal, writer: StoreWriter) -> None:
        self._caller = caller
        self._writer = writer
        self.done = Applied()

    def delete_rules(self, rule_ids: Sequence[str]) -> None:
        """Remove rules."""
        rules = {rule.id: rule for rule in _read_rules(self._writer, "id", rule_ids)}
        labels = find_labels(self._writer, (rule.metering_label_id for rule in rules.values()))
        for rule_id in rule_ids:
            rule = rules.get(rule_id)
            label = None if rule is None else labels.get(rule.metering_label_id)
            _, label = visible_rule(self._caller, rule, label, rule_id)
            require(self._caller, Operation.DELETE_RULE, label.project_id, shared=label.shared)
        if rule_ids:
            self._writer.rules.delete_all(rule_ids)

    def delete_labels(self, label_ids: Sequence[str]) -> None:
        """Remove labels and their rules."""
        labels = find_labels(self._writer, label_ids)
        for label_id in label_ids:
            label = visible_label(self._caller, labels.get(label_id), label_id)
            require(self._caller, Operation.DELETE_LABEL, label.project_id, shared=label.shared)
        if label_ids:
            self._writer.labels.delete_all(label_ids)

    def change_labels(self, asked: Sequence[LabelToChange]) -> None:
        """Give labels attributes and rules."""
        labels = find_labels(self._writer, (each.label_id for each in asked))
        present: defaultdict[str, list[GivenRule]] = defaultdict(list)
        for rule in _read_rules(self._writer, "metering_label_id", [each.label_id for each in asked if each.rules is not None]):
            present[rule.metering_label_id].append(rule)
        changed, added, surplus = list[MeteringLabel](), list[GivenRule](), list[str]()
        for each in asked:
            before = visible_label(self._caller, labels.get(each.label_id), each.label_id)
            after, rules = change_label(before, each.attributes), None
            require(self._caller, Operation.UPDATE_LABEL, before.project_id, shared=before.shared)
            if after != before:
                changed.append(after)
            if each.rules is not None:
                require(self._caller, Operation.REPLACE_RULES, before.project_id, shared=before.shared)
                settled = settle_rules(each.label_id, present[each.label_id], each.rules)
                rules = settled.wanted
                added += settled.added
                surplus += [rule.id for rule in settled.surplus]
            self.done.changed.append(AppliedLabel(after, rules))
        self._writer.labels.update_all(changed)
        if surplus:
            self._writer.rules.delete_all(surplus)
        self._writer.rules.insert(added)

    def create_labels(self, asked: Sequence[LabelToCreate]) -> None:
        """Make labels and their rules."""
        for each in asked:
            label = make_label(self._caller, each.label)
            require(self._caller, Operation.CREATE_LABEL, label.project_id, shared=label.shared)
            require(self._caller, Operation.CREATE_RULE, label.project_id, shared=label.shared)
            rules = [GivenRule(str(uuid.uuid4()), label.id, fields) for fields in each.rules]
            self.done.created.append(AppliedLabel(label, rules))
        self._writer.labels.insert([each.label for each in self.done.created])
        self._writer.rules.insert([rule for each in self.done.created for rule in each.rules or ()])

    def create_rules(self, asked: Sequence[NewRule]) -> None:
        """Make rules of labels that are there."""
        self.done.created_rules = [GivenRule(str(uuid.uuid4()), each.metering_label_id, each.fields) for each in asked]
        require_labels(self._caller, self._writer, {each.metering_label_id: None for each in asked})
        insert_rules(self._writer, self.done.created_rules, asked)


def _refuse_doubles(changes: Changes) -> None:
    """Refuse to change or delete the same label or rule twice."""
    labels = [("change_labels", number, each.label_id) for number, each in enumerate(changes.change_labels)]
    labels += [("delete_labels", number, label_id) for number, label_id in enumerate(changes.delete_labels)]
    rules = [("delete_rules", number, rule_id) for number, rule_id in enumerate(changes.delete_rules)]
    for named in (labels, rules):
        known: dict[str, str] = {}
        for collection, number, identifier in named:
            place = f"{collection}[{number}]"
            if identifier in known:
                message = f"{place}: '{identifier}' is named in {known[identifier]} already; name it once"
                raise InvalidRequestError(message)
            known[identifier] = place


def _read_rules(reader: StoreReader, attribute: str, values: Sequence[str]) -> Iterable[GivenRule]:
    """Read the rules of which ``attribute`` has one of the values."""
    for start in range(0, len(values), _AT_ONCE):
        yield from reader.rules.list(Listing(filters={attribute: tuple(values[start : start + _AT_ONCE])}))
