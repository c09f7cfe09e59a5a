"""The timeline: the time by which an agent bounds what it meters.

Owns which clock is believed, and what becomes of times that were told by one that was wrong. Clocks are read elsewhere.
"""

from typing import NamedTuple

from venturi.core.domain.interval import SECOND, Nanoseconds

LARGEST_SLEW = SECOND
"""How far the wall clock may move against the monotonic one between two looks without its being called a step."""

LARGEST_DIFFERENCE = 5 * SECOND
"""How far a good wall clock may be from the server's, which tells whole seconds, or from the timeline."""

SETTLED = 3600 * SECOND
"""How long after it was set a wall clock is believed where no server says otherwise, and how long what a server said is believed."""

EARLIEST = 1_735_689_600 * SECOND
"""2025-01-01T00:00:00Z: a wall clock before it was not set since the host was started."""

_LATEST = 7_258_118_400 * SECOND
"""2200-01-01T00:00:00Z."""

_MARGIN = 10 * SECOND
"""How long it may take to date anew, at most: moments that are given meanwhile are wrong, too."""


class BothClocks(NamedTuple):
    """What both clocks of a host show at once: ``wall`` since the UTC epoch, ``monotonic`` since whenever, in nanoseconds."""

    wall: int
    monotonic: int

    def after(self, monotonic: int) -> int:
        """Give the time since the UTC epoch when the monotonic clock shows ``monotonic``."""
        return self.wall + monotonic - self.monotonic


class Correction(NamedTuple):
    """That times after ``since`` and up to ``until`` were told by a wrong clock: they are ``shift`` nanoseconds later (may be negative)."""

    since: int
    until: int
    shift: int

    def concerns(self, time: int) -> bool:
        """Tell whether a time was told wrong."""
        return self.since < time <= self.until

    def moved(self, time: int) -> int:
        """Give a time as it should have been told."""
        return time + self.shift if self.concerns(time) else time


class Timeline:
    """Turns moments into times.

    The wall clock is good while it is near the server's, as told last and carried on by the monotonic clock. Where no server has said
    anything lately, it is good while it goes on as the monotonic clock does, and again once it has for ``SETTLED``. While it is good, time
    is its time, and a good clock that is set back by a little is awaited at half the pace, so that no two intervals overlap and none is
    empty. While it is not, time goes on by the monotonic clock from the last good moment. Once it is good again and time is elsewhere,
    ``correction`` says so; ``correct`` then makes time follow at once, backwards too.
    """

    def __init__(self, start: BothClocks, earliest: int = 0, *, goes_on: bool = False) -> None:
        """Begin at ``start``, but not before ``earliest``, the end of what is recorded already; with ``goes_on``, that is recorded too."""
        self._last = start
        self._time = self._good = max(start.wall, earliest)
        self._begun = self._time if goes_on or earliest else self._time - 1
        self._founded = start.wall >= max(earliest, EARLIEST)
        self._confirmed = False
        self._set_at = start.monotonic
        self._reference: BothClocks | None = None
        self.step = 0
        """How far the wall clock was set between the last two looks, forward or back, in nanoseconds; 0 where it was not."""

    def refer(self, server: BothClocks) -> None:
        """Note the time by the server's clock, as ``wall``, and what the monotonic clock showed then, unless it is beyond belief."""
        if EARLIEST <= server.wall < _LATEST:
            self._reference = server

    def at(self, moment: BothClocks) -> Nanoseconds:
        """Give the time of a moment that is not before the last one; such times only grow until ``correct`` is called."""
        passed = moment.monotonic - self._last.monotonic
        moved = moment.wall - self._last.wall - passed
        self.step = moved if abs(moved) > LARGEST_SLEW else 0
        if self.step:
            self._set_at = moment.monotonic
        expected = self._time + passed
        server = self._server_time(moment)
        self._confirmed |= server is not None and abs(server - expected) <= LARGEST_DIFFERENCE
        self._time = expected
        if self._is_good(moment, expected) and abs(moment.wall - expected) <= LARGEST_DIFFERENCE:
            self._time = self._good = max(moment.wall, expected - passed + passed // 2)
        self._last = moment
        return Nanoseconds(self._time)

    def offset(self, moment: BothClocks) -> int | None:
        """Tell how far the wall clock is ahead of the server's, None where none has been heard of lately."""
        server = self._server_time(moment)
        return None if server is None else moment.wall - server

    def correction(self, moment: BothClocks) -> Correction | None:
        """Tell what is to be made of times that were told, None where they were right, or where it is not known that they were not."""
        expected = self._last_time_at(moment)
        server = self._server_time(moment)
        if self._is_good(moment, expected):
            time = moment.wall
        elif server is not None and not self._confirmed:
            time = server
        else:
            return None
        shift = time - expected
        if abs(shift) <= LARGEST_DIFFERENCE:
            return None
        never_right = not self._founded or (not self._confirmed and (shift < 0 or server is not None))
        since = self._begun if never_right else self._good
        return Correction(min(since, time) if shift < 0 and never_right else since, expected + _MARGIN, shift)

    def correct(self, correction: Correction) -> None:
        """Go on as if all times had been told right."""
        self._time += correction.shift
        self._good = self._begun = self._time
        self._founded, self._confirmed = True, False

    def _last_time_at(self, moment: BothClocks) -> int:
        return self._time + moment.monotonic - self._last.monotonic

    def _server_time(self, moment: BothClocks) -> int | None:
        """Give the time by the server's clock, None where it has not been heard of lately."""
        if self._reference is None or moment.monotonic - self._reference.monotonic > SETTLED:
            return None
        return self._reference.after(moment.monotonic)

    def _is_good(self, moment: BothClocks, expected: int) -> bool:
        if moment.wall < EARLIEST:
            return False
        server = self._server_time(moment)
        if server is not None:
            return abs(moment.wall - server) <= LARGEST_DIFFERENCE
        ahead = moment.wall - expected
        if abs(ahead) <= LARGEST_DIFFERENCE or (ahead > 0 and not self._founded):
            return True
        return moment.monotonic - self._set_at >= SETTLED
