"""Wire forms of alarms and agents.

Owns their fields, and what of an alarm is shown to whom: agents and hosts to administrators alone.
"""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from venturi.adapters.store.tables.agents import KeptAgent
from venturi.core.domain.agent_status import LONGEST_STATUS, ReportedSpool, ReportedStatus
from venturi.core.domain.alarm import AlarmState, KeptAlarm, spell_on_one_line
from venturi.core.domain.errors import InvalidTimeError, RequestTooLargeError
from venturi.core.domain.interval import SECOND, format_time, parse_time
from venturi.interfaces.api.v1.forms.reading import read_body
from venturi.interfaces.api.v1.forms.texts import Identifier, TimeText

_HIDDEN = "an administrator can see what this alarm says"

AgentState = Annotated[
    str,
    Meta(
        description=(
            "reporting; silent after three missed statuses; stopped, as the agent said; or no_status of an agent that never reported, "
            "as those of older versions do not"
        )
    ),
]


class AlarmForm(Struct, kw_only=True):
    """An alarm; agents, hosts and who acknowledged it are null to callers who are no administrators."""

    id: Identifier
    kind: str
    state: AlarmState
    subject: str
    sentence: str
    agent_id: str | None
    host: str | None
    observation_point_id: str | None
    project_id: str | None
    count: int
    first_seen_at: TimeText
    last_seen_at: TimeText
    cleared_at: TimeText | None
    acknowledged_at: TimeText | None
    acknowledged_by: str | None


class AlarmList(Struct, kw_only=True):
    """A page of alarms; ``next`` is the marker of the page after it, null on the last."""

    alarms: list[AlarmForm]
    next: str | None


class AgentForm(Struct, kw_only=True):
    """An agent: when it reported and posted last, and its last status; what it did not tell is null."""

    agent_id: str
    host: str
    state: AgentState
    reported_at: TimeText | None
    last_posted_at: TimeText | None
    version: str | None = None
    driver: str | None = None
    phase: str | None = None
    problem: str | None = None
    report_interval_seconds: float | None = None
    written_at: TimeText | None = None
    plan_revision: int | None = None
    oldest_undelivered: TimeText | None = None
    clock_offset_seconds: float | None = None
    spool: ReportedSpool | None = None
    places: dict[str, int] | None = None
    refused_batches: int | None = None
    threads: dict[str, str] | None = None


class AgentList(Struct, kw_only=True):
    """A page of agents; ``next`` is the marker of the page after it, null on the last."""

    agents: list[AgentForm]
    next: str | None


class ReceivedForm(Struct, kw_only=True):
    """That a status came, and when by the server's clock."""

    agent_id: str
    received_at: TimeText


_TOLD = frozenset(AgentForm.__struct_fields__) & frozenset(ReportedStatus.__struct_fields__) - {"host"}


def read_status(body: bytes) -> ReportedStatus:
    """Read the status of an agent; raises ``RequestTooLargeError``, ``InvalidRequestError`` and ``InvalidTimeError``."""
    if len(body) > LONGEST_STATUS:
        message = f"a status has at most {LONGEST_STATUS} octets, and this one has {len(body)}"
        raise RequestTooLargeError(message)
    status = read_body(body, ReportedStatus)
    times = {name: _normal_time(name, getattr(status, name)) for name in ("written_at", "oldest_undelivered")}
    return msgspec.structs.replace(status, **times)


def alarm_form(alarm: KeptAlarm, *, to_administrator: bool) -> AlarmForm:
    """Spell an alarm for a caller."""
    return AlarmForm(
        id=alarm.id,
        kind=alarm.kind,
        state=alarm.state,
        subject=alarm.subject if to_administrator else alarm.point_id,
        sentence=alarm.sentence if to_administrator else alarm.project_sentence or _HIDDEN,
        agent_id=alarm.agent_id or None if to_administrator else None,
        host=alarm.host or None if to_administrator else None,
        observation_point_id=alarm.point_id or None,
        project_id=alarm.project_id,
        count=alarm.count,
        first_seen_at=format_time(alarm.first_seen_at),
        last_seen_at=format_time(alarm.last_seen_at),
        cleared_at=_spelled(alarm.cleared_at),
        acknowledged_at=_spelled(alarm.acknowledged_at),
        acknowledged_by=alarm.acknowledged_by if to_administrator else None,
    )


def agent_form(agent: KeptAgent, now: int) -> AgentForm:
    """Spell an agent as it is ``now``."""
    form = AgentForm(
        agent_id=agent.agent_id,
        host=agent.host,
        state=_state(agent, now),
        reported_at=_spelled(agent.reported_at),
        last_posted_at=_spelled(agent.posted_at),
    )
    return form if agent.status is None else msgspec.structs.replace(form, **_read_kept(agent.status))


def _state(agent: KeptAgent, now: int) -> str:
    if agent.reported_at is None:
        return "no_status"
    if not agent.running:
        return "stopped"
    return "silent" if agent.is_silent(now) else "reporting"


def _read_kept(status: str) -> dict[str, object]:
    kept = msgspec.json.decode(status, type=ReportedStatus)
    return {name: getattr(kept, name) for name in _TOLD}


def _normal_time(name: str, text: str | None) -> str | None:
    if text is None:
        return None
    try:
        return spell_on_one_line(format_time(parse_time(text)))
    except InvalidTimeError as error:
        message = f"{name}: {error}"
        raise InvalidTimeError(message) from error


def _spelled(time: int | None) -> str | None:
    return None if time is None else format_time(time // (SECOND // 1000) * (SECOND // 1000))
