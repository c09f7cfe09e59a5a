"""What the server counts of itself, for Prometheus.

Owns names, labels and buckets; every label has a bounded set of values. Usage of metering labels is no metric.
"""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from venturi.adapters.server.refusals import Refusal

CONTENT_TYPE = "text/plain; version=0.0.4"
"""The form in which Prometheus reads metrics."""

UNMATCHED_ROUTE = "unmatched"
"""The route of requests for paths that lead nowhere."""

_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
_OTHER_METHOD = "other"
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class ServerMetrics:
    """The metrics of one server, in a registry of their own."""

    def __init__(self, version: str) -> None:
        """Begin at zero."""
        self.registry = CollectorRegistry(auto_describe=True)
        ProcessCollector(registry=self.registry)
        self._requests = self._counter("venturi_http_requests", "Requests answered.", "method", "route", "status")
        self._durations = Histogram(
            "venturi_http_request_duration_seconds",
            "Time from the header of a request to the end of its answer.",
            ("method", "route"),
            registry=self.registry,
            buckets=_BUCKETS,
        )
        self._in_flight = Gauge("venturi_http_requests_in_flight", "Requests being answered.", registry=self.registry)
        self._refused = self._counter("venturi_http_refused", "Requests and connections turned away.", "reason")
        self._alarms = self._counter("venturi_alarms", "Alarms raised.", "kind")
        self._revision = Gauge("venturi_store_revision", "Number of the latest revision.", registry=self.registry)
        build = Gauge("venturi_build", "Always 1; the label tells the version.", ("version",), registry=self.registry)
        build.labels(version).set(1)
        for refusal in Refusal:
            self._refused.labels(refusal.value)

    def begin_request(self) -> None:
        """Count a request that begins."""
        self._in_flight.inc()

    def end_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request that was answered."""
        known = method if method in _METHODS else _OTHER_METHOD
        self._in_flight.dec()
        self._requests.labels(known, route, str(status)).inc()
        self._durations.labels(known, route).observe(seconds)

    def count_refusal(self, refusal: Refusal) -> None:
        """Count a request or connection that was turned away."""
        self._refused.labels(refusal.value).inc()

    def count_alarm(self, kind: str) -> None:
        """Count an alarm; kinds are an enumeration of whoever raises it."""
        self._alarms.labels(kind).inc()

    def write(self, latest_revision: Callable[[], int]) -> bytes:
        """Give all metrics in Prometheus' text form."""
        self._revision.set(latest_revision())
        return generate_latest(self.registry)

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(name, meaning, labels, registry=self.registry)
