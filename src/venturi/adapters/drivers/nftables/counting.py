"""The counting of one outer class: sets of the inner prefixes that matter to it, and the rules that search them.

Owns how an address finds its longest prefix: where lengths are few, in one hash table for each, the longest first; else in one set of
intervals.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence

from venturi.adapters.drivers.nftables import expressions as step
from venturi.adapters.drivers.nftables.elements import interval_end, other_element, prefix_elements
from venturi.adapters.drivers.nftables.set_changes import SetChanges
from venturi.core.classify.traffic_classes import ANY_CLASS, TrafficClasses, cut_into_classes
from venturi.core.domain.prefix import ADDRESS_BITS, Prefix

_MOST_LENGTHS = 4

NameOfLength = Callable[[int], str]
"""Names the set for prefixes of a length."""


def address_mask(family: int, length: int) -> bytes:
    """Give the mask of a prefix length."""
    bits = ADDRESS_BITS[family]
    return ((1 << bits) - (1 << bits - length)).to_bytes(bits // 8, "big")


def count_by_inner_class(
    sets: SetChanges, name: NameOfLength, inner: TrafficClasses, classes: Sequence[int], offset: int
) -> Iterator[bytes]:
    """Make the sets, and give the steps of the rules that count an address at ``offset`` by ``classes`` or as of no class."""
    by_length = defaultdict[int, list[tuple[int, int]]](list)
    for class_number in classes:
        first, length = inner.networks[class_number - 1]
        by_length[length].append((first, class_number))
    lengths = sorted(by_length, reverse=True) or [ADDRESS_BITS[inner.family]]
    if len(lengths) > _MOST_LENGTHS:
        set_id = sets.add_intervals(name(0), inner.family, list(_interval_elements(inner, classes)))
        yield _search(inner.family, ADDRESS_BITS[inner.family], name(0), set_id, offset)
        return
    for length in lengths:
        others = [other_element(ANY_CLASS)] if length == lengths[-1] else []
        elements = prefix_elements(ADDRESS_BITS[inner.family] // 8, by_length[length])
        set_id = sets.add_prefixes(name(length), inner.family, elements + others)
        yield _search(inner.family, length, name(length), set_id, offset) + step.leave()


def _search(family: int, length: int, name: str, set_id: int, offset: int) -> bytes:
    """Give the steps of a search; the family is known by then, and asked for once more so that nft can list the rule and read it again."""
    return step.family_is(family) + step.take_address(offset, address_mask(family, length)) + step.is_in(name, set_id)


def _interval_elements(inner: TrafficClasses, classes: Iterable[int]) -> Iterator[bytes]:
    """Cut the addresses at the borders of some of the classes, and give the intervals that lie in one of them."""
    octets = ADDRESS_BITS[inner.family] // 8
    numbers = {inner.networks[class_number - 1]: class_number for class_number in classes}
    cut = cut_into_classes(inner.family, (Prefix(inner.family, *network) for network in numbers))
    ends = [*cut.starts[1:], None]
    for start, end, local_class in zip(cut.starts, ends, cut.classes, strict=True):
        if local_class != ANY_CLASS:
            yield from prefix_elements(octets, [(start, numbers[cut.networks[local_class - 1]])])
            if end is not None:
                yield interval_end(end.to_bytes(octets, "big"))
    yield other_element(ANY_CLASS)
