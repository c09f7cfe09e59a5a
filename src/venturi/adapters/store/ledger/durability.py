"""Whether a commit is on stable storage when it returns.

Owns the settings of servers that decide it. Those of a connection are made right when it is opened (``engines``).
"""

from sqlalchemy import Connection

from venturi.adapters.store.engines.locations import POSTGRESQL, SQLITE

_SAFE_FLUSH = 1


def find_volatility(connection: Connection) -> str | None:
    """Say which setting lets commits be lost in a crash, None if none does."""
    if connection.dialect.name == SQLITE:
        return None
    if connection.dialect.name == POSTGRESQL:
        fsync = connection.exec_driver_sql("SHOW fsync").scalar()
        return None if fsync == "on" else f"fsync is {fsync}"
    flush = connection.exec_driver_sql("SELECT @@innodb_flush_log_at_trx_commit").scalar()
    return None if flush == _SAFE_FLUSH else f"innodb_flush_log_at_trx_commit is {flush}"
