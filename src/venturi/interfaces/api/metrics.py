"""What the server counts of itself, for Prometheus.

Owns names, labels and buckets; every label has a bounded set of values. Usage of metering labels is no metric.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics, generate_latest
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from venturi.adapters.server.refusals import Refusal
from venturi.adapters.threads.supervisor import ThreadState
from venturi.interfaces.api.agent_metrics import AgentFamilies, ObservedAgent
from venturi.services.alarms.kinds import ServerAlarm
from venturi.services.control.plans import LEASE_ALARM
from venturi.services.ledger.held_alarms import LedgerAlarm
from venturi.services.ledger.rolling import RollerAlarm

CONTENT_TYPE = "text/plain; version=0.0.4"
"""The form in which Prometheus reads metrics."""

UNMATCHED_ROUTE = "unmatched"
"""The route of requests for paths that lead nowhere."""

KINDS = tuple(str(kind) for kind in (*ServerAlarm, *LedgerAlarm, *RollerAlarm, LEASE_ALARM))
"""The kinds of alarm that a server raises, which are counted from zero on."""

disable_created_metrics()  # type: ignore[no-untyped-call]

_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
_OTHER_METHOD = "other"
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class ServerMetrics:
    """The metrics of one server, in a registry of their own."""

    def __init__(self, version: str) -> None:
        """Begin at zero."""
        self.registry = CollectorRegistry(auto_describe=True)
        ProcessCollector(registry=self.registry)
        self._requests = self._counter(
            "venturi_http_requests",
            "Requests answered, by route and status; 499 is a client that went away before its answer.",
            "method",
            "route",
            "status",
        )
        self._durations = Histogram(
            "venturi_http_request_duration_seconds",
            "Time from the header of a request to the end of its answer; requests for a plan that ask to wait for a change are left out.",
            ("method", "route"),
            registry=self.registry,
            buckets=_BUCKETS,
        )
        self._in_flight = Gauge(
            "venturi_http_requests_in_flight",
            "Requests being answered at this moment, those of agents that wait for a change of their plan among them.",
            registry=self.registry,
        )
        self._refused = self._counter(
            "venturi_http_refused", "Requests and connections turned away before any handler saw them, by reason.", "reason"
        )
        self._alarms = self._counter(
            "venturi_alarms", "Alarms that this server raised since it started, by kind, those of agents not among them.", "kind"
        )
        self._open_alarms = Gauge(
            "venturi_alarms_open",
            "Alarms that are open in the database, of all its servers and agents, by kind.",
            ("kind",),
            registry=self.registry,
        )
        self._threads = Gauge(
            "venturi_thread_up",
            "1 while a thread of the server runs, 0 after it failed until it is started again.",
            ("thread",),
            registry=self.registry,
        )
        self._thread_failures = _ThreadFailures()
        self._agents = AgentFamilies()
        self.registry.register(self._agents)
        self._kinds = set[str](KINDS)
        self.registry.register(self._thread_failures)
        self._revision = Gauge(
            "venturi_store_revision", "Number of the latest revision of labels, rules and observation points.", registry=self.registry
        )
        self._tail = {
            name: Gauge(f"venturi_ledger_tail_{name}", meaning, registry=self.registry)
            for name, meaning in (
                ("postings", "Postings that are not folded into roll-ups yet."),
                ("entries", "Entries beyond the roll-ups that a report adds up; at most 500,000 are counted."),
                ("seconds", "For how long the first posting should have been folded into roll-ups, or a report has lacked one."),
            )
        }
        build = Gauge("venturi_build_info", "Always 1; the label tells the version.", ("version",), registry=self.registry)
        build.labels(version).set(1)
        for refusal in Refusal:
            self._refused.labels(refusal.value)
        for kind in KINDS:
            self._alarms.labels(kind)

    def begin_request(self) -> None:
        """Count a request that begins."""
        self._in_flight.inc()

    def end_request(self, method: str, route: str, status: int, seconds: float | None) -> None:
        """Count a request that was answered, in ``seconds``; None for one that asked to be answered later."""
        known = method if method in _METHODS else _OTHER_METHOD
        self._in_flight.dec()
        self._requests.labels(known, route, str(status)).inc()
        if seconds is not None:
            self._durations.labels(known, route).observe(seconds)

    def count_refusal(self, refusal: Refusal) -> None:
        """Count a request or connection that was turned away."""
        self._refused.labels(refusal.value).inc()

    def count_alarm(self, kind: str) -> None:
        """Count an alarm; kinds are an enumeration of whoever raises it."""
        self._alarms.labels(kind).inc()

    def show_open_alarms(self, counted: Mapping[str, int]) -> None:
        """Tell how many alarms are open of each kind; of a kind that was told before and is not among them, none."""
        for kind in {*self._kinds, *counted}:
            self._open_alarms.labels(kind).set(counted.get(kind, 0))
        self._kinds.update(counted)

    def show_threads(self, states: Mapping[str, str], failures: Mapping[str, int]) -> None:
        """Tell how each thread is, and how often it failed."""
        for name, state in states.items():
            self._threads.labels(name).set(state == ThreadState.RUNNING)
        self._thread_failures.counted = failures

    def show_tail(self, postings: int, entries: int, seconds: float) -> None:
        """Tell how far roll-ups are behind."""
        for name, value in (("postings", postings), ("entries", entries), ("seconds", seconds)):
            self._tail[name].set(value)

    def show_agents(self, agents: Sequence[ObservedAgent]) -> None:
        """Tell how the agents are that the database knows."""
        self._agents.agents = agents

    def write(self, latest_revision: Callable[[], int]) -> bytes:
        """Give all metrics in Prometheus' text form."""
        self._revision.set(latest_revision())
        return generate_latest(self.registry)

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(name, meaning, labels, registry=self.registry)


class _ThreadFailures(Collector):
    """How often each thread failed, as the supervisor counted."""

    def __init__(self) -> None:
        self.counted: Mapping[str, int] = {}

    def collect(self) -> Iterable[Metric]:
        """Give the metric."""
        family = CounterMetricFamily(
            "venturi_thread_failures",
            "Failures of threads of the server since it started; each is in the log with its trace.",
            labels=["thread"],
        )
        for name, count in self.counted.items():
            family.add_metric([name], count)
        yield family
