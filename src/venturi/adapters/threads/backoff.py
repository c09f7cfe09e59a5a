"""Back-off: how long to wait after a failure before the next try.

Owns the only rule for it: twice as long after each failure in a row, up to a bound, and at random within that, so that many who lost the
same server together do not come back together; and that one who reaches the server again hastens the others. Who tries what is for
others.
"""

import threading
import time
from collections.abc import Callable
from random import SystemRandom

_HIGHEST_DOUBLING = 16

HASTE_SECONDS = 1.0
"""Within how many seconds, at random, those try again who are hastened."""


class Backoff:
    """The pauses after failures in a row: at most ``first`` seconds after the first, never more than ``longest``. For one thread.

    With ``outage_share``, a pause is no longer than that share of the time since the first of the failures either, or ``first``: what was
    away for a short time is tried again soon after it is back.
    """

    def __init__(
        self, first: float, longest: float, *, outage_share: float | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._first = first
        self._longest = longest
        self._outage_share = outage_share
        self._clock = clock
        self._chance = SystemRandom()
        self._failing_since = 0.0
        self.failures = 0

    def fail(self) -> float:
        """Count a failure, and choose how many seconds to wait before the next try."""
        if self.failures == 0:
            self._failing_since = self._clock()
        bound = min(self._first * 2.0 ** min(self.failures, _HIGHEST_DOUBLING), self._longest)
        if self._outage_share is not None:
            bound = min(bound, max(self._first, self.failing_seconds() * self._outage_share))
        self.failures += 1
        return self._chance.uniform(0, bound)

    def failing_seconds(self) -> float:
        """Give how long ago the first of the failures in a row was, 0 without any."""
        return self._clock() - self._failing_since if self.failures else 0.0

    def succeed(self) -> None:
        """Begin anew: the last try did not fail."""
        self.failures = 0


class Recovery:
    """The news that a server is reached again, from whoever found that out to all who wait for it. For any thread."""

    def __init__(self) -> None:
        self._waiting: list[threading.Event] = []

    def listen(self) -> threading.Event:
        """Give an event that ``tell`` sets."""
        news = threading.Event()
        self._waiting.append(news)
        return news

    def tell(self) -> None:
        """Hasten all who wait."""
        for news in tuple(self._waiting):
            news.set()


class Pause:
    """The pauses of one thread after failures, which a stop ends at once and a recovery soon."""

    def __init__(self, recovery: Recovery, stopping: threading.Event) -> None:
        self._news = recovery.listen()
        self._stopping = stopping
        self._chance = SystemRandom()

    def begin(self) -> None:
        """Begin a try: what was told before is no news after it."""
        self._news.clear()

    def wait(self, seconds: float) -> bool:
        """Wait after a failed try; tell whether it was stopped."""
        if not self._stopping.is_set() and self._news.wait(seconds):
            self._stopping.wait(self._chance.uniform(0, min(seconds, HASTE_SECONDS)))
        return self._stopping.is_set()

    def end(self) -> None:
        """End a wait, once ``stopping`` is set."""
        self._news.set()
