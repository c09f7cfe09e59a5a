"""The sweep for overlaps against looking at every pair, and the quick reading of prefixes against the thorough one."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from venturi.core.domain.errors import InvalidPrefixError, InvalidRuleError
from venturi.core.domain.prefix import Prefix
from venturi.core.rules.checks import check_prefix
from venturi.core.rules.rule_sets import find_overlap, make_box

PREFIXES = st.builds(lambda address, length: Prefix(4, address << 28, length), st.integers(0, 15), st.integers(0, 5))
SIDES = st.tuples(st.none() | PREFIXES, st.none() | PREFIXES).filter(any)


def share_addresses(first: tuple[Prefix | None, Prefix | None], second: tuple[Prefix | None, Prefix | None]) -> bool:
    """Tell whether two rules can match one packet."""
    return all(ours is None or theirs is None or ours.overlaps(theirs) for ours, theirs in zip(first, second, strict=True))


@given(st.lists(SIDES, max_size=12))
def test_an_overlap_is_found_if_and_only_if_there_is_one(rules: list[tuple[Prefix | None, Prefix | None]]) -> None:
    found = find_overlap([make_box(*rule, number) for number, rule in enumerate(rules)])
    if found is None:
        assert not any(share_addresses(first, second) for first, second in combinations(rules, 2))
    else:
        assert found[0] < found[1]
        assert share_addresses(rules[found[0]], rules[found[1]])


OCTETS = st.integers(0, 300).map(str) | st.sampled_from(["", "00", "01", "x", "٣", "-1"])
TEXTS = st.builds(
    lambda parts, tail: ".".join(parts) + tail,
    st.lists(OCTETS, min_size=3, max_size=5),
    st.sampled_from(["", "/0", "/8", "/08", "/33", "/"]),
)


@given(TEXTS)
def test_prefixes_are_read_as_the_domain_reads_them(text: str) -> None:
    try:
        expected: Prefix | None = Prefix.parse(text)
    except InvalidPrefixError:
        expected = None
    try:
        read = check_prefix("source_ip_prefix", text)
    except InvalidRuleError:
        read = None
    assert read == expected
