"""What a server tells Prometheus of the agents that it knows: their last batch, their lag, what is missing of them, and their spools.

Owns names and labels, and what of a status becomes a number. Agents tell more of themselves at addresses of their own.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import msgspec
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from venturi.adapters.store.tables.agents import KeptAgent
from venturi.core.domain.agent_status import Pressure, ReportedStatus
from venturi.core.domain.errors import InvalidTimeError
from venturi.core.domain.interval import SECOND, parse_time

_NAMES = ["agent", "host"]
_PREFIX = "venturi_known_agent_"


@dataclass(frozen=True, kw_only=True)
class ObservedAgent:
    """An agent in numbers: times in seconds since the epoch, None for what is not known.

    ``lag`` is the age of the oldest usage that the ledger has not acknowledged, ``missing`` how many batches before its last one the
    ledger lacks.
    """

    agent_id: str
    host: str
    silent: bool
    missing: int
    last_batch: float | None
    reported: float | None
    lag: float | None
    octets: int | None
    limit: int | None
    pressure: str | None


def observe_agents(agents: Iterable[KeptAgent], missing: Mapping[str, int], now: int) -> list[ObservedAgent]:
    """Give agents in numbers; ``now`` is in nanoseconds since the epoch."""
    return [_observe(agent, missing.get(agent.agent_id, 0), now) for agent in agents]


def _observe(agent: KeptAgent, missing: int, now: int) -> ObservedAgent:
    status = None
    with suppress(msgspec.ValidationError, msgspec.DecodeError):
        status = None if agent.status is None else msgspec.json.decode(agent.status, type=ReportedStatus)
    spool = None if status is None else status.spool
    return ObservedAgent(
        agent_id=agent.agent_id,
        host=agent.host,
        silent=agent.is_silent(now),
        missing=missing,
        last_batch=None if agent.posted_at is None else agent.posted_at / SECOND,
        reported=None if agent.reported_at is None else agent.reported_at / SECOND,
        lag=None if status is None else _lag(status, now),
        octets=None if spool is None else spool.octets,
        limit=None if spool is None else spool.limit,
        pressure=None if spool is None else spool.pressure,
    )


def _lag(status: ReportedStatus, now: int) -> float:
    if status.oldest_undelivered is None:
        return 0.0
    try:
        return max(0.0, (now - parse_time(status.oldest_undelivered)) / SECOND)
    except InvalidTimeError:
        return 0.0


class AgentFamilies(Collector):
    """The metrics of the agents that were shown last."""

    def __init__(self) -> None:
        self.agents: Sequence[ObservedAgent] = ()

    def collect(self) -> Iterable[Metric]:
        """Give the metrics."""
        agents = self.agents
        yield _family("silent", "1 for an agent that missed three statuses or more.", ((a, float(a.silent)) for a in agents))
        yield _family(
            "last_batch_timestamp_seconds", "When the ledger got the last batch of an agent.", ((a, a.last_batch) for a in agents)
        )
        yield _family("reported_timestamp_seconds", "When the last status of an agent came.", ((a, a.reported) for a in agents))
        lag = "Age of the oldest usage that the ledger has not acknowledged, by the agent's last status; about a report interval is usual."
        yield _family("lag_seconds", lag, ((a, a.lag) for a in agents))
        lacking = "Batches that the ledger lacks of those before an agent's last one: they are on their way, refused, or lost."
        yield _family("missing_batches", lacking, ((a, float(a.missing)) for a in agents))
        yield _family("spool_octets", "Size of an agent's spool, by its last status.", ((a, a.octets) for a in agents))
        limit = "Size of an agent's spool above which intervals that wait are coalesced."
        yield _family("spool_limit_octets", limit, ((a, a.limit) for a in agents))
        yield _pressures(agents)


def _family(name: str, meaning: str, amounts: Iterable[tuple[ObservedAgent, float | None]]) -> Metric:
    family = GaugeMetricFamily(f"{_PREFIX}{name}", meaning, labels=_NAMES)
    for agent, amount in amounts:
        if amount is not None:
            family.add_metric([agent.agent_id, agent.host], amount)
    return family


def _pressures(agents: Iterable[ObservedAgent]) -> Metric:
    meaning = "1 for what a lack of room in an agent's spool has come to: coalesced loses detail in time, full can record nothing."
    family = GaugeMetricFamily(f"{_PREFIX}spool_pressure", meaning, labels=[*_NAMES, "pressure"])
    for agent in agents:
        for pressure in Pressure if agent.pressure is not None else ():
            family.add_metric([agent.agent_id, agent.host, pressure.value], float(agent.pressure == pressure))
    return family
