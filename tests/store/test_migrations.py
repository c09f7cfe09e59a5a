"""Migrations: each goes on where it was interrupted, asks beforehand for what it needs, and stays what it was when it was released."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, MetaData, event, insert, inspect, select, text

from tests.support.control_values import make_point
from tests.support.databases import ON_MARIADB, DatabaseServers, open_store, schema_differences, writing_connection
from venturi.adapters.store.engines.locations import read_location
from venturi.adapters.store.maintenance.backup import back_up
from venturi.adapters.store.maintenance.restoring import restore
from venturi.adapters.store.maintenance.schema import SchemaState, read_schema, upgrade_database
from venturi.adapters.store.migrations.running import head_schema, known_schemas, upgrade_schema
from venturi.adapters.store.schema.ledger_tables import ENTRY_TABLES, LEDGER_LABEL_BINS, LEDGER_ROLLER, LEDGER_STATE, VERSION_TABLES
from venturi.adapters.store.schema.tables import REVISION_COUNTER
from venturi.adapters.store.tables.point_rows import write_point
from venturi.core.domain.errors import SchemaError, StoreError
from venturi.core.domain.point import ExporterPlace, InterfacePlace

CHANGES = ("CREATE", "ALTER", "DROP", "INSERT", "UPDATE", "DELETE")
STATEMENTS = Path(__file__).parent / "migrations"
"""What each released migration did, as ``0001.sqlite.sql``: never changed, since databases were made by it."""

RELEASED = ("0001", "0002", "0003")


class EndOfProgramError(Exception):
    """The program ended here."""


@pytest.fixture
def bare(database_kind: str, database_servers: DatabaseServers, tmp_path: Path) -> str:  # noqa: PLR0206 - no property
    """The URL of a database without tables."""
    return database_servers.bare_database(database_kind, tmp_path, "bare")


@contextmanager
def watching(url: str) -> Iterator[tuple[Connection, list[str]]]:
    """Open a transaction that writes, and give the list of statements that change something in it, in order."""
    changes: list[str] = []
    with writing_connection(url) as connection:

        def note(_connection: Connection, _cursor: object, statement: str, *_rest: object) -> None:
            if statement.lstrip().startswith(CHANGES) and "venturi_probe" not in statement:
                changes.append(" ".join(statement.split()))

        event.listen(connection, "after_cursor_execute", note)
        yield connection, changes


def interrupt_everywhere(url: str) -> int:
    """Upgrade a database and die after each statement in turn, until one run comes to its end; give how often it died."""
    seen: set[str] = set()

    def run_until_a_new_statement() -> None:
        with watching(url) as (connection, changes):

            def die(*_arguments: object) -> None:
                if changes and changes[-1] not in seen:
                    seen.add(changes[-1])
                    raise EndOfProgramError

            event.listen(connection, "after_cursor_execute", die)
            upgrade_schema(connection)

    while True:
        try:
            run_until_a_new_statement()
        except EndOfProgramError:
            continue
        return len(seen)


def triggers_of(connection: Connection) -> set[str]:
    asked = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
        "postgresql": "SELECT tgrelid::regclass || '.' || tgname FROM pg_trigger WHERE NOT tgisinternal",
        "mariadb": "SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = DATABASE()",
    }
    return set(connection.execute(text(asked[connection.dialect.name])).scalars())


def columns_of(url: str) -> dict[str, list[str]]:
    found = MetaData()
    with writing_connection(url) as connection:
        found.reflect(connection)
    return {name: list(table.columns.keys()) for name, table in found.tables.items()}


def assert_whole(url: str) -> None:
    with writing_connection(url) as connection:
        assert schema_differences(connection) == []
        assert connection.execute(select(REVISION_COUNTER)).all() == [(1, 0)]
        assert connection.execute(select(LEDGER_STATE.c.posting, LEDGER_STATE.c.removable)).all() == [(0, 0)]
        triggers = triggers_of(connection)
        for table in (*ENTRY_TABLES, *VERSION_TABLES):
            of_table = (f"{table.name}.", f"{table.name}_unchanged", f"{table.name}_kept")
            assert sum(name.startswith(of_table) for name in triggers) == 2, table.name
        partitions = {name.partition(".")[0] for name in triggers if name.startswith("ledger_usage_") and "." in name}
        assert all(sum(name.startswith(f"{each}.") for name in triggers) == 2 for each in partitions)


def test_an_upgrade_goes_on_after_an_interruption_at_every_statement(bare: str) -> None:
    assert interrupt_everywhere(bare) >= 73
    assert read_schema(bare) == SchemaState(head_schema(), head_schema())
    assert_whole(bare)


def test_rows_are_carried_through_interruptions(bare: str) -> None:
    points = [make_point(InterfacePlace(host="h1", device="eth0")), make_point(ExporterPlace(address="192.0.2.1"))]
    with writing_connection(bare) as connection:
        upgrade_schema(connection, "0002")
        older = MetaData()
        older.reflect(connection, only=["observation_points", "observation_points_history"])
        for point in points:
            row: dict[str, Any] = write_point(point) | {"valid_from": 1}
            live = {name: row[name] for name in older.tables["observation_points"].columns.keys()}  # noqa: SIM118 - a collection of SQLAlchemy's
            connection.execute(insert(older.tables["observation_points"]), [live])
            ended = {name: value for name, value in live.items() if name != "place_key"}
            connection.execute(insert(older.tables["observation_points_history"]), [ended | {"valid_from": 0, "valid_to": 1}])
    assert interrupt_everywhere(bare) >= 4
    with open_store(bare) as store, store.reading() as reader:
        assert [reader.points.find(point.id) for point in points] == points
        assert {point.id: point for point in reader.revisions.points_at(0)} == {point.id: point for point in points}


def test_days_are_summed_from_hours_and_the_watermark_is_the_latest_posting(bare: str) -> None:
    hour = 3600 * 10**9
    with writing_connection(bare) as connection:
        upgrade_schema(connection, "0007")
        older = MetaData()
        older.reflect(connection, only=["ledger_label_bins", "ledger_state"])
        bins = older.tables["ledger_label_bins"]
        key = {"label_version": 1, "point_version": 1, "direction": 0}
        rows = [{"start_at": number * hour, "packets": 1, "octets": number} for number in (1, 23, 24, 24 * 9, 24 * 9 + 1)]
        connection.execute(insert(bins), [key | row | {"resolution": resolution} for row in rows for resolution in (300, 3600)])
        connection.execute(older.tables["ledger_state"].update().values(posting=7))
    assert interrupt_everywhere(bare) >= 4
    with writing_connection(bare) as connection:
        kept = LEDGER_LABEL_BINS.c
        days = select(kept.start_at, kept.packets, kept.octets).where(kept.resolution == 0).order_by(kept.start_at)
        assert connection.execute(days).all() == [(0, 2, 24), (24 * hour, 1, 24), (9 * 24 * hour, 2, 2 * 24 * 9 + 1)]
        assert connection.execute(select(LEDGER_ROLLER.c.rolled)).scalar_one() == 7


def test_a_table_of_somebody_else_is_not_taken_for_venturis(bare: str) -> None:
    with writing_connection(bare) as connection:
        connection.execute(text("CREATE TABLE labels (colour VARCHAR(9))"))
    said = "the database has a table labels that venturi did not make: give venturi a database of its own"
    with pytest.raises(SchemaError, match=said):
        upgrade_database(bare)


@pytest.fixture
def plain_account(database_servers: DatabaseServers) -> str:
    """The URL by which an account without SUPER uses an empty database of a MariaDB that writes a binary log."""
    administrator = database_servers.logging_mariadb()
    with writing_connection(administrator) as connection:
        for statement in (
            "SET GLOBAL log_bin_trust_function_creators = OFF",
            "DROP DATABASE IF EXISTS logged",
            "CREATE DATABASE logged",
            "CREATE OR REPLACE USER plain@localhost",
            "GRANT ALL ON logged.* TO plain@localhost",
        ):
            connection.execute(text(statement))
    return read_location(administrator).set(username="plain", database="logged").render_as_string(hide_password=False)


def _administrator(database_servers: DatabaseServers) -> str:
    """Give the URL by which the server's administrator reaches the database of the account."""
    return read_location(database_servers.logging_mariadb()).set(database="logged").render_as_string(hide_password=False)


@ON_MARIADB
def test_mariadb_with_a_binary_log_is_told_what_to_set_before_anything_is_changed(
    plain_account: str, database_servers: DatabaseServers
) -> None:
    said = (
        r"MariaDB writes a binary log and lets this account make no triggers: SET GLOBAL log_bin_trust_function_creators = ON, and in the"
        r" server's configuration, then run the command again; nothing was changed"
    )
    with pytest.raises(StoreError, match=said):
        upgrade_database(plain_account)
    with writing_connection(plain_account) as connection:
        assert inspect(connection).get_table_names() == []
    with writing_connection(database_servers.logging_mariadb()) as connection:
        connection.execute(text("SET GLOBAL log_bin_trust_function_creators = ON"))
    assert upgrade_database(plain_account) == SchemaState(None, head_schema())
    assert_whole(plain_account)


@ON_MARIADB
@pytest.mark.parametrize("schema", known_schemas())
def test_no_migration_fails_half_way_for_a_right_that_is_missing(
    schema: str, plain_account: str, database_servers: DatabaseServers
) -> None:
    with writing_connection(_administrator(database_servers)) as connection:
        upgrade_schema(connection, schema)
    before = columns_of(plain_account)
    try:
        upgrade_database(plain_account)
    except StoreError:
        assert columns_of(plain_account) == before
        assert read_schema(plain_account).found == schema
    else:
        assert_whole(plain_account)


@ON_MARIADB
def test_a_binary_log_of_statements_alone_is_told_beforehand(plain_account: str, database_servers: DatabaseServers) -> None:
    with writing_connection(database_servers.logging_mariadb()) as connection:
        connection.execute(text("SET GLOBAL log_bin_trust_function_creators = ON"))
        connection.execute(text("SET GLOBAL binlog_format = STATEMENT"))
    try:
        with pytest.raises(StoreError, match="SET GLOBAL binlog_format = MIXED"):
            upgrade_database(plain_account)
        with writing_connection(plain_account) as connection:
            assert inspect(connection).get_table_names() == []
    finally:
        with writing_connection(database_servers.logging_mariadb()) as connection:
            connection.execute(text("SET GLOBAL binlog_format = MIXED"))


@ON_MARIADB
def test_a_restore_is_refused_before_it_replaces_anything(plain_account: str, database_servers: DatabaseServers, tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path}/source.db"):
        back_up(f"sqlite:///{tmp_path}/source.db", tmp_path / "backup")
    with writing_connection(_administrator(database_servers)) as connection:
        upgrade_schema(connection)
    with pytest.raises(StoreError, match="log_bin_trust_function_creators"):
        restore(plain_account, tmp_path / "backup", replace=True)
    assert_whole(plain_account)


@ON_MARIADB
def test_an_account_without_the_right_to_make_triggers_is_told(plain_account: str, database_servers: DatabaseServers) -> None:
    with writing_connection(database_servers.logging_mariadb()) as connection:
        connection.execute(text("SET GLOBAL log_bin_trust_function_creators = ON"))
        connection.execute(text("REVOKE TRIGGER ON logged.* FROM plain@localhost"))
    with pytest.raises(StoreError, match="GRANT TRIGGER on the database to it"):
        upgrade_database(plain_account)
    with writing_connection(plain_account) as connection:
        assert inspect(connection).get_table_names() == []


def test_what_was_released_does_what_it_did(bare: str, database_kind: str) -> None:
    assert set(RELEASED) <= set(known_schemas())
    for schema in RELEASED:
        with watching(bare) as (connection, changes):
            upgrade_schema(connection, schema)
        done = [change for change in changes if "alembic_version" not in change]
        kept = (STATEMENTS / f"{schema}.{database_kind}.sql").read_text(encoding="utf-8")
        assert ";\n".join(done) + ";\n" == kept


def test_steps_that_find_their_work_done_do_nothing(bare: str) -> None:
    upgrade_database(bare)
    with writing_connection(bare) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0002'"))
    with watching(bare) as (connection, changes):
        upgrade_schema(connection, "0003")
    assert [change for change in changes if not change.startswith("UPDATE")] == []
    assert_whole(bare)
