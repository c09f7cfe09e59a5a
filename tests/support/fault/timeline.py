"""What was sent by when: the amount of traffic at every moment of a test, against which ledgers are held.

Owns the samples and what follows from them. Times are nanoseconds since the UTC epoch, by the clock of this host.
"""

import threading
import time
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence

from venturi.adapters.laboratory.network import UPLINK
from venturi.adapters.laboratory.traffic import Stream, Traffic
from venturi.core.domain.counts import Counts
from venturi.core.domain.direction import Direction

Account = tuple[str, Direction]
"""A label, or the uplink itself, and a direction."""

_PERIOD = 0.02
_NOTHING = Counts()


def label_name(project: str, family: int) -> str:
    """Name the label that counts what a project of the laboratory sends out and is sent in one family of addresses."""
    return f"{project} IPv{family}"


def accounts_of(stream: Stream, outside: str) -> tuple[Account, Account]:
    """Tell where a stream is counted: by its label, and in the total of the uplink."""
    sends_out = stream.receiver.name == outside
    project = stream.sender.name if sends_out else stream.receiver.name
    direction = Direction.EGRESS if sends_out else Direction.INGRESS
    return (label_name(project, stream.family), direction), (UPLINK, direction)


class Timeline:
    """Samples what ``traffic`` has sent while it runs."""

    def __init__(self, traffic: Traffic, outside: str) -> None:
        self._traffic = traffic
        self._outside = outside
        self._times: list[int] = []
        self._sent: list[dict[Account, Counts]] = []
        self._stopping = threading.Event()
        self._sampling = threading.Thread(target=self._sample, daemon=True)

    def start(self) -> None:
        """Begin to sample, before anything is sent."""
        self._take()
        self._sampling.start()

    def stop(self) -> None:
        """Sample once more, and no further."""
        self._stopping.set()
        if self._sampling.is_alive():
            self._sampling.join()

    @property
    def begun(self) -> int:
        """When the first sample was taken."""
        return self._times[0]

    def total(self) -> Mapping[Account, Counts]:
        """Give what was sent in all."""
        return self._sent[-1]

    def sent_within(self, spans: Sequence[tuple[int, int]]) -> Mapping[Account, Counts]:
        """Give the most that may have been sent within spans of time, each widened to the samples around it; they may overlap."""
        within: defaultdict[Account, Counts] = defaultdict(Counts)
        for first, last in _join([self._samples_around(*span) for span in spans]):
            for account, counts in self._sent[last].items():
                before = self._sent[first].get(account, _NOTHING)
                within[account] += Counts(counts.packets - before.packets, counts.octets - before.octets)
        return within

    def _samples_around(self, start: int, end: int) -> tuple[int, int]:
        first = max(bisect_right(self._times, start) - 2, 0)
        last = min(bisect_left(self._times, end) + 1, len(self._times) - 1)
        return first, max(first, last)

    def _sample(self) -> None:
        while not self._stopping.wait(_PERIOD):
            self._take()
        self._take()

    def _take(self) -> None:
        moment = time.time_ns()
        sums: defaultdict[Account, Counts] = defaultdict(Counts)
        for stream, sent in self._traffic.sent():
            for account in accounts_of(stream, self._outside):
                sums[account] += sent
        self._times.append(moment)
        self._sent.append(dict(sums))


def _join(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join spans that touch, so that nothing within them is counted twice."""
    joined: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if joined and first <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(last, joined[-1][1])
        else:
            joined.append((first, last))
    return joined
