"""Explanations that a server gives, read back into those of the reference engine, so that they are shown alike."""

from collections.abc import Mapping, Sequence

from venturi.adapters.client.collections import POINTS, Reference
from venturi.adapters.client.resources import Resources
from venturi.core.classify.reference import Explanation
from venturi.core.domain.direction import Direction
from venturi.core.domain.errors import ServerError, VenturiError
from venturi.core.domain.label import MeteringLabel, MeteringLabelRule
from venturi.core.domain.prefix import Prefix
from venturi.interfaces.render.rules import InapplicableExplanation


def ask_explanations(
    resources: Resources, point: str | None, addresses: tuple[str, str], direction: Direction
) -> tuple[list[Explanation], list[InapplicableExplanation]]:
    """Ask which labels count a packet from the first address to the second at ``point``, by id or name, or at none in particular.

    Labels that do not apply at the point come second, each with the reason; an earlier server does not tell of them.
    """
    question: dict[str, object] = {"source": addresses[0], "destination": addresses[1], "direction": direction.value}
    if point is not None:
        question["observation_point_id"] = resources.identify(Reference(POINTS, point))
    answer = resources.ask("POST", "/v1/explain", question)
    try:
        apart = [(_explanation(label), str(label["reason"])) for label in _objects(answer.get("inapplicable", []))]
        return [_explanation(label) for label in _objects(answer["labels"])], apart
    except (KeyError, TypeError, ValueError, VenturiError) as error:
        message = "the server's explanation cannot be read, so it is of another version"
        raise ServerError(message) from error


def _explanation(label: Mapping[str, object]) -> Explanation:
    described = MeteringLabel(id=str(label["label_id"]), name=str(label["name"]), project_id=str(label["project_id"]))
    including, excluding = (tuple(_rule(rule, described.id) for rule in _objects(label[key])) for key in ("including", "excluding"))
    return Explanation(described, including, excluding)


def _rule(rule: Mapping[str, object], label_id: str) -> MeteringLabelRule:
    return MeteringLabelRule(
        id=str(rule["id"]),
        metering_label_id=label_id,
        direction=Direction(str(rule["direction"])),
        source_ip_prefix=_prefix(rule["source_ip_prefix"]),
        destination_ip_prefix=_prefix(rule["destination_ip_prefix"]),
        excluded=rule["excluded"] is True,
    )


def _prefix(text: object) -> Prefix | None:
    return None if text is None else Prefix.parse(str(text))


def _objects(value: object) -> Sequence[Mapping[str, object]]:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        message = "no list of objects"
        raise TypeError(message)
    return value
