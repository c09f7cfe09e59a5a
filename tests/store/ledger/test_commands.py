"""``venturi ledger`` as an operator runs it."""

import subprocess
import sys
from pathlib import Path

from sqlalchemy import text

from tests.support.batches import SpoolOfTests, make_interval
from tests.support.databases import open_store, writing_connection
from tests.support.ledgers import LedgerOfTests
from venturi.adapters.store.store import Store

WEB = [(0, 0, 10, 1000)]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("venturi")
    return subprocess.run([program, "ledger", *arguments], capture_output=True, text=True, check=False, timeout=60)


def test_a_ledger_is_verified_exported_imported_and_listed(tmp_path: Path) -> None:
    url, target, exported = f"sqlite:///{tmp_path}/venturi.db", f"sqlite:///{tmp_path}/target.db", str(tmp_path / "exported")
    spool = SpoolOfTests()
    sealed = [spool.seal(make_interval(minute, usage=WEB)) for minute in range(6)]
    with open_store(url) as store:
        LedgerOfTests(store).post(sealed[0], sealed[2], sealed[5])
        assert run("verify", "--database", url).stdout == (
            "all is as it was posted:\n3 postings with 9 entries, 1 spools, 12 rows of roll-ups\n"
        )
        assert run("spools", "--database", url).stdout == f"{spool.spool_id} of agent-1 on edge-1: posted up to 6, missing 2, 4-5\n"
        assert run("export", exported, "--database", url).stdout.startswith(f"wrote {exported}: ")
    assert run("import", exported, "--database", target).stdout.startswith("imported ")
    assert run("verify", "--database", target).returncode == 0
    again = run("import", exported, "--database", target)
    assert (again.returncode, again.stderr.count("\n")) == (10, 1)


def test_the_first_difference_is_one_line_and_an_exit_code(sqlite_store: Store, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/venturi.db"
    LedgerOfTests(sqlite_store).post(SpoolOfTests().seal(make_interval(0, usage=WEB)))
    sqlite_store.stop()
    with writing_connection(url) as connection:
        connection.execute(text("UPDATE ledger_label_bins SET octets = 1001 WHERE resolution = 300"))
    found = run("verify", "--database", url)
    assert (found.returncode, found.stdout, found.stderr.count("\n")) == (15, "", 1)
    assert "ledger_label_bins: the roll-up of 300 seconds from 2026-01-01T00:00:00Z" in found.stderr
