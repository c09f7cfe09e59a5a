"""An embedded database and processes: one of them writes, and none that dies takes anything acknowledged along."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.control_values import OPERATOR, make_label
from tests.support.databases import open_store
from venturi.adapters.store.engines.sqlite import OLDEST_LIBRARY, check_library
from venturi.adapters.store.engines.versions import check_server
from venturi.adapters.store.maintenance.checking import check_database
from venturi.adapters.store.store import Store, StoreConfig
from venturi.core.domain.control.listing import Listing
from venturi.core.domain.errors import StoreError, StoreInUseError

PROLOGUE = """
import sys
from tests.support.control_values import OPERATOR, make_label
from tests.support.databases import open_store
"""

WRITE_ON_AND_ON = f"""{PROLOGUE}
with open_store(sys.argv[1]) as store:
    while True:
        label = make_label()
        with store.writing(OPERATOR) as writer:
            writer.labels.insert([label])
        print(label.id, flush=True)
"""

OPEN = f"""{PROLOGUE}
with open_store(sys.argv[1]) as store:
    pass
"""


def start(program: str, url: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.Popen(
        [sys.executable, "-c", program, url], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.fixture
def url(tmp_path: Path) -> str:
    """The URL of an embedded database."""
    return f"sqlite:///{tmp_path / 'venturi.db'}"


@pytest.mark.parametrize("acknowledged", [1, 40])
def test_a_writer_that_is_killed_loses_nothing_acknowledged(url: str, acknowledged: int) -> None:
    with start(WRITE_ON_AND_ON, url) as process:
        assert process.stdout is not None
        written = [process.stdout.readline().strip() for _ in range(acknowledged)]
        process.send_signal(signal.SIGKILL)
        written += process.stdout.read().split()
    assert process.returncode == -signal.SIGKILL
    with open_store(url) as store, store.reading() as reader:
        kept = {label.id for label in reader.labels.list(Listing())}
    assert set(written) <= kept
    assert len(kept) - len(written) <= 1
    assert check_database(url) == []


def test_a_second_process_is_told_to_use_the_api(url: str) -> None:
    with open_store(url):
        process = start(OPEN, url)
        _, said = process.communicate()
    assert process.returncode == 1
    assert f"StoreInUseError: another process (pid {os.getpid()}) writes to the database" in said
    assert "use its API" in said


def test_a_second_store_of_a_process_is_refused_until_the_first_stops(url: str) -> None:
    with open_store(url) as store:
        second = Store(StoreConfig(url))
        with pytest.raises(StoreInUseError):
            second.start()
        with store.writing(OPERATOR) as writer:
            writer.labels.insert([make_label()])
    second.start()
    assert second.latest_revision() == 1
    second.stop()


def test_a_store_that_stopped_says_so(url: str) -> None:
    store = Store(StoreConfig(url))
    with pytest.raises(StoreError, match="the store is not open"):
        store.ping()
    store.start()
    store.ping()
    store.stop()
    store.stop()
    with pytest.raises(StoreError, match="the store is not open"):
        store.latest_revision()


def test_the_database_is_for_its_owner_only(url: str, tmp_path: Path) -> None:
    with open_store(url) as store:
        with store.writing(OPERATOR) as writer:
            writer.labels.insert([make_label()])
        assert {path.stat().st_mode & 0o077 for path in tmp_path.iterdir()} == {0}


def test_the_database_is_made_with_its_folder(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path}/share/venturi/venturi.db") as store:
        store.ping()
    assert (tmp_path / "share" / "venturi").stat().st_mode & 0o077 == 0


UNUSABLE = {
    "no URL": ("venturi.db", "the database is not given as a URL"),
    "another database": ("oracle://h/name", "oracle is no database that venturi can use"),
    "in memory": ("sqlite://", "the embedded database needs a file"),
    "in memory, spelled": ("sqlite:///:memory:", "the embedded database needs a file"),
    "no name of a file": ("sqlite:///a\0b", "the embedded database needs a file"),
    "with settings": ("sqlite:///file?mode=ro", "the embedded database needs a file"),
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_a_url_that_means_no_database_is_refused(case: str) -> None:
    given, said = UNUSABLE[case]
    with pytest.raises(StoreError, match=f"^{said}"):
        Store(StoreConfig(given))


@pytest.mark.parametrize("address", ["postgresql://user:secret@127.0.0.1:1/name", "mysql://user:secret@127.0.0.1:1/name"])
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_server_that_cannot_be_reached_is_told_without_the_password(address: str) -> None:
    with pytest.raises(StoreError, match="the database cannot be used") as failure:
        Store(StoreConfig(address)).start()
    assert "secret" not in str(failure.value)
    assert "\n" not in str(failure.value)


@pytest.mark.parametrize("name", ["folder", "text"])
def test_a_file_that_is_no_database_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "text").write_text("not a database " * 100)
    store = Store(StoreConfig(f"sqlite:///{tmp_path / name}"))
    with pytest.raises(StoreError, match="cannot be"):
        store.start()


@pytest.mark.parametrize("version", [(3, 40, 1), (3, 51, 2)])
def test_an_old_sqlite_is_refused(version: tuple[int, ...]) -> None:
    with pytest.raises(StoreError, match=r"venturi needs 3\.51\.3 or later, which pysqlite3 0\.6\.1 or later brings"):
        check_library(version)
    check_library(OLDEST_LIBRARY)


OLD_SERVERS: dict[str, tuple[str, tuple[int | str, ...], str | None]] = {
    "PostgreSQL 14": ("postgresql", (14, 22), "postgresql 14.22 is too old: venturi needs 15 or later"),
    "PostgreSQL 15": ("postgresql", (15, 0), None),
    "MariaDB 10.5": ("mariadb", (10, 5, 29, "MariaDB"), "mariadb 10.5.29 is too old: venturi needs 10.6 or later"),
    "MariaDB 10.6": ("mariadb", (10, 6, 1, "MariaDB"), None),
    "MariaDB 11": ("mariadb", (11, 4, 2, "MariaDB"), None),
    "SQLite": ("sqlite", (3, 51, 3), None),
}


@pytest.mark.parametrize("case", OLD_SERVERS)
def test_an_old_server_is_refused(case: str) -> None:
    kind, version, said = OLD_SERVERS[case]
    if said is None:
        check_server(kind, version)
        return
    with pytest.raises(StoreError, match=f"^{said}$"):
        check_server(kind, version)


@pytest.mark.parametrize("replaced", [False, True], ids=["removed", "replaced"])
def test_nothing_is_written_to_a_database_that_is_gone(tmp_path: Path, replaced: bool) -> None:
    path = tmp_path / "venturi.db"
    with open_store(f"sqlite:///{path}") as store:
        path.rename(tmp_path / "elsewhere.db")
        if replaced:
            path.touch()
        with pytest.raises(StoreError, match="removed or replaced"), store.writing(OPERATOR):
            pass
        with pytest.raises(StoreError, match="removed or replaced"):
            store.ping()
