"""Metering label rules: their making and removal, by policy.

Owns what a caller may do with rules and the transactions of it. A rule is seen and changed by whoever may see and change its label.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from venturi.adapters.store.store import Store, StoreReader, StoreWriter
from venturi.core.domain.control.listing import Listing
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.errors import LabelNotFoundError, RuleNotFoundError, RuleOverlapsError
from venturi.core.domain.label import MeteringLabel
from venturi.core.rules.given_rule import GivenRule
from venturi.core.rules.rule_fields import RuleFields
from venturi.services.control.labels import find_labels, lists_nothing, visible_label
from venturi.services.control.policy import Operation, listed_project, permits, require


@dataclass(frozen=True)
class NewRule:
    """The rule that a caller asks for; ``remote_as_given`` is its remote prefix as the caller spelled it, for messages."""

    metering_label_id: str
    fields: RuleFields
    remote_as_given: str | None = None


Rules = list[GivenRule]  # the method ``list`` hides the built-in type


class RuleControl:
    """What callers do with rules."""

    def __init__(self, store: Store) -> None:
        """Keep rules in ``store``."""
        self._store = store

    def create(self, caller: Principal, rules: Sequence[NewRule]) -> Rules:
        """Make rules, all or none.

        Raises ``ForbiddenError``, ``InvalidRuleError``, ``LabelNotFoundError`` for a label that the caller may not see and
        ``RuleOverlapsError`` for a remote prefix that shares addresses with another one of the label, direction and excluded flag.
        """
        require(caller, Operation.CREATE_RULE)
        made = [GivenRule(str(uuid.uuid4()), asked.metering_label_id, asked.fields) for asked in rules]
        with self._store.writing(caller) as writer:
            require_labels(caller, writer, {rule.metering_label_id: None for rule in made})
            insert_rules(writer, made, rules)
        return made

    def find(self, caller: Principal, rule_id: str) -> GivenRule:
        """Give a rule; raises ``NotFoundError`` for one that the caller may not see."""
        with self._store.reading() as reader:
            return _visible(caller, reader, rule_id)[0]

    def list(self, caller: Principal, listing: Listing) -> Rules:
        """List the rules of the labels that the caller may see; raises ``NotFoundError`` for an unknown marker."""
        if lists_nothing(caller, Operation.LIST_RULES, listing):
            return []
        with self._store.reading() as reader:
            if listing.marker is not None:
                _visible(caller, reader, listing.marker)
            return reader.rules.list(listing, listed_project(caller, Operation.LIST_RULES))

    def delete(self, caller: Principal, rule_id: str) -> None:
        """Remove a rule; raises ``NotFoundError`` and ``ForbiddenError``."""
        with self._store.writing(caller) as writer:
            _, label = _visible(caller, writer, rule_id)
            require(caller, Operation.DELETE_RULE, label.project_id, shared=label.shared)
            writer.rules.delete(rule_id)

    def replace(self, caller: Principal, label_id: str, rules: Sequence[RuleFields]) -> Rules:
        """Make the rules of a label exactly these, in one revision, and give them; those that it has already keep their ids.

        Nothing happens if they are the label's rules already. Raises as ``create`` does.
        """
        with self._store.writing(caller) as writer:
            label = visible_label(caller, writer.labels.find(label_id), label_id)
            require(caller, Operation.REPLACE_RULES, label.project_id, shared=label.shared)
            present = writer.rules.list(Listing(filters={"metering_label_id": (label_id,)}))
            settled = settle_rules(label_id, present, rules)
            if settled.surplus:
                writer.rules.delete_all([rule.id for rule in settled.surplus])
            if settled.added:
                writer.rules.insert(settled.added)
        return settled.wanted


@dataclass(frozen=True)
class SettledRules:
    """The rules that a label is to have, in the order asked for, those among them that are new, and those that are to go."""

    wanted: Rules
    added: Rules
    surplus: Rules


def settle_rules(label_id: str, present: Iterable[GivenRule], wanted: Sequence[RuleFields]) -> SettledRules:
    """Compare the rules of a label with those that it is to have, each as often as it is asked for; raises ``InvalidRuleError``."""
    left: defaultdict[RuleFields, Rules] = defaultdict(list)
    for rule in present:
        left[rule.fields].append(rule)
    settled = SettledRules([], [], [])
    for fields in wanted:
        if left[fields]:
            settled.wanted.append(left[fields].pop(0))
        else:
            settled.added.append(GivenRule(str(uuid.uuid4()), label_id, fields))
            settled.wanted.append(settled.added[-1])
    settled.surplus.extend(rule for rules in left.values() for rule in rules)
    return settled


def insert_rules(writer: StoreWriter, made: Sequence[GivenRule], asked: Sequence[NewRule]) -> None:
    """Insert rules; an overlap is told with the prefix as its author spelled it."""
    try:
        writer.rules.insert(made)
    except RuleOverlapsError as error:
        spelled = next((new.remote_as_given for rule, new in zip(made, asked, strict=True) if rule.id == error.rule_id), None)
        message = f"Metering label rule with remote_ip_prefix '{spelled}' overlaps another."
        raise RuleOverlapsError(message if spelled else str(error), error.rule_id) from error


def require_labels(caller: Principal, reader: StoreReader, label_ids: Iterable[str]) -> None:
    """Raise ``LabelNotFoundError`` unless the caller may give rules to all the labels; those of others are as good as none."""
    asked = list(label_ids)
    labels = find_labels(reader, asked)
    for label_id in asked:
        label = labels.get(label_id)
        if label is None or not permits(caller, Operation.CREATE_RULE, label.project_id, shared=label.shared):
            message = f"Metering label '{label_id}' does not exist."
            raise LabelNotFoundError(message)


def visible_rule(caller: Principal, rule: GivenRule | None, label: MeteringLabel | None, rule_id: str) -> tuple[GivenRule, MeteringLabel]:
    """Give a rule and its label, as found.

    Raises ``RuleNotFoundError`` for one that the caller may not see, as for one that there is not.
    """
    if rule is None or label is None or not permits(caller, Operation.SHOW_RULE, label.project_id, shared=label.shared):
        message = f"Metering label rule '{rule_id}' does not exist."
        raise RuleNotFoundError(message, sightless=not permits(caller, Operation.SHOW_RULE))
    return rule, label


def _visible(caller: Principal, reader: StoreReader, rule_id: str) -> tuple[GivenRule, MeteringLabel]:
    """Find a rule and its label, in the same time whether there is one or not; raises as ``visible_rule`` does."""
    rule = reader.rules.find(rule_id)
    label = reader.labels.find(rule_id if rule is None else rule.metering_label_id)
    return visible_rule(caller, rule, label, rule_id)
