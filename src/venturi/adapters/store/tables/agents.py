"""Agents in the store: the last status of each, and when it posted last; they are no part of a revision.

Owns the rows and the bound on them. An agent that never reported is known by its spools alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, insert, select, union, update

from venturi.adapters.store.schema.alarm_tables import AGENTS
from venturi.adapters.store.schema.ledger_tables import LEDGER_MISSING, LEDGER_SPOOLS
from venturi.adapters.store.tables.paging import storable
from venturi.adapters.store.transaction import Transaction

MOST_AGENTS = 10_000
"""How many agents are kept that report."""

MISSED = 3
"""How many statuses an agent may miss before it is silent."""

_SPOOLS = LEDGER_SPOOLS.c


@dataclass(frozen=True, kw_only=True)
class KeptAgent:
    """An agent as it is known, with times in nanoseconds since the UTC epoch.

    ``status`` is what it reported at ``reported_at``, in JSON; all that it reports is None for an agent that never did. ``posted_at`` is
    when the ledger got its last batch, None if it has none.
    """

    agent_id: str
    host: str
    reported_at: int | None
    report_interval: int | None
    running: bool | None
    status: str | None
    posted_at: int | None

    def is_silent(self, now: int) -> bool:
        """Tell whether it reported before and missed too many statuses since."""
        if self.reported_at is None or self.report_interval is None:
            return False
        return now - self.reported_at > MISSED * self.report_interval


Agents = list[KeptAgent]  # the method ``list`` hides the built-in type


class AgentTable:
    """The agents that one transaction sees."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._connection = transaction.connection

    def find(self, agent_id: str) -> KeptAgent | None:
        """Give an agent, or None."""
        return next(iter(self._read([agent_id])), None) if storable(agent_id) else None

    def list(self, limit: int, after: str = "", host: str | None = None) -> Agents:
        """List agents by id, at most ``limit`` of those after one, with ``host`` those of a host."""
        if not storable(after) or not storable(host or ""):
            return []
        reported, posted = select(AGENTS.c.agent_id).where(AGENTS.c.agent_id > after), select(_SPOOLS.agent_id)
        posted = posted.where(_SPOOLS.agent_id > after)
        if host is not None:
            reported, posted = reported.where(AGENTS.c.host == host), posted.where(_SPOOLS.host == host)
        both = union(reported, posted).subquery()
        return self._read([*self._connection.execute(select(both.c.agent_id).order_by(both.c.agent_id).limit(limit)).scalars()])

    def count_missing(self) -> dict[str, int]:
        """Count, by agent, the batches that the ledger lacks of those before the last ones of its spools; only agents that lack some."""
        lacking = func.sum(LEDGER_MISSING.c.last_sequence - LEDGER_MISSING.c.first_sequence + 1)
        spools = LEDGER_MISSING.join(LEDGER_SPOOLS, LEDGER_MISSING.c.spool_id == _SPOOLS.spool_id)
        rows = self._connection.execute(select(_SPOOLS.agent_id, lacking).select_from(spools).group_by(_SPOOLS.agent_id))
        return {agent_id: int(count) for agent_id, count in rows}

    def note(self, agent: KeptAgent) -> bool:
        """Keep the status of an agent, and tell whether there was room for it."""
        self._transaction.require_writing()
        columns = {name: getattr(agent, name) for name in ("host", "reported_at", "report_interval", "running", "status")}
        same = AGENTS.c.agent_id == agent.agent_id
        if self._connection.execute(select(1).where(same)).first() is not None:
            self._connection.execute(update(AGENTS).where(same).values(**columns))
            return True
        if self._connection.execute(select(func.count()).select_from(AGENTS)).scalar_one() >= MOST_AGENTS:
            return False
        self._connection.execute(insert(AGENTS), [columns | {"agent_id": agent.agent_id}])
        return True

    def forget(self, agent_id: str) -> bool:
        """Forget what an agent reported, and tell whether it did."""
        self._transaction.require_writing()
        return bool(self._connection.execute(delete(AGENTS).where(AGENTS.c.agent_id == agent_id)).rowcount)

    def silent(self, now: int, since: int) -> Agents:
        """List the agents that missed too many statuses in a row since they reported last, and since a time."""
        allowed = AGENTS.c.report_interval * MISSED
        return self._reported(and_(AGENTS.c.reported_at < now - allowed, allowed < now - since))

    def _read(self, agent_ids: Sequence[str]) -> Agents:
        """Read agents, in the order given."""
        posted = select(_SPOOLS.agent_id, func.max(_SPOOLS.host), func.max(_SPOOLS.last_posted_at)).group_by(_SPOOLS.agent_id)
        posts = {row[0]: row for row in self._connection.execute(posted.where(_SPOOLS.agent_id.in_(agent_ids)))}
        reports = {agent.agent_id: agent for agent in self._reported(AGENTS.c.agent_id.in_(agent_ids))}
        return [_join(name, reports.get(name), posts.get(name)) for name in agent_ids if name in reports or name in posts]

    def _reported(self, condition: ColumnElement[bool]) -> Agents:
        rows = self._connection.execute(select(AGENTS).where(condition).order_by(AGENTS.c.agent_id))
        return [KeptAgent(**row._asdict(), posted_at=None) for row in rows]


def _join(agent_id: str, report: KeptAgent | None, post: Any) -> KeptAgent:  # noqa: ANN401 - a row of spools
    """Join what an agent reported and what it posted."""
    return KeptAgent(
        agent_id=agent_id,
        host=report.host if report is not None else post[1],
        reported_at=None if report is None else report.reported_at,
        report_interval=None if report is None else report.report_interval,
        running=None if report is None else report.running,
        status=None if report is None else report.status,
        posted_at=None if post is None else post[2],
    )
