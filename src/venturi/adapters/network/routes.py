"""The ways out of this host: the devices of its default routes.

Owns the question to the kernel. What is made of the answer is for others.
"""

import socket

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from venturi.adapters.edges import KERNEL_EDGE
from venturi.core.domain.errors import DriverError


@KERNEL_EDGE.function
def list_default_devices() -> list[str]:
    """Name the devices of the default routes of both families, in order; raises ``DriverError`` where the kernel cannot be asked."""
    try:
        with IPRoute() as route:
            routes = [each for family in (socket.AF_INET, socket.AF_INET6) for each in route.get_default_routes(family=family)]
            indexes = {index for index in (each.get("oif") for each in routes) if index is not None}
            return sorted(route.get_links(index)[0].get("ifname") for index in indexes)
    except NetlinkError as error:
        message = f"the default routes cannot be listed: {error}"
        raise DriverError(message) from error
