"""Migrations: which schema a database has, which one this version needs, and the way there.

Owns the calls of Alembic. The steps themselves are in ``versions``.
"""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from venturi.core.domain.errors import SchemaError

_FOLDER = Path(__file__).parent


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
    """Take a database to a schema, by default this version's; raises ``SchemaError`` if it has a newer one."""
    found = current_schema(connection)
    _refuse_newer(found)
    if found == head_schema():
        return
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


def _refuse_newer(found: str | None) -> None:
    if found is not None and found not in known_schemas():
        message = f"the database has the schema {found}, which this venturi does not know: it was made by a newer one"
        raise SchemaError(message)
