"""The schema: migrations make what the code expects, and a store opens no other."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from tests.support.control_values import OPERATOR, make_label
from tests.support.databases import SQLITE, DatabaseServers, open_store, writing_connection
from venturi.adapters.store.maintenance.schema import SchemaState, read_schema, upgrade_database
from venturi.adapters.store.migrations.running import head_schema
from venturi.adapters.store.schema.all_tables import METADATA
from venturi.adapters.store.store import Store, StoreConfig
from venturi.core.domain.errors import SchemaError, StoreError


@pytest.fixture
def bare(database_kind: str, database_servers: DatabaseServers, tmp_path: Path) -> str:  # noqa: PLR0206 - no property
    """The URL of a database without tables."""
    return database_servers.bare_database(database_kind, tmp_path, "bare")


def make_newer(url: str) -> None:
    with writing_connection(url) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))


def test_migrations_make_the_tables_of_the_code(bare: str) -> None:
    assert upgrade_database(bare) == SchemaState(None, head_schema())
    with writing_connection(bare) as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), METADATA) == []


def test_upgrading_twice_changes_nothing(bare: str) -> None:
    upgrade_database(bare)
    with open_store(bare) as store, store.writing(OPERATOR) as writer:
        writer.labels.insert([make_label()])
    assert upgrade_database(bare) == SchemaState(head_schema(), head_schema())
    assert read_schema(bare) == SchemaState(head_schema(), head_schema())
    with open_store(bare) as store:
        assert store.latest_revision() == 1


def test_an_older_schema_is_upgraded_where_it_is_embedded_and_refused_elsewhere(bare: str, database_kind: str) -> None:
    if database_kind == SQLITE:
        with open_store(bare) as store:
            store.ping()
        return
    with pytest.raises(SchemaError, match="the database has no tables yet: run venturi db upgrade"):
        Store(StoreConfig(bare)).start()
    upgrade_database(bare)
    with open_store(bare) as store:
        store.ping()


def test_a_newer_schema_is_refused_everywhere(bare: str) -> None:
    upgrade_database(bare)
    make_newer(bare)
    said = "the database has the schema 9999, which this venturi does not know: it was made by a newer one"
    with pytest.raises(SchemaError, match=said):
        Store(StoreConfig(bare)).start()
    with pytest.raises(SchemaError, match=said):
        upgrade_database(bare)


def test_a_store_whose_schema_changes_is_not_ready(bare: str) -> None:
    upgrade_database(bare)
    with open_store(bare) as store:
        store.ping()
        make_newer(bare)
        with pytest.raises(StoreError, match="made by a newer one"):
            store.ping()


def test_an_embedded_database_is_not_made_by_asking_for_its_schema(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no database"):
        read_schema(f"sqlite:///{tmp_path}/missing.db")
    assert list(tmp_path.iterdir()) == []
