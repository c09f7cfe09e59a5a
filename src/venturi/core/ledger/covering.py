"""Covering: how the coverage of records becomes the coverage of a bin, and that of bins the coverage of an interval.

Owns what a roll-up row must hold of coverage so that records may come in any order, and what is said of time of which nothing was
told. A row, ``Told``, is that of one device (agent and place) at a point in one bin: its records follow each other, while those of
several devices of a router lie side by side. Records of one device that overlap are for posting to flag; here they leave a hole.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Self

from venturi.core.domain.coverage import Coverage, CoverageReason
from venturi.core.ledger.bins import BIN, Part

_STATES = tuple(Coverage)
_REASONS = tuple(CoverageReason)

SETTLING = BIN
"""How long after its end an interval may lack records that are on their way."""


class Told(NamedTuple):
    """What the records of one device told of one bin: what a row of the coverage roll-up holds.

    ``told`` is the time that records speak of and ``known`` that of those which are no gap, in nanoseconds; ``first`` and ``last``
    are the outermost bounds, after snapping; ``worst`` is the place of the worst state in ``Coverage``, and ``reasons`` has bit n
    set for the nth reason of ``CoverageReason``.
    """

    told: int
    known: int
    first: int
    last: int
    worst: int
    reasons: int

    def merge(self, other: Self) -> "Told":
        """Give what both told: sums, minimum, maximum, maximum, bitwise or; in any order, with the same result."""
        return Told(
            self.told + other.told,
            self.known + other.known,
            min(self.first, other.first),
            max(self.last, other.last),
            max(self.worst, other.worst),
            self.reasons | other.reasons,
        )

    @property
    def solid(self) -> bool:
        """Tell whether the records tile all time between the outermost bounds, with no hole and no overlap."""
        return self.told == self.last - self.first


class Covering(NamedTuple):
    """The coverage of an interval: the worst state, as its place in ``Coverage``, reasons as bits, and for how long counts are known."""

    worst: int
    reasons: int
    known: int

    @property
    def state(self) -> Coverage:
        """The coverage in its word."""
        return _STATES[self.worst]

    @property
    def reason_names(self) -> list[str]:
        """The reasons in their words, in the order of their declaration."""
        return [reason.value for place, reason in enumerate(_REASONS) if reason and self.reasons >> place & 1]


_UNTOLD = Covering(_STATES.index(Coverage.GAP), 1 << _REASONS.index(CoverageReason.MISSING), 0)
_PENDING = Covering(_STATES.index(Coverage.PARTIAL), 1 << _REASONS.index(CoverageReason.PENDING), 0)


def tell(parts: Sequence[Part], coverage: Coverage, reason: CoverageReason = CoverageReason.NONE) -> list[Told]:
    """Give what a record tells of each of the bins that its parts lie in.

    A record in several bins is ``interpolated`` in each unless it is worse: its amounts are known, their distribution is not.
    """
    state = max(_STATES.index(coverage), _STATES.index(Coverage.INTERPOLATED) if len(parts) > 1 else 0)
    reasons = 1 << _REASONS.index(reason) if reason else 0
    gap = coverage is Coverage.GAP
    return [Told(part.end - part.start, 0 if gap else part.end - part.start, part.start, part.end, state, reasons) for part in parts]


def cover(start: int, end: int, devices: Iterable[Told], now: int) -> Covering:
    """Give the coverage of the bin from ``start`` to ``end`` at a point, by what all its devices told.

    The worst state wins. The bin is covered whole if the records of a device tile it, or those of several devices do together, each
    without holes. Else the rest is a gap, for the reason ``missing``; or, until ``SETTLING`` after its end, ``partial`` and
    ``pending``. What is known is the time of the device that knows most, if the bin is not covered whole.
    """
    rows = list(devices)
    worst = max((row.worst for row in rows), default=0)
    reasons = 0
    for row in rows:
        reasons |= row.reasons
    known = max((row.known for row in rows), default=0)
    if _tile(start, end, rows):
        return Covering(worst, reasons, known if worst == _UNTOLD.worst else end - start)
    lacking = _PENDING if now < end + SETTLING else _UNTOLD
    return Covering(max(worst, lacking.worst), reasons | lacking.reasons, min(known, end - start))


def cover_in_sequence(one: Covering, next_one: Covering) -> Covering:
    """Give the coverage of two intervals that follow each other, as one."""
    return Covering(max(one.worst, next_one.worst), one.reasons | next_one.reasons, one.known + next_one.known)


def cover_side_by_side(one: Covering, other: Covering) -> Covering:
    """Give the coverage of what is summed over two points in the same interval."""
    return Covering(max(one.worst, other.worst), one.reasons | other.reasons, min(one.known, other.known))


def _tile(start: int, end: int, rows: Iterable[Told]) -> bool:
    """Tell whether solid rows, laid side by side, leave no hole from ``start`` to ``end``."""
    reached = start
    for first, last in sorted((row.first, row.last) for row in rows if row.solid):
        if first > reached:
            return False
        reached = max(reached, last)
    return reached >= end
