"""A database that its own programs put back under a running server: nothing that was remembered of the other history is answered.

Nobody stops the server, as ``venturi db restore`` would have it, and the agents go on.
"""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from tests.agent.test_with_a_server import TEN, make_plan, wait_for_agent
from tests.support.agent.process import AgentFiles, running_agent
from tests.support.batches import SpoolOfTests, make_batch_label, make_batch_point, make_interval, send_form
from tests.support.databases import MARIADB, SQLITE, DatabaseServers, writing_connection
from tests.support.kernel.router import Router, running_router
from tests.support.server import BY_PLAN_FILES, ServerProcess, running_server
from tests.support.tools import find_tool, needs
from tests.support.versions import run_command
from venturi.adapters.store.engines.locations import read_location
from venturi.adapters.store.maintenance.schema import upgrade_database

pytestmark = needs("sqlite3", "pg_dump", "pg_restore", "psql", "mariadb", "mariadb-dump")

LABELS = "/v2.0/metering/metering-labels"
WAIT = 20
ACCOUNT = "metering"
_TRIES = 5


@dataclass
class PutBack:
    """A server on a database that the programs of its kind save and put back."""

    server: ServerProcess
    kind: str
    url: str
    administrator: str
    folder: Path

    def save(self, name: str = "saved") -> None:
        """Save the database, as an administrator does."""
        self._run(self._programs(self.folder / name)[0])

    def put_back(self, name: str = "saved") -> None:
        """Put the database back under the server."""
        with self._locked_out() if self.kind == MARIADB else nullcontext():
            self._run(self._programs(self.folder / name)[1])

    @contextmanager
    def _locked_out(self) -> Iterator[None]:
        """Lock the server's account: MariaDB's programs put tables back one by one, and what is written meanwhile would stay in some."""
        account = f"{read_location(self.url).username}@localhost"
        with writing_connection(self.administrator) as connection:
            connection.execute(text(f"ALTER USER {account} ACCOUNT LOCK"))
            connection.execute(text(f"KILL USER {account}"))
        yield
        with writing_connection(self.administrator) as connection:
            connection.execute(text(f"ALTER USER {account} ACCOUNT UNLOCK"))

    def make_label(self, name: str) -> None:
        """Make a label through the server."""
        assert self.server.request("POST", LABELS, form={"metering_label": {"name": name}}).status == 201

    def ask(self, path: str) -> dict[str, Any]:
        """Ask the server, again while it meets connections of before."""
        deadline = time.monotonic() + 60
        while (answer := self.server.request("GET", path)).status != 200:
            assert answer.status == 503, answer.data
            assert time.monotonic() < deadline
        return dict(answer.json())

    def names(self) -> set[str]:
        """Give the names of all labels, as the server remembers them or finds them."""
        return {label["name"] for label in self.ask(LABELS)["metering_labels"]}

    def _programs(self, saved: Path) -> tuple[str, str]:
        """Give the commands that save the database into a file, and that put it back."""
        location = read_location(self.url)
        if self.kind == SQLITE:
            sqlite = f"sqlite3 -bail -cmd '.timeout 20000' {location.database}"
            return f"{sqlite} '.backup {saved}'", f"{sqlite} '.restore {saved}'"
        if self.kind == MARIADB:
            access = f"--no-defaults --socket={location.query['unix_socket']} --user=root {location.database}"
            return f"mariadb-dump {access} --single-transaction --result-file={saved}", f"mariadb {access} <{saved}"
        access = f"--host={location.query['host']} --username=postgres"
        emptying = "SET client_min_messages = warning", "DROP SCHEMA public CASCADE", "CREATE SCHEMA public"
        steps = " ".join(f"-c '{statement}'" for statement in emptying)
        psql = f"{find_tool('psql')} {access} --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --single-transaction {steps} --file={saved}.sql"
        putting_back = f"pg_restore --file={saved}.sql {saved} && {psql} {location.database}"
        return f"pg_dump --format=custom --file={saved} {access} {location.database}", putting_back

    def _run(self, command: str) -> None:
        """Run a command, again where the database ended it for the server's sake and did nothing of it."""
        program, _, rest = command.partition(" ")
        tries = 1
        while "deadlock detected" in (run := _run(f"{find_tool(program)} {rest}")).stderr and tries < _TRIES:
            tries += 1
        assert (run.returncode, run.stderr) == (0, ""), command


def _run(command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, shell=True, capture_output=True, text=True, check=False)  # noqa: S602 - shown


@pytest.fixture
def put_back(database_kind: str, database_servers: DatabaseServers, tmp_path: Path) -> Iterator[PutBack]:  # noqa: PLR0206 - no property
    """A server on a database of its own, of each kind."""
    url = database_servers.bare_database(database_kind, tmp_path, "put_back")
    own = _give_account(url) if database_kind == MARIADB else url
    upgrade_database(own)
    with running_server(tmp_path, database=own, config=BY_PLAN_FILES) as server:
        yield PutBack(server, database_kind, own, url, tmp_path)


def _give_account(url: str) -> str:
    """Make an account of MariaDB for the server, which is not that of its administrator, and give the URL with it."""
    location = read_location(url)
    with writing_connection(url) as connection:
        connection.execute(text(f"CREATE OR REPLACE USER {ACCOUNT}@localhost"))
        connection.execute(text(f"GRANT ALL ON {location.database}.* TO {ACCOUNT}@localhost"))
    return location.set(username=ACCOUNT).render_as_string(hide_password=False)


def test_lists_are_of_the_history_that_is_there_though_its_revisions_have_the_same_numbers(put_back: PutBack) -> None:
    put_back.make_label("kept")
    put_back.save()
    put_back.make_label("made instead")
    put_back.save("instead")
    put_back.put_back()
    put_back.make_label("undone")
    assert [put_back.names() for _ in range(2)] == [{"kept", "undone"}] * 2
    put_back.put_back("instead")
    assert [put_back.names() for _ in range(2)] == [{"kept", "made instead"}] * 2
    assert put_back.ask("/v1/revisions")["revisions"][-1]["number"] == 2


def test_an_older_database_is_listed_as_it_is(put_back: PutBack) -> None:
    put_back.make_label("kept")
    put_back.save()
    put_back.make_label("undone")
    assert put_back.names() == {"kept", "undone"}
    put_back.put_back()
    assert [put_back.names() for _ in range(2)] == [{"kept"}] * 2


def test_who_waits_for_a_plan_gets_that_of_the_history_that_is_there(put_back: PutBack) -> None:
    rule = {"direction": "egress", "source_ip_prefix": "10.0.0.0/8"}
    point = {"kind": "interface", "name": "uplink", "host": "edge-1", "device": "eth0", "shared": True}
    assert put_back.server.request("POST", "/v1/observation-points", form=point).status == 201
    put_back.save()
    shared = {"name": "undone", "shared": True, "rules": [rule]}
    assert put_back.server.request("POST", "/v1/apply", form={"create_labels": [shared]}).status == 200
    before = put_back.server.request("GET", "/v1/plans/edge-1?agent_id=agent-1")
    assert [label["name"] for each in before.json()["classifiers"] for label in each["labels"]] == ["undone"]
    answers: list[Any] = []

    def wait() -> None:
        headers = {"If-None-Match": before.headers["ETag"]}
        answers.append(put_back.server.request("GET", f"/v1/plans/edge-1?agent_id=agent-1&wait={WAIT}", headers=headers))

    waiting = threading.Thread(target=wait)
    waiting.start()
    time.sleep(2)
    put_back.put_back()
    began = time.monotonic()
    waiting.join()
    assert answers[0].status in {200, 503}
    assert time.monotonic() - began < WAIT - 5
    plan = put_back.ask("/v1/plans/edge-1?agent_id=agent-1")
    assert [label for each in plan["classifiers"] for label in each["labels"]] == []


def test_an_agent_hears_at_the_next_answer_what_the_ledger_lacks(put_back: PutBack) -> None:
    spool = SpoolOfTests(points=[make_batch_point()], labels=[make_batch_label()])
    batches = [send_form(spool.seal(make_interval(number, usage=[(0, 0, 1, 100)]))) for number in range(3)]
    assert _post(put_back, batches[0])["missing"] == 0
    put_back.save()
    assert _post(put_back, batches[1])["missing"] == 0
    put_back.put_back()
    assert _post(put_back, batches[2])["missing"] == 1
    assert _post(put_back, batches[1])["missing"] == 0
    totals = put_back.ask("/v1/postings")["postings"]
    assert [posting["sequence"] for posting in totals] == [1, 3, 2]
    entries = [entry for each in totals for entry in put_back.ask(f"/v1/postings/{each['number']}")["page"] if entry["kind"] == "usage"]
    assert [(entry["label_name"], entry["octets"]) for entry in entries] == [("web", 100)] * 3


def _post(put_back: PutBack, body: bytes) -> dict[str, Any]:
    """Post a batch as an agent does: again while the server is busy with connections of before."""
    deadline = time.monotonic() + 60
    while True:
        answer = put_back.server.request("POST", "/v1/batches", body=body, headers={"Content-Type": "application/vnd.venturi.batch"})
        if answer.status == 200:
            return dict(json.loads(answer.data))
        assert answer.status == 503, answer.data
        assert time.monotonic() < deadline


@pytest.mark.root
@needs("ip", "nft")
def test_an_agent_that_goes_on_sends_what_the_database_lacks(put_back: PutBack) -> None:
    with running_router() as router:
        _go_on(put_back, router)


def _go_on(put_back: PutBack, router: Router) -> None:
    """Put the database back between two bursts of traffic that an agent meters."""
    files = AgentFiles(put_back.folder, "nftables")
    files.environment["VENTURI_AGENT_REPORT_INTERVAL"] = "1s"
    server = put_back.server
    make_plan(server, router)
    with running_agent(files, source=("--server", server.url)) as agent:
        agent.wait_for_log("metering")
        _send(put_back, router, 5, 5)
        put_back.save()
        posted = max(posting["number"] for posting in put_back.ask("/v1/postings?limit=1000")["postings"])
        _send(put_back, router, 7, 12)
        put_back.put_back()
        _send(put_back, router, 3, 15)
        after = {"name": "after", "shared": True, "rules": [{"direction": "egress", "source_ip_prefix": "10.0.0.0/8"}]}
        assert server.request("POST", "/v1/apply", form={"create_labels": [after]}).status == 200
        agent.wait_for_log("metering", times=2)
        assert wait_for_agent(server, "reporting")["host"] == "h"
        assert agent.stop() == 0
        lines = [json.loads(line) for line in agent.log.read_text(encoding="utf-8").splitlines() if line.startswith("{")]
        assert [line["event"] for line in lines if "as after a restore: they are sent again" in line["event"]]
        (spool,) = put_back.ask("/v1/spools")["spools"]
        assert spool["missing"] == []
        sequences = [each["sequence"] for each in put_back.ask("/v1/postings?limit=1000")["postings"]]
        assert sorted(sequences) == list(range(1, len(sequences) + 1))
        assert len(sequences) > posted
    run_command(sys.executable, "ledger", "verify", "--database", put_back.url)


def _send(put_back: PutBack, router: Router, packets: int, counted: int) -> None:
    """Have a router forward packets, and wait until the ledger counts so many in all."""
    router.send([TEN] * packets, [100] * packets)
    start, end = (time.strftime("%Y-%m-%dT%H:00:00Z", time.gmtime(time.time() + seconds)) for seconds in (-7200, 7200))
    deadline = time.monotonic() + 60
    found = -1
    while found != counted:
        assert time.monotonic() < deadline, f"the ledger counts {found} of {counted} packets"
        usage = put_back.ask(f"/v1/usage?from={start}&to={end}&resolution=total")
        found = sum(row["packets"] for interval in usage["intervals"] for row in interval["usage"] if row["label_name"] == "ten")
        time.sleep(0.2)
