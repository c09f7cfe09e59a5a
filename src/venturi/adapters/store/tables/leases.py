"""Leases on the plans of hosts in the store; they are no part of a revision.

Owns who gets one. How long it lasts, and what becomes of a second agent, is for the services.
"""

from dataclasses import dataclass

from sqlalchemy import insert, select, update

from venturi.adapters.store.schema.tables import LEASES
from venturi.adapters.store.transaction import Transaction
from venturi.core.domain.interval import SECOND, Nanoseconds

_CLOCK_SKEW = 60 * SECOND
"""How much the clocks of two servers may differ."""


@dataclass(frozen=True, kw_only=True)
class Lease:
    """The right of the agent ``agent_id`` to the plan of ``host`` until a time in nanoseconds since the UTC epoch, excluded."""

    host: str
    agent_id: str
    until: Nanoseconds


class LeaseTable:
    """The leases that one transaction sees."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._connection = transaction.connection

    def find(self, host: str) -> Lease | None:
        """Give the latest lease on the plan of a host, run out or not; None if there was none."""
        row = self._connection.execute(select(LEASES.c.agent_id, LEASES.c.until).where(LEASES.c.host == host)).first()
        return None if row is None else Lease(host=host, agent_id=row.agent_id, until=Nanoseconds(row.until))

    def take(self, host: str, agent_id: str, now: Nanoseconds, until: Nanoseconds) -> Lease:
        """Lease the plan of ``host`` to an agent, or again, unless another has it ``now``; give the lease that is.

        A lease that would outlast a new one was given by a clock that has been set back since, and counts as run out.
        """
        self._transaction.require_writing()
        held = self.find(host)
        if held is not None and held.agent_id != agent_id and now < held.until <= until + _CLOCK_SKEW:
            return held
        if held is None:
            self._connection.execute(insert(LEASES).values(host=host, agent_id=agent_id, until=until))
        else:
            self._connection.execute(update(LEASES).where(LEASES.c.host == host).values(agent_id=agent_id, until=until))
        return Lease(host=host, agent_id=agent_id, until=until)
