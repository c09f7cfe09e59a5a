"""Partitions: made ahead of need, needed by nobody who posts or folds, and each row where it belongs."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, select, text
from sqlalchemy.exc import DBAPIError

from tests.support.databases import MARIADB, POSTGRESQL, SQLITE, DatabaseServers, open_store, writing_connection
from venturi.adapters.store.ledger.rolling.partitions import (
    MOST_ENTRIES,
    WEEK,
    make_partitions,
    needed_weeks,
    next_width,
)
from venturi.adapters.store.maintenance.schema import upgrade_database
from venturi.adapters.store.schema.ledger_tables import LEDGER_LABEL_BINS, LEDGER_STATE, LEDGER_USAGE, RESOLUTIONS
from venturi.adapters.store.store import Store
from venturi.core.domain.interval import SECOND, Nanoseconds
from venturi.core.ledger.bins import BIN, HOUR
from venturi.services.ledger.rolling import Roller

NOW = 1_772_323_200 * 10**9
"""2026-03-01T00:00:00Z."""


@pytest.fixture
def fresh(database_kind: str, database_servers: DatabaseServers, tmp_path: Path) -> str:  # noqa: PLR0206 - no property
    """The URL of a database with an empty ledger of its own, whose partitions no other test has made."""
    url = database_servers.bare_database(database_kind, tmp_path, "bare")
    upgrade_database(url)
    return url


def make(url: str, now: int) -> int:
    with writing_connection(url) as connection:
        return make_partitions(connection, Nanoseconds(now))


def add_bins(url: str, *starts: int) -> None:
    key = {"label_version": 1, "point_version": 1, "direction": 0}
    with writing_connection(url) as connection:
        for width in (BIN, HOUR):
            rows = [
                key | {"resolution": RESOLUTIONS[width], "start_at": start // width * width, "packets": 1, "octets": 2} for start in starts
            ]
            connection.execute(insert(LEDGER_LABEL_BINS), rows)


def bins_of(url: str) -> list[int]:
    with writing_connection(url) as connection:
        fine = LEDGER_LABEL_BINS.c.resolution == RESOLUTIONS[BIN]
        return list(connection.execute(select(LEDGER_LABEL_BINS.c.start_at).where(fine).order_by(LEDGER_LABEL_BINS.c.start_at)).scalars())


def add_usage(url: str, *postings: int) -> None:
    entry = {"ordinal": 1, "interval_ordinal": 0, "label_version": 1, "direction": 0, "packets": 1, "octets": 2}
    with writing_connection(url) as connection:
        connection.execute(insert(LEDGER_USAGE), [entry | {"posting": posting} for posting in postings])
        connection.execute(LEDGER_STATE.update().values(posting=max(postings)))


def rows_in_other(connection: Connection, table: str) -> int:
    """Count the rows in the partition for all others."""
    asked = {
        POSTGRESQL: f"SELECT count(*) FROM {table}_other",  # noqa: S608 - a name of ours
        MARIADB: f"SELECT count(*) FROM {table} PARTITION (other)",  # noqa: S608 - the same
    }
    return int(connection.execute(text(asked[connection.dialect.name])).scalar_one())


def in_other(url: str, table: str) -> int:
    with writing_connection(url) as connection:
        return rows_in_other(connection, table)


def test_weeks_are_those_around_now() -> None:
    week = NOW // WEEK
    assert list(needed_weeks(NOW)) == [week - 1, week, week + 1, week + 2]
    assert list(needed_weeks(0)) == [0, 1, 2]


@pytest.mark.parametrize(
    ("latest", "postings"),
    [
        ((0, 0, 0), 1_000),
        ((1_000, 2_000_000, WEEK // 7), 7_000),
        ((1_000, 20_000_000, WEEK // 1_000), MOST_ENTRIES // 20_000),
        ((1_000, 1_000, 0), 10_000_000),
        ((10, 20, 100 * WEEK), 1_000),
    ],
)
def test_the_next_partition_holds_a_week_or_as_many_entries_as_it_may(latest: Sequence[int], postings: int) -> None:
    assert next_width(*latest) == postings


def test_partitions_are_made_once_and_again_when_time_goes_on(fresh: str, database_kind: str) -> None:
    made = [make(fresh, time) for time in (NOW, NOW, NOW + WEEK, NOW + WEEK)]
    if database_kind == SQLITE:
        assert made == [0, 0, 0, 0]
        return
    assert made[0] >= 4
    assert made[1:] == [0, 1, 0]
    add_bins(fresh, NOW, NOW + WEEK, NOW + 3 * WEEK - BIN)
    assert in_other(fresh, "ledger_label_bins") == 0
    assert bins_of(fresh) == [NOW, NOW + WEEK, NOW + 3 * WEEK - BIN]


@pytest.mark.parametrize("database_kind", [pytest.param(kind, id=kind) for kind in (POSTGRESQL, MARIADB)])
def test_bins_of_a_wrong_clock_are_kept_and_move_when_their_week_comes(fresh: str) -> None:
    starts = [0, HOUR, NOW, NOW + 52 * WEEK, (1 << 63) // BIN * BIN - BIN]
    add_bins(fresh, *starts)
    assert bins_of(fresh) == starts
    for time in (NOW, NOW + 52 * WEEK, 0):
        make(fresh, time)
        assert bins_of(fresh) == starts
    assert in_other(fresh, "ledger_label_bins") <= 2
    add_bins(fresh, 5 * HOUR, NOW + 600 * WEEK)
    assert bins_of(fresh) == sorted([*starts, 5 * HOUR, NOW + 600 * WEEK])


@pytest.mark.parametrize("database_kind", [pytest.param(kind, id=kind) for kind in (POSTGRESQL, MARIADB)])
def test_postings_that_nobody_made_partitions_for_are_kept_and_later_ones_get_some(fresh: str) -> None:
    add_usage(fresh, 1, 10_000, 10_001, 50_000)
    assert in_other(fresh, "ledger_usage") == 2
    assert make(fresh, NOW) >= 1
    add_usage(fresh, 50_001, 51_000, 51_500)
    with writing_connection(fresh) as connection:
        kept = list(connection.execute(select(LEDGER_USAGE.c.posting).order_by(LEDGER_USAGE.c.posting)).scalars())
        assert kept == [1, 10_000, 10_001, 50_000, 50_001, 51_000, 51_500]
        assert rows_in_other(connection, "ledger_usage") <= 3


@pytest.mark.parametrize("database_kind", [POSTGRESQL])
def test_partitions_let_nothing_be_removed(fresh: str) -> None:
    add_usage(fresh, 1, 9_999)
    make(fresh, NOW)
    add_usage(fresh, 10_500)
    with writing_connection(fresh) as connection:
        names = connection.execute(text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'ledger_usage'::regclass"))
        partitions = list(names.scalars())
        for name in partitions:
            with pytest.raises(DBAPIError, match="the ledger is append-only"), connection.begin_nested():
                connection.execute(text(f"TRUNCATE {name}"))
        for statement in ("DELETE FROM ledger_usage", "UPDATE ledger_usage SET octets = 7"):
            with pytest.raises(DBAPIError, match="the ledger is append-only"), connection.begin_nested():
                connection.execute(text(f"{statement} WHERE posting = 10500"))
    assert len(partitions) == 3


def test_making_partitions_does_not_wait_for_who_reads_for_long(database: str, database_kind: str) -> None:
    """It gives up after a second, and is tried again."""
    if database_kind == SQLITE:
        return
    with open_store(database) as other, other.reading() as reader:
        reader.connection.execute(select(LEDGER_LABEL_BINS.c.start_at)).all()
        with pytest.raises(DBAPIError):
            make(database, NOW + 5_000 * WEEK)
    assert make(database, NOW + 5_000 * WEEK) >= 1


def test_partitions_that_cannot_be_made_raise_an_alarm_until_one_can(store: Store, database_kind: str) -> None:
    if database_kind == SQLITE:
        return
    now, alarms, cleared = NOW + 9_000 * WEEK, list[str](), list[str]()
    roller = Roller(store, lambda: Nanoseconds(now), lambda alarm: alarms.append(alarm.kind), clear=lambda kind, _: cleared.append(kind))
    with store.reading() as reader:
        reader.connection.execute(select(LEDGER_LABEL_BINS.c.start_at)).all()
        for _ in range(3):
            assert alarms == []
            roller.make_partitions()
            now += 61 * SECOND
    roller.make_partitions()
    assert (alarms, cleared) == (["no_partitions"], ["no_partitions"])
