"""An HTTP server that gives the answers it was told, in order, whatever is asked; for what a real server never says.

Owns the socket and its thread. What was asked is kept for the test.
"""

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

_TLS_HANDSHAKE = b"\x16"


@dataclass
class ScriptedServer:
    """Where the server listens, and the requests that it got: method and target, and all octets of each."""

    port: int
    requests: list[str] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def http_answer(body: str | bytes, status: int = 200, *headers: str) -> bytes:
    """Give an HTTP answer after which the connection ends."""
    content = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status} Spoken", f"Content-Length: {len(content)}", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


@contextmanager
def scripted_server(answers: Sequence[bytes]) -> Iterator[ScriptedServer]:
    """Give ``answers`` to one connection each, in order; an empty one ends its connection unanswered. Then nobody listens any more."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = ScriptedServer(listener.getsockname()[1])
        speaking = threading.Thread(target=_speak, args=(listener, answers, server), daemon=True)
        speaking.start()
        yield server
        listener.shutdown(socket.SHUT_RDWR)
        speaking.join(10)


def _speak(listener: socket.socket, answers: Sequence[bytes], server: ScriptedServer) -> None:
    for answer in answers:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            request = _read_request(connection)
            server.raw.append(request)
            server.requests.append(" ".join(request.decode("latin-1").split(" ", 2)[:2]))
            connection.sendall(answer)


def _read_request(connection: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        part = connection.recv(65536)
        if not part:
            return received
        received += part
        if received.startswith(_TLS_HANDSHAKE):
            return received
    head, _, body = received.partition(b"\r\n\r\n")
    sizes = [int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    while len(body) < (sizes[0] if sizes else 0):
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body
