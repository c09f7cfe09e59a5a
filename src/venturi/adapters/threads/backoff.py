"""Back-off: how long to wait after a failure before the next try.

Owns the only rule for it: twice as long after each failure in a row, up to a bound, and at random within that, so that many who lost the
same server together do not come back together. Who tries what is for others.
"""

from random import SystemRandom

_HIGHEST_DOUBLING = 16


class Backoff:
    """The pauses after failures in a row: at most ``first`` seconds after the first, never more than ``longest``. For one thread."""

    def __init__(self, first: float, longest: float) -> None:
        self._first = first
        self._longest = longest
        self._chance = SystemRandom()
        self.failures = 0

    def fail(self) -> float:
        """Count a failure, and choose how many seconds to wait before the next try."""
        bound = min(self._first * 2.0 ** min(self.failures, _HIGHEST_DOUBLING), self._longest)
        self.failures += 1
        return self._chance.uniform(0, bound)

    def succeed(self) -> None:
        """Begin anew: the last try did not fail."""
        self.failures = 0
