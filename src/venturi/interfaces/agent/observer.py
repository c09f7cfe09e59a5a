"""The log of an agent, its count of alarms, and which of them are open.

Owns how often the same alarm is a line in the log, and when one that is not raised again is over; each is counted.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from structlog.typing import FilteringBoundLogger

from venturi.adapters.threads.supervisor import ThreadFailure
from venturi.core.domain.agent_status import MOST_ALARMS, ReportedAlarm
from venturi.core.domain.alarm import LONGEST_SUBJECT, spell_on_one_line
from venturi.services.agent.observing import AgentAlarm

OPEN_SECONDS = 600.0
"""How long an alarm is open that is not raised again: what lasts is raised at each try, which are not that far apart."""

OVERFLOW = "alarms_overflow"
"""The kind under which the alarms are counted that there was no room for."""

_QUIET_SECONDS = 60.0
"""How long an alarm that is raised again, with the same words, is counted but not logged."""

_MOST_REMEMBERED = 10_000


@dataclass
class _Open:
    """An open alarm: how often it was raised, what was said last and when, by the monotonic clock."""

    sentence: str
    point: str
    raised: float
    count: int = 0


class LoggingObserver:
    """Logs and counts what an agent tells (``services.agent.observing.AgentObserver``), and remembers what is open."""

    def __init__(self, log: FilteringBoundLogger, clock: Callable[[], float] = time.monotonic) -> None:
        """Tell the age of alarms by ``clock``, in seconds."""
        self._log = log
        self._clock = clock
        self._lock = threading.Lock()
        self._counts = Counter[str]()
        self._logged: dict[tuple[AgentAlarm, str, str], float] = {}
        self._open: dict[tuple[str, str], _Open] = {}
        self._overflow = 0

    def raise_alarm(self, alarm: AgentAlarm, message: str, *, device: str = "", point: str = "") -> None:
        """Count an alarm, and log it unless the same was logged lately."""
        with self._lock:
            self._counts[alarm.value] += 1
            silent = self._was_logged_lately((alarm, message, device))
            self._remember(alarm, message, device, point)
        if not silent:
            about = {"device": device} if device else {}
            self._log.error("alarm", kind=alarm.value, problem=message, **about)

    def clear_alarm(self, alarm: AgentAlarm, *, device: str = "") -> None:
        """Forget an open alarm: what it told of is over."""
        with self._lock:
            self._open.pop((alarm.value, device), None)

    def note(self, event: str, **details: object) -> None:
        """Log something that happened as it should."""
        self._log.info(event, **details)

    def thread_failed(self, failure: ThreadFailure) -> None:
        """Raise the alarm for a thread that failed."""
        self.raise_alarm(AgentAlarm.THREAD_FAILED, failure.sentence, device=failure.thread)

    def alarms(self) -> Mapping[str, int]:
        """Give the number of alarms of each kind, those of which there were none too."""
        with self._lock:
            return {alarm.value: self._counts[alarm.value] for alarm in AgentAlarm}

    def open_alarms(self, gaps: Collection[str] = ()) -> list[ReportedAlarm]:
        """List what is open, and forget what was not raised for long; a lost coverage lasts while the device is among ``gaps``."""
        with self._lock:
            for name, alarm in list(self._open.items()):
                lasts = name[0] == AgentAlarm.COVERAGE_LOST and name[1] in gaps
                if self._clock() - alarm.raised >= OPEN_SECONDS and not lasts:
                    del self._open[name]
            found = [
                ReportedAlarm(
                    kind=kind,
                    subject=spell_on_one_line(device, LONGEST_SUBJECT),
                    sentence=alarm.sentence,
                    count=alarm.count,
                    point_id=alarm.point,
                )
                for (kind, device), alarm in self._open.items()
            ]
            if self._overflow:
                sentence = f"{self._overflow} alarms were raised while {MOST_ALARMS - 1} others were open; the log of the agent has them"
                found.append(ReportedAlarm(kind=OVERFLOW, subject="", sentence=sentence, count=self._overflow))
            return found

    def _remember(self, alarm: AgentAlarm, message: str, device: str, point: str) -> None:
        found = self._open.get((alarm.value, device))
        if found is None:
            if len(self._open) >= MOST_ALARMS - 1:
                self._overflow += 1
                return
            found = self._open[alarm.value, device] = _Open(message, point, 0.0)
        found.count += 1
        found.sentence, found.raised = spell_on_one_line(message), self._clock()

    def _was_logged_lately(self, said: tuple[AgentAlarm, str, str]) -> bool:
        now = time.monotonic()
        if now - self._logged.get(said, -_QUIET_SECONDS) < _QUIET_SECONDS:
            return True
        if len(self._logged) >= _MOST_REMEMBERED:
            self._logged.clear()
        self._logged[said] = now
        return False
