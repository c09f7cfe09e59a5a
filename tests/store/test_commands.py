"""``venturi db`` as an operator runs it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.support.control_values import OPERATOR, make_label
from tests.support.databases import DatabaseServers, open_store, writing_connection
from venturi.adapters.store.migrations.running import head_schema


def run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("venturi")
    return subprocess.run(
        [program, "db", *arguments], env={**os.environ, **settings}, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.fixture
def bare(database_kind: str, database_servers: DatabaseServers, tmp_path: Path) -> str:  # noqa: PLR0206 - no property
    """The URL of a database without any table."""
    return database_servers.bare_database(database_kind, tmp_path, "commands")


def test_a_database_is_made_checked_backed_up_and_restored(bare: str, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    assert run("upgrade", "--database", bare).stdout == f"upgraded from no tables to {head_schema()}\n"
    assert run("upgrade", "--database", bare).stdout == f"the schema is {head_schema()} already\n"
    assert run("current", "--database", bare).stdout == f"{head_schema()} (this venturi needs {head_schema()})\n"
    with open_store(bare) as store, store.writing(OPERATOR) as writer:
        writer.labels.insert([make_label()])
    assert run("check", VENTURI_DATABASE=bare).stdout == "nothing is wrong\n"
    assert run("backup", str(backup), "--database", bare).stdout == f"wrote {backup}: {backup.stat().st_size:,} octets\n"
    refused = run("restore", str(backup), "--database", bare)
    assert (refused.returncode, refused.stderr.count("\n")) == (10, 1)
    assert refused.stderr.startswith("venturi: the database is not empty")
    # The label, its revision and that it changed labels, the counter, and the states of the ledger, of its roller and of what was told.
    assert run("restore", str(backup), "--database", bare, "--replace").stdout == f"restored 7 rows of {backup}\n"
    assert run("check", "--database", bare).returncode == 0
    assert json.loads(run("check", "--database", bare, "-f", "json").stdout) == {"problems": []}
    schema = {"schema": head_schema(), "needed": head_schema()}
    assert json.loads(run("current", "--database", bare, "-f", "json").stdout) == schema


def test_what_is_wrong_is_a_line_each_and_an_exit_code(bare: str) -> None:
    run("upgrade", "--database", bare)
    with writing_connection(bare) as connection:
        connection.execute(text("UPDATE revision_counter SET number = 5"))
    found = run("check", "--database", bare)
    assert (found.returncode, found.stdout) == (10, "the revisions have gaps: the latest is 5, and there are 0, up to 0\n")


REFUSED = {
    "no database": (["check", "--database", "sqlite:////nowhere/venturi.db"], "there is no database /nowhere/venturi.db"),
    "no URL": (["current", "--database", "venturi.db"], "the database is not given as a URL"),
    "no such server": (["upgrade", "--database", "postgresql://u:secret@127.0.0.1:1/n"], "the database cannot be used"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_done_is_one_sentence(case: str) -> None:
    arguments, said = REFUSED[case]
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (10, "")
    assert done.stderr.startswith(f"venturi: {said}")
    assert done.stderr.count("\n") == 1
    assert "secret" not in done.stderr
