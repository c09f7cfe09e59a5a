"""Which database a URL means, with the driver that venturi speaks to it by.

Owns the spellings that are accepted. A password in a URL never gets into a message.
"""

from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from venturi.core.domain.errors import StoreError

SQLITE = "sqlite"
POSTGRESQL = "postgresql"
MARIADB = "mariadb"

_DRIVERS = {
    "sqlite": "sqlite+pysqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
    "mysql": "mariadb+pymysql",
    "mysql+pymysql": "mariadb+pymysql",
    "mariadb": "mariadb+pymysql",
    "mariadb+pymysql": "mariadb+pymysql",
}


def read_location(text: str) -> URL:
    """Read the URL of a database and name its driver; raises ``StoreError`` for any other text."""
    try:
        location = make_url(text)
    except (ArgumentError, ValueError) as error:
        message = "the database is not given as a URL such as sqlite:///venturi.db, postgresql://user@host/name or mariadb://user@host/name"
        raise StoreError(message) from error
    if "@" in (location.host or ""):
        message = "the password in the URL of the database holds an '@', which ends it: write %40 in its place"
        raise StoreError(message)
    driver = _DRIVERS.get(location.drivername)
    if driver is None:
        message = f"{location.drivername} is no database that venturi can use: they are sqlite, postgresql and mariadb"
        raise StoreError(message)
    if driver.startswith(SQLITE) and not is_file(location):
        message = "the embedded database needs a file, as in sqlite:///venturi.db"
        raise StoreError(message)
    return location.set(drivername=driver)


def is_file(location: URL) -> bool:
    """Tell whether a URL of SQLite names a file."""
    return location.database not in {None, "", ":memory:"} and "\0" not in str(location.database) and not location.query


def is_embedded(location: URL) -> bool:
    """Tell whether the database is SQLite."""
    return location.get_backend_name() == SQLITE


def file_of(location: URL) -> Path:
    """Give the file of an embedded database."""
    return Path(str(location.database))
