"""What each label of ``rules.yaml`` stands for, said a second time as prefixes, for a count that owes nothing to venturi.

Display filters of tshark are built here; nothing is counted here.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from scripts.example.addresses import BACKUP, BRANCH_PREFIX, INSIDE_IPV4, INSIDE_IPV6, MAIL, MONITOR, PARTNER_PREFIXES, SHOP

INSIDE = (INSIDE_IPV4, BRANCH_PREFIX, INSIDE_IPV6)
DIRECTIONS = ("ingress", "egress")
_INNER_SIDE = {"ingress": "dst", "egress": "src"}
_OUTER_SIDE = {"ingress": "src", "egress": "dst"}


@dataclass(frozen=True, slots=True)
class Account:
    """Traffic of inside prefixes, with some remote prefixes only (none given: with all), less that with excluded ones."""

    prefixes: tuple[str, ...]
    remote: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()

    def display_filter(self, direction: str) -> str:
        """Say it in the language of tshark, for one direction across the border."""
        inner, outer = _INNER_SIDE[direction], _OUTER_SIDE[direction]
        parts = [_among(inner, self.prefixes), f"!{_among(outer, INSIDE)}"]
        if self.remote:
            parts.append(_among(outer, self.remote))
        if self.excluded:
            parts.append(f"!{_among(outer, self.excluded)}")
        return " && ".join(parts)


LABELS = {
    "web-shop": Account((SHOP.ipv4_prefix, SHOP.ipv6_prefix), excluded=PARTNER_PREFIXES),
    "mail-and-names": Account((MAIL.ipv4_prefix, MAIL.ipv6_prefix), excluded=(BRANCH_PREFIX,)),
    "backup-customer": Account((BACKUP.ipv4_prefix, BACKUP.ipv6_prefix)),
    "monitoring": Account((MONITOR.ipv4_prefix, MONITOR.ipv6_prefix)),
    "partner-networks": Account(INSIDE, remote=PARTNER_PREFIXES),
    "all-ipv6": Account((INSIDE_IPV6,)),
}


def not_crossing() -> str:
    """Select packets with both ends inside or both outside."""
    source, destination = _among("src", INSIDE), _among("dst", INSIDE)
    return f"(ip || ipv6) && (({source} && {destination}) || !({source} || {destination}))"


def unmatched() -> str:
    """Select packets that cross the border and that no label counts."""
    counted = " || ".join(f"({account.display_filter(direction)})" for account in LABELS.values() for direction in DIRECTIONS)
    return f"(ip || ipv6) && !({not_crossing()}) && !({counted})"


def _among(side: str, prefixes: Iterable[str]) -> str:
    tests = (f"{'ipv6' if ':' in prefix else 'ip'}.{side} == {prefix}" for prefix in prefixes)
    return "(" + " || ".join(tests) + ")"
