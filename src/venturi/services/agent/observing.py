"""What an agent tells of itself while it runs.

Owns the kinds of alarm. Where they are logged and counted is for the interfaces.
"""

from enum import StrEnum
from typing import Protocol


class AgentAlarm(StrEnum):
    """What an operator should see to."""

    APPLY_REFUSED = "apply_refused"
    """The kernel refuses to count at a device, which is metered by its rules of before, or not at all."""
    READING_FAILED = "reading_failed"
    """The totals of a generation cannot be read; they are read again later."""
    RETIRE_REFUSED = "retire_refused"
    """The tables of rules that count no more cannot be removed from the kernel; it is tried again."""
    DEVICE_HELD = "device_held"
    """Another process meters a device."""
    COVERAGE_LOST = "coverage_lost"
    """What passed a device is not known from some time on."""
    SPOOL_REFUSED = "spool_refused"
    """The spool cannot be written; the kernel goes on counting."""
    SPOOL_PRESSURE = "spool_pressure"
    """The spool has so little room that intervals which wait are summed into longer ones, or that nothing can be recorded."""
    SPOOL_ROLLED_BACK = "spool_rolled_back"
    """The ledger has more than the spool, which is an old copy."""
    CLOCK_STEP = "clock_step"
    """The wall clock was set, or differs from the server's, or what was dated by a wrong one is dated anew."""
    PLAN_REFUSED = "plan_refused"
    """The server gives no plan, or one that cannot be read; the last known one is followed."""
    POINT_UNKNOWN = "point_unknown"
    """A point of the plan has a kind, a hook or a word for traffic that this version does not know; the others are metered."""
    THREAD_FAILED = "thread_failed"
    """A thread of the agent failed; it is started again, or the agent ends."""


class AgentObserver(Protocol):
    """Hears of what happens in an agent, from any of its threads."""

    def raise_alarm(self, alarm: AgentAlarm, message: str, *, device: str = "", point: str = "") -> None:
        """Hear of something that an operator should see to; what it is about is named once more in ``device`` and ``point``, an id."""
        ...

    def clear_alarm(self, alarm: AgentAlarm, *, device: str = "") -> None:
        """Hear that what was told of is over."""
        ...

    def note(self, event: str, **details: object) -> None:
        """Hear of something that happened as it should."""
        ...
