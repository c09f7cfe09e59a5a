"""Overlaps between members: whether two sets of labels may count the same packet.

Owns the search, and that it ends. A label counts a packet that an including rule of it matches and no excluding one, so two labels count
one packet where two of their including rules meet outside of what either excludes.
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from venturi.core.domain.direction import Direction
from venturi.core.domain.label import MeteringLabelRule
from venturi.core.rules.rule_sets import Box, make_box

MOST_STEPS = 2_000_000
"""How many comparisons a search makes at most; beyond that, members are taken to overlap."""

Labels = Sequence[Sequence[MeteringLabelRule]]
"""The labels of a member, each by its rules."""


class Overlap(NamedTuple):
    """Two members, by their places, that may count one packet; not ``certain`` where there are too many rules to tell."""

    first: int
    second: int
    certain: bool = True


class _TooMany(Exception):  # noqa: N818 - no error
    """Ends a search that takes too long."""


class _Included(NamedTuple):
    """What an including rule covers, for the label of this number."""

    box: Box
    label: int


class _Search:
    """One search among the rules of one direction and family."""

    def __init__(self, owners: Sequence[int], excluded: Sequence[Sequence[Box]], steps: Iterator[int]) -> None:
        self._owners = owners
        self._excluded = excluded
        self._steps = steps

    def find(self, included: Sequence[_Included]) -> Overlap | None:
        """Find two members whose labels count one packet; raises ``_TooMany``."""
        for one, other in self._meeting(included):
            owners = self._owners[one.label], self._owners[other.label]
            if owners[0] == owners[1]:
                continue
            excluded = [*self._excluded[one.label], *self._excluded[other.label]]
            if self._has_rest(_meet(one.box, other.box), excluded):
                return Overlap(min(owners), max(owners))
        return None

    def _meeting(self, included: Sequence[_Included]) -> Iterator[tuple[_Included, _Included]]:
        """Give the pairs of boxes that meet, by a sweep along the side that tells them apart best; prefixes nest or are disjoint."""
        low, high = (0, 1) if len({each.box[0] for each in included}) > len({each.box[2] for each in included}) else (2, 3)
        enclosing: list[_Included] = []
        for each in sorted(included, key=lambda one: (one.box[low], -one.box[high])):
            while enclosing and enclosing[-1].box[high] < each.box[low]:
                enclosing.pop()
            for other in enclosing:
                self._step()
                if _meets(other.box, each.box):
                    yield other, each
            enclosing.append(each)

    def _has_rest(self, box: Box, excluded: Sequence[Box]) -> bool:
        """Tell whether a box has anything outside of the excluded ones: cut along the sides of one of them, until they hold all or none."""
        parts = [(box, excluded)]
        while parts:
            self._step()
            part, some = parts.pop()
            touching = [each for each in some if _meets(each, part)]
            if not touching:
                return True
            if not any(_holds(each, part) for each in touching):
                cutter = touching[0]
                low = 0 if cutter[0] > part[0] or cutter[1] < part[1] else 2
                parts += [(cut, touching) for cut in _cut(part, low, (cutter[low], cutter[low + 1]))]
        return False

    def _step(self) -> None:
        if next(self._steps, None) is None:
            raise _TooMany


def find_double(members: Sequence[Labels], most_steps: int = MOST_STEPS) -> Overlap | None:
    """Find two members that may count one packet of a known direction, None if no two do.

    Where that takes more than ``most_steps`` comparisons, it is not certain.
    """
    owners = [number for number, labels in enumerate(members) for _ in labels]
    rules = list(chain.from_iterable(members))
    steps = iter(range(most_steps))
    try:
        for direction in (Direction.INGRESS, Direction.EGRESS):
            for family in (4, 6):
                chosen = [[rule for rule in some if rule.direction is direction and rule.family == family] for some in rules]
                excluded = [[_box(rule) for rule in some if rule.excluded] for some in chosen]
                included = [_Included(_box(rule), label) for label, some in enumerate(chosen) for rule in some if not rule.excluded]
                found = _Search(owners, excluded, steps).find(included)
                if found is not None:
                    return found
    except _TooMany:
        return Overlap(0, len(members) - 1, certain=False)
    return None


def _box(rule: MeteringLabelRule) -> Box:
    return make_box(rule.source_ip_prefix, rule.destination_ip_prefix, 0)


def _meets(one: Box, other: Box) -> bool:
    return one[0] <= other[1] and other[0] <= one[1] and one[2] <= other[3] and other[2] <= one[3]


def _meet(one: Box, other: Box) -> Box:
    return Box(max(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), min(one[3], other[3]), 0)


def _holds(outer: Box, inner: Box) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1] and outer[2] <= inner[2] and inner[3] <= outer[3]


def _cut(box: Box, low: int, span: tuple[int, int]) -> Iterator[Box]:
    """Cut a box, along the side whose lower end is at place ``low``, into what is before, within and after a span."""
    parts = (box[low], span[0] - 1), (max(box[low], span[0]), min(box[low + 1], span[1])), (span[1] + 1, box[low + 1])
    for start, end in parts:
        if start <= end:
            yield Box(start, end, box[2], box[3], 0) if low == 0 else Box(box[0], box[1], start, end, 0)
