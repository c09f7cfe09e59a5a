"""The agent's clock: moments on its timeline, and the comparison of its clock with the server's.

Owns how moments of the spool are made of what the host's clocks show. The clocks themselves are handed in.
"""

import threading
from collections.abc import Callable

from venturi.adapters.spool.values import Moment
from venturi.core.domain.interval import SECOND
from venturi.core.meter.readings.timeline import LARGEST_DIFFERENCE, BothClocks, Correction, Timeline
from venturi.services.agent.observing import AgentAlarm, AgentObserver


class AgentClock:
    """Gives moments that only grow but for corrections, and notices when the wall clock is set. Used by any thread.

    Corrections are for the one that meters: until it has dated anew what it recorded, moments go on as they did.
    """

    def __init__(self, look: Callable[[], BothClocks], boot_id: str, observer: AgentObserver, last: Moment | None = None) -> None:
        """Look at the clocks by ``look``; ``last`` is the latest moment that is recorded, in this boot or in one before."""
        self._look = look
        self._boot_id = boot_id
        self._observer = observer
        self._lock = threading.Lock()
        self._differs = False
        shown = look()
        if last is None:
            self._timeline = Timeline(shown)
        elif last.boot_id == boot_id:
            self._timeline = Timeline(BothClocks(last.wall, last.monotonic), goes_on=True)
        else:
            self._timeline = Timeline(shown, earliest=last.wall)

    def now(self) -> Moment:
        """Give this moment: its wall time is that of the timeline."""
        return self._see()[0]

    def note_server_time(self, time: int) -> None:
        """Compare with the time by the server's clock, in nanoseconds since the UTC epoch, as an answer that came just now tells it."""
        with self._lock:
            self._timeline.refer(BothClocks(time, self._look().monotonic))

    def correction(self) -> Correction | None:
        """Tell what is to be made of the moments that were given, None where they were right or nothing better is known."""
        return self._see()[1]

    def correct(self, correction: Correction) -> None:
        """Give moments as corrected from now on: what was recorded is dated anew."""
        with self._lock:
            self._timeline.correct(correction)

    def may_seal(self) -> bool:
        """Tell whether what is recorded may be sealed: not while it is about to be dated anew."""
        return self.correction() is None

    def _see(self) -> tuple[Moment, Correction | None]:
        """Look at the clocks, and say so where they were set or begin to differ from the server's."""
        with self._lock:
            shown = self._look()
            time = self._timeline.at(shown)
            step, offset, correction = self._timeline.step, self._timeline.offset(shown), self._timeline.correction(shown)
            differed, self._differs = self._differs, offset is not None and abs(offset) > LARGEST_DIFFERENCE
            begins_to_differ = self._differs and not differed
        if step:
            self._observer.raise_alarm(AgentAlarm.CLOCK_STEP, f"the wall clock was set by {step / SECOND:+.3f} s")
        if begins_to_differ and offset is not None:
            message = f"the wall clock is {offset / SECOND:+.0f} s from the server's, so readings are dated by the monotonic clock"
            self._observer.raise_alarm(AgentAlarm.CLOCK_STEP, message)
        return Moment(wall=time, monotonic=shown.monotonic, boot_id=self._boot_id), correction
