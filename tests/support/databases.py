"""Databases for tests: the three that a store runs on, each the real one, private to the run.

Owns their servers: started when a test first asks, without a network port, and gone with the worker. A test that asks for
``database`` or ``store`` runs once on each.
"""

import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, delete, text, update
from sqlalchemy.exc import SQLAlchemyError

from tests.support.tools import find_tool, needs, runs_as_root
from venturi.adapters.store.engines.engines import build_engines
from venturi.adapters.store.engines.locations import read_location
from venturi.adapters.store.migrations.running import upgrade_schema
from venturi.adapters.store.schema.all_tables import COUNTERS, METADATA
from venturi.adapters.store.schema.ledger_tables import LEDGER_ROLLER, LEDGER_STATE
from venturi.adapters.store.schema.tables import REVISION_COUNTER, TOLD_STATE
from venturi.adapters.store.store import Store, StoreConfig
from venturi.core.domain.errors import StoreError

SQLITE = "sqlite"
POSTGRESQL = "postgresql"
MARIADB = "mariadb"

ON_POSTGRESQL = needs("postgres", "initdb")
ON_MARIADB = needs("mariadbd", "mariadb-install-db")

DATABASES = [SQLITE, pytest.param(POSTGRESQL, marks=ON_POSTGRESQL), pytest.param(MARIADB, marks=ON_MARIADB)]
"""The databases, as parameters of a fixture or a table."""

_POSTGRESQL_INDEXES = {"ix_ledger_usage_posting", "ix_ledger_label_bins_start_at"}
_START_SECONDS = 60.0
_NAME = "venturi"
_MARIADB_SOCKET = "mysqld.sock"


@dataclass
class DatabaseServers:
    """Gives databases by their kind, and starts the server of a kind when it is first asked for."""

    running: ExitStack
    urls: dict[str, str] = field(default_factory=dict)

    def empty_database(self, kind: str, folder: Path) -> str:
        """Give the URL of a database with this version's schema and nothing in it; SQLite's is a file in ``folder``."""
        if kind == SQLITE:
            return f"sqlite:///{folder / 'venturi.db'}"
        url = self._url(kind)
        with writing_connection(url) as connection:
            _empty(connection)
        return url

    def bare_database(self, kind: str, folder: Path, name: str) -> str:
        """Give the URL of a database of this name without any tables, made anew."""
        if kind == SQLITE:
            return f"sqlite:///{folder / name}.db"
        beside = self._url(kind)
        engines = build_engines(read_location(beside), 1)
        with engines.writers.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(f"DROP DATABASE IF EXISTS {name}"))
            connection.execute(text(f"CREATE DATABASE {name}"))
        engines.dispose()
        return read_location(beside).set(database=name).render_as_string(hide_password=False)

    def logging_mariadb(self) -> str:
        """Give the URL of the administrator of a MariaDB that writes a binary log."""
        if "logging" not in self.urls:
            self.urls["logging"] = self.running.enter_context(_start_mariadb("--log-bin"))
        return self.urls["logging"]

    def _url(self, kind: str) -> str:
        """Give the URL of a server's database, which has the schema of this version."""
        if kind not in self.urls:
            start = _start_postgresql if kind == POSTGRESQL else _start_mariadb
            self.urls[kind] = self.running.enter_context(start())
            with writing_connection(self.urls[kind]) as connection:
                upgrade_schema(connection)
        return self.urls[kind]


@pytest.fixture(scope="session")
def database_servers() -> Iterator[DatabaseServers]:
    """The database servers of this worker, started as they are needed."""
    with ExitStack() as running:
        yield DatabaseServers(running)


@pytest.fixture(params=DATABASES)
def database_kind(request: pytest.FixtureRequest) -> str:
    """Each database by its name."""
    return str(request.param)


@pytest.fixture
def database(database_kind: str, database_servers: DatabaseServers, tmp_path: Path) -> str:  # noqa: PLR0206 - no property
    """The URL of an empty database of each kind."""
    return database_servers.empty_database(database_kind, tmp_path)


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    """An open, empty store on each kind of database."""
    with open_store(database) as opened:
        yield opened


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[Store]:
    """An open, empty store on SQLite, where one database is enough."""
    with open_store(f"sqlite:///{tmp_path / 'venturi.db'}") as opened:
        yield opened


@contextmanager
def open_store(url: str, pool_size: int = 4) -> Iterator[Store]:
    """Open a store and close it again."""
    store = Store(StoreConfig(url, pool_size))
    store.start()
    try:
        yield store
    finally:
        store.stop()


def new_database(folder: Path) -> str:
    """Make an embedded database in a folder, with the schema of this version, and give its URL."""
    url = f"sqlite:///{folder / 'venturi.db'}"
    with open_store(url):
        return url


@contextmanager
def writing_connection(url: str) -> Iterator[Connection]:
    """Open one transaction that writes on a database, past the store."""
    engines = build_engines(read_location(url), 1)
    try:
        with engines.writers.begin() as connection:
            yield connection
    finally:
        engines.dispose()


def schema_differences(connection: Connection) -> list[Any]:
    """Compare a database with the tables of the code: partitions and the indexes that only PostgreSQL has are none of these."""

    def is_ours(name: str | None, kind: str, _parents: object) -> bool:
        return name not in _POSTGRESQL_INDEXES and (kind != "table" or name in METADATA.tables)

    context = MigrationContext.configure(connection, opts={"compare_type": True, "include_name": is_ours})
    return list(compare_metadata(context, METADATA))


def _empty(connection: Connection) -> None:
    """Empty the tables; the ledger lets go of its postings once it is told that it may."""
    connection.execute(update(LEDGER_STATE).values(removable=LEDGER_STATE.c.posting))
    for table in reversed(METADATA.sorted_tables):
        if table not in COUNTERS:
            connection.execute(delete(table))
    connection.execute(update(REVISION_COUNTER).values(number=0))
    connection.execute(update(TOLD_STATE).values(history_end=0, worked_out=0, recorded=0))
    connection.execute(update(LEDGER_STATE).values(posting=0, removable=0))
    connection.execute(update(LEDGER_ROLLER).values(rolled=0, epoch=0, holder="", until=0, rebuilding=None, closed_until=0))


@contextmanager
def installed_postgresql() -> Iterator[Path]:
    """Run a PostgreSQL in the calling thread's network, at 127.0.0.1 with passwords, as Debian sets it up; give its socket's folder."""
    durable = ["fsync=on", "full_page_writes=on", "listen_addresses=127.0.0.1"]
    with _running_postgresql(["--auth-local=trust", "--auth-host=scram-sha-256"], durable) as folder:
        yield folder


@contextmanager
def installed_mariadb() -> Iterator[Path]:
    """Run a MariaDB with a binary log in the calling thread's network, at 127.0.0.1; give its socket's folder."""
    with _running_mariadb(["--log-bin", "--bind-address=127.0.0.1", "--innodb-flush-log-at-trx-commit=1"]) as folder:
        yield folder


@contextmanager
def _start_postgresql() -> Iterator[str]:
    """Run a PostgreSQL of which nothing is kept."""
    with _running_postgresql(["-A", "trust"], ["fsync=off", "full_page_writes=off", "listen_addresses="]) as folder:
        yield f"postgresql://postgres@/postgres?host={folder}"


@contextmanager
def _running_postgresql(access: Sequence[str], given: Sequence[str]) -> Iterator[Path]:
    with _private_folder("postgres") as (folder, user):
        files = folder / "files"
        _run([_program("initdb"), "-D", str(files), *access, "-U", "postgres", "-E", "UTF8", "--no-sync"], user)
        settings = [word for setting in (*given, f"unix_socket_directories={folder}") for word in ("-c", setting)]
        with _server([_program("postgres"), "-D", str(files), *settings], user, folder):
            _wait_until_reachable(f"postgresql://postgres@/postgres?host={folder}")
            yield folder


@contextmanager
def _start_mariadb(logging: str = "--skip-log-bin") -> Iterator[str]:
    """Run a MariaDB of which nothing is kept; ``logging`` says whether it writes a binary log."""
    fast = ["--innodb-flush-log-at-trx-commit=0", logging, "--innodb-flush-method=nosync", "--skip-networking"]
    with _running_mariadb(fast) as folder:
        path = folder / _MARIADB_SOCKET
        with writing_connection(f"mysql://root@/mysql?unix_socket={path}") as connection:
            connection.execute(text(f"CREATE DATABASE {_NAME}"))
        yield f"mysql://root@/{_NAME}?unix_socket={path}"


@contextmanager
def _running_mariadb(given: Sequence[str]) -> Iterator[Path]:
    with _private_folder("mysql") as (folder, user):
        always = ["--no-defaults", f"--datadir={folder / 'files'}"]
        quick = ["--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"]
        _run([_program("mariadb-install-db"), *always, *quick], user)
        path = folder / _MARIADB_SOCKET
        with _server([_program("mariadbd"), *always, f"--socket={path}", "--innodb-buffer-pool-size=64M", *given], user, folder):
            _wait_until_listening(path)
            yield folder


@contextmanager
def _private_folder(account: str) -> Iterator[tuple[Path, str | None]]:
    """Make a folder with a short name, for sockets, and give the user to run a server as: servers refuse to run as root."""
    user = account if runs_as_root() else None
    folder = Path(tempfile.mkdtemp(prefix="venturi-"))
    if user is not None:
        entry = pwd.getpwnam(user)
        shutil.chown(folder, entry.pw_uid, entry.pw_gid)
    try:
        yield folder, user
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _server(command: Sequence[str], user: str | None, folder: Path) -> Iterator[None]:
    """Run a server while the block lasts; nothing of it is kept, so it needs no time to end."""
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(command, user=user, extra_groups=[] if user else None, cwd=folder, stdout=output, stderr=output)
    try:
        yield
    finally:
        # PostgreSQL takes SIGTERM for a wish to wait for its clients, SIGINT for one to end them.
        process.send_signal(signal.SIGINT) if command[0].endswith("postgres") else process.kill()
        process.wait(_START_SECONDS)


def _run(command: Sequence[str], user: str | None) -> None:
    done = subprocess.run(command, user=user, extra_groups=[] if user else None, cwd="/", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout


def _wait_until_listening(path: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    with socket.socket(socket.AF_UNIX) as probe:
        while probe.connect_ex(str(path)):
            assert time.monotonic() < deadline, f"nothing listens at {path}"
            time.sleep(0.02)


def _wait_until_reachable(url: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            with writing_connection(url) as connection:
                connection.execute(text("SELECT 1"))
        except (SQLAlchemyError, StoreError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def _program(name: str) -> str:
    found = find_tool(name)
    assert found is not None, f"{name} is not installed"
    return found
