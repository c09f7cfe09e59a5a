"""Who lives where in the example network: documentation prefixes only (RFC 5737, RFC 3849).

Addresses and names only; how the hosts are wired is in `network`, what they do to each other is in `plan`.
"""

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

OUTSIDE = "outside"
ROUTER = "router"


@dataclass(frozen=True, slots=True)
class Tenant:
    """A customer behind the router: one host with several addresses of both families, the router at the far end of each prefix."""

    name: str
    ipv4_prefix: str
    ipv6_prefix: str

    @property
    def ipv4(self) -> tuple[str, ...]:
        """The host's own IPv4 addresses."""
        return tuple(str(IPv4Network(self.ipv4_prefix)[number]) for number in (1, 2, 3))

    @property
    def ipv6(self) -> tuple[str, ...]:
        """The host's own IPv6 addresses."""
        return tuple(str(IPv6Network(self.ipv6_prefix)[number]) for number in (1, 2, 3))

    @property
    def gateways(self) -> tuple[str, str]:
        """The router's addresses towards this tenant, IPv4 and IPv6."""
        return str(IPv4Network(self.ipv4_prefix)[14]), str(IPv6Network(self.ipv6_prefix)[0xFE])


SHOP = Tenant("shop", "203.0.113.0/28", "2001:db8:10::/48")
MAIL = Tenant("mail", "203.0.113.16/28", "2001:db8:11::/48")
BACKUP = Tenant("backup", "203.0.113.32/28", "2001:db8:12::/48")
MONITOR = Tenant("monitor", "203.0.113.48/28", "2001:db8:13::/48")
LAB = Tenant("lab", "203.0.113.64/28", "2001:db8:14::/48")
TENANTS = (SHOP, MAIL, BACKUP, MONITOR, LAB)

INSIDE_IPV4 = "203.0.113.0/24"
INSIDE_IPV6 = "2001:db8:10::/44"
BRANCH_PREFIX = "192.0.2.128/25"
PARTNER_PREFIXES = ("192.0.2.0/25", "2001:db8:8001::/48")

UPLINK = ("198.51.100.254", "2001:db8:8000::fe")
PUBLIC_IPV4 = tuple(f"198.51.100.{number}" for number in range(1, 41))
PUBLIC_IPV6 = tuple(f"2001:db8:8000::{number:x}" for number in range(1, 41))
PARTNER_IPV4 = ("192.0.2.10", "192.0.2.20")
PARTNER_IPV6 = ("2001:db8:8001::10", "2001:db8:8001::20")
BRANCH_IPV4 = ("192.0.2.130", "192.0.2.131")
