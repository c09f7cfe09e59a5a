"""Brings the labels and rules of all documents together.

Owns identity (ids, names) and whose rule is whose. Single values were checked before; ``rule_sets`` checks rules side by side.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from venturi.core.domain.label import LabelWithRules, MeteringLabel
from venturi.core.rules.entries import LabelEntry, RuleEntry
from venturi.core.rules.forms import Entries
from venturi.core.rules.located import Place, Problems
from venturi.core.rules.rule_fields import make_rule
from venturi.core.rules.rule_sets import HOW_TO_TELL, check_rule_set

LABEL_NAMESPACE = uuid.UUID("5f3a4b0e-3f6c-5d0b-9a52-6c1d1a1f7c11")
"""The name space of the ids that labels of rules files get from their project and name (RFC 9562 §5.5)."""


@dataclass
class _Account:
    label: LabelEntry
    identifier: str
    rules: list[RuleEntry] = field(default_factory=list)


class Joiner:
    """Joins the entries of one reading into labels with rules."""

    def __init__(self, problems: Problems) -> None:
        """Note what is wrong in ``problems``."""
        self._problems = problems
        self._accounts: dict[str, _Account] = {}
        self.notes: list[str] = []
        self.remote_rule_ids: list[str] = []

    def join(self, entries: Entries) -> tuple[LabelWithRules, ...]:
        """Give the labels in order, each with its rules; none if any problem was noted."""
        self._add_owned(entries.owned)
        self._add_listed(entries.labels)
        rules = self._merge_rules(entries.rules)
        if not self._problems.count:
            self._assign(rules)
        for account in self._accounts.values():
            untold = check_rule_set(account.rules, self._problems)
            if untold:
                name = account.label.name or account.identifier
                self.notes.append(
                    f"{untold} of the rules of '{name}' do not say whether they exclude; none overlaps another, so all count."
                )
        if self._problems.count:
            return ()
        return tuple(self._make_label(account) for account in self._accounts.values())

    def _add_owned(self, owned: Iterable[tuple[LabelEntry, list[RuleEntry]]]) -> None:
        names: dict[tuple[str, str], LabelEntry] = {}
        for label, rules in owned:
            first = names.setdefault((label.project_id, label.name), label)
            identifier = label.identifier or str(uuid.uuid5(LABEL_NAMESPACE, f"{label.project_id}\n{label.name}"))
            known = self._accounts.setdefault(identifier, _Account(label, identifier, list(rules)))
            if first is not label:
                project = f" of project '{label.project_id}'" if label.project_id else ""
                self._refuse_second(label.place, first.place, f"a label named '{label.name}'{project}")
            elif known.label is not label:
                self._refuse_second(label.place, known.label.place, f"a label with the id '{identifier}'")

    def _add_listed(self, labels: Iterable[LabelEntry]) -> None:
        for label in labels:
            identifier = label.identifier or ""
            known = self._accounts.setdefault(identifier, _Account(label, identifier))
            alike = replace(label, place=known.label.place) == known.label
            if label.complete == known.label.complete and not alike:
                self._refuse_second(label.place, known.label.place, f"a label with the id '{identifier}' and other values")
            elif label.complete:
                known.label = label

    def _merge_rules(self, rules: Iterable[RuleEntry]) -> list[RuleEntry]:
        merged: dict[str, RuleEntry] = {}
        for rule in rules:
            identifier = rule.identifier or ""
            known = merged.setdefault(identifier, rule)
            whole = _merge(known, rule)
            if whole is None:
                self._refuse_second(rule.place, known.place, f"a rule with the id '{identifier}' and other values")
            else:
                merged[identifier] = whole
        return list(merged.values())

    def _assign(self, rules: Iterable[RuleEntry]) -> None:
        only = next(iter(self._accounts)) if len(self._accounts) == 1 else None
        for rule in rules:
            identifier = rule.metering_label_id or only
            if identifier is None:
                labels = f"there are {len(self._accounts)} labels" if self._accounts else "no file lists the labels"
                self._problems.add(rule.place, f"the listing does not tell whose rule this is, and {labels}: {HOW_TO_TELL}")
            elif identifier in self._accounts:
                self._accounts[identifier].rules.append(rule)
            else:
                self._problems.add(rule.place, f"Metering label '{identifier}' does not exist in the files given.")

    def _refuse_second(self, later: Place, first: Place, what: str) -> None:
        self._problems.add(later, f"{what} is already at {first.file}:{first.line}")

    def _make_label(self, account: _Account) -> LabelWithRules:
        """Make the label; a rule without an id is named by the label's id and its place among the label's rules, from 1."""
        label = MeteringLabel(
            id=account.identifier,
            name=account.label.name,
            project_id=account.label.project_id,
            description=account.label.description,
            shared=account.label.shared,
        )
        rules = tuple(
            make_rule(rule.fields, rule.identifier or f"{label.id}/{n}", label.id) for n, rule in enumerate(account.rules, start=1)
        )
        self.remote_rule_ids += [rule.id for rule, given in zip(rules, account.rules, strict=True) if given.fields.remote_ip_prefix]
        return LabelWithRules(label, rules)


def _merge(known: RuleEntry, rule: RuleEntry) -> RuleEntry | None:
    """Complete one account of a rule by another; None where they contradict each other."""
    excluded = rule.fields.excluded if known.fields.excluded is None else known.fields.excluded
    label_id = known.metering_label_id or rule.metering_label_id
    whole = replace(known, metering_label_id=label_id, fields=known.fields._replace(excluded=excluded))
    contradicts = (
        whole.fields != rule.fields._replace(excluded=excluded)
        or rule.fields.excluded not in {None, excluded}
        or rule.metering_label_id not in {None, label_id}
    )
    return None if contradicts else whole
