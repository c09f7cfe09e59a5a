"""``venturi contract`` and ``/v1/contracts`` on a real server: from posted batches to the price."""

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.batches import SpoolOfTests, make_interval, send_form
from tests.support.server import BY_PLAN_FILES, ServerProcess, running_server
from venturi.core.ledger.batch import BatchLabel, BatchPoint

DAY = ("--begins", "2026-01-01T00:00:00Z", "--ends", "2026-01-02T00:00:00Z")
OF_LABEL = ("--boundary", "edge", "--member", "label:web", "--project", "p1")


@dataclass
class Metered:
    """A server on which sample n of a day has n × 1,500 octets of a label."""

    server: ServerProcess

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        surroundings = {**os.environ, "VENTURI_URL": self.server.url}
        command = [sys.executable, "-m", "venturi", "contract", *words]
        return subprocess.run(command, env=surroundings, capture_output=True, text=True, check=False)

    def tell(self, *words: str) -> str:
        """Give what a command writes that must go well."""
        done = self.run(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def ask(self, path: str, status: int = 200, **headers: str) -> Any:  # noqa: ANN401 - any JSON
        answer = self.server.request("GET", path, headers=headers)
        assert answer.status == status, answer.data
        return json.loads(answer.data)


@pytest.fixture(scope="module")
def metered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Metered]:
    with running_server(tmp_path_factory.mktemp("contracts"), config=BY_PLAN_FILES) as server:
        made = Metered(server)
        label = server.request(
            "POST", "/v2.0/metering/metering-labels", form={"metering_label": {"name": "web", "project_id": "p1"}}
        ).json()
        point = {"kind": "interface", "name": "uplink", "host": "edge-1", "device": "eth0", "project_id": "p1", "boundary": "edge"}
        identity = server.request("POST", "/v1/observation-points", form=point).json()["id"]
        spool = SpoolOfTests(
            points=[BatchPoint(identity, "uplink", "p1", False, "interface")],
            labels=[BatchLabel(label["metering_label"]["id"], "web", "p1", False)],
        )
        sealed = spool.seal(*(make_interval(5 * number, 5, usage=[(0, 0, 1, 1500 * number)]) for number in range(288)))
        assert server.request("POST", "/v1/batches", body=send_form(sealed)).status == 200
        yield made


def test_a_percentile_from_the_batch_to_the_price(metered: Metered) -> None:
    prices = ("--commit", "5", "--commit-price", "2.5", "--burst-price", "4", "--currency", "CHF", "--credit", "outage:1.25")
    metered.tell("create", "c7", *OF_LABEL, "--percentile", "95", "--unit", "kbit/s", *prices, *DAY)
    assert "c7" in metered.tell("list", "-f", "csv", "--project", "p1")
    told = metered.tell("show", "c7", "--period", "2026-01")
    for line in (
        "288 of 288 known (100.00 %)",
        "percentile 95, max, position 274 of 288",
        "10.920 kbit/s",
        "10.920 kbit/s at 2026-01-01T22:45:00Z, 409500 octets",
        "commit: 5 kbit/s at 2.5 = 12.50 CHF",
        "overage: 5.92 kbit/s at 4 = 23.68 CHF",
        "credit: outage: -1.25 CHF",
        "34.93 CHF",
    ):
        assert line in told
    document = json.loads(metered.tell("show", "c7", "--period", "2026-01", "-f", "json"))
    assert (document["figure"], document["total"], document["deciding"]["octets"]) == ("10.920", "34.93", 409_500)
    rows = list(csv.DictReader(io.StringIO(metered.tell("show", "c7", "--period", "2026-01", "-f", "csv"))))
    ranked = sorted(int(row["measured_octets"]) for row in rows if row["known"] == "true")
    assert ranked[-(-95 * len(ranked) // 100) - 1] == 409_500
    assert [row["start"] for row in rows if row["position"] == "274"] == ["2026-01-01T22:45:00Z"]
    missing = metered.run("show", "c7", "--period", "2026-02")
    assert (missing.returncode, missing.stderr) == (2, "venturi: period: the contract holds at no time of 2026-02\n")
    metered.tell("set", "c7", "--burst-price", "5", "--takes-effect", "2026-01")
    changed = json.loads(metered.tell("show", "c7", "--period", "2026-01", "-f", "json"))
    assert (changed["version"], changed["commit"], changed["total"]) == (2, "5", "40.85")
    assert "1: since 2026-01-01T00:00:00Z" in metered.tell("show", "c7")


def test_a_provider_is_checked(metered: Metered) -> None:
    members = ("--boundary", "edge", "--member", "point:uplink", "--project", "p1")
    metered.tell("create", "transit", "--payable", *members, "--percentile", "95", "--unit", "kbit/s", *DAY)
    told = metered.tell("check", "transit", "--period", "2026-01", "--invoiced", "0.011Mbit/s")
    for line in (
        "11 kbit/s",
        "0.08 kbit/s (0.73 %)",
        "samples up to invoiced",
        "276",
        "274: 10.920 kbit/s at 2026-01-01T22:45:00Z",
        "277: ",
    ):
        assert line in told
    wrong = metered.run("check", "transit", "--period", "2026-01", "--invoiced", "11GB")
    assert (wrong.returncode, "'11GB' is no number with one of the units" in wrong.stderr) == (2, True)


def test_a_volume_in_tiers(metered: Metered) -> None:
    tiers = ("--included", "10", "--tier", "20:0.5", "--tier", "0.25", "--currency", "EUR", "--minimum-charge", "20")
    metered.tell(
        "create", "volume", "--boundary", "edge", "--member", "project:p1", "--project", "p1", "--volume", "--unit", "MB", *tiers, *DAY
    )
    document = json.loads(metered.tell("show", "volume", "--period", "2026-01", "-f", "json"))
    assert (document["figure"], document["overage"]) == ("61.992", "51.992")
    assert [(line["name"], line["amount"]) for line in document["lines"]] == [
        ("included", "0.00"),
        ("tier 1", "10.00"),
        ("tier 2", "8.00"),
        ("up to the minimum charge", "2.00"),
    ]
    metered.tell("delete", "volume")
    gone = metered.run("show", "volume")
    assert (gone.returncode, gone.stderr) == (8, "venturi: there is no contract with the id or name 'volume'\n")


REFUSED = [
    ("no measure", (*OF_LABEL, "--unit", "GB"), "say what is measured"),
    ("two measures", (*OF_LABEL, "--unit", "GB", "--volume", "--percentile", "95"), "do not go together"),
    ("no member", ("--boundary", "edge", "--unit", "GB", "--volume"), "--member is needed"),
    ("no boundary", ("--member", "project:7", "--unit", "GB", "--volume"), "--boundary is needed"),
    ("a strange member", ("--boundary", "edge", "--member", "web", "--unit", "GB", "--volume"), "'web' is none of label:NAME"),
    ("a strange credit", (*OF_LABEL, "--unit", "GB", "--volume", "--credit", "5"), "--credit: '5' is not of the form"),
    ("a unit of another sort", (*OF_LABEL, "--unit", "GB", "--percentile", "95"), "unit: GB is no unit of a rate"),
    ("members that overlap", (*OF_LABEL, "--member", "project:p1", "--unit", "GB", "--volume"), "may count the same packet"),
]


@pytest.mark.parametrize(("options", "sentence"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_what_is_refused_is_said_in_a_sentence(metered: Metered, options: tuple[str, ...], sentence: str) -> None:
    done = metered.run("create", "refused", *options)
    assert done.returncode in {2, 9}
    assert sentence in " ".join(done.stderr.replace("│", " ").split())


def test_samples_come_in_the_form_asked_for(metered: Metered) -> None:
    metered.tell("create", "sampled", *OF_LABEL, "--percentile", "95", "--unit", "kbit/s", *DAY)
    contract = metered.ask("/v1/contracts?name=sampled")["contracts"][0]["id"]
    path = f"/v1/contracts/{contract}/samples?period=2026-01"
    assert len(metered.ask(path)["samples"]) == 288
    for answer in (
        metered.server.request("GET", f"{path}&format=csv"),
        metered.server.request("GET", path, headers={"Accept": "text/csv"}),
    ):
        assert answer.headers["Content-Type"].startswith("text/csv")
        assert answer.data.splitlines()[1] == b"2026-01-01T00:00:00Z,0,0,0,true,0,1"
    for query, sentence in (("period=2026-1", "is no period"), ("format=xml", "none of json, csv"), ("speriod=x", "no such parameter")):
        assert sentence in metered.ask(f"/v1/contracts/{contract}/samples?{query}", 400)["error"]["message"]


def test_all_contracts_are_measured_at_once(metered: Metered) -> None:
    made = (
        "--percentile",
        "95",
        "--of",
        "egress",
        "--unit",
        "kbit/s",
        "--begins",
        "2026-01-01T00:00:00Z",
        "--ends",
        "2026-01-02T00:00:00Z",
    )
    metered.tell("create", "one of all", *OF_LABEL, *made)
    metered.tell("create", "later", *OF_LABEL, "--volume", "--unit", "GB", "--begins", "2026-02-01T00:00:00Z")
    listed = json.loads(metered.tell("measure", "--period", "2026-01", "-f", "json"))
    told = {row["contract"]: row for row in listed}
    shown = json.loads(metered.tell("show", "one of all", "--period", "2026-01", "-f", "json"))
    assert {name: told["one of all"][name] for name in ("figure", "unit", "total")} == {
        name: shown[name] for name in ("figure", "unit", "total")
    }
    assert (told["one of all"]["known"], told["one of all"]["period"]) == (shown["samples"]["known"], "2026-01")
    assert told["later"]["refusal"] == "period: the contract holds at no time of 2026-01"
    page = metered.ask("/v1/measures?period=2026-01&limit=1")
    assert len(page["measures"]) == 1
    assert page["next"] == page["measures"][0]["contract_id"]
