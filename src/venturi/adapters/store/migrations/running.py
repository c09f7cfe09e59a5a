"""Migrations: which schema a database has, which one this version needs, and the way there.

Owns the calls of Alembic, and what a server must allow before a migration begins. The migrations themselves are in ``versions``.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from typing import NamedTuple

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, func, select, text
from sqlalchemy import inspect as sa_inspect
from sqlalchemy import table as literal_table
from sqlalchemy.exc import DBAPIError

from venturi.adapters.store.engines.locations import MARIADB, POSTGRESQL, SQLITE
from venturi.adapters.store.migrations.steps import ROWS_AT_ONCE
from venturi.core.domain.errors import SchemaError, StoreError
from venturi.core.domain.progress import UNHEARD, Progress

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

_ROWS_A_SECOND = 150_000
_CARRIED_WIDTHS = {
    SQLITE: {"ledger_label_bins": 30},
    POSTGRESQL: {"ledger_usage": 70, "ledger_label_bins": 95},
    MARIADB: {"ledger_usage": 80, "ledger_label_bins": 80},
    "mysql": {"ledger_usage": 80, "ledger_label_bins": 80},
}
"""The octets that a row takes in its new form, of the tables whose rows are carried over."""

_TABLE_ROWS = "SELECT table_rows FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = :name"
_KNOWN_COUNTS = {
    POSTGRESQL: "SELECT CASE WHEN reltuples < 0 THEN pg_table_size(oid) / 110 ELSE reltuples::bigint END FROM pg_class"
    " WHERE oid = to_regclass(:name)",
    MARIADB: _TABLE_ROWS,
    "mysql": _TABLE_ROWS,
}
"""What servers tell of the number of rows without counting them."""


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


def upgrade_by_pieces(begin: Callable[[], AbstractContextManager[Connection]], progress: Progress = UNHEARD) -> None:
    """Take a database to this version's schema in transactions that ``begin`` opens.

    A migration that rewrites many rows does so in pieces, each of which is kept: one that was interrupted goes on there. Raises as
    ``upgrade_schema`` does.
    """
    with begin() as connection:
        found, whole = current_schema(connection), estimate_carrying(connection).rows
        if found == head_schema():
            return
        if found is None:
            upgrade_schema(connection)
            return
        ways = list(_ways(found, "head"))
        if any(getattr(step.module, "makes_triggers", False) for step in ways):
            require_rights(connection)
    for step in reversed([each for each in ways if hasattr(each.module, "carry_some")]):
        with begin() as connection:
            if step.down_revision != found:
                upgrade_schema(connection, str(step.down_revision))
        done = 0
        progress.begin("carrying rows over", whole)
        while carried := _carry_some(begin, step):
            done += carried
            progress.update(done)
    progress.begin("upgrading", None)
    with begin() as connection:
        upgrade_schema(connection)


def _carry_some(begin: Callable[[], AbstractContextManager[Connection]], step: Script) -> int:
    with begin() as connection, Operations.context(MigrationContext.configure(connection)):
        return int(step.module.carry_some())


class Carrying(NamedTuple):
    """What an upgrade has to carry over: about how many ``rows``, with how many octets beside what there is until they are."""

    rows: int
    octets: int

    @property
    def seconds(self) -> int:
        """About how long it takes on a slow machine."""
        return self.rows // _ROWS_A_SECOND


def estimate_carrying(connection: Connection) -> Carrying:
    """Estimate what the upgrade of a database has to carry over, from what it knows of its tables without reading them; 0 for nothing.

    Raises ``SchemaError`` for a newer one.
    """
    found = current_schema(connection)
    _refuse_newer(found)
    if found is None or not any(hasattr(step.module, "carry_some") for step in _ways(found, "head")):
        return Carrying(0, 0)
    rows = octets = 0
    for table, width in _CARRIED_WIDTHS[connection.dialect.name].items():
        if sa_inspect(connection).has_table(table):
            count = _count_about(connection, table)
            beside = min(count, ROWS_AT_ONCE) if connection.dialect.name == SQLITE else count  # SQLite takes the room of rows that are done
            rows, octets = rows + count, octets + beside * width
    return Carrying(rows, octets)


def _count_about(connection: Connection, table: str) -> int:
    if connection.dialect.name == SQLITE:
        return int(connection.execute(select(func.count()).select_from(literal_table(table))).scalar_one())
    return int(connection.execute(text(_KNOWN_COUNTS[connection.dialect.name]), {"name": table}).scalar() or 0)


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
