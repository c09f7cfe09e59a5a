"""Members that may count one packet: a table of cases, and a search packet by packet on small networks."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from venturi.core.contracts.overlapping import Overlap, find_double
from venturi.core.domain.direction import Direction
from venturi.core.domain.label import MeteringLabelRule
from venturi.core.domain.prefix import Prefix

IN, OUT = Direction.INGRESS, Direction.EGRESS


def rule(spelled: str) -> MeteringLabelRule:
    """Make a rule of ``ingress any 10.0.0.0/8`` or ``not egress 10.0.0.0/8 any``: direction, source and destination."""
    words = spelled.removeprefix("not ").split()
    source, destination = (None if word == "any" else Prefix.parse(word) for word in words[1:])
    return make(Direction(words[0]), source, destination, excluded=spelled.startswith("not "))


def make(direction: Direction, source: Prefix | None, destination: Prefix | None, *, excluded: bool) -> MeteringLabelRule:
    return MeteringLabelRule(
        id="r",
        metering_label_id="l",
        direction=direction,
        source_ip_prefix=source,
        destination_ip_prefix=destination,
        excluded=excluded,
    )


CASES: list[tuple[str, list[list[str]], tuple[int, int] | None]] = [
    ("apart", [["ingress any 10.0.0.0/24"], ["ingress any 10.0.1.0/24"]], None),
    ("nested", [["ingress any 10.0.0.0/8"], ["ingress any 10.0.1.0/24"]], (0, 1)),
    ("other directions", [["ingress any 10.0.0.0/8"], ["egress 10.0.0.0/8 any"]], None),
    ("other families", [["ingress any 10.0.0.0/8"], ["ingress any 2001:db8::/32"]], None),
    ("crossing", [["ingress 192.0.2.0/24 any"], ["ingress any 10.0.0.0/8"]], (0, 1)),
    ("excluded whole", [["ingress any 10.0.0.0/8", "not ingress any 10.1.0.0/16"], ["ingress any 10.1.2.0/24"]], None),
    ("excluded in part", [["ingress any 10.0.0.0/8", "not ingress any 10.1.2.0/25"], ["ingress any 10.1.2.0/24"]], (0, 1)),
    (
        "excluded by two",
        [["ingress any 10.0.0.0/8", "not ingress any 10.1.2.0/25"], ["ingress any 10.1.2.0/24", "not ingress any 10.1.2.128/25"]],
        None,
    ),
    ("excluded in the other direction", [["ingress any 10.0.0.0/8", "not egress 10.0.0.0/8 any"], ["ingress any 10.0.0.0/9"]], (0, 1)),
    ("the third", [["ingress any 10.0.0.0/24"], ["ingress any 10.0.1.0/24"], ["ingress any 10.0.1.7"]], (1, 2)),
    ("the same", [["egress 2001:db8::/32 any"], ["egress 2001:db8::/32 any"]], (0, 1)),
    ("nothing", [[], ["ingress any 10.0.0.0/8"]], None),
]


@pytest.mark.parametrize(("members", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_overlaps(members: list[list[str]], expected: tuple[int, int] | None) -> None:
    found = find_double([[[rule(each) for each in rules]] for rules in members])
    assert found == (None if expected is None else Overlap(*expected))


_ENDS = st.one_of(st.none(), st.builds(lambda length, address: Prefix(4, address, 28 + length), st.integers(0, 4), st.integers(0, 15)))


@st.composite
def _rules(draw: st.DrawFn) -> list[MeteringLabelRule]:
    """Draw the rules of a label within the first sixteen addresses on either side."""
    made = []
    for _ in range(draw(st.integers(0, 4))):
        source, destination = draw(_ENDS), draw(_ENDS)
        if source or destination:
            made.append(make(draw(st.sampled_from([IN, OUT])), source, destination, excluded=draw(st.booleans())))
    return made


def counts(rules: Sequence[MeteringLabelRule], direction: Direction, source: int, destination: int) -> bool:
    """Tell whether a label counts a packet, rule by rule."""
    matching = [
        each.excluded
        for each in rules
        if each.direction is direction
        and (each.source_ip_prefix is None or each.source_ip_prefix.matches(4, source))
        and (each.destination_ip_prefix is None or each.destination_ip_prefix.matches(4, destination))
    ]
    return bool(matching) and not any(matching)


ADDRESSES = (*range(16), 1 << 31)
"""Those that rules tell apart, and one beyond all of them."""


@given(st.lists(st.lists(_rules(), max_size=2), min_size=2, max_size=3))
def test_overlaps_are_those_of_single_packets(members: list[list[list[MeteringLabelRule]]]) -> None:
    shared = set()
    for direction in (IN, OUT):
        for source in ADDRESSES:
            for destination in ADDRESSES:
                counting = [any(counts(rules, direction, source, destination) for rules in labels) for labels in members]
                shared |= {
                    (one, other)
                    for one in range(len(members))
                    for other in range(one + 1, len(members))
                    if counting[one] and counting[other]
                }
    found = find_double(members)
    assert (found is None) == (not shared)
    assert found is None or ((found.first, found.second) in shared and found.certain)


def test_a_search_that_takes_too_long_is_not_certain() -> None:
    members = [[[rule(f"ingress 10.0.{number}.0/24 192.0.2.{each}") for each in range(4)]] for number in range(2)]
    members += [[[rule(f"ingress 10.0.0.{number} any") for number in range(4)]]]
    assert find_double(members, most_steps=3) == Overlap(0, 2, certain=False)
