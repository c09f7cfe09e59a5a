"""Listening sockets: bound here, or handed over by systemd (sd_listen_fds(3)).

Owns who can reach the server. What is spoken on the sockets is the protocol's affair.
"""

import ipaddress
import socket
from collections.abc import Iterable
from contextlib import ExitStack

from venturi.adapters.server.configuration import ServerConfig
from venturi.core.domain.errors import ServeError

_FIRST_INHERITED = 3
_BACKLOG = 2_048


def open_sockets(config: ServerConfig) -> list[socket.socket]:
    """Give the sockets to serve on, listening; raise ``ServeError`` if there are none to be had or others could reach them."""
    with ExitStack() as opened:
        sockets = _inherit(config.inherited_sockets, opened) if config.inherited_sockets else _bind(config.host, config.port, opened)
        if config.loopback_only:
            _require_loopback(sockets)
        opened.pop_all()
    return sockets


def list_urls(sockets: Iterable[socket.socket], scheme: str) -> list[str]:
    """Give the URLs at which sockets are reached, ``unix:PATH`` for local ones."""
    return [_url(listening, scheme) for listening in sockets]


def is_loopback(host: str) -> bool:
    """Tell whether an address is one of this machine alone; a name other than localhost is taken for another's."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host == "localhost"
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def _bind(host: str, port: int, opened: ExitStack) -> list[socket.socket]:
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = found[0]
        listening = opened.enter_context(socket.create_server(address[:2], family=family, backlog=_BACKLOG, reuse_port=False))
    except OSError as error:
        reason = (error.strerror or str(error)).partition(" (while")[0]  # the address, which Python adds, is named already
        message = f"cannot listen on {host}:{port}: {reason}"
        raise ServeError(message) from error
    return [listening]


def _inherit(count: int, opened: ExitStack) -> list[socket.socket]:
    try:
        sockets = [opened.enter_context(socket.socket(fileno=_FIRST_INHERITED + number)) for number in range(count)]
    except OSError as error:
        message = f"systemd was to hand over {count} sockets, but did not: {error.strerror}"
        raise ServeError(message) from error
    for inherited in sockets:
        inherited.set_inheritable(False)
    return sockets


def _require_loopback(sockets: Iterable[socket.socket]) -> None:
    for listening in sockets:
        if listening.family != socket.AF_UNIX and not is_loopback(listening.getsockname()[0]):
            message = (
                f"without authentication the server listens on loopback addresses only, and {listening.getsockname()[0]} is none: "
                "choose --auth token, or insist with --insecure-listen"
            )
            raise ServeError(message)


def _url(listening: socket.socket, scheme: str) -> str:
    if listening.family == socket.AF_UNIX:
        return f"unix:{listening.getsockname()}"
    host, port = listening.getsockname()[:2]
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
