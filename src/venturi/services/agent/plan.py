"""The plan as an agent meters by it: points of this host, each with the classification that applies there.

Owns the way from the document to them. Where the document comes from is for whoever follows it.
"""

from collections import defaultdict
from collections.abc import Container, Mapping
from dataclasses import dataclass

import msgspec

from venturi.core.domain.direction import Direction
from venturi.core.domain.errors import ConfigurationError, InvalidPrefixError, InvalidRuleError
from venturi.core.domain.label import LabelWithRules, MeteringLabel, MeteringLabelRule
from venturi.core.domain.point import Hook, PointKind, PointTraffic
from venturi.core.domain.prefix import Prefix
from venturi.core.ledger.batch import BatchPoint
from venturi.services.agent.classification import Classification, classify_by
from venturi.services.control.planning.form import PLAN_VERSION, Plan, PlannedClassifier, PlannedPoint, PlannedRule


@dataclass(frozen=True, kw_only=True)
class AgentPlan:
    """What to meter as it stood at ``revision``; ``classifications`` are by the name that points give to theirs."""

    revision: int
    points: tuple[PlannedPoint, ...]
    classifications: Mapping[str, Classification]


def read_plan(document: bytes, place: str) -> AgentPlan:
    """Read a plan document; raises ``ConfigurationError``, naming ``place``, for what is none.

    Classifiers are known by their rules: what a document calls their digest serves to name them in it, and no more.
    """
    try:
        return _read(msgspec.json.decode(document, type=Plan))
    except (msgspec.DecodeError, InvalidPrefixError, InvalidRuleError, ValueError, RecursionError) as error:
        message = f"{place} is no plan: {error}"
        raise ConfigurationError(message) from error


def _read(plan: Plan) -> AgentPlan:
    """Translate a plan; raises ``ValueError`` for one that contradicts itself or is of another version."""
    if plan.version != PLAN_VERSION:
        message = f"of version {plan.version} this version of venturi knows nothing"
        raise ValueError(message)
    classifications = {classifier.digest: classify_by(_labels(classifier)) for classifier in plan.classifiers}
    if len({point.id for point in plan.points}) != len(plan.points):
        message = "two points have the same id"
        raise ValueError(message)
    for point in plan.points:
        _check_point(point, classifications)
    return AgentPlan(revision=plan.revision, points=tuple(plan.points), classifications=classifications)


def _check_point(point: PlannedPoint, classifiers: Container[str]) -> None:
    """Refuse, with ``ValueError``, a point that nobody would meter."""
    PointTraffic(point.traffic)
    planned_hook(point)
    needed = {PointKind.INTERFACE: point.device, PointKind.ROUTER: point.router_id}.get(PointKind(point.kind), point.kind)
    if needed is None:
        message = f"point '{point.id}' of kind '{point.kind}' does not say where it is"
        raise ValueError(message)
    if point.classifier not in classifiers:
        message = f"point '{point.id}' names the classifier '{point.classifier}', which is not in it"
        raise ValueError(message)


def planned_hook(point: PlannedPoint) -> Hook:
    """Give the hook at which the packets of a point are seen; raises ``ValueError`` for what is none."""
    return Hook.NETFILTER if point.hook is None else Hook(point.hook)


def batch_point(point: PlannedPoint) -> BatchPoint:
    """Give a point as records name it."""
    return BatchPoint(id=point.id, name=point.name, project_id=point.project_id, shared=point.shared, kind=point.kind)


def _labels(classifier: PlannedClassifier) -> list[LabelWithRules]:
    rules: defaultdict[str, list[MeteringLabelRule]] = defaultdict(list)
    for rule in classifier.rules:
        rules[rule.metering_label_id].append(_rule(rule))
    known = {label.id for label in classifier.labels}
    if len(known) != len(classifier.labels) or not rules.keys() <= known:
        message = f"classifier '{classifier.digest}' has a label twice, or rules of a label that is not in it"
        raise ValueError(message)
    return [
        LabelWithRules(
            MeteringLabel(id=label.id, name=label.name, project_id=label.project_id, shared=label.shared), tuple(rules[label.id])
        )
        for label in classifier.labels
    ]


def _rule(rule: PlannedRule) -> MeteringLabelRule:
    """Translate a rule; in a plan it has no id of its own."""
    return MeteringLabelRule(
        id="",
        metering_label_id=rule.metering_label_id,
        direction=Direction(rule.direction),
        source_ip_prefix=_prefix(rule.source_ip_prefix),
        destination_ip_prefix=_prefix(rule.destination_ip_prefix),
        excluded=rule.excluded,
    )


def _prefix(text: str | None) -> Prefix | None:
    return None if text is None else Prefix.parse(text)
