"""The description of the Networking API for metering, as OpenStack defines it.

Owns forms that describe; the routes read bodies with checks of their own.
"""

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType, field

from venturi.core.domain.direction import Direction
from venturi.interfaces.api.neutron.links import Link
from venturi.interfaces.api.v1.description.operations import Answer, NeutronError, Operation, Parameter
from venturi.interfaces.api.v1.forms.labels import LabelDescription, LabelName
from venturi.interfaces.api.v1.forms.texts import Identifier, PrefixText, ProjectId

_RuleDirection = Annotated[str, Meta(description="ingress or egress.", extra_json_schema={"enum": ["ingress", "egress"]})]
_TRUTHS: list[Any] = [True, False, 1, 0, *("true", "yes", "on", "1"), *("false", "no", "off", "0")]
_Truth = Annotated[Any, Meta(description="A truth value, or a word for one.", extra_json_schema={"enum": _TRUTHS})]
_FILTER = str
_PREFIXES = ("remote_ip_prefix", "source_ip_prefix", "destination_ip_prefix")
_OPERATION = partial(Operation, group="networking", error_form=NeutronError)


class NewMeteringLabel(Struct, kw_only=True, forbid_unknown_fields=True):
    """A metering label to be made."""

    name: LabelName = ""
    description: LabelDescription = ""
    shared: _Truth = False
    project_id: ProjectId | UnsetType = UNSET
    former_project_id: ProjectId | UnsetType = field(default=UNSET, name="tenant_id")


class NewMeteringLabelRequest(Struct, kw_only=True):
    """One label in its envelope."""

    metering_label: NewMeteringLabel


class NewMeteringLabelsRequest(Struct, kw_only=True):
    """Many labels, all or none."""

    metering_labels: Annotated[list[NewMeteringLabel], Meta(min_length=1)]


class NewMeteringLabelRule(Struct, kw_only=True, forbid_unknown_fields=True):
    """A rule to be made, with a source prefix, a destination prefix or both, or the deprecated ``remote_ip_prefix`` alone."""

    metering_label_id: Identifier
    direction: _RuleDirection
    excluded: _Truth = False
    remote_ip_prefix: PrefixText | None = None
    source_ip_prefix: PrefixText | None = None
    destination_ip_prefix: PrefixText | None = None


class NewMeteringLabelRuleRequest(Struct, kw_only=True):
    """One rule in its envelope."""

    metering_label_rule: NewMeteringLabelRule


class NewMeteringLabelRulesRequest(Struct, kw_only=True):
    """Many rules, all or none."""

    metering_label_rules: Annotated[list[NewMeteringLabelRule], Meta(min_length=1)]


class MeteringLabelAnswer(Struct, kw_only=True):
    """A label; attributes that ``fields`` does not name are left out."""

    id: Identifier | UnsetType = UNSET
    name: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    project_id: str | UnsetType = UNSET
    former_project_id: str | UnsetType = field(default=UNSET, name="tenant_id")
    shared: bool | UnsetType = UNSET


class MeteringLabelRuleAnswer(Struct, kw_only=True):
    """A rule with its prefixes as given; attributes that ``fields`` does not name are left out."""

    id: Identifier | UnsetType = UNSET
    metering_label_id: Identifier | UnsetType = UNSET
    direction: Direction | UnsetType = UNSET
    excluded: bool | UnsetType = UNSET
    remote_ip_prefix: str | UnsetType | None = UNSET
    source_ip_prefix: str | UnsetType | None = UNSET
    destination_ip_prefix: str | UnsetType | None = UNSET


class OneLabel(Struct, kw_only=True):
    """The answer that holds a label."""

    metering_label: MeteringLabelAnswer


class ManyLabels(Struct, kw_only=True):
    """The answer that holds labels, and links to other pages where a limit was given."""

    metering_labels: list[MeteringLabelAnswer]
    metering_labels_links: list[Link] | UnsetType = UNSET


class OneRule(Struct, kw_only=True):
    """The answer that holds a rule."""

    metering_label_rule: MeteringLabelRuleAnswer


class ManyRules(Struct, kw_only=True):
    """The answer that holds rules, and links to other pages where a limit was given."""

    metering_label_rules: list[MeteringLabelRuleAnswer]
    metering_label_rules_links: list[Link] | UnsetType = UNSET


def _list_parameters(*attributes: str) -> list[Parameter]:
    paging = [
        Parameter(name="limit", description="How many there are on a page; 0 for all.", form=Annotated[int, Meta(ge=0)]),
        Parameter(name="marker", description="The id of the last one before the page.", form=_FILTER),
        Parameter(name="page_reverse", description="True for the page before the marker; any other text is false."),
        Parameter(name="sort_key", description="An attribute to order by.", many=True),
        Parameter(name="sort_dir", description="asc or desc, for each sort_key.", many=True),
        Parameter(name="fields", description="An attribute to answer with; without any, all.", many=True),
    ]
    forms = {"shared": bool, "excluded": bool, **dict.fromkeys(_PREFIXES, str)}
    equal = [
        Parameter(name=name, description=f"Only those with this {name}.", form=forms.get(name, _FILTER), many=True) for name in attributes
    ]
    return paging + equal


@dataclass(frozen=True)
class _Resource:
    """A kind of resource of the Networking API: its noun, its path, and the forms of one and of many."""

    noun: str
    path: str
    requests: tuple[Any, Any]
    answers: tuple[Any, Any]
    filters: tuple[str, ...]
    gone: str

    @property
    def name(self) -> str:
        """The key of its envelope."""
        return self.noun.replace(" ", "_")

    def collection(self) -> list[Operation]:
        """Describe what is done with many."""
        return [
            _OPERATION(
                method="GET",
                path=self.path,
                summary=f"List {self.noun}s",
                description="Filters are exact; a repeated one is met by any of its values.",
                parameters=_list_parameters(*self.filters),
                answers={200: Answer(description=f"The {self.noun}s.", form=self.answers[1])},
                refusals=(404,),
            ),
            _OPERATION(
                method="POST",
                path=self.path,
                summary=f"Make {self.noun}s",
                description=f"Makes one under the key {self.name}, or several at once, all or none, under {self.name}s.",
                request=self.requests,
                example={self.name: _EXAMPLES[self.name]},
                answers={201: Answer(description=f"The {self.noun} made, or several in the order of the request.", form=self.answers)},
                refusals=(404, 409, 413),
            ),
        ]

    def one(self) -> list[Operation]:
        """Describe what is done with one."""
        path = f"{self.path}/{{identifier}}"
        identifier = Parameter(name="identifier", place="path", description=f"The id of the {self.noun}.")
        fields = Parameter(name="fields", description="An attribute to answer with; without any, all.", many=True)
        return [
            _OPERATION(
                method="GET",
                path=path,
                summary=f"Show a {self.noun}",
                description="That of another project does not exist to a caller who is no administrator.",
                parameters=[identifier, fields],
                answers={200: Answer(description=f"The {self.noun}.", form=self.answers[0])},
                refusals=(404,),
            ),
            _OPERATION(
                method="PUT",
                path=path,
                summary=f"Refuse to change a {self.noun}",
                description="Its attributes are read-only here, so the answer is an error, whatever is sent.",
                parameters=[identifier],
                answers={},
                refusals=(404, 413),
            ),
            _OPERATION(
                method="DELETE",
                path=path,
                summary=f"Delete a {self.noun}",
                description=self.gone,
                parameters=[identifier],
                answers={204: Answer(description=f"The {self.noun} is gone.")},
                refusals=(404,),
            ),
        ]


_EXAMPLES: dict[str, Any] = {
    "metering_label": {"name": "customer 7", "description": "all traffic"},
    "metering_label_rule": {
        "metering_label_id": "6a1b7b3c-6f0e-4c0e-9a43-3a5c6d0f4c11",
        "direction": "egress",
        "source_ip_prefix": "10.0.0.0/24",
    },
}


def networking_operations() -> list[Operation]:
    """Describe labels and rules of the Networking API."""
    labels = _Resource(
        "metering label",
        "/v2.0/metering/metering-labels",
        (NewMeteringLabelRequest, NewMeteringLabelsRequest),
        (OneLabel, ManyLabels),
        ("id", "name", "description", "project_id", "tenant_id", "shared"),
        "Its rules go with it; what was counted stays.",
    )
    rules = _Resource(
        "metering label rule",
        "/v2.0/metering/metering-label-rules",
        (NewMeteringLabelRuleRequest, NewMeteringLabelRulesRequest),
        (OneRule, ManyRules),
        ("id", "metering_label_id", "direction", "excluded", "remote_ip_prefix", "source_ip_prefix", "destination_ip_prefix"),
        "What was counted stays.",
    )
    return [*labels.collection(), *labels.one(), *rules.collection(), *rules.one()]
