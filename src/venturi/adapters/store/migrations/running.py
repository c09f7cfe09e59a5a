"""Migrations: which schema a database has, which one this version needs, and the way there.

Owns the calls of Alembic, and what a server must allow before a migration begins. The migrations themselves are in ``versions``.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from venturi.adapters.store.engines.locations import MARIADB
from venturi.core.domain.errors import SchemaError, StoreError

_FOLDER = Path(__file__).parent
_NOWHERE = "CREATE TRIGGER venturi_probe BEFORE DELETE ON venturi_probed FOR EACH ROW SET @venturi = 1"
_LOGS_STATEMENTS = "SELECT @@log_bin AND @@binlog_format = 'STATEMENT'"
_AGAIN = "then run the command again; nothing was changed"
_STATEMENTS = (
    f"the binary log of MariaDB takes statements alone: SET GLOBAL binlog_format = MIXED, and in the server's configuration, {_AGAIN}"
)
_REFUSALS = {
    1419: "MariaDB writes a binary log and lets this account make no triggers: SET GLOBAL log_bin_trust_function_creators = ON, and in the"
    f" server's configuration, {_AGAIN}",
    1142: f"MariaDB lets this account make no triggers: GRANT TRIGGER on the database to it, {_AGAIN}",
}


@cache
def head_schema() -> str:
    """Give the name of the schema that this version needs."""
    return str(ScriptDirectory(str(_FOLDER)).get_current_head())


@cache
def known_schemas() -> tuple[str, ...]:
    """Give the names of all schemas that this version knows, the latest first."""
    return tuple(script.revision for script in ScriptDirectory(str(_FOLDER)).walk_revisions())


def current_schema(connection: Connection) -> str | None:
    """Give the name of the schema that a database has, None if it has none."""
    return MigrationContext.configure(connection).get_current_revision()


def upgrade_schema(connection: Connection, schema: str = "head") -> None:
    """Take a database to a schema, by default this version's; one that was interrupted goes on where it stood.

    Raises ``SchemaError`` if the database has a newer one, ``StoreError`` before anything is changed if the server does not allow what
    the migrations need.
    """
    found = current_schema(connection)
    _refuse_newer(found)
    if found == head_schema():
        return
    if any(getattr(step.module, "makes_triggers", False) for step in _ways(found, schema)):
        require_rights(connection)
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, schema)


def require_head(connection: Connection) -> None:
    """Refuse any schema but this version's with ``SchemaError``."""
    found, head = current_schema(connection), head_schema()
    if found == head:
        return
    _refuse_newer(found)
    state = "has no tables yet" if found is None else f"has the schema {found}, older than {head}, which this venturi needs"
    message = f"the database {state}: run venturi db upgrade"
    raise SchemaError(message)


def _ways(found: str | None, schema: str) -> Iterator[Script]:
    """Give the migrations that lead from one schema to another."""
    return ScriptDirectory(str(_FOLDER)).iterate_revisions(schema, found or "base")


def require_rights(connection: Connection) -> None:
    """Refuse with ``StoreError`` a MariaDB that lets no triggers be made, or whose binary log lets nothing be written.

    Whether triggers may be made it tells before it looks for the table, which there is not.
    """
    if connection.dialect.name != MARIADB:
        return
    if connection.execute(text(_LOGS_STATEMENTS)).scalar():
        raise StoreError(_STATEMENTS)
    try:
        connection.execute(text(_NOWHERE))
    except DBAPIError as error:
        refusal = _REFUSALS.get(getattr(error.orig, "args", (0,))[0])
        if refusal is not None:
            raise StoreError(refusal) from error


def _refuse_newer(found: str | None) -> None:
    if found is not None and found not in known_schemas():
        message = f"the database has the schema {found}, which this venturi does not know: it was made by a newer one"
        raise SchemaError(message)
