"""A database with a ledger gets the record: hosts of routers from the ledger, and when labels changed from their history."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection, MetaData, delete, insert, select

from tests.support import ledgers
from tests.support.batches import SpoolOfTests, make_interval
from tests.support.control_values import OPERATOR, new_id
from tests.support.databases import DatabaseServers, open_store, writing_connection
from tests.support.ledgers import LedgerOfTests
from tests.support.telling import TellingServer
from venturi.adapters.store.maintenance.checking import check_database
from venturi.adapters.store.maintenance.schema import upgrade_database
from venturi.adapters.store.migrations.running import upgrade_schema
from venturi.adapters.store.schema.all_tables import COUNTERS
from venturi.adapters.store.schema.tables import LABEL_CHANGES, TOLD_STATE
from venturi.core.domain.interval import SECOND, Nanoseconds
from venturi.core.domain.point import RouterPlace
from venturi.core.ledger.batch import BatchPoint
from venturi.core.ledger.bins import DAY
from venturi.services.control.planning.past import PastPlans

BEFORE = "0003"


@pytest.fixture
def present(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TellingServer]:  # noqa: PLR0206 - no property
    """A server of the present, with which a database is made that becomes one of the past; its ledger's clock is the true one."""
    monkeypatch.setattr(ledgers, "NOW", Nanoseconds(time.time_ns()))
    with open_store(f"sqlite:///{tmp_path}/present.db") as store:
        yield TellingServer(store)


@pytest.fixture
def bare(database_kind: str, database_servers: DatabaseServers, tmp_path: Path) -> str:  # noqa: PLR0206 - no property
    """The URL of a database without tables."""
    return database_servers.bare_database(database_kind, tmp_path, "bare")


def make_past(server: TellingServer, url: str) -> None:
    """Copy what a database holds into one of the schema before, as far as that has tables and columns for it."""
    with server.store.reading() as reader, writing_connection(url) as connection:
        upgrade_schema(connection, BEFORE)
        found = MetaData()
        found.reflect(connection)
        for counter in COUNTERS:
            if counter.name in found.tables:
                connection.execute(delete(found.tables[counter.name]))
        for table in found.sorted_tables:
            _copy(reader.connection, connection, table.name, [column.name for column in table.c], found)


def _copy(source: Connection, target: Connection, name: str, columns: list[str], found: MetaData) -> None:
    if name == "alembic_version":
        return
    present = MetaData()
    present.reflect(source, only=[name])
    rows = source.execute(select(*(present.tables[name].c[column] for column in columns))).all()
    if rows:
        target.execute(insert(found.tables[name]), [dict(zip(columns, row, strict=True)) for row in rows])


def post(server: TellingServer, host: str, router: str, *, days_ago: float, packets: int) -> None:
    """Post an interval of a router as an agent of a host did."""
    end = int(time.time_ns() - days_ago * DAY)
    spool = SpoolOfTests(agent_id=host, host=host, points=[BatchPoint(router, "r", "p1", shared=False, kind="router")])
    interval = make_interval(start=end - 60 * SECOND, end=end, usage=[(0, 0, packets, packets * 100)])
    LedgerOfTests(server.store).post(spool.seal(interval, sealed_at=end))


def test_routers_get_the_hosts_that_posted_packets_of_them_lately(present: TellingServer, bare: str) -> None:
    routers = {name: present.point(RouterPlace(router_id=new_id()), name=name) for name in ("one", "two", "none", "old", "unknown")}
    other = present.point()
    for name, host, days_ago, packets in (
        ("one", "Edge-1", 0, 5),
        ("one", "edge-1", 1, 5),
        ("one", "edge-2", 1, 0),
        ("two", "edge-1", 29, 1),
        ("two", "edge-3", 2, 7),
        ("old", "edge-1", 31, 5),
        ("none", "edge-2", 1, 0),
    ):
        post(present, host, routers[name].id, days_ago=days_ago, packets=packets)
    LedgerOfTests(present.store).roll()  # the version before folded each posting by itself
    present.delete(routers["unknown"])
    make_past(present, bare)
    latest = present.store.latest_revision()
    upgrade_database(bare)
    with open_store(bare) as store, store.reading() as reader:
        found = {name: reader.points.find(router.id) for name, router in routers.items()}
        hosts = {name: router.place.hosts for name, router in found.items() if router and isinstance(router.place, RouterPlace)}
        assert hosts == {"one": ("edge-1",), "two": ("edge-1", "edge-3"), "none": (), "old": ()}
        assert reader.points.find(other.id) == other
        revision = reader.revisions.find(latest + 1)
        assert revision is not None
        assert (revision.author, reader.revisions.latest()) == ("venturi", latest + 1)
        assert {change.id for change in reader.revisions.changes(latest + 1)} == {routers["one"].id, routers["two"].id}
        assert {point.id: point for point in reader.revisions.points_at(latest)}[routers["one"].id] == routers["one"]
    assert check_database(bare) == []


def test_an_upgrade_without_routers_makes_no_revision(present: TellingServer, bare: str) -> None:
    present.point()
    make_past(present, bare)
    upgrade_database(bare)
    with open_store(bare) as store:
        assert store.latest_revision() == present.store.latest_revision()


def test_what_was_told_before_the_upgrade_is_believed_after_it(present: TellingServer, bare: str) -> None:
    point = present.point()
    first = present.label("first")
    claims = [present.claim("h1", point, first)]
    second = present.label("second", shared=True, project_id="p2")
    claims.append(present.claim("h1", point, first, second))
    present.change(replace(first, name="renamed"))
    present.delete(second)
    claims.append(present.claim("h1", point, first))
    present.change(replace(first, shared=True))
    with present.store.writing(OPERATOR) as writer:
        writer.labels.delete(first.id)
    claims.append(present.claim("h1", point))
    make_past(present, bare)
    upgrade_database(bare)
    with open_store(bare) as store:
        upgraded = TellingServer(store)
        assert upgraded.count(LABEL_CHANGES) >= present.count(LABEL_CHANGES)
        work_out(upgraded)
        assert [upgraded.ask("h1", claim).problem for claim in claims] == [None] * 4


def work_out(server: TellingServer) -> None:
    """Work out the past, and see that all of it is."""
    past = PastPlans(server.store)
    while past.work() is not None:
        pass
    with server.store.reading() as reader:
        row = reader.connection.execute(TOLD_STATE.select()).one()
    assert row.worked_out == row.history_end == server.store.latest_revision()
