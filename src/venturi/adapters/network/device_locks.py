"""The right to meter a device, which one process of a host has at a time.

Owns the locks: abstract Unix sockets (unix(7)), whose names belong to a network namespace, whoever shares it, and which the kernel gives up
when their process dies.
"""

import errno
import socket
from collections.abc import Hashable
from contextlib import ExitStack

from venturi.adapters.edges import KERNEL_EDGE
from venturi.adapters.network.namespaces import inside
from venturi.core.domain.errors import DriverError
from venturi.core.domain.generation import MeteredDevice

_NAME = "\0venturi-meter/"


@KERNEL_EDGE.adapter
class DeviceLocks:
    """The locks that this process holds, by device; each once for every point that is metered there."""

    def __init__(self) -> None:
        self._held: dict[MeteredDevice, Hashable] = {}
        self._sockets: dict[tuple[Hashable, str], socket.socket] = {}

    def hold(self, metered: MeteredDevice, namespace: Hashable) -> bool:
        """Take the lock of a device in the ``namespace`` of that identity; False where another process has it or the namespace is gone."""
        if self._held.get(metered) == namespace:
            return True
        self.release(metered)
        place = (namespace, metered.device)
        if place not in self._sockets:
            taken = _take(metered)
            if taken is None:
                return False
            self._sockets[place] = taken
        self._held[metered] = namespace
        return True

    def release(self, metered: MeteredDevice) -> None:
        """Give up the lock of a device, unless another point needs it; nothing happens where it was not taken."""
        namespace = self._held.pop(metered, None)
        place = (namespace, metered.device)
        if place in self._sockets and not any((other, held.device) == place for held, other in self._held.items()):
            self._sockets.pop(place).close()

    def release_all(self) -> None:
        """Give up all locks."""
        for metered in list(self._held):
            self.release(metered)


def _take(metered: MeteredDevice) -> socket.socket | None:
    with ExitStack() as undoing:
        try:
            with inside(metered.namespace):
                lock = undoing.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        except DriverError:
            return None
        try:
            lock.bind(f"{_NAME}{metered.device}")
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return None
            message = f"the lock of device '{metered.place}' cannot be taken: {error.strerror}"
            raise DriverError(message) from error
        undoing.pop_all()
    return lock
