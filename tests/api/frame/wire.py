"""Speaking to a server octet by octet, as clients do that libraries would not let through."""

import json
import re
import socket
import time
from typing import Any

_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")


def connect(port: int, seconds: float = 20.0) -> socket.socket:
    """Open a connection to the server."""
    return socket.create_connection(("127.0.0.1", port), timeout=seconds)


def read_to_end(connection: socket.socket) -> bytes:
    """Read until the server closes."""
    parts = []
    try:
        while part := connection.recv(65_536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def speak(port: int, sent: bytes) -> bytes:
    """Send octets and give all that the server answers until it closes."""
    with connect(port) as connection:
        connection.sendall(sent)
        return read_to_end(connection)


def dribble(port: int, start: bytes, repeated: bytes, *, every: float, seconds: float) -> tuple[bytes, float]:
    """Send a start, then the same octets again and again; give the answer and how long the server bore it."""
    began = time.monotonic()
    with connect(port) as connection:
        connection.sendall(start)
        connection.settimeout(every)
        answer = b""
        while time.monotonic() - began < seconds:
            try:
                part = connection.recv(65_536)
            except TimeoutError:
                try:
                    connection.sendall(repeated)
                except OSError:
                    break
                continue
            except OSError:
                break
            answer += part
            if not part:
                break
        return answer, time.monotonic() - began


def statuses(answers: bytes) -> list[int]:
    """Give the statuses of all answers on a connection."""
    return [int(status) for status in _STATUS.findall(answers)]


def json_of(answer: bytes) -> Any:  # noqa: ANN401 - JSON of any form
    """Give the body of a single answer."""
    return json.loads(answer.partition(b"\r\n\r\n")[2])
