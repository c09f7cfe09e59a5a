"""Explaining: which labels count a packet, and by which rules, as the labels stand now.

Owns which labels are asked. What matches is said by the reference engine.
"""

from dataclasses import dataclass
from typing import NamedTuple

from venturi.adapters.store.store import Store, StoreReader
from venturi.core.classify.reference import Explanation, Passage, explain
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.direction import Direction
from venturi.core.domain.errors import InvalidPrefixError, PointNotFoundError
from venturi.core.domain.label import MeteringLabel, MeteringLabelRule
from venturi.core.domain.point import ObservationPoint
from venturi.core.domain.prefix import parse_address
from venturi.services.control.points import sees_point
from venturi.services.control.points_labels import read_applicable
from venturi.services.control.policy import Operation, listed_project, require


@dataclass(frozen=True, kw_only=True)
class Question:
    """A packet to explain: addresses as texts, and the point that it passes, None to ask all labels that the caller may see."""

    source: str
    destination: str
    direction: Direction
    observation_point_id: str | None = None

    @property
    def passage(self) -> Passage:
        """The packet as rules see it; raises ``InvalidPrefixError`` for addresses that no packet can have."""
        (family, source), (other_family, destination) = _address("source", self.source), _address("destination", self.destination)
        if family != other_family:
            message = f"source and destination: {self.source} and {self.destination} are not of one family, so no packet can have both"
            raise InvalidPrefixError(message)
        return Passage(self.direction, family, source, destination)


class Explained(NamedTuple):
    """Why labels count a packet or do not; those that do not apply at the point asked about are apart."""

    applying: list[Explanation]
    inapplicable: list[Explanation]

    @staticmethod
    def reason(label: MeteringLabel) -> str:
        """Say why a label that is not shared counts at no point that is neither shared nor of its project."""
        return f"the point is neither shared nor of project {label.project_id}"


class Explaining:
    """Answers why labels count a packet, or do not."""

    def __init__(self, store: Store) -> None:
        """Ask the labels of ``store``."""
        self._store = store

    def explain(self, caller: Principal, question: Question) -> Explained:
        """Say of each label with a matching rule that the caller may see which rules match, in the order of label ids.

        Labels that do not apply at the point asked about are apart.

        Raises ``InvalidPrefixError`` for wrong addresses, ``PointNotFoundError`` and ``ForbiddenError``.
        """
        require(caller, Operation.EXPLAIN)
        passage = question.passage
        seen = listed_project(caller, Operation.LIST_LABELS)
        found: list[Explanation] = []
        with self._store.reading() as reader:
            point = _asked_point(caller, reader, question)
            for labels in read_applicable(reader, seen):
                found += explain([entry for entry in labels if seen in {None, entry.label.project_id}], passage)
        found.sort(key=lambda explanation: explanation.label.id)
        applying = [each for each in found if point is None or point.shared or _applies(each.label, point)]
        kept = {each.label.id for each in applying}
        return Explained(applying, [each for each in found if each.label.id not in kept])

    def find_by_address(self, caller: Principal, text: str) -> list[MeteringLabel]:
        """Give, by name, the labels that the caller may see and that count packets from or to an address by some rule.

        Raises ``InvalidPrefixError`` for a text that is no address, and ``ForbiddenError``.
        """
        require(caller, Operation.EXPLAIN)
        family, address = _address("address", text)
        seen = listed_project(caller, Operation.LIST_LABELS)
        with self._store.reading() as reader:
            found = [
                entry.label
                for labels in read_applicable(reader, seen)
                for entry in labels
                if seen in {None, entry.label.project_id} and any(_counts(rule, family, address) for rule in entry.rules)
            ]
        return sorted(found, key=lambda label: (label.name, label.id))


def _counts(rule: MeteringLabelRule, family: int, address: int) -> bool:
    """Tell whether a rule includes packets because of an address: a prefix of it holds the address."""
    prefixes = rule.source_ip_prefix, rule.destination_ip_prefix
    return not rule.excluded and any(prefix is not None and prefix.matches(family, address) for prefix in prefixes)


def _applies(label: MeteringLabel, point: ObservationPoint) -> bool:
    return label.shared or label.project_id == point.project_id


def _asked_point(caller: Principal, reader: StoreReader, question: Question) -> ObservationPoint | None:
    """Give the point that is asked about, None if none is; raises ``PointNotFoundError`` for one that the caller may not see."""
    if question.observation_point_id is None:
        return None
    point = reader.points.find(question.observation_point_id)
    if point is None or not sees_point(caller, point):
        message = f"Observation point '{question.observation_point_id}' does not exist."
        raise PointNotFoundError(message)
    return point


def _address(field: str, text: str) -> tuple[int, int]:
    """Read an address, with the name of its field before what is wrong with it."""
    try:
        if "%" not in text:
            return parse_address(text)
        reason = f"'{text}' names an IPv6 zone, which no packet carries"
    except InvalidPrefixError as error:
        reason = str(error)
    message = f"{field}: {reason}"
    raise InvalidPrefixError(message)
