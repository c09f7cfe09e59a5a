"""The service manager that started this process, if one did (sd_notify(3)).

Owns the datagram. Where it goes is said by the environment, which is read elsewhere.
"""

import socket

_ABSTRACT = "@"


def notify_service_manager(address: str | None, state: str) -> None:
    """Tell the service manager of a state, such as ``READY=1``; without ``address`` there is none. One that is gone is told nothing."""
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notifying:
        try:
            notifying.sendto(state.encode(), f"\0{address[1:]}" if address.startswith(_ABSTRACT) else address)
        except OSError:
            return
