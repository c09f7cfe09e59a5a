"""The schedule of an agent: when it reads, on its timeline.

Owns the borders. Waits for none: how long to wait is for whoever runs it.
"""

from dataclasses import dataclass

from venturi.core.domain.errors import ConfigurationError
from venturi.core.domain.interval import SECOND

_LONGEST_REPORT_INTERVAL = 300 * SECOND


@dataclass(frozen=True)
class Schedule:
    """Readings at every multiple of both intervals (nanoseconds) since the epoch."""

    measure_interval: int
    report_interval: int

    def __post_init__(self) -> None:
        """Refuse, with ``ConfigurationError``, a report interval that does not divide five minutes, for which roll-ups are kept."""
        if self.report_interval <= 0 or _LONGEST_REPORT_INTERVAL % self.report_interval:
            message = "agent.report_interval: it must divide five minutes"
            raise ConfigurationError(message)
        if not SECOND <= self.measure_interval <= self.report_interval:
            message = "agent.measure_interval: it must be a second at least, and the report interval at most"
            raise ConfigurationError(message)

    def next_reading(self, time: int) -> int:
        """Give the first time after ``time`` at which to read, both in nanoseconds since the epoch."""
        return min((time // interval + 1) * interval for interval in (self.measure_interval, self.report_interval))
