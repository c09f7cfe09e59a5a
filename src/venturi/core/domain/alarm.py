"""Alarms: what an operator should see to.

Owns what an alarm says. How alarms are kept, logged and counted is for services and interfaces.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from venturi.core.domain.text import escape_unfit

LONGEST_SENTENCE = 1024
"""Characters of the longest sentence that is kept."""

LONGEST_KIND = 64
"""Characters of the longest kind that is kept."""

LONGEST_SUBJECT = 255
"""Characters of the longest subject that is kept."""

_NAMESPACE = uuid.UUID("6f0d7c52-6b0e-4a52-9c55-4f7c3a1d8e21")


class AlarmState(StrEnum):
    """Whether what an alarm tells of lasts, as far as is known."""

    OPEN = "open"
    CLEARED = "cleared"


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """Something that an operator should see to.

    ``kind`` and ``subject`` identify it, with ``reporter``, the agent that raised it, empty for the server: raised again with all the same,
    it is the same alarm, seen once more. ``sentence`` says what is wrong and what to do. ``agent_id`` and ``host`` are those that it is
    about, empty if none. ``project_id`` names the project whose readers may see it besides administrators, None if none may. Readers are
    shown ``point_id`` and ``project_sentence`` in place of all these, so ``project_sentence`` may name neither agents nor hosts.
    """

    kind: str
    subject: str
    sentence: str
    project_id: str | None = None
    project_sentence: str = ""
    point_id: str = ""
    agent_id: str = ""
    host: str = ""
    reporter: str = ""

    @property
    def id(self) -> str:
        """The id of the alarm, a UUID (RFC 9562 §5.5): the same on every server and whenever it is raised."""
        return str(uuid.uuid5(_NAMESPACE, f"{self.kind!a} {self.reporter!a} {self.subject!a}"))


@dataclass(frozen=True, kw_only=True)
class KeptAlarm:
    """An alarm as it is kept, with times in nanoseconds since the UTC epoch; ``count`` is how often it was raised since it opened."""

    id: str
    kind: str
    subject: str
    sentence: str
    agent_id: str
    host: str
    reporter: str
    point_id: str
    project_id: str | None
    project_sentence: str
    state: AlarmState
    count: int
    first_seen_at: int
    last_seen_at: int
    cleared_at: int | None
    acknowledged_at: int | None
    acknowledged_by: str | None


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """That an alarm was raised ``count`` times between two times, and then perhaps ``cleared``.

    ``total`` says that ``count`` is that since the alarm opened, as an agent tells it, and ``lasting`` that an alarm which is open already
    was not raised once more, but is still what is the case. With a ``count`` of 0, it was only cleared.
    """

    alarm: Alarm
    first_at: int
    last_at: int
    count: int = 1
    total: bool = False
    lasting: bool = False
    cleared: bool = False


RaiseAlarm = Callable[[Alarm], None]
"""Hears of an alarm, from any thread."""


def spell_on_one_line(text: object, longest: int = LONGEST_SENTENCE) -> str:
    """Spell a text so that every database and terminal can take it: on one line, control characters escaped, cut where it is long."""
    spelled = escape_unfit(str(text)[: longest + 1])
    return spelled if len(spelled) <= longest else f"{spelled[: longest - 1]}…"
