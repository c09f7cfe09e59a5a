"""Carrying rows into their new form: in pieces, told beforehand, resumed after a kill, and no row is lost or changed."""

import random
import time
from itertools import cycle
from pathlib import Path

import pytest
from sqlalchemy import MetaData, insert, select

from tests.support.databases import DatabaseServers, writing_connection
from venturi.adapters.store.maintenance.schema import upgrade_database
from venturi.adapters.store.migrations import steps
from venturi.adapters.store.migrations.running import Carrying, upgrade_schema
from venturi.adapters.store.migrations.versions import s0013_partitions
from venturi.adapters.store.schema.ledger_tables import LEDGER_LABEL_BINS, LEDGER_ROLLER, LEDGER_USAGE

BIN = 300 * 10**9
DAY = 288 * BIN
BEGINNING = 1_772_323_200 * 10**9
"""2026-03-01T00:00:00Z."""


class KilledError(Exception):
    """The upgrade ended here."""


class KillingProgress:
    """Progress during which the program is killed after some pieces."""

    def __init__(self, pieces: int) -> None:
        self.pieces = pieces
        self.told: list[int] = []

    def begin(self, _name: str, _whole: int | None) -> None:
        """Hear of a part."""

    def update(self, done: int) -> None:
        """Hear of a piece, and end if it is the last."""
        self.told.append(done)
        if len(self.told) == self.pieces:
            raise KilledError


@pytest.fixture
def filled(database_kind: str, database_servers: DatabaseServers, tmp_path: Path) -> str:  # noqa: PLR0206 - no property
    """The URL of a database of the schema before, with bins of all lengths and entries of many postings."""
    url = database_servers.bare_database(database_kind, tmp_path, "bare")
    chance = random.Random(1)  # noqa: S311 - the choice of a test
    with writing_connection(url) as connection:
        upgrade_schema(connection, s0013_partitions.down_revision)
        older = MetaData()
        older.reflect(connection, only=["ledger_label_bins", "ledger_usage", "ledger_postings", "ledger_state"])
        starts = [0, *(BEGINNING + number * BIN for number in range(60)), BEGINNING + 5000 * BIN * 2016, (1 << 63) // BIN * BIN - BIN]
        bins = [
            {"resolution": resolution, "start_at": start // width * width, "label_version": label, "point_version": 1, "direction": 0}
            for resolution, width in ((0, 288 * BIN), (300, BIN), (3600, 12 * BIN))
            for start in sorted({start // width * width for start in starts})
            for label in (1, 2)
        ]
        counted = [row | {"packets": chance.randrange(1 << 62), "octets": chance.randrange(1 << 62)} for row in bins]
        connection.execute(insert(older.tables["ledger_label_bins"]), counted)
        entry = {"interval_ordinal": 0, "label_version": 1, "direction": 0, "octets": 9}
        entries = [
            entry | {"posting": posting, "ordinal": ordinal, "packets": posting}
            for posting in range(1, 31)
            for ordinal in range(1, 1 + posting % 7)
        ]
        connection.execute(insert(older.tables["ledger_usage"]), entries)
        posting = {"kind": "batch", "posted_at": BEGINNING, "entries": 20_000_000, "seal": ""}
        connection.execute(insert(older.tables["ledger_postings"]), [posting | {"posting": number} for number in range(1, 31)])
        connection.execute(older.tables["ledger_state"].update().values(posting=30))
    return url


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_file_does_not_grow(filled: str, monkeypatch: pytest.MonkeyPatch) -> None:
    row = {"resolution": 300, "point_version": 1, "direction": 0, "packets": 1 << 40, "octets": 1 << 50}
    with writing_connection(filled) as connection:
        older = MetaData()
        older.reflect(connection, only=["ledger_label_bins"])
        rows = [row | {"start_at": BEGINNING + number * BIN, "label_version": label} for number in range(100, 600) for label in range(100)]
        connection.execute(insert(older.tables["ledger_label_bins"]), rows)
    monkeypatch.setattr(steps, "ROWS_AT_ONCE", 2_000)
    pages = []
    for _ in range(2):
        with writing_connection(filled) as connection:
            pages.append(connection.exec_driver_sql("PRAGMA page_count").scalar_one())
        upgrade_database(filled)
    assert pages[0] > 400
    assert pages[1] < pages[0] + 60


def rows_of(url: str) -> list[set[tuple[int, ...]]]:
    """Give all rows of both tables, times in nanoseconds."""
    with writing_connection(url) as connection:
        return [{tuple(row) for row in connection.execute(select(table))} for table in (LEDGER_LABEL_BINS, LEDGER_USAGE)]


def former_rows_of(url: str) -> list[set[tuple[int, ...]]]:
    older = MetaData()
    with writing_connection(url) as connection:
        older.reflect(connection, only=["ledger_label_bins", "ledger_usage"])
        tables = [(older.tables[table.name], [column.name for column in table.c]) for table in (LEDGER_LABEL_BINS, LEDGER_USAGE)]
        return [{tuple(row) for row in connection.execute(select(*(table.c[name] for name in names)))} for table, names in tables]


def test_rows_are_carried_over_in_pieces_whenever_that_is_interrupted(filled: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "ROWS_AT_ONCE", 17)
    before = former_rows_of(filled)
    kills = 0
    for pieces in cycle((1, 2, 3)):
        try:
            upgrade_database(filled, KillingProgress(pieces))
        except KilledError:
            kills += 1
        else:
            break
    assert kills >= 4
    tomorrow = int(time.time() * 10**9) // DAY * DAY + DAY
    before[0] = {row for row in before[0] if row[0] == 300 or row[1] < tomorrow}
    assert rows_of(filled) == before
    upgrade_database(filled)
    assert rows_of(filled) == before
    with writing_connection(filled) as connection:
        assert connection.execute(select(LEDGER_ROLLER.c.closed_until)).scalar_one() == tomorrow


def test_what_is_to_be_carried_over_is_told_beforehand(filled: str, database_kind: str) -> None:
    if database_kind != "sqlite":
        with writing_connection(filled) as connection:
            for table in ("ledger_label_bins", "ledger_usage"):
                connection.exec_driver_sql(f"ANALYZE {'' if database_kind == 'postgresql' else 'TABLE '}{table}")
    before, told = former_rows_of(filled), list[Carrying]()
    upgrade_database(filled, tell=told.append)
    (carrying,) = told
    assert carrying.rows == sum(map(len, before[: 1 if database_kind == "sqlite" else 2]))
    assert carrying.octets >= 25 * carrying.rows
    upgrade_database(filled, tell=told.append)
    assert len(told) == 1
