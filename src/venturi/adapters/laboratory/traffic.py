"""Traffic of known amount: datagrams from one host of a laboratory to another, counted as they are sent.

Owns the sockets and the count, which is that of the packets on the wire and of their layer-3 octets, headers included.
"""

import socket
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import cycle

from venturi.adapters.laboratory.network import LaboratoryHost
from venturi.adapters.network.namespaces import inside
from venturi.core.domain.counts import Counts

PORT = 9
"""The port that discards what it is sent (RFC 863)."""

_HEADERS = {4: 28, 6: 48}
_BURSTS_A_SECOND = 20
_ARRIVAL_SECONDS = 0.2
"""How long what was sent last may be on its way; a receiver that closes before answers by ICMP, which is traffic too."""
_FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}
_ANY = {4: "0.0.0.0", 6: "::"}  # noqa: S104 - within a namespace that nothing outside reaches


@dataclass(frozen=True, kw_only=True)
class Stream:
    """Datagrams from one host to another: ``sizes`` of their payloads, in turn, at ``rate`` packets a second."""

    sender: LaboratoryHost
    receiver: LaboratoryHost
    family: int
    sizes: Sequence[int]
    rate: int

    @property
    def address(self) -> str:
        """The receiver's address in the family of the stream."""
        return str(self.receiver.ipv4 if self.family == 4 else self.receiver.ipv6)  # noqa: PLR2004 - the IP version


class Traffic:
    """Sends streams, each in a thread of its own, until it is stopped."""

    def __init__(self, streams: Sequence[Stream]) -> None:
        self._stopping = threading.Event()
        self._senders = [_Sender(stream, self._stopping) for stream in streams]
        self._sinks: list[socket.socket] = []

    def start(self) -> None:
        """Open the receivers, which read nothing but keep their host from refusing, and begin to send."""
        for place in sorted({(sender.stream.receiver.namespace, sender.stream.family) for sender in self._senders}):
            self._sinks.append(_open_sink(*place))
        for sender in self._senders:
            sender.start()

    def stop(self) -> None:
        """Send no more, and wait until every packet has arrived."""
        self._stopping.set()
        for sender in self._senders:
            if sender.is_alive():
                sender.join()
        time.sleep(_ARRIVAL_SECONDS)
        for sink in self._sinks:
            sink.close()
        self._sinks.clear()

    def sent(self) -> list[tuple[Stream, Counts]]:
        """Give what each stream has sent up to now."""
        return [(sender.stream, sender.sent) for sender in self._senders]


class _Sender(threading.Thread):
    def __init__(self, stream: Stream, stopping: threading.Event) -> None:
        super().__init__(name=f"sender {stream.sender.name}", daemon=True)
        self.stream = stream
        self.sent = Counts()
        self._stopping = stopping

    def run(self) -> None:
        """Send bursts, some each second."""
        sizes = cycle(self.stream.sizes)
        with inside(self.stream.sender.namespace), socket.socket(_FAMILIES[self.stream.family], socket.SOCK_DGRAM) as datagrams:
            datagrams.connect((self.stream.address, PORT))
            while not self._stopping.wait(1 / _BURSTS_A_SECOND):
                for _ in range(max(1, self.stream.rate // _BURSTS_A_SECOND)):
                    self._send(datagrams, next(sizes))

    def _send(self, datagrams: socket.socket, size: int) -> None:
        """Send a datagram and count it, unless there is no way for it just now."""
        with suppress(OSError):
            datagrams.send(bytes(size))
            self.sent = self.sent + Counts(1, size + _HEADERS[self.stream.family])


def _open_sink(namespace: str, family: int) -> socket.socket:
    with inside(namespace):
        sink = socket.socket(_FAMILIES[family], socket.SOCK_DGRAM)
        if family == 6:  # noqa: PLR2004 - the IP version
            sink.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sink.bind((_ANY[family], PORT))
    return sink
