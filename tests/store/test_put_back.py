"""A PostgreSQL that its own programs put back under a running server: nothing that was remembered of the other history is answered."""

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.batches import SpoolOfTests, make_batch_label, make_batch_point, make_interval, send_form
from tests.support.control_values import OPERATOR, make_label
from tests.support.databases import POSTGRESQL, DatabaseServers, open_store
from tests.support.server import BY_PLAN_FILES, ServerProcess, running_server
from tests.support.tools import find_tool, needs
from venturi.adapters.store.engines.locations import read_location
from venturi.adapters.store.maintenance.schema import upgrade_database

pytestmark = needs("postgres", "initdb", "psql", "pg_dump", "pg_restore")

LABELS = "/v2.0/metering/metering-labels"
WAIT = 20


@dataclass
class PutBack:
    """A server on a PostgreSQL that its own programs save and put back."""

    server: ServerProcess
    url: str
    folder: Path

    def save(self) -> None:
        """Save the database, as an administrator does."""
        self._run("pg_dump", "--format=custom", f"--file={self.folder / 'saved'}")

    def put_back(self) -> None:
        """Put the database back under the server."""
        self._run("pg_restore", "--clean", "--if-exists", "--single-transaction", "--dbname=put_back", str(self.folder / "saved"))

    def make_label(self, name: str) -> None:
        """Make a label through the server."""
        assert self.server.request("POST", LABELS, form={"metering_label": {"name": name}}).status == 201

    def make_label_elsewhere(self, name: str) -> int:
        """Make a label as another server would, past this one, and give the revision."""
        with open_store(self.url) as store:
            with store.writing(OPERATOR) as writer:
                writer.labels.insert([make_label(name)])
            return store.latest_revision()

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

    def _run(self, program: str, *options: str) -> None:
        location = read_location(self.url)
        access = [f"--host={location.query['host']}", "--username=postgres"]
        command = [find_tool(program) or "", *access, *options]
        run = subprocess.run([*command, "put_back"] if program == "pg_dump" else command, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr


@pytest.fixture
def put_back(database_servers: DatabaseServers, tmp_path: Path) -> Iterator[PutBack]:  # noqa: PLR0206 - no property
    """A server on a database of its own."""
    url = database_servers.bare_database(POSTGRESQL, tmp_path, "put_back")
    upgrade_database(url)
    with running_server(tmp_path, database=url, config=BY_PLAN_FILES) as server:
        yield PutBack(server, url, tmp_path)


def test_lists_are_of_the_history_that_is_there_though_its_revisions_have_the_same_numbers(put_back: PutBack) -> None:
    put_back.make_label("kept")
    put_back.save()
    put_back.make_label("undone")
    assert [put_back.names() for _ in range(2)] == [{"kept", "undone"}] * 2
    put_back.put_back()
    assert put_back.make_label_elsewhere("made instead") == 2
    assert [put_back.names() for _ in range(2)] == [{"kept", "made instead"}] * 2


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
