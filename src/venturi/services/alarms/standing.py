"""What a server looks for by itself: agents that fell silent, and observation points that nobody meters.

Owns what is found and said. When it looks, and what becomes of what it found, is for the keeping.
"""

from venturi.adapters.store.store import StoreWriter
from venturi.adapters.store.tables.agents import MISSED
from venturi.adapters.store.tables.alarms import MOST_OF_KIND
from venturi.adapters.store.usage.lifetimes import UnmeteredPoint, read_unmetered
from venturi.core.domain.alarm import Alarm, Sighting, spell_on_one_line
from venturi.core.domain.interval import SECOND, format_time
from venturi.core.domain.point import METERED_KINDS
from venturi.core.ledger.covering import SETTLING
from venturi.services.alarms.kinds import ServerAlarm

_GRACE = 60 * SECOND
"""For how long a server that has just begun waits for what agents kept while it was away."""


def find_standing(writer: StoreWriter, now: int, began: int) -> list[Sighting]:
    """Find what is the case at ``now``, for a server that ``began`` at a time; of points that are metered, the alarms are cleared.

    Times are in nanoseconds since the UTC epoch.
    """
    silent = [_silent(agent.agent_id, agent.host, agent.reported_at or 0) for agent in writer.agents.silent(now, began)]
    found = [*silent, *(_find_unmetered(writer, now) if now - began >= _GRACE else ())]
    return [Sighting(alarm=alarm, first_at=now, last_at=now, lasting=True) for alarm in found]


def _find_unmetered(writer: StoreWriter, now: int) -> list[Alarm]:
    found = [_unmetered(point) for point in read_unmetered(writer.connection, now - SETTLING, MOST_OF_KIND)]
    over = writer.alarms.open_of_kind(ServerAlarm.NOT_METERED) - {alarm.id for alarm in found}
    writer.alarms.clear(over, now)
    return found


def _silent(agent_id: str, host: str, reported_at: int) -> Alarm:
    since = _second(reported_at)
    sentence = f"agent '{agent_id}' of host '{host}' has missed {MISSED} statuses: the last one came at {since}; see whether it runs"
    return Alarm(kind=ServerAlarm.SILENT, subject=agent_id, sentence=sentence, agent_id=agent_id, host=host)


def _unmetered(point: UnmeteredPoint) -> Alarm:
    name, host = spell_on_one_line(point.name), point.host or ""
    told = f"nothing is known of observation point '{name}' since it was created at {_second(point.created_at)}"
    if point.kind not in METERED_KINDS:
        remedy = f"nothing meters points of kind {point.kind} yet; delete it"
    elif host:
        remedy = f"see whether the agent of host '{host}' runs and what it says of the point"
    else:
        remedy = "see whether an agent runs on a host that has the router"
    return Alarm(
        kind=ServerAlarm.NOT_METERED,
        subject=point.point_id,
        sentence=f"{told}: {remedy}",
        project_id=point.project_id,
        project_sentence=f"observation point '{name}' is not metered: what passes it is not known",
        point_id=point.point_id,
        host=host,
    )


def _second(time: int) -> str:
    return format_time(time // SECOND * SECOND)
