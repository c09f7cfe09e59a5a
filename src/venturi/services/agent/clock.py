"""The agent's clock: moments on its timeline.

Owns how moments of the spool are made of what the host's clocks show. The clocks themselves are handed in.
"""

from collections.abc import Callable

from venturi.adapters.spool.values import Moment
from venturi.core.domain.interval import SECOND
from venturi.core.meter.readings.timeline import BothClocks, Timeline
from venturi.services.agent.observing import AgentAlarm, AgentObserver


class AgentClock:
    """Gives moments that only grow, and notices when the wall clock is set."""

    def __init__(self, look: Callable[[], BothClocks], boot_id: str, observer: AgentObserver, last: Moment | None = None) -> None:
        """Look at the clocks by ``look``; ``last`` is the latest moment that is recorded, in this boot or in one before."""
        self._look = look
        self._boot_id = boot_id
        self._observer = observer
        shown = look()
        if last is None:
            self._timeline = Timeline(shown)
        elif last.boot_id == boot_id:
            self._timeline = Timeline(BothClocks(last.wall, last.monotonic))
        else:
            self._timeline = Timeline(shown, earliest=last.wall)

    def now(self) -> Moment:
        """Give this moment: its wall time is that of the timeline."""
        shown = self._look()
        time = self._timeline.at(shown)
        if self._timeline.step:
            message = f"the wall clock was set by {self._timeline.step / SECOND:+.3f} s"
            self._observer.raise_alarm(AgentAlarm.CLOCK_STEP, message)
        return Moment(wall=time, monotonic=shown.monotonic, boot_id=self._boot_id)
