"""TCP connections through a router, of as many octets as asked for."""

import socket
from concurrent.futures import ThreadPoolExecutor

from tests.support.kernel.router import NETWORKS, Router
from venturi.adapters.network.namespaces import inside

_FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}
_CHUNK = bytes(1 << 18)


def stream(router: Router, family: int, octets: int) -> None:
    """Send octets from the source's host to the destination's, and return once all have arrived."""
    address = NETWORKS["destination"][0] + ".2" if family == 4 else NETWORKS["destination"][1] + ":2"
    with inside(f"{router.name}-destination"):
        listener = socket.create_server((address, 0), family=_FAMILIES[family])
    with inside(f"{router.name}-source"):
        client = socket.socket(_FAMILIES[family])
    with listener, client, ThreadPoolExecutor(1) as receiver:
        received = receiver.submit(_receive, listener)
        client.settimeout(20)
        client.connect(listener.getsockname()[:2])
        for _ in range(0, octets, len(_CHUNK)):
            client.sendall(_CHUNK)
        client.shutdown(socket.SHUT_WR)
        assert received.result() >= octets


def _receive(listener: socket.socket) -> int:
    listener.settimeout(20)
    connection, _ = listener.accept()
    total = 0
    with connection:
        while chunk := connection.recv(1 << 20):
            total += len(chunk)
    return total
