"""Wire forms of labels and rules in the Networking API, as OpenStack defines it.

Owns the fields of answers, and what documents say of requests: those are read by checks of their own (``attributes``), whose sentences
clients know.
"""

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType, field

from venturi.core.domain.direction import Direction
from venturi.core.domain.grammars import PREFIX_OR_EMPTY
from venturi.interfaces.api.neutron.links import Link
from venturi.interfaces.api.openapi.declaring import RequestBody
from venturi.interfaces.api.v1.forms.labels import LabelDescription, LabelName
from venturi.interfaces.api.v1.forms.texts import Identifier, ProjectId

_RuleDirection = Annotated[str, Meta(description="ingress or egress.", extra_json_schema={"enum": ["ingress", "egress"]})]
_TRUTHS: list[Any] = [True, False, 1, 0, *("true", "yes", "on", "1"), *("false", "no", "off", "0")]
_Truth = Annotated[Any, Meta(description="A truth value, or a word for one.", extra_json_schema={"enum": _TRUTHS})]

_GivenPrefix = Annotated[
    str,
    Meta(
        max_length=80,
        description="An IPv4 or IPv6 prefix; host bits are kept and ignored in matching. An empty text is none.",
        examples=["10.0.0.0/24"],
        extra_json_schema={"pattern": PREFIX_OR_EMPTY},
    ),
]


class MeteringLabelForm(Struct, rename={"owner": "tenant_id"}):
    """A label; attributes that ``fields`` does not name are left out. ``tenant_id`` is the project by its older name."""

    id: Identifier | UnsetType = UNSET
    name: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    shared: bool | UnsetType = UNSET
    project_id: str | UnsetType = UNSET
    owner: str | UnsetType = UNSET


class MeteringRuleForm(Struct):
    """A rule with its prefixes as given, null for none; attributes that ``fields`` does not name are left out."""

    id: Identifier | UnsetType = UNSET
    metering_label_id: Identifier | UnsetType = UNSET
    direction: Direction | UnsetType = UNSET
    excluded: bool | UnsetType = UNSET
    remote_ip_prefix: str | UnsetType | None = UNSET
    source_ip_prefix: str | UnsetType | None = UNSET
    destination_ip_prefix: str | UnsetType | None = UNSET


class OneLabel(Struct, kw_only=True):
    """The answer that holds a label."""

    metering_label: MeteringLabelForm


class ManyLabels(Struct, kw_only=True):
    """The answer that holds labels, and links to other pages where a limit was given."""

    metering_labels: list[MeteringLabelForm]
    metering_labels_links: list[Link] | UnsetType = UNSET


class OneRule(Struct, kw_only=True):
    """The answer that holds a rule."""

    metering_label_rule: MeteringRuleForm


class ManyRules(Struct, kw_only=True):
    """The answer that holds rules, and links to other pages where a limit was given."""

    metering_label_rules: list[MeteringRuleForm]
    metering_label_rules_links: list[Link] | UnsetType = UNSET


class NewMeteringLabel(Struct, kw_only=True, forbid_unknown_fields=True):
    """A metering label to be made."""

    name: LabelName = ""
    description: LabelDescription = ""
    shared: _Truth = False
    project_id: ProjectId | UnsetType = UNSET
    former_project_id: ProjectId | UnsetType = field(default=UNSET, name="tenant_id")


class OneNewLabel(Struct, kw_only=True):
    """One label in its envelope."""

    metering_label: NewMeteringLabel


class ManyNewLabels(Struct, kw_only=True):
    """Many labels, all or none."""

    metering_labels: Annotated[list[NewMeteringLabel], Meta(min_length=1)]


class NewMeteringLabelRule(Struct, kw_only=True, forbid_unknown_fields=True):
    """A rule to be made, with a source prefix, a destination prefix or both, or the deprecated ``remote_ip_prefix`` alone."""

    metering_label_id: Identifier
    direction: _RuleDirection
    excluded: _Truth = False
    remote_ip_prefix: _GivenPrefix | None = None
    source_ip_prefix: _GivenPrefix | None = None
    destination_ip_prefix: _GivenPrefix | None = None


class OneNewRule(Struct, kw_only=True):
    """One rule in its envelope."""

    metering_label_rule: NewMeteringLabelRule


class ManyNewRules(Struct, kw_only=True):
    """Many rules, all or none."""

    metering_label_rules: Annotated[list[NewMeteringLabelRule], Meta(min_length=1)]


NEW_LABELS = RequestBody(
    form=(OneNewLabel, ManyNewLabels), example={"metering_label": {"name": "customer 7", "description": "all traffic"}}
)
NEW_RULES = RequestBody(
    form=(OneNewRule, ManyNewRules),
    example={
        "metering_label_rule": {
            "metering_label_id": "6a1b7b3c-6f0e-4c0e-9a43-3a5c6d0f4c11",
            "direction": "egress",
            "source_ip_prefix": "10.0.0.0/24",
        }
    },
)
