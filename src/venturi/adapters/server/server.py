"""The HTTP server as a component: opens its sockets, runs an ASGI application on them, and stops gracefully.

Owns sockets, TLS and signals. What is answered is the application's affair.
"""

import resource
import signal
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from os import _exit as exit_process
from typing import Any

import uvicorn
from uvicorn.server import HANDLED_SIGNALS

from venturi.adapters.edges import SERVER_EDGE
from venturi.adapters.server.configuration import ServerConfig, TlsConfig
from venturi.adapters.server.listening import list_urls, open_sockets
from venturi.adapters.server.memory import give_back_memory, share_interpreter
from venturi.adapters.server.protocol import BoundedConfig, BoundedProtocol
from venturi.adapters.server.refusals import RefusalObserver
from venturi.core.domain.errors import ServeError

_SPARE_FILES = 256
_LAST_RESORT_SECONDS = 5


@SERVER_EDGE.adapter
class HttpServer:
    """Serves one ASGI application; ``start`` opens the sockets, ``run`` serves until a signal or ``stop``."""

    def __init__(
        self,
        config: ServerConfig,
        application: Any,  # noqa: ANN401 - any ASGI application
        observer: RefusalObserver,
        stopping: Callable[[], None],
    ) -> None:
        """Take what is served; ``stopping`` is called when the server begins to stop, to end what waits. Nothing is opened yet."""
        self._config = config
        self._application = application
        self._observer = observer
        self._stopping = stopping
        self._sockets: list[socket.socket] = []
        self._server: _Server | None = None

    def start(self) -> list[str]:
        """Open the sockets and read the certificate; give the URLs. Raises ``ServeError`` if either fails."""
        config, limits = self._config, self._config.limits
        give_back_memory()
        share_interpreter()
        tls = build_tls_context(config.tls) if config.tls else None
        _allow_files(limits.connections + _SPARE_FILES)
        settings = BoundedConfig(
            self._application,
            limits,
            self._observer,
            http=BoundedProtocol,
            loop="uvloop",
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=limits.idle_seconds,
            timeout_graceful_shutdown=config.stop_seconds,
            ssl_context_factory=(lambda _config, _default: tls) if tls else None,
        )
        with ExitStack() as opened:
            self._sockets = [opened.enter_context(listening) for listening in open_sockets(config)]
            self._server = _Server(settings, config.stop_seconds, self._stopping)
            urls = list_urls(self._sockets, "https" if tls else "http")
            opened.pop_all()
        return urls

    def run(self) -> None:
        """Serve until SIGTERM, SIGINT or ``stop``; running requests get ``stop_seconds`` to end."""
        if self._server is None:
            message = "the server was not started"
            raise ServeError(message)
        try:
            self._server.run(sockets=self._sockets)
        except SystemExit as error:
            message = "the server's application could not be started; the log says why"
            raise ServeError(message) from error
        finally:
            self._server.last_resort.cancel()

    def stop(self) -> None:
        """Ask a running server to stop; may be called from any thread."""
        if self._server is not None:
            self._server.should_exit = True


class _Server(uvicorn.Server):
    """uvicorn's server, which here ends a signal with a normal return, and surely."""

    def __init__(self, config: BoundedConfig, stop_seconds: int, stopping: Callable[[], None]) -> None:
        super().__init__(config)
        self._stopping = stopping
        self.last_resort = threading.Timer(stop_seconds + _LAST_RESORT_SECONDS, _give_up)
        self.last_resort.daemon = True

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Turn the first signal into a graceful stop, and a second Ctrl-C into one that does not wait."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in HANDLED_SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop, surely: a thread that hangs in the database cannot keep the process from ending."""
        self.last_resort.start()
        self._stopping()
        await super().shutdown(sockets)


def build_tls_context(config: TlsConfig) -> ssl.SSLContext:
    """Make the context of TLS 1.2 and later; raise ``ServeError`` naming what cannot be read."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _read_pem(
        "certificate and key", f"{config.certificate} and {config.key}", lambda: context.load_cert_chain(config.certificate, config.key)
    )
    if config.client_authority is not None:
        authority = config.client_authority
        context.verify_mode = ssl.CERT_REQUIRED
        _read_pem("client authority", str(authority), lambda: context.load_verify_locations(authority))
    return context


def _read_pem(meaning: str, place: str, read: Callable[[], None]) -> None:
    try:
        read()
    except OSError as error:  # what TLS finds wrong is an OSError too
        reason = error.strerror or getattr(error, "reason", None) or "not in PEM form"
        message = f"cannot use the {meaning} in {place}: {reason}"
        raise ServeError(message) from error


def _allow_files(count: int) -> None:
    """Raise the soft limit of open files as far as the hard one lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _give_up() -> None:
    sys.stderr.write("venturi: a request did not end in time; the process ends without it\n")
    exit_process(1)
