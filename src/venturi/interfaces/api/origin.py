"""Where a request comes from: the client, the scheme and the host that it asked for, also through proxies.

Owns the reading of ``Host`` (RFC 9110 §7.2) and of ``X-Forwarded-For``, ``-Proto`` and ``-Host``, which only trusted proxies may say.
"""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass

from litestar.types import HTTPScope

from venturi.core.domain.errors import ConfigurationError, InvalidRequestError
from venturi.core.rules.checks import printable

LOCAL = "unix"
"""What stands for clients that connect through a local socket."""

_HOST = re.compile(r"(?:(?P<name>[A-Za-z0-9._-]{1,253})|\[(?P<address>[0-9A-Fa-f:.]{2,45})\])(?::(?P<port>[0-9]{1,5}))?")
_HIGHEST_PORT = 65_535
_SCHEMES = frozenset({"http", "https"})

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class TrustedProxies:
    """The proxies whose word is taken: by ``networks``, and those on this machine that use a ``local`` socket."""

    networks: tuple[Network, ...] = ()
    local: bool = False

    def __contains__(self, client: object) -> bool:
        """Tell whether a client, by its address or ``LOCAL``, is one of them."""
        if client == LOCAL:
            return self.local
        address = _address(str(client))
        return address is not None and any(address in network for network in self.networks)


def read_trusted_proxies(texts: Sequence[str]) -> TrustedProxies:
    """Read addresses, networks and ``unix``; raises ``ConfigurationError``."""
    try:
        networks = tuple(ipaddress.ip_network(text) for text in texts if text != LOCAL)
    except ValueError as error:
        message = f"trusted_proxies: {error}; give addresses, networks such as 192.0.2.0/24, or {LOCAL}"
        raise ConfigurationError(message) from error
    return TrustedProxies(networks, LOCAL in texts)


def settle_origin(scope: HTTPScope, proxies: TrustedProxies) -> None:
    """Check ``Host``, and let ``scope`` name client, scheme and host as the proxies in front say, if they are trusted.

    Of several proxies, each trusted one is believed about the one before it. What others say is ignored. Raises
    ``InvalidRequestError`` for a host that is none, and for words of a trusted proxy that make no sense.
    """
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    host = headers.get(b"host", "")
    if host:
        check_host("Host", host)
    if (scope["client"][0] if scope["client"] else LOCAL) not in proxies:
        return
    scheme, asked = _last(headers, b"x-forwarded-proto").lower(), _last(headers, b"x-forwarded-host")
    if scheme:
        if scheme not in _SCHEMES:
            message = f"X-Forwarded-Proto: '{printable(scheme)}' is neither http nor https"
            raise InvalidRequestError(message)
        scope["scheme"] = scheme
    if asked:
        check_host("X-Forwarded-Host", asked)
        scope["headers"] = [(b"host", asked.encode("latin-1")), *((name, value) for name, value in scope["headers"] if name != b"host")]
    client = _find_client(headers.get(b"x-forwarded-for", ""), proxies)
    if client:
        scope["client"] = (client, 0)


def check_host(place: str, host: str) -> None:
    """Refuse what is no name or address with an optional port with ``InvalidRequestError``."""
    found = _HOST.fullmatch(host)
    address = found and found["address"]
    if not found or int(found["port"] or 0) > _HIGHEST_PORT or (address and ":" not in str(_address(address) or "")):
        message = f"{place}: '{printable(host)}' is no host name or address with an optional port"
        raise InvalidRequestError(message)


def _find_client(chain: str, proxies: TrustedProxies) -> str | None:
    """Give the nearest address of ``X-Forwarded-For`` that is no trusted proxy, the farthest one if all are; None without any."""
    nearest = None
    for text in reversed([part.strip() for part in chain.split(",") if part.strip()]):
        if _address(text) is None:
            message = f"X-Forwarded-For: '{printable(text)}' is no address"
            raise InvalidRequestError(message)
        nearest = text
        if text not in proxies:
            break
    return nearest


def _last(headers: dict[bytes, str], name: bytes) -> str:
    """Give what the nearest proxy said, empty if it said nothing."""
    return headers.get(name, "").rpartition(",")[2].strip()


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
