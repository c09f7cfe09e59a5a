"""The kinds of alarm that are the server's own, and when alarms are over.

Owns the ages. The kinds of other services are theirs.
"""

from collections.abc import Mapping
from enum import StrEnum

from venturi.core.domain.interval import SECOND
from venturi.services.agent.observing import AgentAlarm

_MINUTE = 60 * SECOND
_DAY = 24 * 60 * _MINUTE


class ServerAlarm(StrEnum):
    """What an operator should see to on a server itself."""

    SILENT = "agent_silent"
    """An agent missed three statuses."""
    NOT_METERED = "point_not_metered"
    """Of an observation point there is no record, 5 minutes after it was created."""
    THREAD_FAILED = "thread_failed"
    """A thread of a server failed; it is started again, or the server ends."""
    OVERFLOW = "alarms_overflow"
    """There was no room for an alarm or an agent."""
    OTHER = "agent_other"
    """An agent raised an alarm of a kind that the server does not know."""


USUAL_AGE = _DAY
"""How long an alarm stays open without being seen again, in nanoseconds, unless ``AGES`` says otherwise."""

AGES: Mapping[str, int | None] = {
    "plan_leased": 10 * _MINUTE,
    "held_limit": 60 * _MINUTE,
    "volatile_database": None,
    "rolling_behind": 10 * _MINUTE,
    "no_partitions": 10 * _MINUTE,
    ServerAlarm.SILENT.value: 10 * _MINUTE,
    ServerAlarm.NOT_METERED.value: 10 * _MINUTE,
    ServerAlarm.THREAD_FAILED.value: 60 * _MINUTE,
}
"""The ages of kinds that are raised again soon while they last, and None for those whose end is always told."""

FORGOTTEN_AFTER = 30 * _DAY
"""How long an alarm is kept after it was cleared, in nanoseconds."""

AGENT_KINDS = frozenset({*(alarm.value for alarm in AgentAlarm), ServerAlarm.OVERFLOW.value})
"""The kinds that an agent may report."""

PROJECT_SENTENCES: Mapping[str, str] = {
    AgentAlarm.COVERAGE_LOST: "what passes observation point '{}' is not known from some time on",
    AgentAlarm.READING_FAILED: "the counts of observation point '{}' cannot be read just now; they are read again later",
    AgentAlarm.APPLY_REFUSED: "observation point '{}' is metered by the rules of before, or not at all",
    AgentAlarm.DEVICE_HELD: "another program holds observation point '{}', so it is not metered",
}
"""What the readers of the project of a point are told of an agent's alarm; the name of the point goes in."""
