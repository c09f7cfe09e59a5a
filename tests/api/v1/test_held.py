"""What is held, by the API and the commands: who may list and decide, what is answered, and what the commands say."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.v1.conftest import Caller
from tests.support.batches import SpoolOfTests, make_interval, send_form
from tests.support.server import BY_PLAN_FILES, make_token, running_server
from venturi.core.ledger.batch import Envelope

WEB = [(0, 0, 10, 1000), (0, 1, 4, 400)]
MANY = [(0, 0, 10, 10**18)]
OTHERS = ["manager", "member", "reader", "none", "agent"]
DECISION = {"reason": "known", "intervals": [{"posting": 1, "ordinal": 0}]}


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[Caller]:
    """An administrator of a server on an empty ledger, which takes little that is held."""
    database = f"sqlite:///{tmp_path / 'venturi.db'}"
    secret = make_token(database)
    with running_server(tmp_path, "--auth", "token", database=database, config=f"{BY_PLAN_FILES}most_held = 9\n") as server:
        yield Caller(server, secret)


def send(caller: Caller, envelope: Envelope) -> tuple[int, Any]:
    """Post a batch; give status and document of the answer."""
    headers = {"X-Auth-Token": caller.secret, "Content-Type": "application/vnd.venturi.batch"}
    answer = caller.server.request("POST", "/v1/batches", headers=headers, body=send_form(envelope))
    return answer.status, answer.json()


def run(caller: Caller, *arguments: str) -> tuple[int, str]:
    """Run a command against the server; give its exit code and what it said."""
    command = [sys.executable, "-m", "venturi", "ledger", *arguments, "--url", caller.server.url]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={"VENTURI_TOKEN": caller.secret, "PATH": ""})
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("who", OTHERS)
@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/held"), ("POST", "/v1/acceptances"), ("POST", "/v1/rejections")])
def test_administrators_alone_decide(callers: dict[str, Caller], who: str, method: str, path: str) -> None:
    assert callers[who].ask(method, path, DECISION if method == "POST" else None)[0] == 403


def test_what_is_held_is_listed_page_by_page_and_decided(owner: Caller) -> None:
    spool = SpoolOfTests()
    assert send(owner, spool.seal(*(make_interval(minute, usage=MANY) for minute in range(3))))[0] == 200
    status, first = owner.ask("GET", "/v1/held?limit=2")
    assert (status, [held["ordinal"] for held in first["held"]], first["next"]) == (200, [0, 3], "1.3")
    _, second = owner.ask("GET", f"/v1/held?limit=2&marker={first['next']}")
    (last,) = second["held"]
    assert second["next"] is None
    assert last == {
        "posting": 1,
        "ordinal": 6,
        "reason": "above_line_rate",
        "decision": "held",
        "decided_by": None,
        "agent_id": "agent-1",
        "host": "edge-1",
        "observation_point_id": spool.points[0].id,
        "observation_point_name": "uplink",
        "project_id": "p1",
        "label_id": spool.labels[0].id,
        "label_name": "web",
        "place": "eth0",
        "start": "2026-01-01T00:02:00Z",
        "end": "2026-01-01T00:03:00Z",
        "coverage": "complete",
        "packets": 10,
        "octets": 10**18,
        "entries": 3,
        "classifier": "b" * 64,
        "revision": 7,
    }
    one = {"reason": "a burst", "intervals": [{"posting": 1, "ordinal": 3}]}
    assert owner.ask("POST", "/v1/acceptances", one) == (201, {"posting": 2, "intervals": 1, "remaining": 0})
    status, document = owner.ask("POST", "/v1/rejections", one)
    assert (status, document["error"]["message"]) == (409, "interval 3 of posting 1 was accepted by posting 2")
    assert owner.ask("POST", "/v1/rejections", {"reason": "forged", "agent_id": "agent-1"})[1] == {
        "posting": 3,
        "intervals": 2,
        "remaining": 0,
    }
    assert owner.ask("GET", "/v1/held")[1]["held"] == []
    decided = owner.ask("GET", "/v1/held?decision=accepted&decision=rejected")[1]["held"]
    assert [(held["decision"], held["decided_by"]) for held in decided] == [("rejected", 3), ("accepted", 2), ("rejected", 3)]
    posting = owner.ask("GET", "/v1/postings/2")[1]
    assert (posting["kind"], posting["author"] != "", posting["reason"]) == ("acceptance", True, "a burst")
    assert (posting["page"][0]["kind"], posting["page"][0]["held"]) == ("coverage", False)
    assert posting["page"][-1] == {
        "kind": "held",
        "ordinal": 3,
        "held_posting": 1,
        "held_ordinal": 3,
        "decision": "accepted",
        "reason": "",
    }
    entries = owner.ask("GET", "/v1/postings/1")[1]["page"]
    assert [entry["held"] for entry in entries if entry["kind"] == "coverage"] == [True] * 3


@pytest.mark.parametrize(
    ("form", "status", "said"),
    [
        ({"reason": "all"}, 400, "intervals: name them, or give at least one of"),
        ({"reason": "twice", "intervals": [{"posting": 1, "ordinal": 0}] * 2}, 400, "intervals: two of them are the same"),
        ({"intervals": [{"posting": 1, "ordinal": 0}]}, 400, "reason: this field is required"),
        ({"reason": "no such reason", "held_reason": "x"}, 400, "held_reason"),
        ({"reason": "nothing", "agent_id": "agent-9"}, 404, "nothing is held that is as you ask"),
    ],
)
def test_what_is_refused(owner: Caller, form: object, status: int, said: str) -> None:
    answer = owner.ask("POST", "/v1/acceptances", form)
    assert answer[0] == status
    assert answer[1]["error"]["message"].startswith(said)


def test_an_agent_whose_usage_is_held_comes_again_until_somebody_decides(owner: Caller) -> None:
    spool = SpoolOfTests()
    assert [send(owner, spool.seal(make_interval(minute, usage=MANY)))[0] for minute in range(4)] == [200, 200, 200, 429]
    status, document = send(owner, spool.sealed[-1])
    assert (status, document["error"]["type"]) == (429, "TooMuchHeld")
    assert "venturi ledger held --agent-id agent-1" in document["error"]["message"]
    metrics = owner.server.request("GET", "/metrics", headers={"X-Auth-Token": owner.secret}).data.decode()
    assert 'kind="held"} 3.0' in metrics
    assert 'kind="held_limit"} 2.0' in metrics
    owner.ask("POST", "/v1/rejections", {"reason": "forged", "agent_id": "agent-1"})
    assert send(owner, spool.sealed[-1])[0] == 200


def test_the_commands(owner: Caller) -> None:
    points = SpoolOfTests().points
    for _ in range(3):
        send(owner, SpoolOfTests(points=points).seal(make_interval(0, usage=WEB)))
    code, said = run(owner, "held", "-f", "csv", "-c", "posting", "-c", "ordinal", "-c", "reason")
    assert (code, said.split()) == (0, ["posting,ordinal,reason", "2,0,overlapping", "3,0,overlapping"])
    code, said = run(owner, "accept", "2.0", "--reason", "try")
    assert code == 9
    assert "overlaps what counts at observation point" in said
    assert run(owner, "reject", "2.0", "--reason", "twice") == (0, "1 interval rejected\n")
    assert run(owner, "reject", "--agent-id", "agent-1", "--reason-held", "overlapping", "--reason", "twice") == (
        0,
        "1 interval rejected\n",
    )
    code, said = run(owner, "reject", "x", "--reason", "twice")
    assert (code, "'x' is no interval: give POSTING.ORDINAL" in said) == (2, True)
    code, said = run(owner, "held", "--decision", "rejected", "-f", "csv", "-c", "decided_by")
    assert (code, said.split()) == (0, ["decided_by", "4", "5"])
