"""Which releases of the servers are new enough.

Owns that alone; SQLite's library is ``sqlite``'s affair.
"""

from sqlalchemy import Connection

from venturi.adapters.store.engines.locations import MARIADB, POSTGRESQL
from venturi.core.domain.errors import StoreError

OLDEST_SERVERS: dict[str, tuple[int, ...]] = {POSTGRESQL: (15,), MARIADB: (10, 6)}
"""The oldest release of each server that the store is tested on."""


def require_supported_server(connection: Connection) -> None:
    """Refuse a server that is older than those that the store is tested on with ``StoreError``."""
    check_server(connection.dialect.name, tuple(connection.dialect.server_version_info or ()))


def check_server(kind: str, version: tuple[int | str, ...]) -> None:
    """Refuse a version of a server, by its numbers, with ``StoreError``; any version of what is no server is fine."""
    oldest = OLDEST_SERVERS.get(kind, ())
    numbers = tuple(number for number in version if isinstance(number, int))
    if numbers[: len(oldest)] < oldest:
        found, needed = (".".join(map(str, each)) for each in (numbers, oldest))
        message = f"{kind} {found} is too old: venturi needs {needed} or later"
        raise StoreError(message)
