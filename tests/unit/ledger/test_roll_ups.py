"""Roll-ups conserve every count, in whatever order and at whatever length of interval."""

from hypothesis import given
from hypothesis import strategies as st

from tests.support.batches import BEGINNING
from venturi.core.ledger.batch import HIGHEST
from venturi.core.ledger.bins import BIN, HOUR, cut
from venturi.core.ledger.roll_ups import OwnerCounts, PointCounts, RollUps, roll_up

COUNT = st.integers(0, HIGHEST >> 8)
ENTRY = st.tuples(st.integers(0, 2 * HOUR), st.integers(0, 3 * HOUR), st.integers(1, 3), st.integers(0, 2), COUNT, COUNT)


@given(st.lists(ENTRY, max_size=12))
def test_sums_of_either_resolution_are_those_of_the_entries(entries: list[tuple[int, int, int, int, int, int]]) -> None:
    sums = RollUps()
    expected: dict[tuple[int, int], list[int]] = {}
    for start, length, label, direction, packets, octets in entries:
        parts = cut(BEGINNING + start, BEGINNING + start + length)
        sums.add_usage(parts, 1, [(label, direction, packets, octets)])
        sums.add_totals(parts, 1, direction, PointCounts(packets, octets, packets, octets))
        found = expected.setdefault((label, direction), [0, 0])
        expected[label, direction] = [found[0] + packets, found[1] + octets]
    for resolution in (300, 3600):
        summed: dict[tuple[int, int], list[int]] = {}
        for label, direction, packets, octets in _label_rows(sums, resolution):
            found = summed.setdefault((label, direction), [0, 0])
            summed[label, direction] = [found[0] + packets, found[1] + octets]
        assert summed == expected
        points = [row for some in roll_up(sums.points) for row in some if row[0] == resolution]
        assert sum(int(row[4]) for row in points) == sum(packets for packets, _ in expected.values())


def test_each_count_of_an_owner_is_spread_over_bins() -> None:
    sums = RollUps()
    for owner, counts in ((8, OwnerCounts(1, 7, 1, 3)), (8, OwnerCounts(1, 11, 0, 0, 1, 11)), (9, OwnerCounts(1, 13))):
        sums.add_usage_of_owner(cut(BEGINNING, BEGINNING + 2 * BIN), 1, owner, 0, counts)
    first, second = BEGINNING, BEGINNING + BIN
    assert sums.owners == {
        first: {(8, 1, 0): (0, 3 + 5, 0, 1, 0, 5), (9, 1, 0): (0, 6, 0, 0, 0, 0)},
        second: {(8, 1, 0): (2, 4 + 6, 1, 2, 1, 6), (9, 1, 0): (1, 7, 0, 0, 0, 0)},
    }


def _label_rows(sums: RollUps, resolution: int) -> list[tuple[int, int, int, int]]:
    rows = [row for some in roll_up(sums.labels) for row in some if row[0] == resolution]
    return [(int(label), int(direction), int(packets), int(octets)) for _, _, label, _, direction, packets, octets in rows]


@given(st.lists(ENTRY, min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_order_makes_no_difference(entries: list[tuple[int, int, int, int, int, int]], random: object) -> None:
    def rolled(some: list[tuple[int, int, int, int, int, int]]) -> list[object]:
        sums = RollUps()
        for start, length, label, direction, packets, octets in some:
            sums.add_usage(cut(BEGINNING + start, BEGINNING + start + length), 1, [(label, direction, packets, octets)])
        return [row for rows in roll_up(sums.labels) for row in rows]

    shuffled = list(entries)
    random.shuffle(shuffled)  # type: ignore[attr-defined] # a random.Random
    assert rolled(shuffled) == rolled(entries)
