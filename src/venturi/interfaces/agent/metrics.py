"""What an agent tells of itself to Prometheus, at an address of its own.

Owns names and labels; every label has a bounded set of values. Usage of metering labels is no metric.
"""

from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from venturi.adapters.threads.supervisor import ThreadState
from venturi.core.domain.agent_status import Pressure
from venturi.core.domain.interval import SECOND
from venturi.services.agent.observing import AgentAlarm
from venturi.services.agent.status import AgentStatus, count_by_state

_PREFIX = "venturi_agent_"
_PRESSURE = "1 for what a lack of room in the spool has come to: coalesced loses detail in time, full can record nothing."
_ALARMS = "Alarms that this agent raised since it started, by kind; each is in the log."


class AgentMetrics(Collector):
    """The metrics of one agent: those of its last status."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._status: AgentStatus | None = None
        self.registry.register(self)

    def show(self, status: AgentStatus) -> None:
        """Tell of this status from now on."""
        self._status = status

    def collect(self) -> Iterable[Metric]:
        """Give the metrics of the last status; before the first, no alarms."""
        status = self._status
        if status is None:
            yield _labelled(CounterMetricFamily, "alarms", _ALARMS, "kind", {alarm.value: 0 for alarm in AgentAlarm})
            return
        yield _labelled(
            GaugeMetricFamily,
            "places",
            "Devices of the plan, by how much of what passes them is counted.",
            "coverage",
            count_by_state(status),
        )
        yield _bad_ip_headers(status)
        yield _labelled(CounterMetricFamily, "alarms", _ALARMS, "kind", status.alarms)
        yield _gauge(
            "read_timestamp_seconds",
            "Time of the last reading of the counters; it grows while the agent meters.",
            status.written_at / SECOND,
        )
        yield _gauge("plan_revision", "Revision of the plan that is followed.", status.plan_revision or 0)
        yield _gauge(
            "delivery_failing",
            "1 while batches cannot be delivered; they wait in the spool, and nothing is lost.",
            int(bool(status.problem)),
        )
        yield _gauge("refused_batches", "Batches that the ledger refuses, which are set aside.", len(status.refused_batches))
        yield _gauge("unretired_generations", "Generations that cannot be removed from the kernel.", status.unretired_generations)
        running = {name: int(state == ThreadState.RUNNING) for name, state in status.threads.items()}
        yield _labelled(GaugeMetricFamily, "thread_up", "1 while a thread of the agent runs.", "thread", running)
        yield _labelled(CounterMetricFamily, "thread_failures", "Failures of threads of the agent.", "thread", status.thread_failures)
        if status.spool is not None:
            yield _gauge("spool_octets", "Octets that the spool uses on the disk.", status.spool.octets)
            yield _gauge(
                "spool_limit_octets",
                "Octets of the spool above which intervals that wait are coalesced, which loses detail in time.",
                status.spool.limit,
            )
            yield _gauge("spool_waiting_intervals", "Intervals that are recorded and in no batch yet.", status.spool.waiting_intervals)
            yield _gauge(
                "spool_unacknowledged_batches", "Batches that the ledger has not acknowledged yet.", status.spool.unacknowledged_batches
            )
            pressures = {pressure.value: int(status.spool.pressure == pressure) for pressure in Pressure}
            yield _labelled(GaugeMetricFamily, "spool_pressure", _PRESSURE, "pressure", pressures)


def _gauge(name: str, meaning: str, amount: float) -> Metric:
    return GaugeMetricFamily(f"{_PREFIX}{name}", meaning, amount)


def _bad_ip_headers(status: AgentStatus) -> Metric:
    meaning = "Packets that did not count, as their IP header contradicts itself or claims more than their frame held."
    family = CounterMetricFamily(f"{_PREFIX}bad_ip_header_packets", meaning, labels=["point", "place"])
    for place in status.places:
        family.add_metric([place.point_id, place.place], place.bad_ip_headers)
    return family


def _labelled(
    kind: type[GaugeMetricFamily] | type[CounterMetricFamily], name: str, meaning: str, label: str, amounts: Mapping[str, int]
) -> Metric:
    family = kind(f"{_PREFIX}{name}", meaning, labels=[label])
    for named, amount in amounts.items():
        family.add_metric([named], amount)
    return family
