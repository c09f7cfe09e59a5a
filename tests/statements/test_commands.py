"""``venturi statement`` and ``/v1/statements`` on a real server: from posted batches to a statement that anybody can check."""

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.statements.stating import write_key
from tests.support.batches import SpoolOfTests, make_interval, send_form
from tests.support.server import BY_PLAN_FILES, ServerProcess, running_server
from venturi.core.ledger.batch import BatchLabel, BatchPoint

DAY = ("--begins", "2026-01-01T00:00:00Z", "--ends", "2026-01-01T02:00:00Z")
GAP = "gap:uplink:2026-01-01T01:55:00Z"


@dataclass
class Billing:
    """A server whose ledger has 23 of the 24 samples of two hours, n × 37,500 octets each, and the files of its key."""

    server: ServerProcess
    folder: Path

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        surroundings = {**os.environ, "VENTURI_URL": self.server.url}
        command = [sys.executable, "-m", "venturi", *words]
        return subprocess.run(command, env=surroundings, capture_output=True, text=True, check=False, cwd=self.folder)

    def tell(self, *words: str) -> str:
        """Give what a command on statements writes that must go well."""
        done = self.run("statement", *words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def ask(self, path: str, status: int = 200) -> Any:  # noqa: ANN401 - any JSON
        answer = self.server.request("GET", path)
        assert answer.status == status, answer.data
        return json.loads(answer.data)


@pytest.fixture(scope="module")
def billing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Billing]:
    folder = tmp_path_factory.mktemp("statements")
    private, _ = write_key(folder)
    with running_server(folder, config=BY_PLAN_FILES, environment={"VENTURI_STATEMENT_KEY": str(private)}) as server:
        made = Billing(server, folder)
        label = server.request(
            "POST", "/v2.0/metering/metering-labels", form={"metering_label": {"name": "web", "project_id": "p1"}}
        ).json()
        point = {"kind": "interface", "name": "uplink", "host": "edge-1", "device": "eth0", "project_id": "p1", "boundary": "edge"}
        identity = server.request("POST", "/v1/observation-points", form=point).json()["id"]
        spool = SpoolOfTests(
            points=[BatchPoint(identity, "uplink", "p1", False, "interface")],
            labels=[BatchLabel(label["metering_label"]["id"], "web", "p1", False)],
        )
        sealed = spool.seal(*(make_interval(5 * number, 5, usage=[(0, 0, 1, 37_500 * (number + 1))]) for number in range(23)))
        assert server.request("POST", "/v1/batches", body=send_form(sealed)).status == 200
        of_label = ("--boundary", "edge", "--member", "label:web", "--project", "p1", "--percentile", "95", "--unit", "Mbit/s")
        prices = ("--commit", "0.01", "--commit-price", "100", "--burst-price", "200", "--currency", "CHF")
        for name in ("c7", "c8"):
            assert made.run("contract", "create", name, *of_label, *prices, *DAY).returncode == 0
        yield made


def test_a_dispute_from_the_check_to_the_proof(billing: Billing) -> None:
    doubtful = billing.run("statement", "check", "c7", "--period", "2026-01")
    assert (doubtful.returncode, GAP in doubtful.stdout.replace("\n", "")) == (1, True), doubtful.stdout
    refused = billing.run("statement", "close", "c7", "--period", "2026-01")
    assert (refused.returncode, GAP in refused.stderr) == (9, True)
    closed = json.loads(billing.tell("close", "c7", "--period", "2026-01", "--accept", GAP, "--reason", "announced works", "-f", "json"))
    assert (closed["number"], closed["kind"], closed["total"]) == (1, "statement", "3.40")
    told = billing.tell("show", "1")
    for line in ("label web", "23 known, 1 missing", "0.022 Mbit/s", "0.012 Mbit/s at 200 = 2.40 CHF", "3.40 CHF", "announced works"):
        assert line in told, told
    assert [row["number"] for row in json.loads(billing.tell("list", "-f", "json"))] == [1]
    billing.tell("export", "1", "-o", "1.json")
    verified = billing.run("statement", "verify", "1.json", "--key", "key.pub", "--url", "http://127.0.0.1:1")
    assert (verified.returncode, verified.stdout) == (
        0,
        "statement 1 of contract 'c7' for 2026-01, 3.40 CHF: all of it is right\n",
    )
    octets = (billing.folder / "1.json").read_bytes()
    (billing.folder / "changed.json").write_bytes(octets.replace(b'"3.40"', b'"3.50"'))
    changed = billing.run("statement", "verify", "changed.json", "--key", "key.pub")
    assert (changed.returncode, changed.stderr) == (
        2,
        "venturi: digest: it is not that of the statement, which was changed since it was made\n",
    )
    assert billing.tell("verify", "1") == "statement 1 is what the ledger says\n"
    lines = json.loads(billing.tell("lines", "1", "--from", "2026-01-01T01:45:00Z", "-f", "json"))["lines"]
    assert [(line["start"], line["ingress_octets"], line["known"], line["postings"]) for line in lines] == [
        ("2026-01-01T01:45:00Z", 825_000, True, [1]),
        ("2026-01-01T01:50:00Z", 862_500, True, [1]),
        ("2026-01-01T01:55:00Z", 0, False, []),
    ]


def test_forms_are_kept_as_they_were_made(billing: Billing) -> None:
    billing.run("statement", "close", "c7", "--period", "2026-01", "--accept", GAP, "--reason", "announced works")
    rows = list(csv.DictReader(io.StringIO(billing.tell("export", "1", "--form", "csv"))))
    ranked = sorted(int(row["ingress_octets"]) for row in rows if row["known"] == "true")
    assert (len(rows), ranked[-(-95 * len(ranked) // 100) - 1]) == (24, 825_000)
    page = billing.tell("export", "1", "--form", "html")
    for text in ("<h1>Statement 1</h1>", "0.022 Mbit/s", "3.40 CHF", "announced works", "@page", "position 22 of 23"):
        assert text in page
    assert "<script" not in page
    kept = billing.ask("/v1/statements/1")["renderings"]
    assert set(kept) == {"csv", "html"}
    assert billing.tell("export", "1", "--form", "html") == page
    assert billing.ask("/v1/statements/1")["renderings"] == kept


def test_all_contracts_are_closed_or_named(billing: Billing) -> None:
    billing.run("statement", "close", "c7", "--period", "2026-01", "--accept", GAP, "--reason", "announced works")
    done = billing.run("statement", "close", "--all", "--period", "2026-01")
    assert done.returncode == 1
    assert "contract 'c7' is closed by statement 1" in done.stderr
    assert "contract 'c8' cannot be closed" in done.stderr
    done = billing.run("statement", "close", "--all", "--period", "2026-01", "--accept", GAP, "--reason", "works", "-f", "csv")
    assert [row["contract"] for row in csv.DictReader(io.StringIO(done.stdout))] == ["c8"]
    void = json.loads(billing.tell("void", "2", "--reason", "a wrong price", "-f", "json"))
    assert (void["number"], void["kind"], void["voids"], void["total"]) == (3, "void", 2, "-3.40")
    assert billing.tell("verify", "3") == "statement 3 is what the ledger says\n"


REFUSED = [
    ("neither a contract nor all", ("close",), "name a contract, or all of them by --all"),
    ("no reason", ("close", "c7", "--accept", "x"), "--accept and --reason go together"),
    ("a file without a key", ("verify", "none.json"), "--key FILE"),
    ("no file", ("verify", "none.json", "--key", "key.pub"), "none.json: cannot be read: No such file or directory"),
    ("no statement", ("show", "99"), "Statement 99 does not exist."),
    ("a period that is none", ("check", "c7", "--period", "2026"), "is no period"),
    ("a key that is there", ("key", "key"), "File exists"),
]


@pytest.mark.parametrize(("words", "sentence"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_what_is_refused_is_said_in_a_sentence(billing: Billing, words: tuple[str, ...], sentence: str) -> None:
    done = billing.run("statement", *words)
    assert done.returncode not in {0, 1}
    assert sentence in " ".join(done.stderr.replace("│", " ").split())


def test_queries_are_held_to_what_there_is(billing: Billing) -> None:
    for path, sentence in (
        ("/v1/statements/1/document?format=xml", "none of json, csv, html"),
        ("/v1/statements/1/document?speriod=x", "no such parameter"),
        ("/v1/statements?closed=yes", "no such parameter"),
    ):
        assert sentence in billing.ask(path, 400)["error"]["message"]
    assert "does not exist" in billing.ask("/v1/statements/x", 404)["error"]["message"]
