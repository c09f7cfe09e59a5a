"""Covering: how the coverage of records becomes the coverage of a bin, and that of bins the coverage of an interval.

Owns the merging and what is said of time of which nothing was told. A roll-up keeps, for each point, bin and device (agent and place),
the nanoseconds that records told of, by state and reason: sums, so that records may come in any order. Records of one device follow
each other; those of several devices of a router lie side by side.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from venturi.core.domain.coverage import Coverage, CoverageReason
from venturi.core.domain.generation import Segments
from venturi.core.ledger.bins import BIN, Part

_STATES = tuple(Coverage)
_REASONS = tuple(CoverageReason)

SETTLING = BIN
"""How old a time is of which all records are due; those of a younger one may be on their way."""


class Covering(NamedTuple):
    """The coverage of an interval: the worst state, as its place in ``Coverage``, reasons as bits, and for how long counts are known.

    Bit n of ``reasons`` stands for the nth reason of ``CoverageReason``; ``known`` is in nanoseconds. ``merged`` tells that some counts
    are of super-packets as one packet each (``core.domain.generation.Segments``).
    """

    worst: int
    reasons: int
    known: int
    merged: bool = False

    @property
    def state(self) -> Coverage:
        """The coverage in its word."""
        return _STATES[self.worst]

    @property
    def reason_names(self) -> list[str]:
        """The reasons in their words, in the order of their declaration."""
        return [reason.value for place, reason in enumerate(_REASONS) if reason and self.reasons >> place & 1]


class Told(NamedTuple):
    """What the records of one device told of one bin: the nanoseconds that they speak of, and how those were covered."""

    told: int
    covering: Covering

    def merge(self, other: "Told") -> "Told":
        """Give what both told, in any order with the same result."""
        return Told(self.told + other.told, cover_in_sequence(self.covering, other.covering))


def state_in_bin(part: Part, width: int, coverage: Coverage) -> Coverage:
    """Give the state of a record in the bin of ``width`` that one of its parts lies in.

    A record in several bins is ``interpolated`` in each unless it is worse: its amounts are known, their distribution is not. So one in
    several bins of 5 minutes may be ``complete`` in their hour. A part without a length still tells of its state.
    """
    return coverage if part.is_alone(width) else max(coverage, Coverage.INTERPOLATED, key=_STATES.index)


def tell(
    nanoseconds: int,
    coverage: Coverage,
    reason: CoverageReason = CoverageReason.NONE,
    *,
    overlapping: bool = False,
    segments: Segments = Segments.WIRE,
) -> Told:
    """Read a row of the roll-up: for how long a device's records told of this state and reason."""
    reasons = _bit(reason) | (_bit(CoverageReason.OVERLAPPING) if overlapping else 0)
    known = 0 if coverage is Coverage.GAP else nanoseconds
    return Told(nanoseconds, Covering(_STATES.index(coverage), reasons, known, segments is Segments.MERGED))


def cover(start: int, end: int, devices: Sequence[Told], now: int, held: int = 0, unmetered: int = 0) -> Covering:
    """Give the coverage of the bin from ``start`` to ``end`` at a point: what each of its devices told, and what lacks (``find_lack``)."""
    covering = join_devices(devices, end - start)
    return _join(covering, find_lack(start, end, devices, now, held, unmetered), covering.known)


def join_devices(devices: Iterable[Told], width: int) -> Covering:
    """Give the coverage that the devices of a point tell of: the worst state, and the time of the device that knows most of ``width``."""
    covering = WHOLE
    for device in devices:
        covering = _join(covering, device.covering, max(covering.known, min(device.covering.known, width)))
    return covering


def find_lack(start: int, end: int, devices: Iterable[Told], now: int, held: int = 0, unmetered: int = 0) -> Covering:
    """Give what the bin from ``start`` to ``end`` lacks at a point besides what its devices told, ``WHOLE`` where that is nothing.

    The bin is covered whole if the records of one device tile it: those tell of exactly its length. Else the rest is a gap, for the
    reason ``missing``; or, as long as a device told of as much of the bin as is due, ``partial`` and ``pending``. Of ``held`` nanoseconds
    what was posted is held, and for ``unmetered`` ones the point was not metered yet: those are the reasons, and ``missing`` besides if
    that is not all of the rest.
    """
    width = end - start
    lengths = [device.told for device in devices]
    if width in lengths:
        return WHOLE
    accounted = max(lengths, default=0) + held + unmetered
    lack = _join(_HELD if held else WHOLE, _UNMETERED if unmetered else WHOLE, 0)
    if lack.worst and accounted >= width:
        return lack
    pending = now < end + SETTLING and accounted >= now - SETTLING - start
    return _join(lack, _PENDING if pending else UNTOLD, 0)


def cover_in_sequence(one: Covering, next_one: Covering) -> Covering:
    """Give the coverage of two intervals that follow each other, as one."""
    return _join(one, next_one, one.known + next_one.known)


def cover_side_by_side(one: Covering, other: Covering) -> Covering:
    """Give the coverage of what is summed over two points in the same interval."""
    return _join(one, other, min(one.known, other.known))


def _join(one: Covering, other: Covering, known: int) -> Covering:
    return Covering(max(one.worst, other.worst), one.reasons | other.reasons, known, one.merged or other.merged)


def _bit(reason: CoverageReason) -> int:
    return 1 << _REASONS.index(reason) if reason else 0


WHOLE = Covering(0, 0, 0)
"""What lacks nothing."""

UNTOLD = Covering(_STATES.index(Coverage.GAP), _bit(CoverageReason.MISSING), 0)
"""A time of which nothing was told."""

_UNMETERED = Covering(_STATES.index(Coverage.GAP), _bit(CoverageReason.NOT_METERED), 0)
_HELD = Covering(_STATES.index(Coverage.GAP), _bit(CoverageReason.HELD), 0)
_PENDING = Covering(_STATES.index(Coverage.PARTIAL), _bit(CoverageReason.PENDING), 0)
