"""What may not stand together among the rules of one label.

Owns duplicates, overlaps of ``remote_ip_prefix`` (as Neutron refuses them) and rules that do not say whether they exclude. Overlaps are
found in one sweep, however many rules there are: a rule covers a box, a range of source addresses by a range of destination addresses,
and prefixes nest or are disjoint.
"""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import NamedTuple

from venturi.core.domain.prefix import ADDRESS_BITS, Prefix
from venturi.core.rules.entries import RuleEntry
from venturi.core.rules.located import Problems
from venturi.core.rules.rule_fields import RuleFields

HOW_TO_TELL = (
    "print each rule with 'openstack network meter rule show ID -f json', or fetch /v2.0/metering/metering-label-rules from the API, "
    "and give those files too"
)
"""What to do about a listing that leaves out whose a rule is, or whether it excludes."""


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


def check_rule_set(rules: Sequence[RuleEntry], problems: Problems) -> int:
    """Note what is wrong among the rules of a label; give the number of rules that do not say whether they exclude.

    Those can only be read as including where no rule overlaps another: an excluding rule there would have no effect.
    """
    told = [rule for rule in rules if rule.fields.excluded is not None]
    _check_duplicates(told, problems)
    _check_remote_overlaps([rule for rule in told if rule.fields.remote_ip_prefix], problems)
    untold = len(rules) - len(told)
    if untold:
        _check_untold(rules, untold, problems)
    return untold


def _check_duplicates(rules: Sequence[RuleEntry], problems: Problems) -> None:
    seen: dict[RuleFields, RuleEntry] = {}
    for rule in rules:
        first = seen.setdefault(rule.fields, rule)
        if first is not rule:
            problems.add(rule.place, f"the same rule is already at {first.place.file}:{first.place.line}")


def _check_remote_overlaps(rules: Sequence[RuleEntry], problems: Problems) -> None:
    for group in _grouped(rules, lambda rule: f"{_side(rule)} {rule.fields.excluded}"):
        overlap = find_overlap([make_box(rule.fields.remote_ip_prefix, None, i) for i, rule in enumerate(group)])
        if overlap and group[overlap[0]].fields != group[overlap[1]].fields:
            first, second = group[overlap[0]], group[overlap[1]]
            said = f"Metering label rule with remote_ip_prefix '{second.fields.remote_ip_prefix}' overlaps another."
            problems.add(second.place, f"{said} The other is at {first.place.file}:{first.place.line}.")


def _check_untold(rules: Sequence[RuleEntry], untold: int, problems: Problems) -> None:
    for group in _grouped(rules, _side):
        overlap = find_overlap([make_box(*rule.fields.matching, i) for i, rule in enumerate(group)])
        if overlap:
            first, second = group[overlap[0]], group[overlap[1]]
            why = f"it shares addresses with the rule at {first.place.file}:{first.place.line}, and the listing leaves empty"
            problems.add(second.place, f"{why} whether rules exclude ({untold} of this label): {HOW_TO_TELL}")
            return


def _side(rule: RuleEntry) -> str:
    source, destination = rule.fields.matching
    prefix = source or destination
    return f"{rule.fields.direction} {prefix.family if prefix else ''}"


def _grouped(rules: Sequence[RuleEntry], key: Callable[[RuleEntry], str]) -> list[list[RuleEntry]]:
    groups: defaultdict[str, list[RuleEntry]] = defaultdict(list)
    for rule in rules:
        groups[key(rule)].append(rule)
    return list(groups.values())
