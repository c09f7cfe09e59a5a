"""``venturi ledger`` as an operator runs it."""

import json
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
        ledger = LedgerOfTests(store)
        ledger.post(sealed[0], sealed[2], sealed[5])
        ledger.roll()
        told = "all is as it was posted:\n3 postings with 9 entries, 1 spool, 15 rows of roll-ups\nThe latest posting is 3.\n"
        assert run("verify", "--database", url).stdout == told
        proved = {"proved": True, "postings": 3, "entries": 9, "spools": 1, "roll_up_rows": 15, "latest_posting": 3}
        assert json.loads(run("verify", "--database", url, "-f", "json").stdout) == proved
        assert run("verify", "--since", "2", "--database", url).stdout.startswith("all is as it was posted:\n1 posting with 3 entries")
        assert run("verify", "--since", "4", "--database", url).stderr.endswith("there is no posting 4: the latest is 3\n")
        row = {"agent_id": "agent-1", "host": "edge-1", "spool_id": spool.spool_id, "posted_up_to": 6, "missing": "2, 4-5", "kept_aside": 0}
        assert json.loads(run("spools", "--database", url, "-f", "json").stdout) == [row]
        assert run("spools", "--database", url).stdout.splitlines()[-1].split() == [
            "agent-1",
            "edge-1",
            spool.spool_id,
            "6",
            "2,",
            "4-5",
            "0",
        ]
        assert run("export", exported, "--database", url).stdout.startswith(f"wrote {exported}: ")
    assert run("import", exported, "--database", target).stdout.startswith("imported ")
    assert run("verify", "--database", target).returncode == 0
    again = run("import", exported, "--database", target)
    assert (again.returncode, again.stderr.count("\n")) == (10, 1)


def test_the_first_difference_is_one_line_and_an_exit_code(sqlite_store: Store, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/venturi.db"
    ledger = LedgerOfTests(sqlite_store)
    ledger.post(SpoolOfTests().seal(make_interval(0, usage=WEB)))
    ledger.roll()
    sqlite_store.stop()
    with writing_connection(url) as connection:
        connection.execute(text("UPDATE ledger_label_bins SET octets = 1001 WHERE resolution = 300"))
    found = run("verify", "--database", url)
    assert (found.returncode, found.stdout, found.stderr.count("\n")) == (15, "", 1)
    assert "ledger_label_bins: the roll-up of 300 seconds from 2026-01-01T00:00:00Z" in found.stderr
    assert (
        run("rebuild", "--database", url).stdout
        == "made anew up to 2026-01-01T00:00:00Z, of 2026-01-02T00:00:00Z\nall roll-ups are made anew\n"
    )
    assert run("verify", "--database", url).returncode == 0
