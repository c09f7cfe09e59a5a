"""Search tables give every address the class that the intervals give it."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from venturi.adapters.drivers.ebpf.tables import Form, SearchKeys, SearchTable, lay_out
from venturi.core.classify.traffic_classes import TrafficClasses, cut_into_classes
from venturi.core.domain.prefix import ADDRESS_BITS, Prefix

NODE_ENDS = 7


def search(table: SearchTable, family: int, address: int) -> int:
    """Find a class as ``bpf/search.h`` does."""
    if table.only_class is not None:
        return table.only_class
    key, width = key_of(table.keys, family, address)
    node = 1
    for _ in range(table.levels):
        node = node * 8 + rank(table, (node & table.inner_mask) * 8 * width, width, key)
    leaf = table.leaf_start + (node & table.leaf_mask) * (8 * width + 32)
    classes = table.content[leaf + 8 * width :][:32].view(np.uint32)
    return int(classes[rank(table, leaf, width, key)])


def key_of(keys: SearchKeys, family: int, address: int) -> tuple[int, int]:
    """Give what of an address is compared, and its octets."""
    if family == 4:
        return address, 4
    if keys.form is Form.WINDOW:
        return min(max(0, (address >> 64 >> keys.shift) - keys.base), 2**32 - 1), 4
    return (address >> 64, 8) if keys.form is Form.HIGH_WORD else (address, 16)


def rank(table: SearchTable, start: int, width: int, key: int) -> int:
    """Count the ends of a node below a key."""
    ends = table.content[start : start + NODE_ENDS * width].tobytes()
    return sum(_end(ends[place * width :][:width]) < key for place in range(NODE_ENDS))


def _end(octets: bytes) -> int:
    words = np.frombuffer(octets, dtype=np.uint32 if len(octets) == 4 else np.uint64).tolist()
    complement = words[0] if len(words) == 1 else words[0] << 64 | words[1]
    return int((1 << 8 * len(octets)) - 1 - complement)


def expected(classes: TrafficClasses, address: int) -> int:
    """Find a class in the intervals."""
    return classes.classes[bisect_right(classes.starts, address) - 1]


def telling(classes: TrafficClasses) -> Iterator[int]:
    """Give the addresses at both sides of every border, and the highest."""
    for start in classes.starts:
        yield start
        yield max(0, start - 1)
    yield (1 << ADDRESS_BITS[classes.family]) - 1


def agree(classes: TrafficClasses, addresses: Iterable[int]) -> bool:
    """Tell whether the table gives all addresses their class."""
    table = lay_out(classes)
    return all(search(table, classes.family, address) == expected(classes, address) for address in addresses)


@pytest.mark.parametrize("count", [0, 1, 3, 4, 5, 31, 32, 33, 255, 257, 2049])
@pytest.mark.parametrize(("family", "length"), [(4, 32), (6, 64), (6, 128)])
def test_sizes_around_those_of_nodes_and_levels(count: int, family: int, length: int) -> None:
    step = 1 << (ADDRESS_BITS[family] - length)
    classes = cut_into_classes(family, [Prefix(family, 2 * number * step, length) for number in range(1, count + 1)])
    assert agree(classes, telling(classes))


FORMS = {
    "a network of one provider": (["2001:db8:0:1::/64", "2001:db8:f000::/48"], Form.WINDOW),
    "networks far apart, and large": (["2001::/16", "fd00::/8", "::/16"], Form.WINDOW),
    "as much as a window takes": (["0:0:0:1::/64", "0:0:ffff:fffe::/64"], Form.WINDOW),
    "a whole /32 and a /64 of it": (["2001:db8::/32", "2001:db8:0:1::/64"], Form.HIGH_WORD),
    "one more than a window takes": (["0:0:0:1::/64", "0:0:ffff:ffff::/64"], Form.HIGH_WORD),
    "networks far apart, and small": (["2001:db8::/64", "fd00::1:0:0:0:0/64"], Form.HIGH_WORD),
    "hosts": (["2001:db8::1", "2001:db8::/64"], Form.WHOLE),
}


@pytest.mark.parametrize("case", FORMS)
def test_forms_of_ipv6(case: str) -> None:
    texts, form = FORMS[case]
    classes = cut_into_classes(6, [Prefix.parse(text) for text in texts])
    assert lay_out(classes).keys.form is form
    assert agree(classes, telling(classes))


@given(st.lists(st.tuples(st.integers(0, 2**128 - 1), st.integers(0, 128)), max_size=30))
def test_any_prefixes_of_ipv6(prefixes: list[tuple[int, int]]) -> None:
    classes = cut_into_classes(6, [Prefix(6, first >> (128 - length) << (128 - length), length) for first, length in prefixes])
    assert agree(classes, telling(classes))


def test_the_highest_address() -> None:
    classes = cut_into_classes(4, [Prefix.parse("255.255.255.255"), Prefix.parse("0.0.0.0/1")])
    assert agree(classes, telling(classes))
