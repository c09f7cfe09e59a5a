"""Wire forms of labels and rules under ``/v1``: as Neutron names their fields, without its envelopes.

Owns their fields and their translation. The Neutron API has forms of its own.
"""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType, structs

from venturi.core.domain.direction import Direction
from venturi.core.domain.errors import InvalidRuleError
from venturi.core.domain.label import MeteringLabel
from venturi.core.rules.checks import check_direction, check_prefix
from venturi.core.rules.given_rule import GivenRule
from venturi.core.rules.rule_fields import RuleFields, check_prefixes
from venturi.interfaces.api.v1.forms.texts import PRINTABLE_OR_EMPTY, Identifier, PrefixText

LabelName = Annotated[str, Meta(max_length=255, pattern=PRINTABLE_OR_EMPTY, description="A name for people; it need not be unique.")]
LabelDescription = Annotated[str, Meta(max_length=1024, pattern=PRINTABLE_OR_EMPTY, description="What the label stands for.")]


class LabelForm(Struct, kw_only=True):
    """A metering label."""

    id: Identifier
    name: str
    project_id: str
    description: str
    shared: bool


class LabelList(Struct, kw_only=True):
    """A page of metering labels; ``next`` is the marker of the page after it, null on the last."""

    labels: list[LabelForm]
    next: str | None


class LabelChangesForm(Struct, kw_only=True, forbid_unknown_fields=True):
    """What changes of a label. Rules, project and ``shared`` stay."""

    name: LabelName | UnsetType = UNSET
    description: LabelDescription | UnsetType = UNSET


class RuleForm(Struct, kw_only=True):
    """A metering label rule with its prefixes as given."""

    id: Identifier
    metering_label_id: Identifier
    direction: Direction
    excluded: bool
    remote_ip_prefix: str | None
    source_ip_prefix: str | None
    destination_ip_prefix: str | None


class RuleList(Struct, kw_only=True):
    """A page of the rules of a label; ``next`` is the marker of the page after it, null on the last."""

    rules: list[RuleForm]
    next: str | None


class NewRuleForm(Struct, kw_only=True, forbid_unknown_fields=True):
    """A rule to be: a source prefix, a destination prefix or both, or the deprecated ``remote_ip_prefix`` alone."""

    direction: Annotated[str, Meta(description="ingress or egress.", extra_json_schema={"enum": ["ingress", "egress"]})]
    excluded: bool = False
    remote_ip_prefix: PrefixText | None = None
    source_ip_prefix: PrefixText | None = None
    destination_ip_prefix: PrefixText | None = None


class NewRulesForm(Struct, kw_only=True, forbid_unknown_fields=True):
    """All rules that a label is to have; an empty list leaves it none."""

    rules: list[NewRuleForm]


class RuleSet(Struct, kw_only=True):
    """All rules of a label."""

    rules: list[RuleForm]


def label_form(label: MeteringLabel) -> LabelForm:
    """Spell a label as it is answered."""
    return LabelForm(id=label.id, name=label.name, project_id=label.project_id, description=label.description, shared=label.shared)


def label_changes(form: LabelChangesForm) -> dict[str, str]:
    """Give the attributes to change, by name."""
    return {name: value for name, value in structs.asdict(form).items() if value is not UNSET}


def rule_form(rule: GivenRule) -> RuleForm:
    """Spell a rule with its prefixes as its author spelled them."""
    fields = rule.fields
    return RuleForm(
        id=rule.id,
        metering_label_id=rule.metering_label_id,
        direction=fields.direction,
        excluded=bool(fields.excluded),
        remote_ip_prefix=_spelled(fields.remote_ip_prefix),
        source_ip_prefix=_spelled(fields.source_ip_prefix),
        destination_ip_prefix=_spelled(fields.destination_ip_prefix),
    )


def rule_fields(number: int, form: NewRuleForm, place: str = "rules") -> RuleFields:
    """Translate rule ``number`` of the list at ``place`` of a request; raises ``InvalidRuleError`` that names it."""
    try:
        fields = RuleFields(
            direction=check_direction("direction", form.direction),
            excluded=form.excluded,
            remote_ip_prefix=check_prefix("remote_ip_prefix", form.remote_ip_prefix),
            source_ip_prefix=check_prefix("source_ip_prefix", form.source_ip_prefix),
            destination_ip_prefix=check_prefix("destination_ip_prefix", form.destination_ip_prefix),
        )
        check_prefixes(fields)
    except InvalidRuleError as error:
        message = f"{place}[{number}]: {error}"
        raise InvalidRuleError(message) from error
    return fields


def _spelled(prefix: object | None) -> str | None:
    return None if prefix is None else str(prefix)
