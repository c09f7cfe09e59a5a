"""A network that cannot be trusted, between a client and a server on loopback: a relay of HTTP requests that misbehaves on purpose.

Owns the relay and its fates. A relay of ``calm`` fate passes everything on as it is.
"""

import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from typing import Self
from urllib.parse import urlsplit

_CHUNK = 1 << 16
_HEAD_END = b"\r\n\r\n"
_LONGEST_DELAY = 1.0
_PATIENCE = 90.0


class Fate(StrEnum):
    """What becomes of a request and its answer."""

    PASS = "pass"  # noqa: S105 - no password
    REFUSE = "refuse"
    """The connection ends before the request is passed on."""
    DELAY = "delay"
    """The request is passed on late."""
    DUPLICATE = "duplicate"
    """The request reaches the server twice; the client gets the second answer."""
    TRUNCATE_REQUEST = "truncate request"
    """The server gets the first half of the request."""
    LOSE_ANSWER = "lose answer"
    """The server answers, and the client never hears of it."""
    TRUNCATE_ANSWER = "truncate answer"
    """The client gets the first half of the answer."""


class UnrulyNetwork:
    """Relays requests to the server at ``target`` (a URL, or what gives the present one), one for each connection.

    ``seed`` decides the fates while the network is unruly; ``fates`` counts them.
    """

    def __init__(self, target: Callable[[], str], seed: int) -> None:
        self._target = target
        self._chance = random.Random(seed)  # noqa: S311 - chance that can be repeated is wanted
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self.unruly = False
        self.cut = False
        self.fates: Counter[Fate] = Counter()

    @property
    def url(self) -> str:
        """Where clients reach the relay."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        """Begin to relay."""
        self._accepting.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Relay no more."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        if self._accepting.is_alive():
            self._accepting.join()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.settimeout(_PATIENCE)
            request = _read_message(connection, ends_with_connection=False)
            if request:
                self._relay(connection, _last_of_connection(request))

    def _relay(self, connection: socket.socket, request: bytes) -> None:
        fate = self._choose()
        self.fates[fate] += 1
        if fate is Fate.REFUSE:
            return
        if fate is Fate.DELAY:
            time.sleep(self._chance.random() * _LONGEST_DELAY)
        if fate is Fate.TRUNCATE_REQUEST:
            self._ask(request[: len(request) // 2], half=True)
            return
        if fate is Fate.DUPLICATE:
            self._ask(request)
        answer = self._ask(request)
        if fate is Fate.TRUNCATE_ANSWER:
            answer = answer[: len(answer) // 2]
        if fate is not Fate.LOSE_ANSWER:
            connection.sendall(answer)

    def _choose(self) -> Fate:
        if self.cut:
            return Fate.REFUSE
        return self._chance.choice([Fate.PASS, *Fate]) if self.unruly else Fate.PASS

    def _ask(self, request: bytes, *, half: bool = False) -> bytes:
        target = urlsplit(self._target())
        with socket.create_connection((target.hostname, target.port), timeout=_PATIENCE) as server:
            server.sendall(request)
            if half:
                return b""
            return _read_message(server, ends_with_connection=True)


def _read_message(connection: socket.socket, *, ends_with_connection: bool) -> bytes:
    """Read a request, whose length its header tells, or an answer, which the end of the connection ends."""
    message = b""
    while True:
        chunk = connection.recv(_CHUNK)
        message += chunk
        if not chunk:
            return message
        if not ends_with_connection and _is_whole(message):
            return message


def _is_whole(request: bytes) -> bool:
    head, end, body = request.partition(_HEAD_END)
    if not end:
        return False
    lengths = [int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return len(body) >= (lengths[0] if lengths else 0)


def _last_of_connection(request: bytes) -> bytes:
    """Ask the server to close the connection after its answer."""
    head, end, body = request.partition(_HEAD_END)
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
    return b"\r\n".join([*lines, b"Connection: close"]) + end + body
