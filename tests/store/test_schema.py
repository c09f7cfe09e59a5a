"""The schema: migrations make what the code expects, and a store opens no other."""

from pathlib import Path

import pytest
from sqlalchemy import MetaData, insert, text

from tests.support.control_values import OPERATOR, make_label, make_point
from tests.support.databases import SQLITE, DatabaseServers, open_store, schema_differences, writing_connection
from venturi.adapters.store.maintenance.schema import SchemaState, read_schema, upgrade_database
from venturi.adapters.store.migrations.running import head_schema, upgrade_schema
from venturi.adapters.store.store import Store, StoreConfig
from venturi.adapters.store.tables.point_rows import write_point
from venturi.core.domain.errors import SchemaError, StoreError
from venturi.core.domain.point import ExporterPlace, InterfacePlace


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
        assert schema_differences(connection) == []


def test_upgrading_twice_changes_nothing(bare: str) -> None:
    upgrade_database(bare)
    with open_store(bare) as store, store.writing(OPERATOR) as writer:
        writer.labels.insert([make_label()])
    assert upgrade_database(bare) == SchemaState(head_schema(), head_schema())
    assert read_schema(bare) == SchemaState(head_schema(), head_schema())
    with open_store(bare) as store:
        assert store.latest_revision() == 1


def test_points_of_an_older_schema_stay_where_they_were_metered(bare: str) -> None:
    points = [make_point(InterfacePlace(host="h1", device="eth0")), make_point(ExporterPlace(address="192.0.2.1"))]
    rows = [write_point(point) | {"valid_from": 1} for point in points]
    with writing_connection(bare) as connection:
        upgrade_schema(connection, "0002")
        older = MetaData()
        older.reflect(connection, only=["observation_points", "observation_points_history"])
        for row in rows:
            del row["hook"]
            connection.execute(insert(older.tables["observation_points"]), [row])
            ended = {name: value for name, value in row.items() if name != "place_key"}
            connection.execute(insert(older.tables["observation_points_history"]), [ended | {"valid_from": 0, "valid_to": 1}])
    upgrade_database(bare)
    with open_store(bare) as store, store.reading() as reader:
        assert [reader.points.find(point.id) for point in points] == points
        assert {point.id: point for point in reader.revisions.points_at(0)} == {point.id: point for point in points}


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
