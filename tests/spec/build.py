"""Builds labels from short notation, so that a table of cases reads as one.

A rule is written ``[!]in|out SOURCE > DESTINATION``; ``*`` is a side without prefix, ``!`` excludes.
"""

from venturi.core.domain.direction import Direction
from venturi.core.domain.label import LabelWithRules, MeteringLabel, MeteringLabelRule
from venturi.core.domain.prefix import Prefix

_DIRECTIONS = {"in": Direction.INGRESS, "out": Direction.EGRESS}


def rule(notation: str, label: str = "label", number: int = 0) -> MeteringLabelRule:
    """Read one rule of a label."""
    words, _, destination = notation.removeprefix("!").partition(">")
    direction, source = words.split()
    return MeteringLabelRule(
        id=f"{label}-{number}",
        metering_label_id=label,
        direction=_DIRECTIONS[direction],
        source_ip_prefix=_prefix(source),
        destination_ip_prefix=_prefix(destination.strip()),
        excluded=notation.startswith("!"),
    )


def label(name: str, *rules: str, project_id: str = "", shared: bool = False) -> LabelWithRules:
    """Make a label, whose id is its name, with rules."""
    parsed = tuple(rule(notation, name, number) for number, notation in enumerate(rules))
    return LabelWithRules(MeteringLabel(id=name, name=name, project_id=project_id, shared=shared), parsed)


def _prefix(text: str) -> Prefix | None:
    return None if text == "*" else Prefix.parse(text)
