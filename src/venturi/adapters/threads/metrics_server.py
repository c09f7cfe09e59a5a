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

from venturi.adapters.threads.supervisor import Supervisor
from venturi.core.domain.errors import ServeError

_REQUEST_SECONDS = 30.0


class MetricsServer:
    """Answers from ``start`` to ``stop``."""

    def __init__(self, registry: CollectorRegistry, supervisor: Supervisor) -> None:
        self._registry = registry
        self._supervisor = supervisor
        self._stopping = threading.Event()
        self._serving: tuple[ThreadingWSGIServer, threading.Thread] | None = None

    def start(self, host: str, port: int) -> None:
        """Answer at an address; raises ``ServeError`` where that is not free."""
        supervisor = self._supervisor
        family = _family_of(host, port)

        class Server(ThreadingWSGIServer):
            """Answers in the family of the address, each reader in a thread, and tells of faults."""

            address_family = family

            def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401, ARG002 - the library's form
                error = sys.exception()
                if error is not None and not isinstance(error, OSError):
                    supervisor.note("metrics", error, "the next scrape is answered as usual")

        try:
            server = make_server(host, port, make_wsgi_app(self._registry), Server, _Handler)
        except OSError as error:
            message = f"metrics cannot be served at {host}:{port}: {error.strerror}"
            raise ServeError(message) from error
        self._serving = server, supervisor.start("metrics", server.serve_forever, self._stopping)

    def stop(self) -> None:
        """Answer no more."""
        if self._serving is not None:
            server, thread = self._serving
            self._stopping.set()
            server.shutdown()
            server.server_close()
            thread.join()
            self._serving = None


class _Handler(WSGIRequestHandler):
    timeout = _REQUEST_SECONDS

    def log_message(self, *_: object) -> None:
        """Keep scrapes out of the log."""


def _family_of(host: str, port: int) -> socket.AddressFamily:
    """Give the family of an address or name; raises ``ServeError`` for a name that nobody knows."""
    try:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
    except OSError as error:
        message = f"metrics cannot be served at {host}:{port}: {error.strerror}"
        raise ServeError(message) from error
