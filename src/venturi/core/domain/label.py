"""Metering labels and their rules, as the model of OpenStack Networking has them.

Owns what makes one valid. The deprecated ``remote_ip_prefix`` is translated at the edges and has no place here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from venturi.core.domain.direction import Direction
from venturi.core.domain.errors import InvalidRuleError
from venturi.core.domain.prefix import Prefix


@dataclass(frozen=True, kw_only=True)
class MeteringLabel:
    """A named account of traffic.

    A ``shared`` label applies at every observation point, another one at the points of its project and at shared points.
    """

    id: str
    name: str
    project_id: str = ""
    description: str = ""
    shared: bool = False


@dataclass(frozen=True, kw_only=True)
class MeteringLabelRule:
    """Which traffic belongs to a label, or, when ``excluded``, does not.

    A packet matches if its direction agrees and each prefix given holds its address. A prefix left out matches all.
    """

    id: str
    metering_label_id: str
    direction: Direction
    source_ip_prefix: Prefix | None = None
    destination_ip_prefix: Prefix | None = None
    excluded: bool = False

    def __post_init__(self) -> None:
        """Refuse a rule without prefixes, of two families or of unknown direction with ``InvalidRuleError``."""
        if self.direction is Direction.UNKNOWN:
            message = "the direction of a rule is ingress or egress"
            raise InvalidRuleError(message)
        families = {prefix.family for prefix in (self.source_ip_prefix, self.destination_ip_prefix) if prefix}
        if not families:
            message = "a rule needs a source or a destination prefix"
            raise InvalidRuleError(message)
        if len(families) > 1:
            message = "the prefixes of a rule are of one family"
            raise InvalidRuleError(message)

    @property
    def family(self) -> int:
        """The IP version, 4 or 6, of the addresses that this rule can match."""
        prefix = self.source_ip_prefix or self.destination_ip_prefix
        assert prefix is not None  # noqa: S101 - established by __post_init__
        return prefix.family


@dataclass(frozen=True)
class LabelWithRules:
    """A metering label together with all of its rules."""

    label: MeteringLabel
    rules: tuple[MeteringLabelRule, ...]


def applicable_labels(labels: Sequence[LabelWithRules], *, project_id: str, shared: bool) -> list[LabelWithRules]:
    """Choose the labels that apply at a point of ``project_id``: shared ones, those of the project, all at a ``shared`` point."""
    return [entry for entry in labels if shared or entry.label.shared or entry.label.project_id == project_id]


def all_rules(labels: Sequence[LabelWithRules]) -> list[MeteringLabelRule]:
    """List the rules of all ``labels`` in order."""
    return list(chain.from_iterable(entry.rules for entry in labels))
