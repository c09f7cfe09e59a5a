"""One HTTP connection within limits: how large and how slow its requests may be, and how many connections there are.

Owns what is refused before a whole header has arrived. Bodies and everything later are the application's affair.
"""

import asyncio
from collections.abc import Callable
from enum import Enum
from http import HTTPStatus
from typing import Any

import uvloop
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from venturi.adapters.server.configuration import Limits
from venturi.adapters.server.refusals import Refusal, RefusalObserver

_SEPARATORS = 4
_HTTP_WITH_HOST = "1.1"
_GRACE = 5.0
_LONGEST_TOLD = 40
_TURN_AWAY_SECONDS = 2.0
_TLS_CLOSING_SECONDS = 2.0


class BoundedConfig(Config):
    """uvicorn's settings, with what the connections need beside them."""

    def __init__(self, application: Any, limits: Limits, observer: RefusalObserver, **settings: Any) -> None:  # noqa: ANN401 - handed on to uvicorn
        super().__init__(application, **settings)
        self.limits = limits
        self.observer = observer

    def get_loop_factory(self) -> Callable[[], asyncio.AbstractEventLoop]:
        """Give what makes the loop: uvloop's, which ends a TLS handshake that takes longer than a header may."""

        def make_loop() -> asyncio.AbstractEventLoop:
            loop = _TlsBoundedLoop()
            loop.handshake_seconds = self.limits.header_seconds
            return loop

        return make_loop


class _TlsBoundedLoop(uvloop.Loop):
    """uvloop's loop, with bounds on what TLS adds to a connection: it has no other way to be told."""

    handshake_seconds = 60.0

    async def create_server(self, *arguments: Any, **settings: Any) -> asyncio.AbstractServer:  # type: ignore[override] # noqa: ANN401 - handed on to uvloop
        """Listen as uvloop does."""
        if settings.get("ssl") is not None:
            settings |= {"ssl_handshake_timeout": self.handshake_seconds, "ssl_shutdown_timeout": _TLS_CLOSING_SECONDS}
        return await super().create_server(*arguments, **settings)


class _Phase(Enum):
    IDLE = "between requests"
    HEADERS = "within a header"
    BODY = "within a body"


class BoundedProtocol(HttpToolsProtocol):
    """Speaks HTTP/1.1 and turns away what is too much, too slow or no HTTP."""

    def __init__(
        self, config: BoundedConfig, server_state: ServerState, app_state: dict[str, Any], _loop: asyncio.AbstractEventLoop | None = None
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._limits = config.limits
        self._observer = config.observer
        self._phase = _Phase.IDLE
        self._deadline: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        self._header_octets = self._header_lines = 0
        self._unparsed_octets = 0
        self._ended_message = False
        self._received = False
        self._refusal: tuple[Refusal, str] | None = None
        self._over_limit = False
        self._finished = False
        self.url = b""
        self._answering: RequestResponseCycle

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin; one connection too many is told so when it speaks."""
        super().connection_made(transport)  # type: ignore[arg-type] # servers make transports for streams
        self._over_limit = len(self.connections) > self._limits.connections
        self._arm(_TURN_AWAY_SECONDS if self._over_limit else self._limits.header_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """End, with all timers."""
        self._disarm()
        self._forgive()
        super().connection_lost(exc)

    def data_received(self, received: bytes) -> None:
        """Take what arrived; what comes after a refusal is ignored."""
        if self._finished:
            return
        self._received = True
        if self._over_limit:
            self._refuse(Refusal.TOO_MANY_CONNECTIONS, f"more than {self._limits.connections} connections are open; try again later")
            return
        self._ended_message = False
        super().data_received(received)
        if not self._finished:
            self._watch(len(received))

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self._phase = _Phase.HEADERS
        self._header_octets = self._header_lines = 0

    def on_url(self, url: bytes) -> None:
        """Take a part of the URL."""
        super().on_url(url)
        if len(self.url) > self._limits.url_octets:
            self._raise_refusal(Refusal.URL_TOO_LONG, f"the URL is longer than {self._limits.url_octets} octets")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header line; one behind a chunked body is measured, and means nothing (RFC 9110 §6.5)."""
        if self._phase is not _Phase.BODY:
            super().on_header(name, value)
        self._header_octets += len(name) + len(value) + _SEPARATORS
        self._header_lines += 1
        if self._header_octets > self._limits.header_octets or self._header_lines > self._limits.header_lines:
            self._raise_refusal(Refusal.HEADER_TOO_LARGE, self._header_sentence())

    def on_headers_complete(self) -> None:
        """Hand a request to the application."""
        fault = self._find_fault()
        if fault is not None:
            self._raise_refusal(Refusal.MALFORMED, fault)
        unknown = [value for name, value in self.headers if name == b"transfer-encoding" and value.strip().lower() != b"chunked"]
        if unknown:
            sentence = f"the transfer coding '{unknown[0].decode('ascii', 'replace')[:_LONGEST_TOLD]}' is not known here; send it chunked"
            self._raise_refusal(Refusal.UNKNOWN_CODING, sentence)
        super().on_headers_complete()
        self._phase = _Phase.BODY
        self._disarm()

    def on_message_complete(self) -> None:
        """End a request."""
        super().on_message_complete()
        self._phase = _Phase.IDLE
        self._unparsed_octets = 0
        self._ended_message = True
        self._disarm()

    def on_response_complete(self) -> None:
        """End an answer; a client that does not read it is cut off in the end."""
        super().on_response_complete()
        if self.transport.is_closing() and self.transport.get_write_buffer_size():
            self._await_reading()

    def pause_writing(self) -> None:
        """Hear that the client reads more slowly than it is answered."""
        super().pause_writing()
        self._await_reading()

    def resume_writing(self) -> None:
        """Hear that the client has read."""
        super().resume_writing()
        self._forgive()

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection, at once if its client left an answer unread."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        super().timeout_keep_alive_handler()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP, or what was refused while it was parsed."""
        refusal, sentence = self._refusal or (Refusal.MALFORMED, f"the request is not well-formed HTTP: {msg}")
        self._refuse(refusal, sentence)

    def _find_fault(self) -> str | None:
        """Say what makes a complete header ambiguous: others on the way may have read the request differently."""
        names = [name for name, _ in self.headers]
        hosts = names.count(b"host")
        if hosts > 1 or (hosts == 0 and self.parser.get_http_version() == _HTTP_WITH_HOST):
            return f"the header names the host {hosts} times instead of once"
        if self.parser.should_upgrade() and (b"transfer-encoding" in names or any(_announces_body(*line) for line in self.headers)):
            return "a request with a body cannot ask for another protocol; send it without Upgrade"
        return None

    def _watch(self, octets: int) -> None:
        """Bound what is unfinished after some octets were parsed."""
        if self._phase is _Phase.BODY:
            self._arm(self._limits.body_seconds + _GRACE)
        elif self._phase is _Phase.HEADERS or self._awaits_request():
            if not self._ended_message:  # else how many of the octets were the message's is not known
                self._unparsed_octets += octets
            if self._unparsed_octets > self._limits.header_octets + self._limits.url_octets:
                self._refuse(Refusal.HEADER_TOO_LARGE, self._header_sentence())
                return
            self._arm(self._limits.header_seconds)

    def _awaits_request(self) -> bool:
        """Tell whether octets came that began no request, while none is being answered and nothing else bounds the wait."""
        return self.timeout_keep_alive_task is None and (self.cycle is None or self.cycle.response_complete)

    def _arm(self, seconds: float) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(seconds, self._expire)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _expire(self) -> None:
        """End a connection that is too slow; it is not its fault while the application leaves its octets unread."""
        self._deadline = None
        if self.transport.is_closing():
            return
        if self.flow.read_paused:
            self._arm(_GRACE)
        elif self._phase is _Phase.BODY:
            self._observer.drop(Refusal.BODY_TIMEOUT, client=self._peer())
            self.transport.abort()
        elif self._received:
            self._refuse(Refusal.HEADER_TIMEOUT, f"the header did not arrive within {self._limits.header_seconds:g} seconds")
        else:
            self._observer.drop(Refusal.HEADER_TIMEOUT, client=self._peer())
            self.transport.close()

    def _await_reading(self) -> None:
        if self._unread is None:
            self._unread = self.loop.call_later(self._limits.send_seconds, self._cut_off)

    def _forgive(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _cut_off(self) -> None:
        self._observer.drop(Refusal.ANSWER_UNREAD, client=self._peer())
        self.transport.abort()

    def _raise_refusal(self, refusal: Refusal, sentence: str) -> None:
        """Stop the parser; it then asks for the answer with ``send_400_response``."""
        self._refusal = (refusal, sentence)
        raise ValueError(sentence)

    def _refuse(self, refusal: Refusal, sentence: str) -> None:
        """Answer and close; an answer that is already under way is finished first."""
        self._finished = True
        self._disarm()
        path = self.url.partition(b"?")[0].decode("ascii", "replace")
        answer = self._observer.refuse(refusal, sentence, path=path, client=self._peer())
        if self._phase is _Phase.BODY and self.cycle.response_complete:
            self.transport.close()  # the request is answered; its body turned out to be none
            return
        if self.cycle is not None and not self.cycle.response_complete and not self._give_up_body():
            return
        headers = [*self.server_state.default_headers, *answer.headers, (b"connection", b"close")]
        lines = [STATUS_LINE[HTTPStatus(answer.status)], *(b"%s: %s\r\n" % header for header in headers), b"\r\n", answer.body]
        self.transport.write(b"".join(lines))
        self.transport.close()
        self.loop.call_later(_GRACE, self.transport.abort)

    def _give_up_body(self) -> bool:
        """Let the application go that waits for the body of the latest request, which will not come whole.

        False if something else must be answered first: the connection then closes after that.
        """
        if self._phase is _Phase.BODY and self.pipeline:
            self.pipeline.popleft()
            last = self.pipeline[0][0] if self.pipeline else self._answering
        elif self._phase is _Phase.BODY and not self.cycle.response_started:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            return True
        else:
            last = self.cycle
        last.keep_alive = False
        return False

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:  # noqa: ANN401 - handed on to uvicorn
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

    def _header_sentence(self) -> str:
        return f"the header is larger than {self._limits.header_octets} octets or has more than {self._limits.header_lines} lines"

    def _peer(self) -> str:
        return self.client[0] if self.client else "local"


def _announces_body(name: bytes, value: bytes) -> bool:
    """Tell whether a header line says that a body follows."""
    return name == b"content-length" and value.strip(b" 0") != b""
