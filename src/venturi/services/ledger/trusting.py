"""Whom the ledger believes: hosts about what they were told, and hosts that meter by plan files about everything.

Owns which hosts those are, and which host a router without hosts gets. What becomes of an interval that fails is for ``posting``.
"""

from collections.abc import Sequence
from dataclasses import replace

from venturi.adapters.store.ledger.postings import LedgerWriter
from venturi.adapters.store.ledger.told import BY_PLAN_FILE, Claim, Told, ToldMemory, ToldRecord
from venturi.adapters.store.ledger.told_points import find_states
from venturi.adapters.store.store import Store, StoreWriter
from venturi.core.domain.alarm import Alarm, RaiseAlarm
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.point import ObservationPoint, RouterPlace
from venturi.services.ledger.configuration import LedgerConfig

ROUTER_HOST_ALARM = "router_host"
"""The kind of the alarm for a router that got its host by what was posted."""

_SERVER = Principal(user_id="venturi", project_id="")


class HostTrust:
    """Says what hosts were told. Any thread may use it: ``find`` within a posting, of which there is one at a time."""

    def __init__(self, store: Store, config: LedgerConfig, alarm: RaiseAlarm) -> None:
        """Look up in ``store``; ``alarm`` hears of routers that get their host."""
        self._store = store
        self._plan_file_hosts = frozenset(host.lower() for host in config.plan_file_hosts)
        self._alarm = alarm
        self._memory = ToldMemory()

    def claim_routers(self, host: str, claims: Sequence[Claim]) -> None:
        """Make ``host`` the host of the routers without one of which it counted packets, and was told; each with an alarm.

        Give it only the claims that pass all other checks. It writes a revision of its own, so call it before the posting begins, never
        within one: who posts must not wait for the lock of revisions. Raises ``StoreError``.
        """
        host = host.lower()
        counted = [claim for claim in claims if claim.counted]
        if not counted or host in self._plan_file_hosts:
            return
        with self._store.reading() as reader:
            free = reader.points.find_free_routers({claim.point_id for claim in counted})
            if not free:
                return
            asked = [claim for claim in counted if claim.point_id in free]
            told = ToldRecord(reader.connection, ToldMemory()).find(host, asked)
        wanted = {claim.point_id for claim, found in zip(asked, told, strict=True) if found.problem is None}
        if wanted:
            with self._store.writing(_SERVER) as writer:
                taken = [router for point_id in sorted(wanted) if (router := _take(writer, point_id, host)) is not None]
            for router in taken:
                self._alarm(_alarm(router, host))

    def find(self, writer: LedgerWriter, host: str, claims: Sequence[Claim]) -> list[Told]:
        """Say of each claim, in order, what is known of it, within the transaction of ``writer``; raises as ``ToldRecord.find`` does."""
        if host.lower() in self._plan_file_hosts:
            states = find_states(writer.connection, {claim.point_id for claim in claims})
            return [
                replace(BY_PLAN_FILE, boundary=states[claim.point_id][-1].boundary) if claim.point_id in states else BY_PLAN_FILE
                for claim in claims
            ]
        return ToldRecord(writer.connection, self._memory).find(host, claims)


def _take(writer: StoreWriter, point_id: str, host: str) -> ObservationPoint | None:
    """Make a host the only one of a router that has none; None if the router is gone or was given a host meanwhile."""
    point = writer.points.find(point_id)
    if point is None or not isinstance(point.place, RouterPlace) or point.place.hosts:
        return None
    writer.points.update(replace(point, place=replace(point.place, hosts=(host,))))
    return point


def _alarm(router: ObservationPoint, host: str) -> Alarm:
    sentence = (
        f"host '{host}' is now the host of router '{router.name}' ({router.id}), because it was the first to post packets of it; if other"
        " hosts meter it too, name them all with: venturi point set ROUTER --host HOST"
    )
    return Alarm(kind=ROUTER_HOST_ALARM, subject=router.id, sentence=sentence, project_id=router.project_id)
