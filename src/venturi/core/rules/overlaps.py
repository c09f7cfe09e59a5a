"""Overlaps between rules, found in one sweep however many rules there are.

A rule covers a box: a range of source addresses by a range of destination addresses. Prefixes nest or are disjoint.
"""

from bisect import bisect_left, insort
from collections.abc import Sequence
from typing import NamedTuple

from venturi.core.domain.prefix import ADDRESS_BITS, Prefix


class Box(NamedTuple):
    """The addresses, both ends included, that a rule covers; ``number`` is the caller's name for the rule."""

    source_first: int
    source_last: int
    destination_first: int
    destination_last: int
    number: int


def make_box(source: Prefix | None, destination: Prefix | None, number: int) -> Box:
    """Make the box of a rule; a prefix left out covers every address of the other's family."""
    given = source or destination
    everything = (0, (1 << ADDRESS_BITS[given.family if given else 6]) - 1)
    source_range = (source.first, source.last) if source else everything
    destination_range = (destination.first, destination.last) if destination else everything
    return Box(*source_range, *destination_range, number)


def find_overlap(boxes: Sequence[Box]) -> tuple[int, int] | None:
    """Give the numbers, lower first, of two boxes of one family that share an address pair, or None.

    Sweeps the sources in order. The boxes whose sources hold the current one all share it, so, as long as no overlap was
    found, their destinations are disjoint and only the neighbours in destination order need a look.
    """
    enclosing: list[Box] = []
    destinations: list[tuple[int, int, int]] = []
    for box in sorted(boxes, key=lambda each: (each.source_first, -each.source_last)):
        while enclosing and enclosing[-1].source_last < box.source_first:
            left = enclosing.pop()
            destinations.pop(bisect_left(destinations, (left.destination_first, left.destination_last, left.number)))
        entry = (box.destination_first, box.destination_last, box.number)
        position = bisect_left(destinations, entry)
        for first, last, number in destinations[max(position - 1, 0) : position + 1]:
            if first <= box.destination_last and box.destination_first <= last:
                return min(number, box.number), max(number, box.number)
        enclosing.append(box)
        insort(destinations, entry)
    return None
