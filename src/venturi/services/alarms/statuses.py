"""What becomes of the status of an agent: its row, and the rows of its alarms.

Owns what of a status is believed: an agent opens and clears its own alarms alone, and names points of its own host alone.
"""

from collections.abc import Mapping

import msgspec

from venturi.adapters.store.store import StoreReader, StoreWriter
from venturi.adapters.store.tables.agents import KeptAgent
from venturi.core.domain.agent_status import ReportedAlarm, ReportedStatus
from venturi.core.domain.alarm import Alarm, Sighting, spell_on_one_line
from venturi.core.domain.interval import SECOND
from venturi.core.domain.point import InterfacePlace, ObservationPoint, RouterPlace
from venturi.services.alarms.kinds import AGENT_KINDS, PROJECT_SENTENCES, ServerAlarm
from venturi.services.alarms.pending import ReceivedStatus


def keep_status(writer: StoreWriter, received: ReceivedStatus) -> list[Sighting] | None:
    """Keep a status and clear the alarms that are over; give the sightings of those that are not, None where there is no room for it."""
    status, agent_id, now = received.status, received.agent_id, received.received_at
    if not writer.agents.note(_row(received)):
        return None
    points: dict[str, ObservationPoint | None] = {}
    sightings: dict[str, Sighting] = {}
    for reported in status.alarms:
        alarm = _alarm(writer, agent_id, status, reported, points)
        sightings[alarm.id] = Sighting(alarm=alarm, first_at=now, last_at=now, count=reported.count, total=True)
    silent = Alarm(kind=ServerAlarm.SILENT, subject=agent_id, sentence="")
    over = writer.alarms.open_of(agent_id) - set(sightings)
    writer.alarms.clear({*over, silent.id}, now)
    return list(sightings.values())


def _row(received: ReceivedStatus) -> KeptAgent:
    status = msgspec.structs.replace(received.status, alarms=[])
    return KeptAgent(
        agent_id=received.agent_id,
        host=status.host,
        reported_at=received.received_at,
        report_interval=int(status.report_interval_seconds * SECOND),
        running=status.running,
        status=msgspec.json.encode(status).decode(),
        posted_at=None,
    )


def _alarm(
    reader: StoreReader, agent_id: str, status: ReportedStatus, reported: ReportedAlarm, points: dict[str, ObservationPoint | None]
) -> Alarm:
    known = reported.kind in AGENT_KINDS
    point = _point(reader, status.host, reported.point_id, points) if reported.kind in PROJECT_SENTENCES else None
    about: Mapping[str, str] = {}
    if point is not None:
        sentence = PROJECT_SENTENCES[reported.kind].format(spell_on_one_line(point.name))
        about = {"project_id": point.project_id, "point_id": point.id, "project_sentence": sentence}
    return Alarm(
        kind=reported.kind if known else ServerAlarm.OTHER.value,
        subject=reported.subject if known else f"{reported.kind} {reported.subject}",
        sentence=reported.sentence,
        agent_id=agent_id,
        host=status.host,
        reporter=agent_id,
        **about,
    )


def _point(reader: StoreReader, host: str, point_id: str, points: dict[str, ObservationPoint | None]) -> ObservationPoint | None:
    """Give a point that the agent of a host may meter: one of that host, or a router, which may be anywhere."""
    if point_id not in points:
        points[point_id] = reader.points.find(point_id) if point_id else None
    point = points[point_id]
    place = None if point is None else point.place
    here = isinstance(place, RouterPlace) or (isinstance(place, InterfacePlace) and place.host.lower() == host.lower())
    return point if here else None
