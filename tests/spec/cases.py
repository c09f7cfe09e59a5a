"""The table: which labels count a packet. Every engine is held to it."""

from typing import NamedTuple

from tests.spec.build import label
from venturi.core.domain.direction import Direction
from venturi.core.domain.label import LabelWithRules

IN, OUT, UNKNOWN = Direction.INGRESS, Direction.EGRESS, Direction.UNKNOWN


class Case(NamedTuple):
    """A packet, the labels that apply, and the names of those that count it."""

    name: str
    labels: tuple[LabelWithRules, ...]
    direction: Direction
    source: str
    destination: str
    counted: tuple[str, ...]


_WEB = label("web", "out 10.0.0.0/24 > *", "in * > 10.0.0.0/24")
_TWICE = label("twice", "out 10.0.0.0/24 > *", "out 10.0.0.0/25 > *", "out 10.0.0.1 > *")
_HOLED = label("holed", "out 10.0.0.0/8 > *", "!out 10.1.0.0/16 > *")
_HOLE_FIRST = label("hole-first", "!out 10.1.0.0/16 > *", "out 10.0.0.0/8 > *")
_PAIR = label("pair", "out 10.0.0.0/24 > 192.0.2.0/24")
_V6 = label("v6", "out 2001:db8::/32 > *", "!out 2001:db8:1::/48 > 2001:db8:2::/48")
_V6_LONG = label("v6-long", "out 2001:db8::1:0:0:0/80 > *")
_ALL = label("all", "out 0.0.0.0/0 > *", "out ::/0 > *")
_NOT_THERE = label("not-there", "out 10.0.0.0/8 > *", "!out * > 198.51.100.0/24")
_HOST_BITS = label("host-bits", "out 10.0.0.77/24 > *")
_OTHER = label("other", "out 10.0.0.0/24 > *")
_ONLY_EXCLUDED = label("only-excluded", "!out 10.0.0.0/8 > *")
_BOTH_WAYS = label("both-ways", "out 10.0.0.0/24 > *", "!in * > 192.0.2.0/24")
_EDGES = label("edges", "out 10.0.0.0/25 > *", "out 10.0.0.128/25 > *", "!out 10.0.0.127/32 > *")
_TOP = label("top", "out 255.255.255.255 > *", "out ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff > *")

CASES = (
    Case("a rule of the direction counts", (_WEB,), OUT, "10.0.0.5", "192.0.2.1", ("web",)),
    Case("the other direction's rule does not match", (_WEB,), IN, "10.0.0.5", "192.0.2.1", ()),
    Case("ingress matches the destination", (_WEB,), IN, "192.0.2.1", "10.0.0.5", ("web",)),
    Case("outside the prefix", (_WEB,), OUT, "10.0.1.0", "192.0.2.1", ()),
    Case("matching three rules counts once", (_TWICE,), OUT, "10.0.0.1", "192.0.2.1", ("twice",)),
    Case("an excluding rule wins over a wider including one", (_HOLED,), OUT, "10.1.2.3", "192.0.2.1", ()),
    Case("beside the excluded prefix", (_HOLED,), OUT, "10.2.0.0", "192.0.2.1", ("holed",)),
    Case("rule order means nothing", (_HOLE_FIRST,), OUT, "10.1.2.3", "192.0.2.1", ()),
    Case("an excluding rule only touches its own label", (_HOLED, _ALL), OUT, "10.1.2.3", "192.0.2.1", ("all",)),
    Case("an excluding rule alone counts nothing", (_ONLY_EXCLUDED,), OUT, "192.0.2.1", "10.0.0.1", ()),
    Case("both prefixes must match", (_PAIR,), OUT, "10.0.0.1", "192.0.3.1", ()),
    Case("both prefixes do match", (_PAIR,), OUT, "10.0.0.1", "192.0.2.1", ("pair",)),
    Case("exclusion by destination", (_NOT_THERE,), OUT, "10.9.9.9", "198.51.100.7", ()),
    Case("exclusion by destination, elsewhere", (_NOT_THERE,), OUT, "10.9.9.9", "198.51.101.7", ("not-there",)),
    Case("host bits of a rule are masked", (_HOST_BITS,), OUT, "10.0.0.1", "192.0.2.1", ("host-bits",)),
    Case("labels count independently", (_WEB, _OTHER, _ALL), OUT, "10.0.0.1", "192.0.2.1", ("web", "other", "all")),
    Case("adjacent prefixes, first of the second", (_EDGES,), OUT, "10.0.0.128", "192.0.2.1", ("edges",)),
    Case("a host excluded at the edge", (_EDGES,), OUT, "10.0.0.127", "192.0.2.1", ()),
    Case("IPv6 prefix", (_V6,), OUT, "2001:db8:9::1", "2001:db8:2::1", ("v6",)),
    Case("IPv6 exclusion by a pair", (_V6,), OUT, "2001:db8:1::1", "2001:db8:2::1", ()),
    Case("IPv6 longer than 64 bits", (_V6_LONG,), OUT, "2001:db8:0:0:1:ffff::", "2001:db8::", ("v6-long",)),
    Case("IPv6 longer than 64 bits, beside", (_V6_LONG,), OUT, "2001:db8:0:0:2::", "2001:db8::", ()),
    Case("default prefixes, IPv4", (_ALL,), OUT, "0.0.0.1", "203.0.113.1", ("all",)),
    Case("default prefixes, IPv6", (_ALL,), OUT, "::", "::", ("all",)),
    Case("IPv4 rules leave IPv6 alone", (_WEB,), OUT, "::a00:5", "2001:db8::", ()),
    Case("the last address of either family, IPv4", (_TOP,), OUT, "255.255.255.255", "10.0.0.1", ("top",)),
    Case("the last address of either family, IPv6", (_TOP,), OUT, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::", ("top",)),
    Case("unknown direction: an egress rule matches", (_WEB,), UNKNOWN, "10.0.0.5", "192.0.2.1", ("web",)),
    Case("unknown direction: an ingress rule matches", (_WEB,), UNKNOWN, "192.0.2.1", "10.0.0.5", ("web",)),
    Case("unknown direction: counted once by rules of both", (_WEB,), UNKNOWN, "10.0.0.5", "10.0.0.6", ("web",)),
    Case("unknown direction: an excluding rule of either excludes", (_BOTH_WAYS,), UNKNOWN, "10.0.0.5", "192.0.2.1", ()),
    Case("known direction: the other's exclusion is not asked", (_BOTH_WAYS,), OUT, "10.0.0.5", "192.0.2.1", ("both-ways",)),
    Case("no labels", (), OUT, "10.0.0.5", "192.0.2.1", ()),
)
