"""Compilation: the rules of a set of labels into traffic classes, tables and attributions.

Owns the compiled classifier. Every engine runs on what is compiled here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

from venturi.core.classify.attribution import Attribution
from venturi.core.classify.digest import digest_of, normal_forms
from venturi.core.classify.partition import LabelOwners, find_owners
from venturi.core.classify.traffic_classes import TrafficClasses, cut_into_classes
from venturi.core.domain.direction import Direction
from venturi.core.domain.label import LabelWithRules, MeteringLabel, all_rules
from venturi.core.domain.prefix import Prefix


@dataclass(frozen=True)
class CompiledDirection:
    """What is compiled for one direction and family: two sides of classes and the attribution of their pairs."""

    sources: TrafficClasses
    destinations: TrafficClasses
    attribution: Attribution

    @property
    def sides(self) -> tuple[TrafficClasses, TrafficClasses]:
        """The classes of sources and of destinations, in this order."""
        return self.sources, self.destinations


class CompiledClassifier:
    """The rules of one set of applicable labels, compiled on first use, direction by direction.

    ``labels`` numbers the labels: label n of an attribution is ``labels[n]``.
    """

    def __init__(self, labels: Sequence[LabelWithRules]) -> None:
        """Take the labels that apply; nothing is compiled before it is asked for."""
        self.labels: tuple[MeteringLabel, ...] = tuple(entry.label for entry in labels)
        self._rules = all_rules(labels)
        self._label_numbers = {label.id: number for number, label in enumerate(self.labels)}
        self.compiled = cache(self._compile)

    @cached_property
    def digest(self) -> str:
        """Identify the rules, whatever the names and the order of the labels."""
        return digest_of(normal_forms(self._rules))

    @cached_property
    def owners(self) -> LabelOwners:
        """Whose own each label is."""
        return find_owners(self.labels)

    def _compile(self, direction: Direction, family: int) -> CompiledDirection:
        rules = [rule for rule in self._rules if rule.family == family and direction in {rule.direction, Direction.UNKNOWN}]
        sources = cut_into_classes(family, _given(rule.source_ip_prefix for rule in rules))
        destinations = cut_into_classes(family, _given(rule.destination_ip_prefix for rule in rules))
        return CompiledDirection(sources, destinations, Attribution(sources, destinations, rules, self._label_numbers))


def _given(prefixes: Iterable[Prefix | None]) -> Iterable[Prefix]:
    return (prefix for prefix in prefixes if prefix is not None)
