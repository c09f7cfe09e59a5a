"""Requests to a server over open connections: how many a second, and how long each takes.

Owns sending, the least parsing of answers that can tell where they end, and the figures. It speaks HTTP/1.1 by hand so that it is
not what is measured.
"""

import asyncio
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

import uvloop

from bench.measure.processes import ProgramFailedError

_HEADERS_END = b"\r\n\r\n"
_LENGTH = b"\r\ncontent-length:"


@dataclass(frozen=True)
class Request:
    """What is sent, and the ``status`` that its answer must have."""

    method: str
    path: str
    body: bytes = b""
    status: int = 200

    def spell(self) -> bytes:
        """Give the octets on the wire."""
        described = f"Content-Type: application/json\r\nContent-Length: {len(self.body)}\r\n" if self.body else ""
        head = f"{self.method} {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n{described}\r\n"
        return head.encode("ascii") + self.body


@dataclass(frozen=True)
class RequestFigures:
    """What requests of one kind came to: the ``seconds`` until each answer, and the ``wall`` time of all of them together."""

    name: str
    connections: int
    wall: float
    seconds: Sequence[float]

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.seconds) / self.wall

    @property
    def p99(self) -> float:
        """The seconds within which 99 of 100 answers came; the slowest where there were fewer."""
        return sorted(self.seconds)[math.ceil(len(self.seconds) * 0.99) - 1]


def measure_requests(name: str, port: int, requests: Sequence[Request], connections: int) -> RequestFigures:
    """Send requests over some connections, each sending the next when it has its answer.

    Raise ``ProgramFailedError`` if an answer has not the status that it must have, or none comes.
    """
    return uvloop.run(_measure(name, port, requests, connections))


def median_run(runs: Sequence[RequestFigures]) -> RequestFigures:
    """Give the run of the median rate; of two in the middle, the slower."""
    return sorted(runs, key=lambda run: run.rate)[(len(runs) - 1) // 2]


async def _measure(name: str, port: int, requests: Sequence[Request], connections: int) -> RequestFigures:
    loop = asyncio.get_running_loop()
    waiting = iter([(request.spell(), request.status) for request in requests])
    senders = [_Sender(waiting, loop.create_future()) for _ in range(min(connections, len(requests)))]
    unconnected = iter(senders)
    for _ in senders:
        await loop.create_connection(lambda: next(unconnected), "127.0.0.1", port)
    began = time.perf_counter()
    for sender in senders:
        sender.send_next()
    await asyncio.gather(*(sender.done for sender in senders))
    wall = time.perf_counter() - began
    return RequestFigures(name, connections, wall, [took for sender in senders for took in sender.seconds])


class _Sender(asyncio.Protocol):
    """One connection; all of them take their requests from one iterator."""

    def __init__(self, waiting: Iterator[tuple[bytes, int]], done: asyncio.Future[None]) -> None:
        self.seconds: list[float] = []
        self.done = done
        self._waiting = waiting
        self._transport = asyncio.WriteTransport()
        self._status = 0
        self._began = 0.0
        self._received = bytearray()
        self._missing = -1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(ProgramFailedError(f"the server closed the connection: {exc}"))

    def send_next(self) -> None:
        """Send the next request, or end."""
        request = next(self._waiting, None)
        if request is None:
            self.done.set_result(None)
            self._transport.close()
            return
        octets, self._status = request
        self._received.clear()
        self._missing = -1
        self._began = time.perf_counter()
        self._transport.write(octets)

    def data_received(self, octets: bytes) -> None:
        if self._missing < 0:
            self._received += octets
            self._read_head()
        else:
            self._missing -= len(octets)
        if self._missing == 0:
            self.seconds.append(time.perf_counter() - self._began)
            self.send_next()

    def _read_head(self) -> None:
        end = self._received.find(_HEADERS_END)
        if end < 0:
            return
        head = bytes(self._received[:end]).lower()
        _, _, rest = head.partition(_LENGTH)
        length = int(rest.split(b"\r\n", 1)[0] or 0)
        if int(head[9:12]) == self._status:
            self._missing = length - (len(self._received) - end - len(_HEADERS_END))
        else:
            self.done.set_exception(ProgramFailedError(f"the server answers {bytes(self._received)!r}"))
            self._transport.close()
