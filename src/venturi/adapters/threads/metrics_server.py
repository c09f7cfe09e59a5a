"""The server of metrics: answers Prometheus in a supervised thread.

Owns the socket. What is told is for the registry.
"""

import socket
import sys
import threading
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.exposition import ThreadingWSGIServer
from structlog.typing import FilteringBoundLogger

from venturi.adapters.threads.backoff import Backoff
from venturi.adapters.threads.supervisor import Supervisor

_REQUEST_SECONDS = 30.0
_POLL_SECONDS = 0.5
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 30.0


class MetricsServer:
    """Answers from ``start`` to ``stop``; what it tells of does not wait for it.

    An address that does not exist yet, or is not free, is tried again: it may come with a device, or go with a program that ends.
    """

    def __init__(self, registry: CollectorRegistry, supervisor: Supervisor, log: FilteringBoundLogger) -> None:
        self._registry = registry
        self._supervisor = supervisor
        self._log = log
        self._backoff = Backoff(_FIRST_PAUSE, _LONGEST_PAUSE)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, host: str, port: int) -> None:
        """Answer at an address as soon as that can be."""
        self._thread = self._supervisor.start("metrics", lambda: self._run(host, port), self._stopping)

    def stop(self) -> None:
        """Answer no more."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self, host: str, port: int) -> None:
        told = ""
        while not self._stopping.is_set():
            try:
                server = self._open(host, port)
            except OSError as error:
                reason = error.strerror or str(error)
                if reason != told:
                    self._log.warning("metrics cannot be served; it is tried again", address=f"{host}:{port}", reason=reason)
                told = reason
                self._stopping.wait(self._backoff.fail())
                continue
            with server:
                if told:
                    self._log.info("metrics are served", address=f"{host}:{port}")
                server.timeout = _POLL_SECONDS
                while not self._stopping.is_set():
                    server.handle_request()

    def _open(self, host: str, port: int) -> ThreadingWSGIServer:
        """Listen at an address; raises ``OSError`` where that cannot be."""
        supervisor = self._supervisor
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]

        class Server(ThreadingWSGIServer):
            """Answers in the family of the address, each reader in a thread, and tells of faults."""

            address_family = family

            def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401, ARG002 - the library's form
                error = sys.exception()
                if error is not None and not isinstance(error, OSError):
                    supervisor.note("metrics", error, "the next scrape is answered as usual")

        return make_server(host, port, make_wsgi_app(self._registry), Server, _Handler)


class _Handler(WSGIRequestHandler):
    timeout = _REQUEST_SECONDS

    def log_message(self, *_: object) -> None:
        """Keep scrapes out of the log."""
