"""Wire forms of explanations: the packet asked about, and why each label counts it or does not.

Owns their fields. What matches is said elsewhere.
"""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from venturi.core.classify.reference import Explanation
from venturi.core.domain.direction import Direction
from venturi.core.domain.label import MeteringLabelRule
from venturi.interfaces.api.v1.forms.texts import Address, Identifier
from venturi.services.control.explaining import Explained, Question

Way = Annotated[Direction, Meta(description="Whether the packet enters the network, leaves it, or cannot be told.")]


class QuestionForm(Struct, kw_only=True, forbid_unknown_fields=True):
    """A packet that passes a point, or, without one, any point at which all labels apply that the caller may see."""

    source: Address
    destination: Address
    direction: Way
    observation_point_id: Identifier | None = None


class MatchingRule(Struct, kw_only=True):
    """A rule that the packet matches, ``remote_ip_prefix`` translated."""

    id: Identifier
    direction: Direction
    excluded: bool
    source_ip_prefix: str | None
    destination_ip_prefix: str | None


class ExplainedLabel(Struct, kw_only=True):
    """A label with a matching rule: it counts the packet if some rule includes it and none excludes it."""

    label_id: Identifier
    name: str
    project_id: str
    counts: bool
    including: list[MatchingRule]
    excluding: list[MatchingRule]


class InapplicableLabel(ExplainedLabel, kw_only=True):
    """A label with a matching rule that does not apply at the point, so that it does not count the packet, and the reason."""

    reason: str


class ExplanationForm(Struct, kw_only=True):
    """The labels with a matching rule, by id; a packet that no rule matches is unmatched.

    Labels that do not apply at the point asked about are listed apart.
    """

    labels: list[ExplainedLabel]
    inapplicable: list[InapplicableLabel]


def question(form: QuestionForm) -> Question:
    """Translate what is asked."""
    return Question(
        source=form.source, destination=form.destination, direction=form.direction, observation_point_id=form.observation_point_id
    )


def explanation_form(explained: Explained) -> ExplanationForm:
    """Spell why labels count the packet, or do not."""
    apart = [
        InapplicableLabel(**{**msgspec.structs.asdict(explained_label(each)), "counts": False}, reason=explained.reason(each.label))
        for each in explained.inapplicable
    ]
    return ExplanationForm(labels=[explained_label(each) for each in explained.applying], inapplicable=apart)


def explained_label(explanation: Explanation) -> ExplainedLabel:
    """Spell why a label counts the packet, or does not."""
    label = explanation.label
    return ExplainedLabel(
        label_id=label.id,
        name=label.name,
        project_id=label.project_id,
        counts=explanation.counts,
        including=[_matching_rule(rule) for rule in explanation.including],
        excluding=[_matching_rule(rule) for rule in explanation.excluding],
    )


def _matching_rule(rule: MeteringLabelRule) -> MatchingRule:
    source, destination = rule.source_ip_prefix, rule.destination_ip_prefix
    return MatchingRule(
        id=rule.id,
        direction=rule.direction,
        excluded=rule.excluded,
        source_ip_prefix=str(source) if source else None,
        destination_ip_prefix=str(destination) if destination else None,
    )
