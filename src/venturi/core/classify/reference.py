"""The definition of right: which labels count a packet, written to be read.

Every other engine is proved equal to this one. Nothing here is made fast.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from venturi.core.domain.direction import Direction
from venturi.core.domain.label import LabelWithRules, MeteringLabel, MeteringLabelRule
from venturi.core.domain.prefix import Prefix


@dataclass(frozen=True)
class Passage:
    """A packet as the rules see it: its direction, family (4 or 6) and addresses as unsigned integers."""

    direction: Direction
    family: int
    source: int
    destination: int


class Part(StrEnum):
    """The parts of a point's traffic: own labels of one project count it *alone*, those of *several* do, only *shared* labels, or none."""

    ALONE = "alone"
    SEVERAL = "several"
    SHARED = "shared"
    UNMATCHED = "unmatched"


@dataclass(frozen=True)
class Explanation:
    """Why a label counts a packet, or why not."""

    label: MeteringLabel
    including: tuple[MeteringLabelRule, ...]
    excluding: tuple[MeteringLabelRule, ...]

    @property
    def counts(self) -> bool:
        """Tell whether the label counts the packet: some rule includes it and none excludes it."""
        return bool(self.including) and not self.excluding


def rule_matches(rule: MeteringLabelRule, passage: Passage) -> bool:
    """Tell whether a packet matches a rule, whether including or excluding.

    A packet of unknown direction matches rules of both directions.
    """
    return (
        passage.direction in {rule.direction, Direction.UNKNOWN}
        and rule.family == passage.family
        and _holds(rule.source_ip_prefix, passage.family, passage.source)
        and _holds(rule.destination_ip_prefix, passage.family, passage.destination)
    )


def explain(labels: Sequence[LabelWithRules], passage: Passage) -> list[Explanation]:
    """Say of every label with a matching rule which rules match, in the order of ``labels``."""
    explanations = []
    for entry in labels:
        matching = [rule for rule in entry.rules if rule_matches(rule, passage)]
        if matching:
            including = tuple(rule for rule in matching if not rule.excluded)
            excluding = tuple(rule for rule in matching if rule.excluded)
            explanations.append(Explanation(entry.label, including, excluding))
    return explanations


def counting_labels(labels: Sequence[LabelWithRules], passage: Passage) -> list[MeteringLabel]:
    """List the labels that count a packet, each once, in the order of ``labels``."""
    return [explanation.label for explanation in explain(labels, passage) if explanation.counts]


def using_projects(labels: Sequence[LabelWithRules], passage: Passage) -> list[str]:
    """List the projects that used a packet: at least one of their own labels, none that is shared, counts it; each once, by name."""
    return sorted({label.project_id for label in counting_labels(labels, passage) if not label.shared})


def part_of(labels: Sequence[LabelWithRules], passage: Passage) -> Part:
    """Say in which part of the traffic a packet is: it is in one and no other."""
    if not counting_labels(labels, passage):
        return Part.UNMATCHED
    projects = using_projects(labels, passage)
    if not projects:
        return Part.SHARED
    return Part.ALONE if len(projects) == 1 else Part.SEVERAL


def _holds(prefix: Prefix | None, family: int, address: int) -> bool:
    return prefix is None or prefix.matches(family, address)
