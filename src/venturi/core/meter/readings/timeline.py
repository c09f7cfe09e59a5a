"""The timeline: the time by which an agent bounds what it meters, which never stands still and never goes back.

Owns what becomes of steps of the wall clock. Clocks are read elsewhere.
"""

from typing import NamedTuple

from venturi.core.domain.interval import SECOND, Nanoseconds

LARGEST_SLEW = SECOND
"""How far the wall clock may move against the monotonic one between two looks without its being called a step."""


class BothClocks(NamedTuple):
    """What both clocks of a host show at once: ``wall`` since the UTC epoch, ``monotonic`` since whenever, in nanoseconds."""

    wall: int
    monotonic: int


class Timeline:
    """Turns moments into times that only grow.

    The time is that of the wall clock as long as that goes forward, by however much. Where it was set back, time goes on from where it was
    at half the pace of the monotonic clock until the wall clock has caught up, so that no two intervals overlap and none is empty.
    """

    def __init__(self, start: BothClocks, earliest: int = 0) -> None:
        """Begin at ``start``, but not before ``earliest``, the end of what is recorded already."""
        self._last = start
        self._time = max(start.wall, earliest)
        self.step = 0
        """How far the wall clock was set between the last two looks, forward or back, in nanoseconds; 0 where it was not."""

    def at(self, moment: BothClocks) -> Nanoseconds:
        """Give the time of a moment that is not before the last one."""
        passed = moment.monotonic - self._last.monotonic
        moved = moment.wall - self._last.wall - passed
        self.step = moved if abs(moved) > LARGEST_SLEW else 0
        self._time = max(moment.wall, self._time + passed // 2)
        self._last = moment
        return Nanoseconds(self._time)
