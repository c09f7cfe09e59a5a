"""Wire forms of changes that are applied as one, and of what came of them.

Owns their fields and their translation. Rules in them have the form that they have elsewhere.
"""

from msgspec import UNSET, Struct, UnsetType

from venturi.core.domain.errors import LabelNotFoundError, RequestTooLargeError, RuleNotFoundError
from venturi.interfaces.api.v1.forms.labels import LabelDescription, LabelName, NewRuleForm, rule_fields
from venturi.interfaces.api.v1.forms.revisions import RevisionNumber
from venturi.interfaces.api.v1.forms.texts import Identifier, ProjectId
from venturi.interfaces.api.v1.wire import identifier
from venturi.services.control.applying import Applied, AppliedLabel, Changes, LabelToChange, LabelToCreate
from venturi.services.control.labels import NewLabel
from venturi.services.control.rules import NewRule

_LABEL, _RULE = "Metering label", "Metering label rule"


class LabelToCreateForm(Struct, kw_only=True, forbid_unknown_fields=True):
    """A label to be, with its rules; without ``project_id`` it is one of the caller's project."""

    name: LabelName = ""
    description: LabelDescription = ""
    project_id: ProjectId | UnsetType = UNSET
    shared: bool = False
    rules: list[NewRuleForm] = []


class LabelToChangeForm(Struct, kw_only=True, forbid_unknown_fields=True):
    """What changes of a label; ``rules`` are all that it is to have. What is left out stays."""

    id: Identifier
    name: LabelName | UnsetType = UNSET
    description: LabelDescription | UnsetType = UNSET
    rules: list[NewRuleForm] | UnsetType = UNSET


class RuleToCreateForm(NewRuleForm, kw_only=True, forbid_unknown_fields=True):
    """A rule to be, of a label that is there."""

    metering_label_id: Identifier


class ApplyForm(Struct, kw_only=True, forbid_unknown_fields=True):
    """Changes to apply as one. Deletions come first, then changes, then what is new; no label or rule may be named twice.

    With ``dry_run`` they are only checked, rights included: what would be refused is, and nothing is changed.
    """

    create_labels: list[LabelToCreateForm] = []
    change_labels: list[LabelToChangeForm] = []
    delete_labels: list[Identifier] = []
    create_rules: list[RuleToCreateForm] = []
    delete_rules: list[Identifier] = []
    dry_run: bool = False


class AppliedLabelForm(Struct, kw_only=True):
    """The ids of a label and of its rules, in the order of the request; ``rule_ids`` is null where the rules stayed."""

    id: Identifier
    rule_ids: list[Identifier] | None


class AppliedForm(Struct, kw_only=True):
    """The revision that all changes made, null if nothing changed, and ids in the order of the request; none of a dry run."""

    revision: RevisionNumber | None
    created_labels: list[AppliedLabelForm]
    changed_labels: list[AppliedLabelForm]
    created_rules: list[Identifier]


def read_changes(form: ApplyForm, most: int) -> Changes:
    """Translate what is to be applied; raises ``RequestTooLargeError`` for more than ``most`` labels and rules, and errors of its parts."""
    count = len(form.create_labels) + len(form.change_labels) + len(form.delete_labels) + len(form.create_rules) + len(form.delete_rules)
    count += sum(len(each.rules) for each in form.create_labels) + sum(len(each.rules or ()) for each in form.change_labels)
    if count > most:
        message = f"the body: {count} labels and rules, but one request may carry at most {most}"
        raise RequestTooLargeError(message)
    return Changes(
        create_labels=[_label_to_create(number, each) for number, each in enumerate(form.create_labels)],
        change_labels=[_label_to_change(number, each) for number, each in enumerate(form.change_labels)],
        delete_labels=[identifier(each, LabelNotFoundError, _LABEL) for each in form.delete_labels],
        create_rules=[
            NewRule(
                identifier(each.metering_label_id, LabelNotFoundError, _LABEL),
                rule_fields(number, each, "create_rules"),
                each.remote_ip_prefix,
            )
            for number, each in enumerate(form.create_rules)
        ],
        delete_rules=[identifier(each, RuleNotFoundError, _RULE) for each in form.delete_rules],
    )


def applied_form(applied: Applied) -> AppliedForm:
    """Spell what came of changes."""
    return AppliedForm(
        revision=applied.revision,
        created_labels=[_applied_label(each) for each in applied.created],
        changed_labels=[_applied_label(each) for each in applied.changed],
        created_rules=[rule.id for rule in applied.created_rules],
    )


def _label_to_create(number: int, form: LabelToCreateForm) -> LabelToCreate:
    label = NewLabel(
        name=form.name,
        description=form.description,
        project_id=None if form.project_id is UNSET else form.project_id,
        shared=form.shared,
    )
    place = f"create_labels[{number}].rules"
    return LabelToCreate(label, [rule_fields(count, each, place) for count, each in enumerate(form.rules)])


def _label_to_change(number: int, form: LabelToChangeForm) -> LabelToChange:
    given = {"name": form.name, "description": form.description}
    attributes = {name: text for name, text in given.items() if text is not UNSET}
    place = f"change_labels[{number}].rules"
    rules = None if form.rules is UNSET else [rule_fields(count, each, place) for count, each in enumerate(form.rules)]
    return LabelToChange(identifier(form.id, LabelNotFoundError, _LABEL), attributes, rules)


def _applied_label(applied: AppliedLabel) -> AppliedLabelForm:
    return AppliedLabelForm(id=applied.label.id, rule_ids=None if applied.rules is None else [rule.id for rule in applied.rules])
