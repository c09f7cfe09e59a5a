"""The replay: packets pass and are metered, as fast as it goes up to the present, and from then on as time goes by.

Owns the pace. What passes is for ``passing``, what is made of it for the agent's metering.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from heapq import merge
from itertools import count
from typing import NamedTuple

from venturi.adapters.drivers.memory_host import MemoryHost, PassingPackets
from venturi.adapters.ending import Ending
from venturi.core.domain.interval import SECOND
from venturi.services.agent.metering.metering import Metering
from venturi.services.replaying.host import ReplayClock
from venturi.services.replaying.passing import Passing


class _Event(NamedTuple):
    """Something that happens at a time: packets pass, or None for a reading."""

    time: int
    packets: PassingPackets | None


@dataclass(frozen=True)
class Pace:
    """The present: ``now`` gives its time in nanoseconds since the UTC epoch; ``caught_up`` is called once it is reached."""

    now: Callable[[], int]
    caught_up: Callable[[], None]


class Replay:
    """Replays onto ``host``, which ``metering`` meters by ``clock``, with a reading each ``measure_interval`` nanoseconds.

    ``wake`` is called after each reading, since something may have been recorded.
    """

    def __init__(
        self, host: MemoryHost, metering: Metering, clock: ReplayClock, wake: Callable[[], None], *, measure_interval: int
    ) -> None:
        self._host = host
        self._metering = metering
        self._clock = clock
        self._wake = wake
        self._measure_interval = measure_interval

    def run(self, passing: Iterable[Passing], pace: Pace, ending: Ending) -> None:
        """Let packets pass until the end is called for, and record what was counted last."""
        self._read(to_the_end=False)
        caught_up = False
        for event in merge(self._readings(), map(_packets_event, passing), key=_time):
            ahead = event.time - pace.now()
            if ahead > 0 and not caught_up:
                caught_up = True
                self._read(to_the_end=True)
                pace.caught_up()
            if ending.wait(max(0, ahead) / SECOND):
                break
            self._clock.time = max(self._clock.time, event.time)
            if event.packets is None:
                self._read(to_the_end=False)
            else:
                self._host.count(event.packets)
        self._read(to_the_end=True)

    def _readings(self) -> Iterator[_Event]:
        first = self._clock.time // self._measure_interval + 1
        return (_Event(number * self._measure_interval, None) for number in count(first))

    def _read(self, *, to_the_end: bool) -> None:
        self._metering.watch()
        self._metering.read(to_the_end=to_the_end)
        self._wake()


def _packets_event(passing: Passing) -> _Event:
    return _Event(passing.time, passing.packets)


def _time(event: _Event) -> int:
    return event.time
