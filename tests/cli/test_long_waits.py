"""What takes longer than two seconds says at a terminal what it does and how far it is: real commands, held up while they work."""

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pysqlite3 import dbapi2

from tests.cli.conftest import Venturi
from tests.support.batches import SpoolOfTests, make_interval
from tests.support.databases import open_store
from tests.support.ledgers import LedgerOfTests
from tests.support.server import ServerProcess
from tests.support.sources import ROOT
from tests.support.terminal import at_terminal, stopped

COMMAND = (sys.executable, "-m", "venturi")
EXAMPLES = ROOT / "src" / "venturi" / "examples"
HELD_UP = 2.2
POSTINGS = 200
CURSOR_HIDDEN = "\x1b[?25l"
"""What is written first of a line of progress."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a ledger, a backup of it and an export."""
    folder = tmp_path_factory.mktemp("made")
    url = f"sqlite:///{folder / 'venturi.db'}"
    spool = SpoolOfTests()
    with open_store(url) as store:
        ledger = LedgerOfTests(store)
        for minute in range(POSTINGS):
            ledger.post(spool.seal(make_interval(minute, usage=[(0, 0, 10, 1000)])))
        ledger.roll()
    for command in (["db", "backup", str(folder / "backup")], ["ledger", "export", str(folder / "export")]):
        with at_terminal([*COMMAND, *command, "--database", url]) as running:
            assert running.end() == 0, running.shown
    return folder


@pytest.mark.parametrize(
    ("command", "held", "shown"),
    [
        pytest.param(["ledger", "verify", "--database", "sqlite:///{old}"], "{old}", ["proving", "parts"], id="verify"),
        pytest.param(["ledger", "export", "{new}.ledger", "--database", "sqlite:///{old}"], "{old}", ["exporting", "rows"], id="export"),
        pytest.param(["ledger", "import", "{folder}/export", "--database", "sqlite:///{new}"], "{new}", ["importing", "rows"], id="import"),
        pytest.param(["db", "backup", "{new}.backup", "--database", "sqlite:///{old}"], "{old}", ["backing up", "parts"], id="backup"),
        pytest.param(["db", "restore", "{folder}/backup", "--database", "sqlite:///{new}"], "{new}", ["restoring", "rows"], id="restore"),
        pytest.param(["db", "upgrade", "--database", "sqlite:///{new}"], "{new}", ["upgrading", "0:00:0"], id="upgrade"),
    ],
)
def test_work_on_a_database_shows_how_far_it_is(made: Path, tmp_path: Path, command: list[str], held: str, shown: list[str]) -> None:
    names = {"folder": str(made), "new": str(tmp_path / "new.db"), "old": str(made / "venturi.db")}
    with at_terminal([*COMMAND, *(word.format(**names) for word in command)]) as running:
        with nobody_else_reads(held.format(**names)):
            running.wait_for(CURSOR_HIDDEN)
        assert running.end() == 0, running.shown
    assert [word for word in shown if word not in running.shown] == [], running.shown


@contextmanager
def nobody_else_reads(database: str) -> Iterator[None]:
    """Have the database to ourselves, so that a command waits for it."""
    connection = dbapi2.connect(database, isolation_level=None)
    for statement in ("PRAGMA locking_mode = EXCLUSIVE", "BEGIN EXCLUSIVE"):
        connection.execute(statement)
    try:
        yield
    finally:
        connection.close()


@pytest.mark.parametrize("command", [["ledger", "verify"], ["db", "check"]], ids=["verify", "check"])
def test_quick_work_shows_no_line(made: Path, command: list[str]) -> None:
    with at_terminal([*COMMAND, *command, "--database", f"sqlite:///{made / 'venturi.db'}"]) as running:
        assert running.end() == 0, running.shown
    assert "━" not in running.shown


def test_a_chart_shows_that_it_is_drawn(tmp_path: Path) -> None:
    engine = importlib.util.find_spec("vl_convert")
    assert engine is not None
    assert engine.origin is not None
    metered = ["meter", str(EXAMPLES / "office.pcap.zst"), "--rules", str(EXAMPLES / "rules.yaml"), "--chart", str(tmp_path / "chart.svg")]
    with at_terminal([*COMMAND, *metered]) as running:
        running.hold_up(Path(engine.origin).parent, HELD_UP)
        assert running.end() == 0, running.shown
    assert "drawing a chart" in running.shown
    assert (tmp_path / "chart.svg").stat().st_size > 1000


@pytest.fixture
def labelled(request: pytest.FixtureRequest) -> Iterator[tuple[Path, ServerProcess]]:
    """A rules file with a label less than the server has, and that server."""
    venturi: Venturi = request.getfixturevalue("venturi")
    path: Path = request.getfixturevalue("tmp_path") / "rules.yaml"
    path.write_text("labels: [{name: stays, project_id: waits}, {name: goes, project_id: waits}]")
    venturi("apply", str(path))
    path.write_text("labels: [{name: stays, project_id: waits}, {name: comes, project_id: waits}]")
    yield path, request.getfixturevalue("server")
    left = venturi("label", "list", "--project", "waits", "-f", "value", "-c", "id").split()
    venturi("label", "delete", *left)


def test_applying_shows_what_it_waits_for_and_asks_before_labels_go(labelled: tuple[Path, ServerProcess]) -> None:
    path, server = labelled
    with at_terminal([*COMMAND, "apply", str(path), "--prune"], VENTURI_URL=server.url) as running:
        with stopped(server.process.pid):
            running.wait_for("comparing 2 labels")
        running.wait_for("would create 1 label, delete 1 label")
        running.wait_for("Delete 1 label?")
        with stopped(server.process.pid):
            running.answer("y")
            running.wait_for("applying 2 labels")
        assert running.end() == 0, running.shown
    assert running.shown.count("1 created") == 1
    assert "done: labels: 1 created, 0 changed, 1 deleted" in running.shown
