"""Links in answers of the Networking API: to a version, to the next and the previous page.

Owns how a client reaches this server again: by the scheme and the host that it asked for (``api.origin``).
"""

from collections.abc import Sequence
from urllib.parse import urlencode

from litestar.types import HTTPScope
from msgspec import Struct

from venturi.core.domain.control.listing import Listing
from venturi.interfaces.api.neutron.queries import Query

_TURNING = ("marker", "page_reverse")


class Link(Struct):
    """Where something is, and what it is to the answer."""

    rel: str
    href: str


def base_url(scope: HTTPScope) -> str:
    """Give scheme and host of this server as the client knows them."""
    host = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
    if not host and scope["server"] is not None:
        address, port = scope["server"]
        host = f"{address}:{port}"
    return f"{scope['scheme']}://{host}"


def page_links(scope: HTTPScope, query: Query, listing: Listing, ids: Sequence[str]) -> list[Link] | None:
    """Give the links from the page that holds ``ids``, None without pages.

    A full page always offers the next one, and every page the previous one, unless it was reached backwards and is not full.
    """
    if listing.limit is None:
        return None
    address = base_url(scope) + scope["raw_path"].decode("latin-1").partition("?")[0]
    kept = [(name, value) for name, value in query if name not in _TURNING]
    full = len(ids) >= listing.limit
    links = []
    if full or listing.page_reverse:
        onward = [("marker", ids[-1])] if ids else []
        links.append(Link("next", f"{address}?{urlencode(kept + onward)}"))
    if full or not listing.page_reverse:
        back = [("marker", ids[0])] if ids else []
        links.append(Link("previous", f"{address}?{urlencode([*kept, *back, ('page_reverse', 'True')])}"))
    return links
