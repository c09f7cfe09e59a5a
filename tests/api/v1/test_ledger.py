"""The ledger by its API: who may post and read what, what is answered, and that pages lead through all of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.v1.conftest import Caller
from tests.support.batches import SpoolOfTests, make_interval, send_form
from tests.support.server import BY_PLAN_FILES, make_token, running_server
from venturi.core.ledger.batch import BatchLabel, BatchPoint, Envelope

WEB = [(0, 0, 10, 1000), (0, 1, 4, 400)]
OTHERS = ["manager", "member", "reader", "none"]
REFUSED_TO_AGENTS = [("GET", "/v1/spools"), ("GET", "/v1/postings"), ("GET", "/v1/postings/1"), ("POST", "/v1/corrections")]


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[Caller]:
    """An administrator of a server with an empty ledger."""
    database = f"sqlite:///{tmp_path / 'venturi.db'}"
    secret = make_token(database)
    with running_server(tmp_path, "--auth", "token", database=database, config=BY_PLAN_FILES) as server:
        yield Caller(server, secret)


def send(caller: Caller, envelope: Envelope) -> tuple[int, Any]:
    """Post a batch; give status and document of the answer."""
    headers = {"X-Auth-Token": caller.secret, "Content-Type": "application/vnd.venturi.batch"}
    answer = caller.server.request("POST", "/v1/batches", headers=headers, body=send_form(envelope))
    return answer.status, answer.json()


def test_a_batch_is_acknowledged_alike_each_time(callers: dict[str, Caller]) -> None:
    spool = SpoolOfTests()
    first = send(callers["agent"], spool.seal(make_interval(0, usage=WEB)))
    assert first[0] == 200
    assert (first[1]["spool_id"], first[1]["sequence"], first[1]["digest"]) == (spool.spool_id, 1, spool.sealed[0].digest.hex())
    assert send(callers["agent"], spool.sealed[0]) == first
    assert send(callers["admin"], spool.sealed[0]) == first


def test_an_agent_asks_how_far_its_spool_is_posted(callers: dict[str, Caller]) -> None:
    spool, agent = SpoolOfTests(), callers["agent"]
    nothing = agent.ask("GET", f"/v1/spools/{spool.spool_id}")
    assert nothing[0] == 200
    assert {name: nothing[1][name] for name in ("highest", "digest", "missing")} == {"highest": 0, "digest": "", "missing": []}
    sealed = [spool.seal(make_interval(minute, usage=WEB)) for minute in range(5)]
    for sequence in (5, 2):
        assert send(agent, sealed[sequence - 1])[0] == 200
    status, document = agent.ask("GET", f"/v1/spools/{spool.spool_id}")
    assert (status, document["agent_id"], document["highest"], document["digest"]) == (200, "agent-1", 5, sealed[4].digest.hex())
    assert document["missing"] == [[1, 1], [3, 4]]


def test_an_agent_sees_and_posts_its_own_alone(callers: dict[str, Caller]) -> None:
    other = SpoolOfTests(agent_id="agent-2")
    envelope = other.seal(make_interval(0, usage=WEB))
    assert send(callers["agent"], envelope)[0] == 403
    assert send(callers["admin"], envelope)[0] == 200
    status, document = callers["agent"].ask("GET", f"/v1/spools/{other.spool_id}")
    assert (status, document["agent_id"], document["host"], document["highest"]) == (200, "agent-1", "", 0)
    assert callers["admin"].ask("GET", f"/v1/spools/{other.spool_id}")[1]["agent_id"] == "agent-2"


@pytest.mark.parametrize("who", OTHERS)
def test_nobody_else_posts_or_reads(callers: dict[str, Caller], who: str) -> None:
    spool = SpoolOfTests()
    assert send(callers[who], spool.seal(make_interval(0)))[0] == 403
    for method, path in [*REFUSED_TO_AGENTS, ("GET", f"/v1/spools/{spool.spool_id}")]:
        assert (
            callers[who].ask(method, path, {"reason": "r", "entries": [{"posting": 1, "ordinal": 0}]} if method == "POST" else None)[0]
            == 403
        )


@pytest.mark.parametrize(("method", "path"), REFUSED_TO_AGENTS)
def test_agents_are_no_administrators(callers: dict[str, Caller], method: str, path: str) -> None:
    form = {"reason": "r", "entries": [{"posting": 1, "ordinal": 0}]}
    assert callers["agent"].ask(method, path, form if method == "POST" else None)[0] == 403


@pytest.mark.parametrize("body", [b"", b"no batch", b"\x28\xb5\x2f\xfd" * 3, b"\0" * 4096])
def test_a_body_that_is_no_batch_is_refused(callers: dict[str, Caller], body: bytes) -> None:
    answer = callers["agent"].server.request("POST", "/v1/batches", headers={"X-Auth-Token": callers["agent"].secret}, body=body)
    assert (answer.status, answer.json()["error"]["type"]) == (400, "InvalidBatch")


def test_a_contradiction_is_told_and_counted(owner: Caller) -> None:
    spool = SpoolOfTests()
    forged = spool.fork().seal(make_interval(0))
    send(owner, spool.seal(make_interval(0, usage=WEB)))
    status, document = send(owner, forged)
    assert (status, document["error"]["type"]) == (409, "BatchConflict")
    assert owner.server.wait_for_log("alarm", kind="batch_conflict")["reason"].endswith("with other content")
    assert owner.ask("GET", f"/v1/spools/{spool.spool_id}")[1]["conflicts"] == 1


def test_every_record_is_traceable(owner: Caller) -> None:
    spool = SpoolOfTests()
    send(owner, spool.seal(make_interval(0, usage=WEB, unmatched=(1, 50)), make_interval(1, coverage="gap", reason="device_gone")))
    status, document = owner.ask("GET", "/v1/postings/1")
    assert status == 200
    assert (document["kind"], document["linked"], document["host"], document["entries"], document["next"]) == (
        "batch",
        True,
        "edge-1",
        6,
        None,
    )
    kinds = [(entry["kind"], entry["ordinal"]) for entry in document["page"]]
    assert kinds == [("coverage", 0), ("totals", 1), ("totals", 2), ("usage", 3), ("usage", 4), ("coverage", 5)]
    covered, totals, usage = (document["page"][place] for place in (0, 1, 3))
    assert covered["observation_point_id"] == spool.points[0].id
    assert (covered["place"], covered["start"], covered["revision"]) == ("eth0", "2026-01-01T00:00:00Z", 7)
    assert (totals["direction"], totals["packets"], totals["unmatched_octets"]) == ("ingress", 11, 50)
    assert (usage["label_id"], usage["label_name"], usage["octets"], usage["interval"]) == (spool.labels[0].id, "web", 1000, 0)
    assert document["page"][5]["reason"] == "device_gone"


def test_usage_of_what_is_deleted_is_posted_and_stays(owner: Caller) -> None:
    label_id = owner.make_label(name="gone", project_id="p1")
    point = {"kind": "interface", "name": "uplink", "host": "edge-1", "device": "eth0", "project_id": "p1"}
    point_id = owner.make("/v1/observation-points", point)["id"]
    spool = SpoolOfTests(
        labels=[BatchLabel(label_id, "gone", "p1", False)], points=[BatchPoint(point_id, "uplink", "p1", False, "interface")]
    )
    first, second = spool.seal(make_interval(0, usage=WEB)), spool.seal(make_interval(1, usage=WEB))
    assert send(owner, first)[0] == 200
    assert owner.ask("DELETE", f"/v2.0/metering/metering-labels/{label_id}")[0] == 204
    assert owner.ask("DELETE", f"/v1/observation-points/{point_id}")[0] == 204
    assert send(owner, second)[0] == 200
    for number in (1, 2):
        page = owner.ask("GET", f"/v1/postings/{number}")[1]["page"]
        assert (page[0]["observation_point_id"], page[3]["label_id"], page[3]["label_name"]) == (point_id, label_id, "gone")


def test_pages_lead_through_postings_entries_and_spools(owner: Caller) -> None:
    spools = [SpoolOfTests() for _ in range(3)]
    for spool in spools:
        send(owner, spool.seal(make_interval(0, usage=WEB)))
    for path, name, number in (("/v1/postings", "postings", 3), ("/v1/spools", "spools", 3), ("/v1/postings/2", "page", 5)):
        found: list[Any] = []
        marker: str | None = ""
        while marker is not None:
            status, document = owner.ask("GET", f"{path}?limit=2{f'&marker={marker}' if marker else ''}")
            assert status == 200, document
            found += document[name]
            marker = document["next"]
        assert len(found) == number
    assert [each["number"] for each in owner.ask("GET", f"/v1/postings?spool_id={spools[1].spool_id}")[1]["postings"]] == [2]
    assert owner.ask("GET", "/v1/postings/9")[0] == 404
    assert owner.ask("GET", "/v1/spools/nonsense")[0] == 404


def test_a_correction_names_what_it_corrects(owner: Caller) -> None:
    send(owner, SpoolOfTests().seal(make_interval(0, usage=WEB)))
    form = {"reason": "counted twice", "entries": [{"posting": 1, "ordinal": 3, "packets": -2, "octets": -200}]}
    status, document = owner.ask("POST", "/v1/corrections", form)
    assert (status, document["kind"], document["number"], document["reason"]) == (201, "correction", 2, "counted twice")
    entry = owner.ask("GET", "/v1/postings/2")[1]["page"][0]
    assert (entry["corrected_posting"], entry["corrected_ordinal"], entry["packets"], entry["octets"]) == (1, 3, -2, -200)


def test_a_correction_with_an_id_is_answered_alike_each_time(owner: Caller) -> None:
    send(owner, SpoolOfTests().seal(make_interval(0, usage=WEB)))
    line = {"posting": 1, "ordinal": 3, "packets": -2, "octets": -200}
    form = {"id": "6F9619FF-8B86-4011-B42D-00CF4FC964FF", "reason": "counted twice", "entries": [line]}
    first = owner.ask("POST", "/v1/corrections", form)
    assert (first[0], first[1]["number"], first[1]["correction_id"]) == (201, 2, "6f9619ff-8b86-4011-b42d-00cf4fc964ff")
    assert owner.ask("POST", "/v1/corrections", form) == first
    status, document = owner.ask("POST", "/v1/corrections", form | {"reason": "another"})
    assert (status, document["error"]["message"]) == (409, "id: it is that of another correction, posting 2")
    assert owner.ask("POST", "/v1/corrections", form | {"id": "no uuid"})[0] == 400
    assert len(owner.ask("GET", "/v1/postings")[1]["postings"]) == 2


REFUSED_CORRECTIONS = {
    "no such posting": ({"posting": 9, "ordinal": 3, "packets": 1}, 404, "there is no entry"),
    "no entry of counts": ({"posting": 1, "ordinal": 0, "packets": 1}, 404, "there is no entry"),
    "more than there is": ({"posting": 1, "ordinal": 3, "packets": -11}, 409, "would count what cannot be"),
    "parts of usage": ({"posting": 1, "ordinal": 3, "unmatched_packets": 1}, 400, "entry 3 of posting 1 has no unmatched_packets"),
    "parts beyond the whole": ({"posting": 1, "ordinal": 1, "unmatched_octets": 1001}, 409, "would count what cannot be"),
    "a count of 65 bits": ({"posting": 1, "ordinal": 3, "octets": 1 << 64}, 400, "entries[0].octets"),
    "a field that is none": ({"posting": 1, "ordinal": 3, "bytes": 1}, 400, "there is no field 'bytes' here"),
}


def test_corrections_that_are_refused(owner: Caller) -> None:
    send(owner, SpoolOfTests().seal(make_interval(0, usage=WEB)))
    for name, (line, expected, said) in REFUSED_CORRECTIONS.items():
        status, document = owner.ask("POST", "/v1/corrections", {"reason": "why", "entries": [line]})
        assert (status, said in document["error"]["message"]) == (expected, True), (name, document)
    twice = {"reason": "why", "entries": [{"posting": 1, "ordinal": 3, "packets": -1}] * 2}
    assert owner.ask("POST", "/v1/corrections", twice)[0] == 400
    assert len(owner.ask("GET", "/v1/postings")[1]["postings"]) == 1
