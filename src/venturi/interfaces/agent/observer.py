"""The log of an agent, and its count of alarms.

Owns how often the same alarm is a line in the log; each is counted.
"""

import threading
import time
from collections import Counter
from collections.abc import Mapping

from structlog.typing import FilteringBoundLogger

from venturi.services.agent.observing import AgentAlarm

_QUIET_SECONDS = 60.0
"""How long an alarm that is raised again, with the same words, is counted but not logged."""

_MOST_REMEMBERED = 10_000


class LoggingObserver:
    """Logs and counts what an agent tells (``services.agent.observing.AgentObserver``)."""

    def __init__(self, log: FilteringBoundLogger) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._counts = Counter[str]()
        self._logged: dict[tuple[AgentAlarm, str, str], float] = {}

    def raise_alarm(self, alarm: AgentAlarm, message: str, *, device: str = "") -> None:
        """Count an alarm, and log it unless the same was logged lately."""
        with self._lock:
            self._counts[alarm.value] += 1
            silent = self._was_logged_lately((alarm, message, device))
        if not silent:
            about = {"device": device} if device else {}
            self._log.error("alarm", kind=alarm.value, problem=message, **about)

    def note(self, event: str, **details: object) -> None:
        """Log something that happened as it should."""
        self._log.info(event, **details)

    def alarms(self) -> Mapping[str, int]:
        """Give the number of alarms of each kind, those of which there were none too."""
        with self._lock:
            return {alarm.value: self._counts[alarm.value] for alarm in AgentAlarm}

    def _was_logged_lately(self, said: tuple[AgentAlarm, str, str]) -> bool:
        now = time.monotonic()
        if now - self._logged.get(said, -_QUIET_SECONDS) < _QUIET_SECONDS:
            return True
        if len(self._logged) >= _MOST_REMEMBERED:
            self._logged.clear()
        self._logged[said] = now
        return False
