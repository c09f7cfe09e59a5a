"""Traffic classes of one side: which prefixes hold an address, as one number.

Owns the cutting of the address space into elementary intervals. Which labels a class counts for is ``attribution``'s affair.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from venturi.core.domain.prefix import ADDRESS_BITS, Prefix

ANY_CLASS = 0
"""The class of the addresses that no prefix holds; as the class of a rule's missing prefix: any address."""


@dataclass(frozen=True)
class TrafficClasses:
    """The source or destination classes of a set of prefixes of one family.

    Class c >= 1 holds the addresses whose longest matching prefix is ``networks[c - 1]``, a first address and a length, in ascending
    order; ``parents[c]`` is the class of the next longer prefix around it, ``ANY_CLASS`` at the top.
    Interval i holds the addresses from ``starts[i]`` to before ``starts[i + 1]``, all of class ``classes[i]``; ``starts``
    begins with 0 and there are at most twice as many intervals as prefixes, and one.
    """

    family: int
    networks: tuple[tuple[int, int], ...]
    parents: tuple[int, ...]
    starts: tuple[int, ...]
    classes: tuple[int, ...]

    @cached_property
    def _numbers(self) -> dict[tuple[int, int], int]:
        return {network: number for number, network in enumerate(self.networks, start=1)}

    def class_of(self, prefix: Prefix | None) -> int:
        """Give the class that ``prefix`` begins, ``ANY_CLASS`` for None; raises ``KeyError`` for a prefix that was not cut."""
        return ANY_CLASS if prefix is None else self._numbers[prefix.first, prefix.length]

    def lineage(self, class_number: int) -> list[int]:
        """List the class and the classes around it up to ``ANY_CLASS``: the prefixes that hold its addresses."""
        lineage = [class_number]
        while lineage[-1] != ANY_CLASS:
            lineage.append(self.parents[lineage[-1]])
        return lineage


def cut_into_classes(family: int, prefixes: Iterable[Prefix]) -> TrafficClasses:
    """Cut the addresses of ``family`` at the borders of ``prefixes``, in time n log n and memory linear in their number."""
    networks = sorted({(prefix.first, prefix.length) for prefix in prefixes})
    bits = ADDRESS_BITS[family]
    parents, starts, classes = [ANY_CLASS], [0], [ANY_CLASS]
    end_of_space = 1 << bits
    around = [(end_of_space - 1, ANY_CLASS)]

    def begin(start: int, class_number: int) -> None:
        if starts[-1] == start:
            classes[-1] = class_number
        elif start < end_of_space:
            starts.append(start)
            classes.append(class_number)

    def close_before(first: int) -> None:
        while around and around[-1][0] < first:
            last, _ = around.pop()
            begin(last + 1, around[-1][1] if around else ANY_CLASS)

    for class_number, (first, length) in enumerate(networks, start=1):
        close_before(first)
        parents.append(around[-1][1])
        begin(first, class_number)
        around.append((first + (1 << (bits - length)) - 1, class_number))
    close_before(end_of_space)
    return TrafficClasses(family, tuple(networks), tuple(parents), tuple(starts), tuple(classes))
