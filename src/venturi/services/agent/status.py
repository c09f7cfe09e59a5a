"""The status of an agent: what it last knew of itself, as it writes it and as others read it.

Owns the form and the file. Showing it is for the interfaces.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec
from msgspec import Struct, field

from venturi.adapters.spool.values import SpoolSize
from venturi.adapters.whole_files import read_whole
from venturi.core.domain.agent_status import ReportedAlarm
from venturi.core.domain.errors import UnreadableFileError
from venturi.services.agent.metering.state import Place


class PlaceStatus(Struct, kw_only=True, frozen=True):
    """A device of a point: ``gap`` is why it is not metered, empty where it is; ``known_until`` is when it was last looked at.

    ``bad_ip_headers`` are packets that did not count, as their IP header contradicts itself or claims more than their frame held.
    """

    point_id: str
    point: str
    place: str
    gap: str
    bypassed: bool
    generation: str
    classifier: str
    known_until: int
    bad_ip_headers: int = 0


class SpoolStatus(Struct, kw_only=True, frozen=True):
    """Octets in use of the limit, intervals in no batch yet, batches that are not acknowledged, and what a lack of room has come to."""

    id: str
    octets: int
    limit: int
    waiting_intervals: int
    unacknowledged_batches: int
    pressure: str


class AgentStatus(Struct, kw_only=True, frozen=True):
    """All of it; times are in nanoseconds since the epoch.

    ``running`` is False in the last status of an agent that was told to stop; ``refused_batches`` are the sequences of those that the
    ledger refuses. ``unretired_generations`` count no more and cannot be removed from the kernel.
    ``unknown_points`` are the names of points that this version cannot meter, each with the word that it does not know.
    ``threads`` gives the state of each thread and ``thread_failures`` how often it failed; ``clock_offset`` is by how many
    nanoseconds this host's clock was ahead of the server's when the server was last told of a status.
    """

    agent_id: str
    host: str
    version: str
    process: int
    told_by: str
    running: bool
    driver: str
    written_at: int
    plan_revision: int | None
    places: list[PlaceStatus]
    spool: SpoolStatus | None
    delivery: str
    problem: str
    alarms: dict[str, int] = field(default_factory=dict)
    refused_batches: list[int] = field(default_factory=list)
    unretired_generations: int = 0
    unknown_points: list[str] = field(default_factory=list)
    open_alarms: list[ReportedAlarm] = field(default_factory=list)
    threads: dict[str, str] = field(default_factory=dict)
    thread_failures: dict[str, int] = field(default_factory=dict)
    clock_offset: int | None = None


encode_status = msgspec.json.Encoder().encode
"""Give a status as JSON."""


def status_file(spool: Path) -> Path:
    """Name the file that holds the status of the agent of a spool."""
    return spool.with_name(f"{spool.name}.status")


def read_status(spool: Path) -> AgentStatus:
    """Read what the agent of a spool wrote last; raises ``UnreadableFileError`` where it never did, or cannot be understood."""
    path = status_file(spool)
    content = read_whole(path)
    if content is None:
        message = f"no agent has written {path}; --spool names the spool of the agent that is meant"
        raise UnreadableFileError(message)
    try:
        return msgspec.json.decode(content, type=AgentStatus)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        message = f"{path} is no status of an agent of this version: {error}"
        raise UnreadableFileError(message) from error


def place_statuses(places: Iterable[Place]) -> list[PlaceStatus]:
    """Tell of places, in order."""
    return sorted(map(_place_status, places), key=lambda each: (each.point, each.place))


def spool_status(spool_id: str, size: SpoolSize) -> SpoolStatus:
    """Tell of the spool."""
    return SpoolStatus(
        id=spool_id,
        octets=size.octets,
        limit=size.limit,
        waiting_intervals=size.waiting,
        unacknowledged_batches=size.unacknowledged,
        pressure=str(size.pressure),
    )


def count_by_state(status: AgentStatus) -> Mapping[str, int]:
    """Count places: metered, metered in part, and not metered."""
    states = ["gap" if place.gap else "partial" if place.bypassed else "complete" for place in status.places]
    return {state: states.count(state) for state in ("complete", "partial", "gap")}


def _place_status(place: Place) -> PlaceStatus:
    current, uncovered = place.current, place.uncovered
    known = current.last.moment.wall if current is not None else uncovered.since.wall if uncovered is not None else 0
    return PlaceStatus(
        point_id=place.metered.point_id,
        point=place.point.name,
        place=place.metered.place,
        gap="" if uncovered is None else str(uncovered.reason),
        bypassed=current is not None and (current.bypassed or current.bypassed_before),
        generation="" if current is None else current.generation.id,
        classifier="" if current is None else current.generation.digest,
        known_until=known,
        bad_ip_headers=place.bad_ip_headers,
    )
