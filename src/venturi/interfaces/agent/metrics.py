"""What an agent tells of itself to Prometheus, at an address of its own.

Owns names and labels; every label has a bounded set of values. Usage of metering labels is no metric.
"""

import threading
from collections.abc import Iterable, Mapping
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from venturi.core.domain.errors import ServeError
from venturi.core.domain.interval import SECOND
from venturi.services.agent.status import AgentStatus, count_by_state

_PREFIX = "venturi_agent_"


class AgentMetrics(Collector):
    """The metrics of one agent: those of its last status."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._status: AgentStatus | None = None
        self._serving: tuple[WSGIServer, threading.Thread] | None = None
        self.registry.register(self)

    def show(self, status: AgentStatus) -> None:
        """Tell of this status from now on."""
        self._status = status

    def start(self, host: str, port: int) -> None:
        """Answer at an address; raises ``ServeError`` where that is not free."""
        try:
            self._serving = start_http_server(port, addr=host, registry=self.registry)
        except OSError as error:
            message = f"metrics cannot be served at {host}:{port}: {error.strerror}"
            raise ServeError(message) from error

    def stop(self) -> None:
        """Answer no more."""
        if self._serving is not None:
            server, thread = self._serving
            server.shutdown()
            server.server_close()
            thread.join()
            self._serving = None

    def collect(self) -> Iterable[Metric]:
        """Give the metrics of the last status; none before the first."""
        status = self._status
        if status is None:
            return
        yield _labelled(GaugeMetricFamily, "places", "Devices of the plan by coverage.", "coverage", count_by_state(status))
        yield _bad_ip_headers(status)
        yield _labelled(CounterMetricFamily, "alarms", "Alarms raised.", "kind", status.alarms)
        yield _gauge("read_timestamp_seconds", "Time of the last reading.", status.written_at / SECOND)
        yield _gauge("plan_revision", "Revision of the plan that is followed.", status.plan_revision or 0)
        yield _gauge("delivery_failing", "1 while batches cannot be delivered.", int(bool(status.problem)))
        yield _gauge("refused_batches", "Batches that the ledger refuses, which are set aside.", len(status.refused_batches))
        yield _gauge("unretired_generations", "Generations that cannot be removed from the kernel.", status.unretired_generations)
        if status.spool is not None:
            yield _gauge("spool_octets", "Size of the spool.", status.spool.octets)
            yield _gauge("spool_limit_octets", "Size above which intervals are coalesced.", status.spool.limit)
            yield _gauge("spool_waiting_intervals", "Intervals in no batch yet.", status.spool.waiting_intervals)
            yield _gauge("spool_unacknowledged_batches", "Batches not acknowledged yet.", status.spool.unacknowledged_batches)


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
