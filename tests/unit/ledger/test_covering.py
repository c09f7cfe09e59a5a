"""Coverage of a bin of 5 minutes by the records of its devices."""

from collections.abc import Sequence
from functools import reduce
from itertools import groupby
from typing import NamedTuple

import pytest

from venturi.core.domain.coverage import Coverage, CoverageReason
from venturi.core.domain.interval import SECOND
from venturi.core.ledger.bins import BIN, HOUR, cut
from venturi.core.ledger.covering import Covering, Told, cover, cover_in_sequence, cover_side_by_side, state_in_bin, tell

COMPLETE, INTERPOLATED, PARTIAL, GAP = Coverage


class Case(NamedTuple):
    """Records as (device, start, end in seconds, state), and the coverage of the bin from 300 to 600 s at a time."""

    name: str
    records: list[tuple[str, float, float, Coverage]]
    state: Coverage
    reasons: list[str]
    known: float
    now: float = 10_000


CASES = [
    Case("one record", [("a", 300, 600, COMPLETE)], COMPLETE, [], 300),
    Case("records that tile", [("a", 300, 360.5, COMPLETE), ("a", 360.5, 600, COMPLETE)], COMPLETE, [], 300),
    Case("jitter", [("a", 299, 450, COMPLETE), ("a", 450, 601, COMPLETE)], COMPLETE, [], 300),
    Case("more than jitter", [("a", 298.9, 600, COMPLETE)], INTERPOLATED, [], 300),
    Case("away for long", [("a", 100, 2000, COMPLETE)], INTERPOLATED, [], 300),
    Case("a bypass", [("a", 300, 400, PARTIAL), ("a", 400, 600, COMPLETE)], PARTIAL, ["bypass"], 300),
    Case("a bypass over borders", [("a", 0, 900, PARTIAL)], PARTIAL, ["bypass"], 300),
    Case("a gap told", [("a", 300, 310, GAP), ("a", 310, 600, COMPLETE)], GAP, ["device_gone"], 290),
    Case("a gap that snapping hides", [("a", 299.5, 300.5, GAP), ("a", 300.5, 600, COMPLETE)], GAP, ["device_gone"], 300),
    Case("a hole", [("a", 300, 400, COMPLETE), ("a", 410, 600, COMPLETE)], GAP, ["missing"], 290),
    Case("a hole of a moment", [("a", 300, 400, COMPLETE), ("a", 400.000001, 600, COMPLETE)], GAP, ["missing"], 299.999999),
    Case("nothing", [], GAP, ["missing"], 0),
    Case("begun late", [("a", 420, 600, COMPLETE)], GAP, ["missing"], 180),
    Case("being filled", [("a", 300, 420, COMPLETE)], PARTIAL, ["pending"], 120, now=430),
    Case("records on their way", [("a", 300, 540, COMPLETE)], PARTIAL, ["pending"], 240, now=840),
    Case("records overdue", [("a", 300, 540, COMPLETE)], GAP, ["missing"], 240, now=841),
    Case("settled", [("a", 300, 540, COMPLETE)], GAP, ["missing"], 240, now=900),
    Case("nothing yet", [], PARTIAL, ["pending"], 0, now=430),
    Case("two routers, both whole", [("a", 300, 600, COMPLETE), ("b", 300, 600, COMPLETE)], COMPLETE, [], 300),
    Case("a stand-by that came late", [("a", 300, 600, COMPLETE), ("b", 400, 600, COMPLETE)], COMPLETE, [], 300),
    Case("a router that moved", [("a", 300, 450, COMPLETE), ("b", 450, 600, COMPLETE)], GAP, ["missing"], 150),
    Case("one of two with a gap", [("a", 300, 600, COMPLETE), ("b", 300, 400, GAP)], GAP, ["device_gone"], 300),
    Case("an overlap", [("a", 300, 500, COMPLETE), ("a", 350, 600, COMPLETE)], GAP, ["missing"], 300),
]


def told(records: Sequence[tuple[str, float, float, Coverage]], border: int, width: int) -> list[Told]:
    """Give what each device told of the bin at ``border``."""
    reasons = {PARTIAL: CoverageReason.BYPASS, GAP: CoverageReason.DEVICE_GONE}
    rows = []
    for _, of_device in groupby(records, key=lambda record: record[0]):
        told_here = []
        for _, start, end, coverage in of_device:
            parts = cut(round(start * SECOND), round(end * SECOND), width)
            state = state_in_bin(parts[0], width, coverage)
            reason = reasons.get(coverage, CoverageReason.NONE)
            told_here += [tell(part.end - part.start, state, reason) for part in parts if part.bin_start == border]
        rows += [reduce(Told.merge, told_here)] if told_here else []
    return rows


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_coverage_of_a_bin(case: Case) -> None:
    covering = cover(BIN, 2 * BIN, told(case.records, BIN, BIN), round(case.now * SECOND))
    assert (covering.state, covering.reason_names, covering.known) == (case.state, case.reasons, round(case.known * SECOND))


def test_a_delta_within_an_hour_is_known_for_the_hour() -> None:
    records = [("a", 0, 1000, COMPLETE), ("a", 1000, 3600, COMPLETE)]
    assert cover(0, HOUR, told(records, 0, HOUR), 2 * HOUR).state is COMPLETE
    assert cover(BIN, 2 * BIN, told(records, BIN, BIN), 2 * HOUR).state is INTERPOLATED


def test_coverages_join() -> None:
    one, other = Covering(1, 0b10, 300), Covering(3, 0b100, 20)
    assert cover_in_sequence(one, other) == Covering(3, 0b110, 320)
    assert cover_side_by_side(one, other) == Covering(3, 0b110, 20)


def test_an_overlap_is_a_reason_without_a_gap() -> None:
    covering = cover(0, BIN, [tell(BIN, COMPLETE), tell(BIN, COMPLETE, overlapping=True)], HOUR)
    assert (covering.state, covering.reason_names) == (COMPLETE, ["overlapping"])


HELD = {
    "nothing else is known": (0, 300, 10_000, GAP, ["held"]),
    "the rest is held": (240, 60, 10_000, GAP, ["held"]),
    "not all of the rest is held": (180, 60, 10_000, GAP, ["missing", "held"]),
    "all is known": (300, 60, 10_000, COMPLETE, []),
    "the latest is held": (180, 60, 790, GAP, ["held", "pending"]),
}


@pytest.mark.parametrize(("known", "held", "now", "state", "reasons"), HELD.values(), ids=HELD.keys())
def test_held_time_is_a_gap_where_nothing_else_is_known(known: int, held: int, now: int, state: Coverage, reasons: list[str]) -> None:
    devices = [tell(known * SECOND, COMPLETE)] if known else []
    covering = cover(300 * SECOND, 600 * SECOND, devices, now * SECOND, held * SECOND)
    assert (covering.state, set(covering.reason_names), covering.known) == (state, set(reasons), known * SECOND)
