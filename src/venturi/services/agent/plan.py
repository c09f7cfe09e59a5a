"""The plan as an agent meters by it: points of this host, each with the classification that applies there.

Owns the way from the document to them. Where the document comes from is for whoever follows it.
"""

from collections import defaultdict
from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import TypeVar

import msgspec
from msgspec import Raw, Struct

from venturi.core.domain.direction import Direction
from venturi.core.domain.errors import ConfigurationError, InvalidPrefixError, InvalidRuleError
from venturi.core.domain.label import LabelWithRules, MeteringLabel, MeteringLabelRule
from venturi.core.domain.point import Hook, PointKind, PointTraffic
from venturi.core.domain.prefix import Prefix
from venturi.core.ledger.batch import BatchPoint, Count, Identifier, Text
from venturi.services.agent.classification import Classification, classify_by
from venturi.services.control.planning.form import PLAN_VERSION, PlannedClassifier, PlannedPoint, PlannedRule

_Form = TypeVar("_Form")

_LONGEST_WORD = 64
"""How much of a word that is not known is told."""


@dataclass(frozen=True, kw_only=True)
class UnknownPoint:
    """A point that this version cannot meter; ``problem`` names the word that it does not know.

    ``located`` is the point with words of this version in place of the unknown one, which still say where it is; None where that is not
    known.
    """

    id: str
    name: str
    problem: str
    located: PlannedPoint | None = None

    @property
    def sentence(self) -> str:
        """What to tell an operator."""
        return f"point '{self.name}' ({self.id}) has the {self.problem}, which this version does not know: upgrade the agent to meter it"


@dataclass(frozen=True, kw_only=True)
class AgentPlan:
    """What to meter as it stood at ``revision``; ``classifications`` are by the name that points give to theirs.

    ``unknown`` are the points that cannot be metered.
    """

    revision: int
    points: tuple[PlannedPoint, ...]
    classifications: Mapping[str, Classification]
    unknown: tuple[UnknownPoint, ...] = ()

    @property
    def point_ids(self) -> frozenset[str]:
        """The ids of all its points."""
        return frozenset(point.id for point in self.points) | frozenset(point.id for point in self.unknown)


class _Version(Struct):
    """What every version of the document says of itself."""

    version: int


class _Document(Struct, kw_only=True):
    """The plan document, its points not read yet: those of a kind to come may have any other fields."""

    revision: Count
    points: list[Raw]
    classifiers: list[PlannedClassifier]


class _PointWords(Struct, kw_only=True):
    """What a point of any kind says of itself."""

    id: Identifier
    name: Text
    kind: str
    traffic: str
    hook: str | None = None


def read_plan(document: bytes, place: str) -> AgentPlan:
    """Read a plan document; raises ``ConfigurationError``, naming ``place``, for what is none.

    Classifiers are known by their rules: what a document calls their digest serves to name them in it, and no more. Fields that are not
    known are ignored; a kind, a hook or a word for traffic that is not known costs the point that has it.
    """
    try:
        _require_version(document)
        return _read(msgspec.json.decode(document, type=_Document))
    except (msgspec.DecodeError, InvalidPrefixError, InvalidRuleError, ValueError, RecursionError) as error:
        message = f"{place} is no plan: {error}"
        raise ConfigurationError(message) from error


def _require_version(document: bytes) -> None:
    """Refuse, with ``ValueError``, a document of another version."""
    version = msgspec.json.decode(document, type=_Version).version
    if version != PLAN_VERSION:
        message = f"of version {version} this version of venturi knows nothing"
        raise ValueError(message)


def _read(document: _Document) -> AgentPlan:
    """Translate a plan; raises ``ValueError`` for one that contradicts itself."""
    classifications = {classifier.digest: classify_by(_labels(classifier)) for classifier in document.classifiers}
    points: list[PlannedPoint] = []
    unknown: list[UnknownPoint] = []
    for number, given in enumerate(document.points):
        words = _decode_point(given, number, _PointWords)
        problem = _find_unknown(words)
        if not problem:
            point = _decode_point(given, number, PlannedPoint)
            _check_point(point, classifications)
            points.append(point)
            continue
        located = _locate(_decode_point(given, number, PlannedPoint), classifications) if words.kind in set(PointKind) else None
        unknown.append(UnknownPoint(id=words.id, name=words.name, problem=problem, located=located))
    plan = AgentPlan(revision=document.revision, points=tuple(points), classifications=classifications, unknown=tuple(unknown))
    if len(plan.point_ids) != len(document.points):
        message = "two points have the same id"
        raise ValueError(message)
    return plan


def _decode_point(given: Raw, number: int, form: type[_Form]) -> _Form:
    try:
        return msgspec.json.decode(given, type=form)
    except msgspec.ValidationError as error:
        message = str(error).replace("`$.", f"`$.points[{number}].")
        raise ValueError(message) from error


def _find_unknown(words: _PointWords) -> str:
    """Name the first word of a point that is not known; empty where all are."""
    hook = words.hook or str(Hook.NETFILTER)
    for name, word, known in (("kind", words.kind, PointKind), ("traffic", words.traffic, PointTraffic), ("hook", hook, Hook)):
        if word not in set(known):
            return f"{name} {word[:_LONGEST_WORD]!a}"
    return ""


def _locate(point: PlannedPoint, classifiers: Container[str]) -> PlannedPoint | None:
    """Give a point with words of this version in place of those that it does not know; None where it does not say where it is."""
    if _place_of(point) is None or point.classifier not in classifiers:
        return None
    traffic = point.traffic if point.traffic in set(PointTraffic) else str(PointTraffic.FORWARDED)
    return msgspec.structs.replace(point, traffic=traffic, hook=point.hook if point.hook in set(Hook) else None)


def _place_of(point: PlannedPoint) -> str | None:
    """Give what says where a point is, None where nothing does."""
    return {PointKind.INTERFACE: point.device, PointKind.ROUTER: point.router_id}.get(PointKind(point.kind), point.kind)


def _check_point(point: PlannedPoint, classifiers: Container[str]) -> None:
    """Refuse, with ``ValueError``, a point that nobody would meter."""
    if _place_of(point) is None:
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
