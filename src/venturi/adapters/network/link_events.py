"""Changes of the devices of a network namespace, as the kernel tells them (rtnetlink(7)).

Owns the socket. What the devices are now is asked elsewhere; here it is only told that they may be others than before.
"""

import errno
import socket
from contextlib import ExitStack

from venturi.adapters.edges import KERNEL_EDGE
from venturi.adapters.network.namespaces import inside
from venturi.core.domain.errors import DriverError

_RTMGRP_LINK = 1
_MOST_OCTETS = 1 << 16


@KERNEL_EDGE.adapter
class LinkEvents:
    """Listens for changes in one namespace, from its making on; costs nothing while nothing changes."""

    def __init__(self, namespace: str | None) -> None:
        """Begin to listen; raises ``DriverError`` where the namespace cannot be entered."""
        try:
            with ExitStack() as undoing:
                with inside(namespace):
                    self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.NETLINK_ROUTE)
                    undoing.callback(self._socket.close)
                self._socket.bind((0, _RTMGRP_LINK))
                undoing.pop_all()
        except OSError as error:
            message = f"the devices of network namespace '{namespace}' cannot be watched: {error.strerror}"
            raise DriverError(message) from error

    def stop(self) -> None:
        """Listen no more."""
        self._socket.close()

    def changed(self) -> bool:
        """Tell whether anything changed since it was asked last."""
        changed = False
        while True:
            try:
                self._socket.recv(_MOST_OCTETS)
            except BlockingIOError:
                return changed
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
            changed = True
