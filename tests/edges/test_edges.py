"""Whatever an adapter meets outside, nothing but an error of venturi's leaves it: every error is raised at every call that it makes."""

import errno
import shutil
import struct
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import psycopg
import pyarrow as pa
import pytest
from pymysql.err import InterfaceError
from pymysql.err import OperationalError as MariadbError
from pyroute2.netlink.exceptions import NetlinkError
from pysqlite3 import dbapi2
from sqlalchemy.exc import OperationalError
from urllib3.exceptions import ProtocolError

from tests.spec.build import label
from tests.spool.building import LOG
from tests.support.batches import SpoolOfTests, make_interval
from tests.support.control_values import OPERATOR, make_label
from tests.support.databases import DATABASES, SQLITE, DatabaseServers, open_store
from tests.support.injection import Injection, Scenario, find_places
from tests.support.kernel.drivers import KERNEL_DRIVERS, new_driver
from tests.support.kernel.router import OUTER, Router, running_router
from tests.support.ledgers import LedgerOfTests
from tests.support.scripted_server import http_answer, scripted_server
from tests.unit.flow_records.reading import read, write
from venturi.adapters.client.config import ConnectionConfig
from venturi.adapters.client.connection import Connection
from venturi.adapters.files.opening import open_input
from venturi.adapters.files.rules_file import load_rules
from venturi.adapters.host_clocks import boot_id
from venturi.adapters.network.bypass import find_bypasses
from venturi.adapters.network.namespaces import list_devices, list_namespaces
from venturi.adapters.network.routes import list_default_devices
from venturi.adapters.network.watched_host import WatchedHost
from venturi.adapters.plan_file import PlanFile
from venturi.adapters.server.configuration import ServerConfig
from venturi.adapters.server.refusals import Answer, Refusal
from venturi.adapters.server.server import HttpServer
from venturi.adapters.spool.config import SpoolConfig
from venturi.adapters.spool.spool import Spool
from venturi.adapters.spool.values import Moment, Recording
from venturi.adapters.store.maintenance.backup import back_up
from venturi.adapters.store.maintenance.checking import check_database
from venturi.adapters.store.store import Store, StoreConfig
from venturi.core.classify.compiler import CompiledClassifier
from venturi.core.decode.format import COLUMNAR_FORMATS
from venturi.core.domain.generation import Generation, MeteredDevice
from venturi.core.ledger.recorded import NO_LABELS, RecordedInterval
from venturi.core.meter.readings.timeline import Correction

NUMBERS = [errno.EMSGSIZE, errno.ENOBUFS, errno.EIO, errno.ENOSPC, errno.EMFILE, errno.ENOMEM, errno.EPERM, errno.EINTR, errno.ECONNRESET]
OCTETS: list[Exception] = [struct.error("unpack requires a buffer of 16 bytes"), UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no")]
OS_ERRORS: list[Exception] = [OSError(number, "injected") for number in NUMBERS]
KERNEL: list[Exception] = [*OS_ERRORS, NetlinkError(errno.ENOBUFS), *OCTETS]
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


def hold(
    scenario: Scenario,
    errors: list[Exception],
    *folders: str,
    prepare: Callable[[], object] = tuple,
    calls: frozenset[str] = frozenset(),
    by_turns: bool = False,
) -> int:
    """Raise every error at every place of a scenario, and give the number of places.

    With ``calls``, only places that call one of these. What is only done once in a process is done before. ``by_turns``, each place has one
    error and each error a place: a call of the kernel or of a database takes too long for all of them.
    """
    prepare()
    find_places(scenario, *folders)
    prepare()
    found = [[place for place in places if not calls or place.called in calls] for places in find_places(scenario, *folders)]
    injection = Injection(scenario, prepare, folders)
    if by_turns:
        located = [(number, place) for number, places in enumerate(found) for place in places]
        for turn in range(max(len(located), len(errors))):
            injection.strike(*located[turn % len(located)], errors[turn % len(errors)])
    else:
        for number, places in enumerate(found):
            injection.hold(number, places, errors)
    return sum(map(len, found))


@pytest.fixture(scope="module")
def router() -> Iterator[Router]:
    with running_router() as running:
        yield running


@pytest.mark.parametrize("name", KERNEL_DRIVERS)
def test_drivers(name: str, router: Router) -> None:
    driver = new_driver(name)
    metered = MeteredDevice(point_id="p", device=OUTER, namespace=router.namespace)
    classifier = CompiledClassifier([label("web", "out 10.0.0.0/8 > *")])
    first, second = (Generation(id=digit * 32, spool_id="e" * 32, digest=digit * 64) for digit in "12")

    def prepare() -> None:
        driver.stop()
        driver.start()
        driver.purge()
        driver.stop()

    scenario: Scenario = [
        driver.start,
        partial(driver.apply, metered, classifier, first),
        partial(driver.is_counting, metered, first),
        partial(driver.apply, metered, classifier, second),
        partial(driver.read, metered, first),
        driver.find,
        partial(driver.retire, metered, first),
        partial(driver.retire, metered, second),
        driver.purge,
        driver.stop,
    ]
    try:
        assert hold(scenario, KERNEL, "adapters/drivers", "adapters/network", prepare=prepare, by_turns=True) > 20
    finally:
        prepare()


@pytest.mark.root
def test_the_network(router: Router) -> None:
    metered = MeteredDevice(point_id="p", device=OUTER, namespace=router.namespace)

    def watch() -> None:
        host = WatchedHost(find_bypasses)
        try:
            host.list_namespaces()
            host.list_devices(router.namespace)
            host.list_devices(router.namespace)
            host.hold(metered)
            host.has_bypass(metered)
            host.release(metered)
        finally:
            host.stop()

    scenario: Scenario = [
        list_namespaces,
        partial(list_devices, router.namespace),
        list_default_devices,
        partial(find_bypasses, router.namespace, OUTER),
    ]
    assert hold([*scenario, watch], KERNEL, "adapters/network", "adapters/drivers/nftables", by_turns=True) > 20


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
        lambda store: check_database(store._config.url),
        lambda store: back_up(store._config.url, tmp_path / "backup"),
    ]
    lost = OperationalError("SELECT 1", {}, DRIVERS[kind][0])
    errors = [*DRIVERS[kind], lost, *OS_ERRORS, *OCTETS]
    assert hold([ask(call) for call in calls], errors, "adapters/store", prepare=prepare, calls=TO_DATABASES, by_turns=True) > 20
    opened[0].stop()


def test_files(tmp_path: Path) -> None:
    plain, rules = tmp_path / "plain", tmp_path / "rules.yaml"
    plain.write_bytes(bytes(1 << 16))
    rules.write_text("labels: []\n", encoding="utf-8")

    def read() -> None:
        with closing(open_input(str(plain))) as stream:
            stream.readinto(bytearray(4096))
            stream.seekable_file()

    assert (
        hold([read, partial(load_rules, [str(rules)])], [*OS_ERRORS, *OCTETS], "adapters/files/opening.py", "adapters/files/rules_file.py")
        > 5
    )


def test_the_client() -> None:
    def ask() -> None:
        with scripted_server([http_answer("{}", 200, "Date: Thu, 01 Jan 2026 00:00:00 GMT")] * 4) as server:
            heard = list[int]()
            with Connection(ConnectionConfig(url=server.url), heard.append) as connection:
                connection.ask("GET", "/v1/labels")

    assert hold([ask], [*OS_ERRORS, ProtocolError("cut"), *OCTETS], "adapters/client") > 10


def test_flow_records() -> None:
    flow = {
        "start": [1],
        "end": [2],
        "source_address": ["10.0.0.1"],
        "destination_address": ["192.0.2.1"],
        "packets": [7],
        "octets": [4200],
    }
    contents = {kind: write(pa.table(flow), kind) for kind in COLUMNAR_FORMATS}

    for kind, content in contents.items():
        assert len(read(content, kind).flows) == 1
    errors = [*OS_ERRORS, *OCTETS, EOFError(), pa.ArrowInvalid("no such type")]
    assert hold([partial(read, content, kind) for kind, content in contents.items()], errors, "adapters/files") > 50


def test_a_plan_file_and_the_boot(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text("{}", encoding="utf-8")
    files = [*OS_ERRORS, *OCTETS]
    assert hold([lambda: PlanFile(path).ask("", 0)], files, "adapters/plan_file.py") > 0
    assert hold([boot_id], files, "adapters/host_clocks.py") > 0


class SilentObserver:
    """Hears what the connection refuses, of which there is nothing here."""

    def refuse(self, refusal: Refusal, sentence: str, *, path: str, client: str) -> Answer:
        raise AssertionError((refusal, sentence, path, client))

    def drop(self, refusal: Refusal, *, client: str) -> None:
        raise AssertionError((refusal, client))


def test_listening() -> None:
    opened = list[HttpServer]()

    async def answer(*_: object) -> None:
        """Answer nothing: nobody asks."""

    def prepare() -> None:
        opened.clear()
        opened.append(HttpServer(ServerConfig(port=0), answer, SilentObserver(), lambda: None))

    def start() -> None:
        assert opened[0].start()
        for listening in opened[0]._sockets:
            listening.close()

    assert hold([start], [*OS_ERRORS, *OCTETS], "adapters/server", prepare=prepare) > 5
