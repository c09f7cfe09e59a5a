"""Rules in the store: no overlaps of remote prefixes, none without a label; however many come at once."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import combinations

import pytest

from tests.support.control_values import OPERATOR, make_given_rule, make_label, new_id
from venturi.adapters.store.store import Store
from venturi.core.domain.control.listing import Listing
from venturi.core.domain.errors import (
    ConflictError,
    LabelNotFoundError,
    RuleOverlapsError,
    VenturiError,
)
from venturi.core.rules.given_rule import GivenRule

SPELLED = [
    "ingress remote 10.0.0.5/24",
    "egress remote 10.0.0.5/24",
    "ingress excluded remote 10.0.0.0/16",
    "ingress remote 2001:DB8::5/64",
    "ingress source 10.0.0.0/24",
    "ingress destination 10.0.0.0/24",
    "egress excluded source 10.0.0.1 destination 192.0.2.0/24",
    "egress source ::/0 destination ::1",
    "egress source 0.0.0.0/0",
]

OVERLAPS: dict[str, tuple[str, str, type[VenturiError] | None]] = {
    "inside": ("ingress remote 10.0.0.0/16", "ingress remote 10.0.5.0/24", RuleOverlapsError),
    "around": ("ingress remote 10.0.5.0/24", "ingress remote 10.0.0.0/16", RuleOverlapsError),
    "the same": ("ingress remote 10.0.0.0/16", "ingress remote 10.0.0.0/16", RuleOverlapsError),
    "the same but for host bits": ("ingress remote 10.0.0.1/16", "ingress remote 10.0.0.2/16", RuleOverlapsError),
    "beside": ("ingress remote 10.0.0.0/24", "ingress remote 10.0.1.0/24", None),
    "before": ("ingress remote 10.0.1.0/24", "ingress remote 10.0.0.0/24", None),
    "another direction": ("ingress remote 10.0.0.0/16", "egress remote 10.0.0.0/16", None),
    "excluded": ("ingress remote 10.0.0.0/16", "ingress excluded remote 10.0.0.0/16", None),
    "both excluded": ("ingress excluded remote 10.0.0.0/16", "ingress excluded remote 10.0.0.1", RuleOverlapsError),
    "all of IPv4 and of IPv6": ("ingress remote 0.0.0.0/0", "ingress remote ::/0", None),
    "IPv6 inside": ("egress remote 2001:db8::/32", "egress remote 2001:db8:5::/48", RuleOverlapsError),
    "IPv4 as IPv6": ("egress remote 0.0.0.10", "egress remote ::a", None),
    "the last address": ("egress remote 255.255.255.255", "egress remote 255.255.255.0/24", RuleOverlapsError),
    "source under remote": ("ingress remote 10.0.0.0/16", "ingress source 10.0.0.0/16", None),
    "source inside": ("ingress source 10.0.0.0/16", "ingress source 10.0.5.0/24", None),
    "the same source": ("ingress source 10.0.0.0/16", "ingress source 10.0.0.0/16", None),
    "the same destination": ("egress excluded destination ::1", "egress excluded destination ::1", None),
    "the same source and destination": (
        "ingress source 10.0.0.1 destination 10.0.0.2",
        "ingress source 10.0.0.1 destination 10.0.0.2",
        None,
    ),
    "source and destination changed over": (
        "ingress source 10.0.0.1 destination 10.0.0.2",
        "ingress source 10.0.0.2 destination 10.0.0.1",
        None,
    ),
}


def by_id(rules: Iterable[GivenRule]) -> list[GivenRule]:
    return sorted(rules, key=lambda rule: rule.id)


def test_rules_come_out_as_they_went_in(store: Store) -> None:
    label = make_label()
    rules = [make_given_rule(label.id, text) for text in SPELLED]
    with store.writing(OPERATOR) as writer:
        writer.labels.insert([label])
        writer.rules.insert(rules)
    with store.reading() as reader:
        assert [reader.rules.find(rule.id) for rule in rules] == rules
        assert reader.rules.list(Listing()) == by_id(rules)
        assert reader.rules.find(new_id()) is None
        assert reader.rules.find("\0") is None


@pytest.mark.parametrize("case", OVERLAPS)
@pytest.mark.parametrize("together", [False, True])
def test_two_rules_of_a_label(store: Store, case: str, together: bool) -> None:
    first, second, refused = OVERLAPS[case]
    label, other = make_label(), make_label()
    rules = [make_given_rule(label.id, first), make_given_rule(label.id, second)]
    requests = [rules] if together else [[rule] for rule in rules]
    with store.writing(OPERATOR) as writer:
        writer.labels.insert([label, other])
        if refused is None:
            for request in requests:
                writer.rules.insert(request)
            assert len(writer.rules.list(Listing())) == 2
            return
        for request in requests[:-1]:
            writer.rules.insert(request)
        with pytest.raises(refused) as failure:
            writer.rules.insert(requests[-1])
        assert len(writer.rules.list(Listing())) == len(requests) - 1
        writer.rules.insert([replace(rules[1], metering_label_id=other.id)])
    if isinstance(failure.value, RuleOverlapsError):
        assert failure.value.rule_id == rules[1].id
        assert str(failure.value) == f"Metering label rule with remote_ip_prefix '{rules[1].fields.remote_ip_prefix}' overlaps another."


def _random_rules(chance: random.Random, labels: Sequence[str], count: int) -> list[GivenRule]:
    words = ["ingress remote", "egress remote", "ingress excluded remote"]
    lengths = [(4, 12), (4, 24), (6, 32)]
    made = []
    for _ in range(count):
        family, spread = chance.choice(lengths)
        length = chance.randrange(20, 33) if family == 4 else chance.randrange(100, 129)
        number = chance.randrange(1 << spread)
        address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}" if family == 4 else f"2001:db8::{number & 0xFFFF:x}"
        made.append(make_given_rule(chance.choice(labels), f"{chance.choice(words)} {address}/{length}"))
    return made


def _first_overlapping(stored: Sequence[GivenRule], asked: Sequence[GivenRule]) -> str | None:
    """Compare every pair, as the definition says."""
    for position, rule in enumerate(asked):
        for other in [*stored, *asked[:position]]:
            alike = (rule.metering_label_id, rule.fields.direction, rule.fields.excluded) == (
                other.metering_label_id,
                other.fields.direction,
                other.fields.excluded,
            )
            prefix, beside = rule.fields.remote_ip_prefix, other.fields.remote_ip_prefix
            if alike and prefix and beside and prefix.overlaps(beside):
                return rule.id
    return None


@pytest.mark.parametrize("at_once", [1, 3, 20, 60, 150])
def test_overlaps_are_those_of_every_pair(store: Store, at_once: int) -> None:
    chance = random.Random(at_once)  # noqa: S311 - the same rules in every run
    labels = [make_label() for _ in range(2)]
    stored: list[GivenRule] = []
    outcomes = set()
    with store.writing(OPERATOR) as writer:
        writer.labels.insert(labels)
        for _ in range(40):
            asked = _random_rules(chance, [label.id for label in labels], chance.randrange(1, at_once + 1))
            if chance.random() < 0.5:
                asked = [rule for position, rule in enumerate(asked) if _first_overlapping([*stored, *asked[:position]], [rule]) is None]
            expected = _first_overlapping(stored, asked)
            outcomes.add(expected is None)
            if expected is None:
                writer.rules.insert(asked)
                stored += asked
            else:
                with pytest.raises(RuleOverlapsError) as failure:
                    writer.rules.insert(asked)
                assert failure.value.rule_id == expected
        assert by_id(writer.rules.list(Listing())) == by_id(stored)
    assert outcomes == {True, False}
    assert all(_first_overlapping([one], [other]) is None for one, other in combinations(stored[:100], 2))


@pytest.mark.parametrize("count", [1, 40, 700])
def test_a_rule_needs_its_label(store: Store, count: int) -> None:
    label, missing = make_label(), new_id()
    rules = [make_given_rule(label.id, f"ingress source 10.{number // 250}.{number % 250}.1") for number in range(count - 1)]
    with store.writing(OPERATOR) as writer:
        writer.labels.insert([label])
        with pytest.raises(LabelNotFoundError, match=f"^Metering label '{missing}' does not exist\\.$"):
            writer.rules.insert([*rules, make_given_rule(missing, "egress source ::1")])
        assert writer.rules.list(Listing()) == []


def test_two_rules_have_two_ids(store: Store) -> None:
    label = make_label()
    rule = make_given_rule(label.id, "ingress source 10.0.0.1")
    with store.writing(OPERATOR) as writer:
        writer.labels.insert([label])
        writer.rules.insert([rule])
        with pytest.raises(ConflictError, match="there is a metering label rule of this id already"):
            writer.rules.insert([replace(make_given_rule(label.id, "egress source 10.0.0.1"), id=rule.id)])


def test_a_deleted_rule_makes_room(store: Store) -> None:
    label = make_label()
    around, inside = (make_given_rule(label.id, f"ingress remote {prefix}") for prefix in ("10.0.0.0/8", "10.1.0.0/16"))
    with store.writing(OPERATOR) as writer:
        writer.labels.insert([label])
        writer.rules.insert([around])
    with store.writing(OPERATOR) as writer:
        assert writer.rules.delete(around.id)
        assert not writer.rules.delete(around.id)
        writer.rules.insert([inside])
        assert writer.rules.list(Listing()) == [inside]


def test_rules_go_with_their_label_only(store: Store) -> None:
    label, other = make_label(), make_label()
    rules = [make_given_rule(each.id, text) for each in (label, other) for text in SPELLED]
    with store.writing(OPERATOR) as writer:
        writer.labels.insert([label, other])
        writer.rules.insert(rules)
    with store.writing(OPERATOR) as writer:
        assert writer.labels.delete(label.id)
        assert by_id(writer.rules.list(Listing())) == by_id([rule for rule in rules if rule.metering_label_id == other.id])
        with pytest.raises(LabelNotFoundError):
            writer.rules.insert([make_given_rule(label.id, SPELLED[0])])


def test_many_rules_are_deleted_at_once(store: Store) -> None:
    label = make_label()
    rules = [make_given_rule(label.id, f"ingress source 10.{number // 250}.{number % 250}.1") for number in range(1200)]
    with store.writing(OPERATOR) as writer:
        writer.labels.insert([label])
        writer.rules.insert(rules)
        assert writer.rules.delete_all([rule.id for rule in rules[100:]] + [new_id(), "\0"]) == 1100
        assert by_id(writer.rules.list(Listing())) == by_id(rules[:100])
        assert writer.rules.delete_all([]) == 0


RULE_FILTERS: dict[str, tuple[dict[str, tuple[object, ...]], int]] = {
    "a prefix as echoed": ({"remote_ip_prefix": ("10.0.0.5/24",)}, 2),
    "a prefix spelled otherwise": ({"remote_ip_prefix": ("10.0.0.0/24",)}, 0),
    "no prefix": ({"remote_ip_prefix": (None,)}, 5),
    "no prefix or this one": ({"remote_ip_prefix": (None, "2001:db8::5/64")}, 6),
    "a prefix that is no text": ({"source_ip_prefix": ("",)}, 0),
    "a direction": ({"direction": ("egress",)}, 4),
    "a flag": ({"excluded": (True,)}, 2),
    "two attributes": ({"excluded": (False,), "direction": ("ingress",)}, 4),
}


@pytest.mark.parametrize("case", RULE_FILTERS)
def test_filters_of_rules_choose(store: Store, case: str) -> None:
    filters, count = RULE_FILTERS[case]
    label, other = make_label(project_id="p1"), make_label(project_id="p2")
    with store.writing(OPERATOR) as writer:
        writer.labels.insert([label, other])
        writer.rules.insert([make_given_rule(label.id, text) for text in SPELLED])
        writer.rules.insert([make_given_rule(other.id, text) for text in SPELLED])
        listing = Listing(filters={**filters, "metering_label_id": (label.id,)})
        assert len(writer.rules.list(listing)) == count
        assert len(writer.rules.list(listing, project_id="p1")) == count
        assert writer.rules.list(listing, project_id="p2") == []
