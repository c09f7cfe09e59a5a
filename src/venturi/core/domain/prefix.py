"""IP prefixes of both families.

Owns their parsing and their two readings: as given (host bits kept) and as matched (host bits masked).
"""

import ipaddress
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from venturi.core.domain.errors import InvalidPrefixError

ADDRESS_BITS = {4: 32, 6: 128}
"""Bits of an address, by family."""

_MAPPED = 0xFFFF
_LAST_GROUP = 0xFFFF
_IPV4_BITS = 0xFFFF_FFFF


@dataclass(frozen=True)
class Prefix:
    """An address with a prefix length: ``10.0.0.5/24`` is kept as given and matches all of ``10.0.0.0/24``.

    ``family`` is 4 or 6, ``address`` the address as an unsigned integer, ``length`` the number of leading bits matched.
    """

    family: int
    address: int
    length: int

    def __post_init__(self) -> None:
        """Refuse a family, address or length out of range with ``InvalidPrefixError``."""
        bits = ADDRESS_BITS.get(self.family)
        if bits is None or not 0 <= self.length <= bits or not 0 <= self.address < 1 << bits:
            message = f"no IP prefix has family {self.family}, address {self.address} and length {self.length}"
            raise InvalidPrefixError(message)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``address``, ``address/length``, ``address/netmask`` or ``address/wildcard``.

        A plain address means that address alone. Raises ``InvalidPrefixError`` for any other text, and for an IPv6 zone.
        """
        try:
            interface = ipaddress.ip_interface(text)
        except ValueError as error:
            message = f"'{text}' does not appear to be an IPv4 or IPv6 interface"
            raise InvalidPrefixError(message) from error
        if getattr(interface, "scope_id", None) is not None:
            message = f"'{text}' names an IPv6 zone, which no rule can match"
            raise InvalidPrefixError(message)
        return cls(interface.version, int(interface.ip), interface.network.prefixlen)

    @cached_property
    def first(self) -> int:
        """The lowest address matched."""
        host_bits = ADDRESS_BITS[self.family] - self.length
        return self.address >> host_bits << host_bits

    @cached_property
    def last(self) -> int:
        """The highest address matched."""
        return self.first | ((1 << (ADDRESS_BITS[self.family] - self.length)) - 1)

    @property
    def network(self) -> "Prefix":
        """The same prefix with its host bits masked: equal for prefixes that match the same addresses."""
        return Prefix(self.family, self.first, self.length)

    def matches(self, family: int, address: int) -> bool:
        """Tell whether an address of ``family``, as an unsigned integer, lies in this prefix."""
        return family == self.family and self.first <= address <= self.last

    def overlaps(self, other: "Prefix") -> bool:
        """Tell whether any address lies in both prefixes."""
        return self.family == other.family and self.first <= other.last and other.first <= self.last

    def __str__(self) -> str:
        """Spell the prefix as Neutron echoes it: host bits kept, IPv6 compressed in lower case, embedded IPv4 dotted (RFC 4291 §2.2)."""
        above = self.address >> ADDRESS_BITS[4]
        if self.family == 6 and (above == _MAPPED or (above == 0 and self.address > _LAST_GROUP)):  # noqa: PLR2004 - an IP version
            lead = "::ffff:" if above else "::"
            return f"{lead}{format_address(4, self.address & _IPV4_BITS)}/{self.length}"
        return f"{format_address(self.family, self.address)}/{self.length}"


def format_address(family: int, address: int) -> str:
    """Spell an address given as an unsigned integer; raises ``InvalidPrefixError`` if it is none of ``family``."""
    try:
        return str(ipaddress.IPv4Address(address) if family == 4 else ipaddress.IPv6Address(address))  # noqa: PLR2004 - an IP version
    except ipaddress.AddressValueError as error:
        message = f"{address} is no IPv{family} address"
        raise InvalidPrefixError(message) from error


def parse_address(text: str) -> tuple[int, int]:
    """Read an address into its family and unsigned integer; raises ``InvalidPrefixError`` for any other text."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError as error:
        message = f"'{text}' does not appear to be an IPv4 or IPv6 address"
        raise InvalidPrefixError(message) from error
    return address.version, int(address)
