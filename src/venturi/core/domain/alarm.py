"""Alarms: what an operator should see to.

Owns what an alarm says. How alarms are kept, logged and counted is for services and interfaces.
"""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """Something that an operator should see to.

    ``kind`` and ``subject`` identify it: raised again with both the same, it is the same alarm, seen once more. ``sentence`` says what is
    wrong and what to do. ``project_id`` names the project whose readers may see it besides administrators, None if none may.
    """

    kind: str
    subject: str
    sentence: str
    project_id: str | None = None


RaiseAlarm = Callable[[Alarm], None]
"""Hears of an alarm, from any thread."""
