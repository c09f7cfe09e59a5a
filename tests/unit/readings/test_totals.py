"""What was counted between two readings, and readings that are not of the same counters."""

import pytest

from venturi.core.classify.pair_totals import ClassPair, pair_totals_of
from venturi.core.domain.counts import Counts
from venturi.core.domain.direction import Direction
from venturi.core.meter.readings.totals import NOTHING_COUNTED, Totals, subtract

FIRST = ClassPair(0, 4, 1, 2)
SECOND = ClassPair(1, 6, 1 << 20, 3)
LARGEST = (1 << 63) - 1

Pairs = dict[ClassPair, Counts]


def totals(pairs: Pairs, unattributed: dict[Direction, Counts] | None = None) -> Totals:
    return Totals(pair_totals_of(pairs), unattributed or {})


@pytest.mark.parametrize(
    ("earlier", "later", "counted"),
    [
        pytest.param({}, {}, {}, id="nothing"),
        pytest.param({}, {FIRST: Counts(1, 100)}, {FIRST: Counts(1, 100)}, id="a pair that is new"),
        pytest.param(
            {SECOND: Counts(2, 80)},
            {FIRST: Counts(1, 9), SECOND: Counts(3, 90)},
            {FIRST: Counts(1, 9), SECOND: Counts(1, 10)},
            id="one before",
        ),
        pytest.param(
            {FIRST: Counts(1, 9)}, {FIRST: Counts(1, 9), SECOND: Counts(3, 90)}, {SECOND: Counts(3, 90)}, id="a pair without traffic"
        ),
        pytest.param({FIRST: Counts(5, LARGEST)}, {FIRST: Counts(6, -LARGEST)}, {FIRST: Counts(1, 2)}, id="beyond 2^63, read as signed"),
    ],
)
def test_what_was_counted(earlier: Pairs, later: Pairs, counted: Pairs) -> None:
    difference = subtract(totals(later), totals(earlier))
    assert difference is not None
    assert [column.tolist() for column in difference.pairs] == [column.tolist() for column in pair_totals_of(counted)]


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        pytest.param({FIRST: Counts(2, 80)}, {FIRST: Counts(1, 90)}, id="packets went back"),
        pytest.param({FIRST: Counts(2, 80)}, {FIRST: Counts(2, 70)}, id="octets went back"),
        pytest.param({FIRST: Counts(2, 80)}, {SECOND: Counts(2, 80)}, id="a pair is gone, others are there"),
        pytest.param({SECOND: Counts(2, 80)}, {FIRST: Counts(2, 80)}, id="the last pair is gone"),
        pytest.param({FIRST: Counts(2, 80)}, {}, id="all pairs are gone"),
        pytest.param({FIRST: Counts(2, -1)}, {FIRST: Counts(2, 1)}, id="wrapped at 2^64"),
    ],
)
def test_counts_that_went_back_tell_nothing(earlier: Pairs, later: Pairs) -> None:
    assert subtract(totals(later), totals(earlier)) is None


def test_unattributed_counts_are_subtracted_by_direction() -> None:
    earlier = totals({}, {Direction.INGRESS: Counts(1, 10), Direction.EGRESS: Counts(4, 40)})
    later = totals({}, {Direction.INGRESS: Counts(3, 35), Direction.EGRESS: Counts(4, 40)})
    difference = subtract(later, earlier)
    assert difference is not None
    assert difference.unattributed == {Direction.INGRESS: Counts(2, 25)}
    assert subtract(earlier, later) is None


def test_a_generation_begins_with_nothing() -> None:
    counted = totals({FIRST: Counts(1, 9)}, {Direction.INGRESS: Counts(1, 1)})
    difference = subtract(counted, NOTHING_COUNTED)
    assert difference is not None
    assert difference.unattributed == counted.unattributed
    assert difference.pairs.octets.tolist() == [9]
