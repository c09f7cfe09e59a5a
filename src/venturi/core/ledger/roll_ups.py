"""Roll-ups: the sums of entries over 5 minutes and over hours, as rows to be added to those that are there.

Owns which bins an entry adds to and how much to each. Points, labels and places are the numbers of their versions; where rows are kept is
for the store. An hour is the sum of its 5 minutes, so only those are split.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from venturi.core.domain.coverage import Coverage, CoverageReason
from venturi.core.domain.errors import SumTooLargeError
from venturi.core.domain.generation import Segments
from venturi.core.domain.interval import SECOND
from venturi.core.ledger.batch import HIGHEST
from venturi.core.ledger.bins import BIN, HOUR, Part
from venturi.core.ledger.covering import state_in_bin
from venturi.core.ledger.trust import HeldReason

_TIME_IS_NO_GAP = frozenset({HeldReason.BEFORE_PLAN, HeldReason.IN_FUTURE, HeldReason.OVERLAPPING})

LabelCounts = Iterable[tuple[int, int, int, int]]
"""Label, direction, packets, octets."""

Row = tuple[int | str, ...]
"""Resolution in seconds, start of the bin, the rest of the key, and the sums."""

Sums = dict[tuple[int | str, ...], tuple[int, ...]]
"""Sums of one bin by the rest of their key."""


class PointCounts(NamedTuple):
    """What was counted at a point in one direction, and the parts of it that are no project's alone."""

    packets: int
    octets: int
    unmatched_packets: int = 0
    unmatched_octets: int = 0
    unattributed_packets: int = 0
    unattributed_octets: int = 0
    several_packets: int = 0
    several_octets: int = 0
    shared_packets: int = 0
    shared_octets: int = 0


class OwnerCounts(NamedTuple):
    """What an owner used in one direction: of it what it used ``alone``, and what was added up over labels, since it is not ``parted``."""

    packets: int
    octets: int
    alone_packets: int = 0
    alone_octets: int = 0
    unparted_packets: int = 0
    unparted_octets: int = 0


class Owner(NamedTuple):
    """The owner of a label by its number; ``shared`` tells whether that of the labels which a project shares."""

    number: int
    shared: bool


class Told(NamedTuple):
    """The coverage that an interval tells of."""

    point: int
    place: int
    coverage: Coverage
    reason: str
    segments: str
    overlapping: bool


def is_shown_as_held(reason: HeldReason) -> bool:
    """Tell whether the time of an interval that is held for a reason is shown as such: not one that cannot be or is known."""
    return reason not in _TIME_IS_NO_GAP


def held_coverage(point: int, place: int) -> Told:
    """Give the coverage of a time of which what was posted is held."""
    return Told(point, place, Coverage.GAP, CoverageReason.HELD.value, Segments.WIRE.value, overlapping=False)


class RollUps:
    """What entries add to roll-ups: ``labels``, ``owners``, ``points`` and ``coverage`` hold sums by the start of their bin of 5 minutes.

    ``coverage_of_hours`` holds those of hours by their start, since a state may be another for an hour than for its 5 minutes.
    """

    def __init__(self) -> None:
        self.labels: dict[int, Sums] = {}
        self.owners: dict[int, Sums] = {}
        self.points: dict[int, Sums] = {}
        self.coverage: dict[int, Sums] = {}
        self.coverage_of_hours: dict[int, Sums] = {}

    def add_usage(self, parts: list[Part], point: int, counts: LabelCounts) -> None:
        """Add the usage of labels at a point over an interval that was cut into ``parts``."""
        for part in parts:
            sums = self.labels.setdefault(part.bin_start, {})
            whole = part.end - part.start == part.whole
            for label, direction, packets, octets in counts:
                shares = (packets, octets) if whole else (part.share(packets), part.share(octets))
                key = (label, point, direction)
                found = sums.get(key)
                sums[key] = shares if found is None else (found[0] + shares[0], found[1] + shares[1])

    def add_usage_of_owner(self, parts: list[Part], point: int, owner: int, direction: int, counts: OwnerCounts) -> None:
        """Add what an owner used at a point in one direction."""
        for part in parts:
            _add(self.owners.setdefault(part.bin_start, {}), (owner, point, direction), tuple(map(part.share, counts)))

    def add_totals(self, parts: list[Part], point: int, direction: int, counts: PointCounts) -> None:
        """Add the totals of a point in one direction."""
        for part in parts:
            _add(self.points.setdefault(part.bin_start, {}), (point, direction), tuple(map(part.share, counts)))

    def add_coverage(self, parts: list[Part], told: Told, *, sign: int = 1) -> None:
        """Add the coverage that an interval tells of; with a ``sign`` of -1, take it away."""
        for part in parts:
            length = sign * (part.end - part.start)
            nanoseconds = (length, length if told.overlapping else 0)
            for bins, width in ((self.coverage, BIN), (self.coverage_of_hours, HOUR)):
                state = state_in_bin(part, width, told.coverage).value
                key = (told.point, told.place, state, told.reason, told.segments)
                _add(bins.setdefault(part.bin_start // width * width, {}), key, nanoseconds)


def roll_up(bins: Mapping[int, Sums], hours: Mapping[int, Sums] | None = None) -> Iterator[list[Row]]:
    """Give the rows that sums over bins of 5 minutes add, those of each bin of either resolution in the order of their keys.

    Hours are the sums of their 5 minutes unless ``hours`` gives them. Raises ``SumTooLargeError`` for one that no roll-up can hold.
    """
    for start, sums in sorted(bins.items()):
        yield _rows(BIN, start, sums)
    for start, sums in sorted((_sum_hours(bins) if hours is None else hours).items()):
        yield _rows(HOUR, start, sums)


def _sum_hours(bins: Mapping[int, Sums]) -> dict[int, Sums]:
    hours: dict[int, list[Sums]] = {}
    for start, sums in bins.items():
        hours.setdefault(start // HOUR * HOUR, []).append(sums)
    return {start: several[0] if len(several) == 1 else _merge(several) for start, several in hours.items()}


def _rows(width: int, start: int, sums: Sums) -> list[Row]:
    resolution = width // SECOND
    rows: list[Row] = [(resolution, start, *key, *shares) for key, shares in sorted(sums.items())]
    if any(max(shares) > HIGHEST for shares in sums.values()):
        message = "intervals: their counts add up to more than a roll-up can hold"
        raise SumTooLargeError(message)
    return rows


def _merge(several: Iterable[Sums]) -> Sums:
    merged: Sums = {}
    for sums in several:
        for key, shares in sums.items():
            _add(merged, key, shares)
    return merged


def _add(sums: Sums, key: tuple[int | str, ...], shares: tuple[int, ...]) -> None:
    found = sums.get(key)
    sums[key] = shares if found is None else tuple(one + other for one, other in zip(found, shares, strict=True))
