"""The extras of an installation: what each part of venturi needs beyond the client.

Owns which module shows that an extra is installed, and the check that a command makes before its work begins. What an extra
consists of is said in ``pyproject.toml``.
"""

import importlib.util
from collections.abc import Mapping
from types import MappingProxyType

from venturi.core.domain.errors import MissingExtraError

EXTRAS: Mapping[str, str] = MappingProxyType(
    {
        "agent": "pyroute2",
        "archive": "pyarrow",
        "charts": "vl_convert",
        "keystone": "keystonemiddleware",
        "mariadb": "pymysql",
        "offline": "numba",
        "postgresql": "psycopg",
        "server": "litestar",
        "statements": "cryptography",
    }
)
"""A module that comes with each extra, and with no other."""


def require_extras(purpose: str, *extras: str) -> None:
    """Check that ``extras`` are installed, which ``purpose`` needs; raises ``MissingExtraError``, which names those that are not."""
    missing = [extra for extra in extras if importlib.util.find_spec(EXTRAS[extra]) is None]
    if missing:
        raise MissingExtraError(purpose, *missing)
