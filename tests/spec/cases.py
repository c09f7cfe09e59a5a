"""The tables: which labels count a packet, and as how many octets. Every engine is held to them."""

import struct
from typing import NamedTuple

from tests.spec.build import label
from tests.support.kernel.frames import checksum
from venturi.core.classify.reference import Part
from venturi.core.domain.direction import Direction
from venturi.core.domain.label import LabelWithRules
from venturi.core.domain.prefix import parse_address

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


class PartCase(NamedTuple):
    """A packet out of 10.0.0.1, the labels that apply, the projects that used it, and the part of the traffic that it is in."""

    name: str
    labels: tuple[LabelWithRules, ...]
    used: tuple[str, ...]
    part: Part


_A, _A_WIDER = (label(name, rule, project_id="a") for name, rule in (("a", "out 10.0.0.1 > *"), ("a-wider", "out 10.0.0.0/8 > *")))
_A_ELSEWHERE = label("a-elsewhere", "out 192.0.2.1 > *", project_id="a")
_A_EXCLUDED = label("a-excluded", "out 10.0.0.0/8 > *", "!out 10.0.0.1 > *", project_id="a")
_A_SHARED = label("a-shared", "out 10.0.0.0/8 > *", project_id="a", shared=True)
_B = label("b", "out 10.0.0.0/24 > *", project_id="b")
_C = label("c", "out 10.0.0.0/16 > *", project_id="c")
_EVERYTHING = label("everything", "out 0.0.0.0/0 > *", project_id="d", shared=True)

PART_CASES = (
    PartCase("no label", (), (), Part.UNMATCHED),
    PartCase("labels that match otherwise", (_A_ELSEWHERE,), (), Part.UNMATCHED),
    PartCase("one label", (_A,), ("a",), Part.ALONE),
    PartCase("labels of a project that overlap are one project", (_A, _A_WIDER), ("a",), Part.ALONE),
    PartCase("labels of two projects", (_A, _B), ("a", "b"), Part.SEVERAL),
    PartCase("labels of three projects, some of them twice", (_A, _B, _C, _A_WIDER), ("a", "b", "c"), Part.SEVERAL),
    PartCase("what is excluded does not use", (_A_EXCLUDED, _B), ("b",), Part.ALONE),
    PartCase("only a shared label", (_EVERYTHING,), (), Part.SHARED),
    PartCase("shared labels of two projects", (_EVERYTHING, _A_SHARED), (), Part.SHARED),
    PartCase("a shared label beside one of another project", (_EVERYTHING, _B), ("b",), Part.ALONE),
    PartCase("a shared label of the project itself", (_A_SHARED, _A), ("a",), Part.ALONE),
    PartCase("a shared label does not make it several", (_A_SHARED, _B), ("b",), Part.ALONE),
    PartCase("a shared label of everything beside two projects", (_A, _EVERYTHING, _B), ("a", "b"), Part.SEVERAL),
)


MOST_UNSTATED = 512 << 10
"""The most octets that a packet counts whose header states no length: no super-packet of the kernel is longer."""


class LengthCase(NamedTuple):
    """A packet from 10.0.0.1 to 192.0.2.1, or from 2001:db8::1 to 2001:db8:9::1, by its length as claimed and as it was.

    ``claimed`` is the length in the header (IPv4: of all, IPv6: of the payload), ``frame`` is how many octets the frame held on the wire
    from the IP header on. ``octets`` are those that count, None where the packet is not counted, under the reason ``bad_ip_header``.
    ``words`` is the header length of IPv4, ``next_header`` of IPv6 the protocol that follows, and ``jumbo`` the length in a Jumbo
    Payload option (RFC 2675 §2), where there is one.
    """

    name: str
    family: int
    claimed: int
    frame: int
    octets: int | None
    words: int = 5
    next_header: int = 17
    jumbo: int | None = None

    def headers(self) -> bytes:
        """Give the IP header and the option as they are on the wire; what follows means nothing."""
        if self.family == 4:
            addresses = parse_address("10.0.0.1")[1].to_bytes(4, "big") + parse_address("192.0.2.1")[1].to_bytes(4, "big")
            first = struct.pack("!BBHHHBB", 0x40 | self.words, 0, self.claimed, 0, 0, 64, 17)
            covered = (first + addresses)[: self.words * 4 - 2] + bytes(max(0, self.words - 5) * 4)
            return first + struct.pack("!H", checksum(covered)) + addresses
        addresses = b"".join(parse_address(text)[1].to_bytes(16, "big") for text in ("2001:db8::1", "2001:db8:9::1"))
        header = struct.pack("!IHBB", 6 << 28, self.claimed, self.next_header if self.jumbo is None else 0, 64) + addresses
        return header if self.jumbo is None else header + struct.pack("!BBBBI", self.next_header, 0, 0xC2, 4, self.jumbo)


LENGTH_CASES = (
    LengthCase("IPv4: the header claims all that the frame holds", 4, 60, 60, 60),
    LengthCase("IPv4: padding behind the packet does not count", 4, 28, 46, 28),
    LengthCase("IPv4: one octet more than the frame held", 4, 61, 60, None),
    LengthCase("IPv4: the longest claim in a short frame", 4, 65_535, 60, None),
    LengthCase("IPv4: the longest claim, one octet short", 4, 65_535, 65_534, None),
    LengthCase("IPv4: less than its own header", 4, 19, 60, None),
    LengthCase("IPv4: a header of four words", 4, 60, 60, None, words=4),
    LengthCase("IPv4: a header that is longer than the packet", 4, 40, 60, None, words=15),
    LengthCase("IPv4: no length takes the frame's", 4, 0, 1200, 1200),
    LengthCase("IPv4: no length, beyond what a header can state", 4, 0, 180_000, 180_000),
    LengthCase("IPv4: no length takes 512 KiB of the frame's", 4, 0, MOST_UNSTATED, MOST_UNSTATED),
    LengthCase("IPv4: no length takes no more than 512 KiB", 4, 0, 3_000_000_000, MOST_UNSTATED),
    LengthCase("IPv6: the header claims all that the frame holds", 6, 20, 60, 60),
    LengthCase("IPv6: padding behind the packet does not count", 6, 4, 46, 44),
    LengthCase("IPv6: one octet more than the frame held", 6, 21, 60, None),
    LengthCase("IPv6: the longest claim in a short frame", 6, 65_535, 60, None),
    LengthCase("IPv6: no length takes the frame's", 6, 0, 1200, 1200),
    LengthCase("IPv6: no length, beyond what a header can state", 6, 0, 180_000, 180_000, next_header=6),
    LengthCase("IPv6: no length takes no more than 512 KiB", 6, 0, 3_000_000_000, MOST_UNSTATED),
    LengthCase("IPv6: no next header is no payload", 6, 0, 46, 40, next_header=59),
    LengthCase("IPv6: a jumbogram", 6, 0, 100_040, 100_040, jumbo=100_000),
    LengthCase("IPv6: a jumbogram of one octet more than the frame held", 6, 0, 100_039, None, jumbo=100_000),
    LengthCase("IPv6: a jumbogram of 4 GB in a short frame", 6, 0, 490, None, jumbo=3_900_000_000),
    LengthCase("IPv6: a jumbogram that needs no such option", 6, 0, 490, None, jumbo=450),
)
