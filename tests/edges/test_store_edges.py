"""The spool of an agent and the database of a server: whatever they meet, nothing but an error of venturi's leaves them."""

import errno
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import psycopg
import pytest
from pymysql.err import InterfaceError
from pymysql.err import OperationalError as MariadbError
from pysqlite3 import dbapi2
from sqlalchemy.exc import OperationalError

from tests.edges.holding import OCTETS, OS_ERRORS, hold, through
from tests.spool.building import LOG
from tests.support.batches import SpoolOfTests, make_interval
from tests.support.control_values import OPERATOR, make_label
from tests.support.databases import DATABASES, SQLITE, DatabaseServers, open_store
from tests.support.injection import Scenario
from tests.support.ledgers import LedgerOfTests
from venturi.adapters.spool.config import SpoolConfig
from venturi.adapters.spool.spool import Spool
from venturi.adapters.spool.values import Moment, Recording
from venturi.adapters.store.ledger.proving.proof import prove_ledger
from venturi.adapters.store.ledger.rolling.rebuilding import rebuild_roll_ups
from venturi.adapters.store.maintenance.backup import back_up
from venturi.adapters.store.maintenance.checking import check_database
from venturi.adapters.store.maintenance.ledger_dump import export_ledger, import_ledger
from venturi.adapters.store.maintenance.restoring import restore
from venturi.adapters.store.maintenance.schema import read_schema, upgrade_database
from venturi.adapters.store.store import Store, StoreConfig
from venturi.core.ledger.recorded import NO_LABELS, RecordedInterval
from venturi.core.meter.readings.timeline import Correction

SPOOL: list[Exception] = [dbapi2.OperationalError("disk I/O error"), dbapi2.DatabaseError("malformed"), *OS_ERRORS, *OCTETS]
TO_DATABASES = frozenset(
    {"execute", "exec_driver_sql", "executemany", "connect", "begin", "cursor", "copy", "write", "all", "first", "scalar", "scalars"}
    | {"scalar_one", "fetchone", "fetchall", "stat", "mkdir", "open", "flock", "fsync", "unlink", "backup", "get_table_names"}
)
"""What the store calls of databases and the file system; it calls much else of SQLAlchemy, which only puts statements together."""

DRIVERS: dict[str, list[Exception]] = {
    "sqlite": [dbapi2.OperationalError("disk I/O error"), dbapi2.InterfaceError("closed")],
    "postgresql": [psycopg.OperationalError("the connection is lost"), psycopg.errors.AdminShutdown("terminating")],
    "mariadb": [MariadbError(2013, "Lost connection"), InterfaceError(0, "")],
}


def errors_of(kind: str) -> list[Exception]:
    """Give what a database may raise: its driver, SQLAlchemy above it, the system below, and octets that are not as they should be."""
    return [*DRIVERS[kind], OperationalError("SELECT 1", {}, DRIVERS[kind][0]), *OS_ERRORS, *OCTETS]


def chosen_of(kind: str) -> list[Exception]:
    """Give one error of each kind; without those that are raised by turns, where a database takes long."""
    return [DRIVERS[kind][0], OSError(errno.EIO, "injected"), OCTETS[0]] if kind == SQLITE else []


def fill(url: str) -> None:
    """Post some batches to the ledger of a database."""
    spool = SpoolOfTests()
    envelope = spool.seal(*(make_interval(minute, usage=[(0, 0, 5, 500), (0, 1, 1, 100)]) for minute in range(3)))
    with open_store(url) as store:
        LedgerOfTests(store).post(envelope)


@through(Spool)
def test_the_spool(tmp_path: Path) -> None:
    batch_point = SpoolOfTests().points[0]
    recorded = [RecordedInterval(batch_point, NO_LABELS, make_interval(minute)) for minute in range(3)]
    moment = Moment(wall=1, monotonic=1, boot_id="b")
    opened = list[Spool]()

    def prepare() -> None:
        while opened:
            opened.pop().stop()
        for path in tmp_path.glob("spool.db*"):
            path.unlink()
        opened.append(Spool(SpoolConfig(path=tmp_path / "spool.db", agent_id="agent", reserve=1 << 16), LOG))

    def ask(call: Callable[[Spool], object]) -> Callable[[], object]:
        return lambda: call(opened[0])

    def seal(spool: Spool) -> None:
        sealed = spool.seal(1)
        assert sealed is None or spool.batch(sealed.sequence) is not None

    calls: list[Callable[[Spool], object]] = [
        Spool.start,
        lambda spool: spool.record(Recording(moment=moment, intervals=recorded)),
        Spool.generations,
        lambda spool: spool.spool_id,
        lambda spool: spool.date_anew(Correction(0, 1 << 62, 5)),
        seal,
        Spool.head,
        lambda spool: spool.undelivered(0),
        lambda spool: spool.acknowledge(1, 1),
        Spool.size,
        lambda spool: spool.forget_older_than(5),
        lambda spool: spool.renew(moment, {}),
        Spool.stop,
    ]
    assert hold([ask(call) for call in calls], SPOOL, "adapters/spool", prepare=prepare) > 40
    opened[0].stop()


@pytest.mark.parametrize("kind", DATABASES)
@through(Store)
def test_the_store(kind: str, database_servers: DatabaseServers, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    spool = SpoolOfTests()
    envelope = spool.seal(*(make_interval(minute, usage=[(0, 0, 5, 500), (0, 1, 1, 100)]) for minute in range(3)))
    opened = list[Store]()
    template = tmp_path_factory.mktemp("template") / "venturi.db"
    with open_store(f"sqlite:///{template}"):
        pass

    def prepare() -> None:
        while opened:
            opened.pop().stop()
        for path in tmp_path.iterdir():
            path.unlink()
        url = database_servers.empty_database(kind, tmp_path)
        if kind == SQLITE:
            shutil.copy(template, tmp_path / "venturi.db")
        opened.append(Store(StoreConfig(url, 2)))

    def ask(call: Callable[[Store], object]) -> Callable[[], object]:
        return lambda: call(opened[0])

    def write(store: Store) -> None:
        with store.writing(OPERATOR) as writer:
            writer.labels.insert([make_label()])

    def read(store: Store) -> None:
        with store.reading() as reader:
            reader.usage.label_versions()
            reader.revisions.labels_at(1)

    calls: list[Callable[[Store], object]] = [
        Store.start,
        Store.ping,
        write,
        lambda store: LedgerOfTests(store).post(envelope),
        read,
        Store.latest,
        Store.latest_revision,
        Store.find_volatility,
        Store.stop,
    ]
    scenario = [ask(call) for call in calls]
    chosen, by_turns = chosen_of(kind), kind != SQLITE
    assert hold(scenario, errors_of(kind), "adapters/store", prepare=prepare, calls=TO_DATABASES, chosen=chosen, by_turns=by_turns) > 20
    opened[0].stop()


@pytest.mark.parametrize("kind", DATABASES)
@through(back_up, check_database, read_schema, upgrade_database, prove_ledger, rebuild_roll_ups, export_ledger)
def test_maintenance(kind: str, database_servers: DatabaseServers, tmp_path: Path) -> None:
    url = database_servers.empty_database(kind, tmp_path)
    fill(url)
    written = tmp_path / "written"

    def prepare() -> None:
        written.unlink(missing_ok=True)

    calls: list[Callable[[], object]] = [
        partial(check_database, url),
        partial(back_up, url, written),
        partial(export_ledger, url, written),
        partial(prove_ledger, url),
        lambda: list(rebuild_roll_ups(url)),
        partial(read_schema, url),
        partial(upgrade_database, url),
    ]
    errors = errors_of(kind)
    assert sum(hold([call], errors, "adapters/store", prepare=prepare, calls=TO_DATABASES, by_turns=True) for call in calls) > 20


@through(restore, import_ledger)
def test_what_is_put_back(tmp_path: Path) -> None:
    fill(f"sqlite:///{tmp_path / 'filled.db'}")
    back_up(f"sqlite:///{tmp_path / 'filled.db'}", tmp_path / "backup")
    export_ledger(f"sqlite:///{tmp_path / 'filled.db'}", tmp_path / "ledger")
    restored, imported = (tmp_path / "restored.db", tmp_path / "imported.db")

    def prepare() -> None:
        for path in (*tmp_path.glob("restored.db*"), *tmp_path.glob("imported.db*")):
            path.unlink()

    scenario: Scenario = [
        partial(restore, f"sqlite:///{restored}", tmp_path / "backup", replace=True),
        partial(import_ledger, f"sqlite:///{imported}", tmp_path / "ledger"),
    ]
    folder = "adapters/store/maintenance"
    assert hold(scenario, errors_of(SQLITE), folder, prepare=prepare, calls=TO_DATABASES, by_turns=True) > 10
