"""Data sets that wait for their template.

Owns their bound, first in first out. A waiting set is kept as a message of its own: the header that it came under, and the set.
"""

from collections import OrderedDict
from collections.abc import Iterator
from typing import NamedTuple

_OVERHEAD = 256  # octets of memory that a waiting set takes beside its own, roughly


class WaitingSet(NamedTuple):
    """A message of one data set, when it was received (nanoseconds or ``NO_TIME``), and what a drop report names."""

    message: bytes
    time: int
    position: int


class WaitingSets:
    """The sets that wait, by observation domain and template number."""

    def __init__(self, maximum_octets: int) -> None:
        """Keep at most ``maximum_octets``, overhead included."""
        self._maximum = maximum_octets
        self._octets = 0
        self._next = 0
        self._sets: OrderedDict[int, tuple[tuple[int, int], WaitingSet]] = OrderedDict()
        self._tickets: dict[tuple[int, int], list[int]] = {}

    def add(self, domain: int, number: int, waiting: WaitingSet) -> Iterator[WaitingSet]:
        """Keep a set; give those that had to make room for it, the oldest first."""
        self._sets[self._next] = ((domain, number), waiting)
        self._tickets.setdefault((domain, number), []).append(self._next)
        self._next += 1
        self._octets += len(waiting.message) + _OVERHEAD
        while self._octets > self._maximum:
            yield self._remove_oldest()

    def take(self, domain: int, number: int) -> list[WaitingSet]:
        """Hand over the sets that wait for a template."""
        tickets = self._tickets.pop((domain, number), [])
        taken = [self._sets.pop(ticket)[1] for ticket in tickets]
        self._octets -= sum(len(waiting.message) + _OVERHEAD for waiting in taken)
        return taken

    def take_all(self) -> list[WaitingSet]:
        """Hand over all sets that wait, the oldest first."""
        taken = [waiting for _, waiting in self._sets.values()]
        self._sets.clear()
        self._tickets.clear()
        self._octets = 0
        return taken

    def _remove_oldest(self) -> WaitingSet:
        ticket, (key, waiting) = self._sets.popitem(last=False)
        tickets = self._tickets[key]
        tickets.remove(ticket)
        if not tickets:
            del self._tickets[key]
        self._octets -= len(waiting.message) + _OVERHEAD
        return waiting
