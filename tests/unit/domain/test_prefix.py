"""Prefixes: what is read, how it is spelled, what it matches."""

import pytest

from venturi.core.domain.errors import InvalidPrefixError
from venturi.core.domain.prefix import Prefix, format_address, parse_address

_SPELLINGS = {
    "host bits are kept": ("10.0.0.5/24", "10.0.0.5/24"),
    "a plain address is a host": ("10.0.0.5", "10.0.0.5/32"),
    "a plain IPv6 address is a host": ("2001:DB8::1", "2001:db8::1/128"),
    "a netmask becomes a length": ("10.0.0.0/255.255.0.0", "10.0.0.0/16"),
    "a wildcard becomes a length": ("10.0.0.0/0.0.255.255", "10.0.0.0/16"),
    "IPv6 is compressed in lower case": ("2001:0DB8:0:0:0:0:0:0/32", "2001:db8::/32"),
    "default": ("0.0.0.0/0", "0.0.0.0/0"),
}


@pytest.mark.parametrize(("text", "spelling"), _SPELLINGS.values(), ids=_SPELLINGS.keys())
def test_spelling(text: str, spelling: str) -> None:
    """A prefix is echoed as Neutron does."""
    assert str(Prefix.parse(text)) == spelling


@pytest.mark.parametrize("text", ["", "10.0.0.0/33", "10.0.0", "2001:db8::/129", "fe80::1%eth0/64", "web", "10.0.0.0/24/8", "10.0.0.0/-1"])
def test_refused(text: str) -> None:
    """What is no prefix is refused by name."""
    with pytest.raises(InvalidPrefixError, match="IP"):
        Prefix.parse(text)


_BOUNDS = {
    "host bits masked": ("10.0.0.77/24", "10.0.0.0", "10.0.0.255"),
    "host": ("10.0.0.77", "10.0.0.77", "10.0.0.77"),
    "default IPv6": ("::/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
}


@pytest.mark.parametrize(("text", "first", "last"), _BOUNDS.values(), ids=_BOUNDS.keys())
def test_bounds(text: str, first: str, last: str) -> None:
    """A prefix matches from its first to its last address and nothing of the other family."""
    prefix = Prefix.parse(text)
    assert [format_address(prefix.family, bound) for bound in (prefix.first, prefix.last)] == [first, last]
    assert prefix.matches(*parse_address(first))
    assert prefix.matches(*parse_address(last))
    assert not prefix.matches(10 - prefix.family, prefix.first)


@pytest.mark.parametrize(
    ("one", "other", "overlap"),
    [("10.0.0.0/8", "10.1.0.0/16", True), ("10.0.0.0/24", "10.0.1.0/24", False), ("::/0", "0.0.0.0/0", False)],
)
def test_overlap(one: str, other: str, overlap: bool) -> None:
    """Two prefixes overlap if an address lies in both."""
    assert Prefix.parse(one).overlaps(Prefix.parse(other)) is overlap
