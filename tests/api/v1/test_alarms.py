"""Alarms and agents on the wire: who sees what, what an agent may tell, and that it becomes rows."""

import time
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec
import pytest

from tests.api.v1.conftest import OWN, Caller
from venturi.core.domain.agent_status import LONGEST_STATUS, MOST_ALARMS

AGENT = "/v1/agents/agent-1"
STATUS: dict[str, Any] = {
    "host": "edge-1",
    "version": "9.9.9",
    "driver": "ebpf",
    "phase": "retrying",
    "problem": "the server cannot be reached",
    "report_interval_seconds": 60,
    "written_at": "2026-03-01T01:00:00+01:00",
    "plan_revision": 4,
    "oldest_undelivered": "2026-03-01T00:00:00.25Z",
    "clock_offset_seconds": -0.5,
    "spool": {"octets": 1, "limit": 2, "waiting_intervals": 3, "unacknowledged_batches": 4, "pressure": "none"},
    "places": {"complete": 2, "gap": 1},
    "refused_batches": 1,
    "threads": {"delivery": "running", "plan": "down"},
}
WHO = ["admin", "manager", "member", "reader", "agent", "none"]
SECONDS = 15.0

Callers = dict[str, Caller]


def eventually(ask: Callable[[], Any], expected: Callable[[Any], bool]) -> Any:  # noqa: ANN401 - what is asked for
    """Ask until the answer is as expected: rows are written within a second or so."""
    deadline = time.monotonic() + SECONDS
    while not expected(found := ask()):
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return found


def report(caller: Caller, *alarms: Mapping[str, Any], path: str = AGENT, **changes: object) -> tuple[int, Any]:
    return caller.ask("PUT", path, {**STATUS, "alarms": alarms, **changes})


def listed(caller: Caller, query: str = "") -> dict[str, dict[str, Any]]:
    status, document = caller.ask("GET", f"/v1/alarms{query}")
    assert status == 200, document
    return {alarm["kind"] + " " + alarm["subject"]: alarm for alarm in document["alarms"]}


def make_point(caller: Caller, project: str, host: str) -> str:
    form = {"kind": "interface", "name": f"uplink of {project}", "host": host, "device": f"d{uuid.uuid4().hex[:8]}", "project_id": project}
    return str(caller.make("/v1/observation-points", form)["id"])


ACCESS: list[tuple[str, str, object, set[str], int]] = [
    # method, path, form, who may, the status of those who may
    ("GET", "/v1/alarms", None, {"admin", "manager", "member", "reader"}, 200),
    ("PUT", f"/v1/alarms/{uuid.UUID(int=1)}/acknowledgement", None, {"admin"}, 404),
    ("PUT", AGENT, STATUS, {"admin", "agent"}, 200),
    ("GET", "/v1/agents", None, {"admin"}, 200),
    ("GET", "/v1/agents/nobody", None, {"admin"}, 404),
    ("DELETE", "/v1/agents/nobody", None, {"admin"}, 404),
]


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize(("method", "path", "form", "allowed", "status"), ACCESS, ids=[f"{row[0]} {row[1]}" for row in ACCESS])
def test_who_may_ask(callers: Callers, who: str, method: str, path: str, form: object, allowed: set[str], status: int) -> None:
    assert callers[who].ask(method, path, form)[0] == (status if who in allowed else 403)


def test_a_status_is_shown_as_it_was_told(callers: Callers) -> None:
    status, received = report(callers["agent"])
    assert (status, received["agent_id"]) == (200, "agent-1")
    assert abs(time.time() - _seconds(received["received_at"])) < 60
    found = eventually(lambda: callers["admin"].ask("GET", AGENT)[1], lambda agent: agent.get("driver") == "ebpf")
    told = {**STATUS, "written_at": "2026-03-01T00:00:00Z"}
    assert {name: found[name] for name in STATUS} == told
    assert (found["state"], found["last_posted_at"]) == ("reporting", None)
    assert "agent-1" in [agent["agent_id"] for agent in callers["admin"].ask("GET", "/v1/agents?host=edge-1")[1]["agents"]]
    assert callers["admin"].ask("GET", "/v1/agents?host=elsewhere")[1] == {"agents": [], "next": None}
    report(callers["agent"], running=False)
    eventually(lambda: callers["admin"].ask("GET", AGENT)[1], lambda agent: agent["state"] == "stopped")


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


REFUSED: list[tuple[str, dict[str, Any], int, str]] = [
    ("/v1/agents/agent-2", {}, 403, "bound to agent 'agent-1'"),
    (AGENT, {"host": "edge-2"}, 403, "bound to host 'edge-1'"),
    ("/v1/agents/a%20b", {}, 400, "agent_id: expected an agent id"),
    (AGENT, {"report_interval_seconds": 0}, 400, "report_interval_seconds: "),
    (AGENT, {"report_interval_seconds": 1e9}, 400, "report_interval_seconds: "),
    (AGENT, {"written_at": "yesterday"}, 400, "written_at: 'yesterday' is not an RFC 3339 time"),
    (AGENT, {"threads": {str(number): "running" for number in range(33)}}, 400, "threads: "),
    (AGENT, {"alarms": [{"kind": "clock_step", "sentence": ""}] * (MOST_ALARMS + 1)}, 400, "alarms: "),
    (AGENT, {"alarms": [{"kind": "Clock Step", "sentence": ""}]}, 400, "alarms[0].kind: "),
    (AGENT, {"alarms": [{"kind": "clock_step\n", "sentence": ""}]}, 400, "alarms[0].kind: "),
    (AGENT, {"alarms": [{"kind": "clock_step", "sentence": "x" * 1025}]}, 400, "alarms[0].sentence: "),
    (AGENT, {"driver": "\x1b[2J"}, 400, "driver: control and invisible characters are not allowed"),
    (AGENT, {"more": "x" * LONGEST_STATUS}, 413, "a status has at most"),
]


@pytest.mark.parametrize(("path", "changes", "status", "sentence"), REFUSED, ids=range(len(REFUSED)))
def test_what_is_not_believed(callers: Callers, path: str, changes: dict[str, Any], status: int, sentence: str) -> None:
    answered, document = report(callers["agent"], path=path, **changes)
    assert answered == status
    assert sentence in document["error"]["message"]


def test_what_a_newer_agent_tells_beside_is_ignored(callers: Callers) -> None:
    assert report(callers["agent"], colour="blue")[0] == 200


def test_the_alarms_of_an_agent_are_rows_until_it_tells_of_them_no_more(callers: Callers) -> None:
    agent, admin = callers["agent"], callers["admin"]
    step = {"kind": "clock_step", "sentence": "the wall clock was set by +3.000 s", "count": 2}
    foreign = {"kind": "batch_conflict", "subject": "spool", "sentence": "a kind that is the server's"}
    report(agent, step, foreign)
    found = eventually(lambda: listed(admin, "?state=open"), lambda alarms: "clock_step " in alarms)
    kept = found["clock_step "]
    assert (kept["count"], kept["agent_id"], kept["host"], kept["sentence"]) == (2, "agent-1", "edge-1", step["sentence"])
    assert "agent_other batch_conflict spool" in found
    report(agent, {**step, "count": 5})
    eventually(lambda: listed(admin)["clock_step "]["count"], lambda count: count == 5)
    report(agent)
    eventually(lambda: listed(admin)["clock_step "]["state"], lambda state: state == "cleared")
    assert listed(admin, "?state=open&kind=clock_step") == {}
    report(agent, {**step, "count": 1})
    opened = eventually(lambda: listed(admin)["clock_step "], lambda alarm: alarm["state"] == "open")
    assert (opened["id"], opened["count"], opened["cleared_at"]) == (kept["id"], 1, None)


def test_an_administrator_acknowledges(callers: Callers) -> None:
    report(callers["agent"], {"kind": "spool_refused", "sentence": "no room"})
    alarm = eventually(lambda: listed(callers["admin"]), lambda alarms: "spool_refused " in alarms)["spool_refused "]
    path = f"/v1/alarms/{alarm['id']}/acknowledgement"
    assert callers["manager"].ask("PUT", path)[0] == 403
    status, acknowledged = callers["admin"].ask("PUT", path)
    assert status == 200
    assert acknowledged["acknowledged_by"]
    assert acknowledged["acknowledged_at"] is not None
    assert callers["admin"].ask("PUT", path) == (200, acknowledged)


def test_readers_see_those_of_their_points_without_agents_and_hosts(callers: Callers) -> None:
    admin = callers["admin"]
    here, elsewhere, foreign = make_point(admin, OWN, "edge-1"), make_point(admin, OWN, "edge-9"), make_point(admin, "other", "edge-1")
    sentence = "agent-1 of edge-1 says that eth0 is gone"
    report(
        callers["agent"],
        *(
            {"kind": "coverage_lost", "subject": f"eth{number}", "sentence": sentence, "point_id": point}
            for number, point in enumerate((here, elsewhere, foreign))
        ),
        {"kind": "clock_step", "sentence": "of no project", "point_id": here},
    )
    expected = {"coverage_lost eth0", "coverage_lost eth1", "coverage_lost eth2"}
    found = eventually(lambda: listed(admin, "?state=open"), lambda alarms: expected <= set(alarms))
    projects = {name: (found[name]["project_id"], found[name]["observation_point_id"]) for name in expected}
    assert projects == {
        "coverage_lost eth0": (OWN, here),
        "coverage_lost eth1": (None, None),
        "coverage_lost eth2": ("other", foreign),
    }
    for who, point in (("reader", here), ("member", here), ("manager", here), ("other reader", foreign)):
        seen = listed(callers[who], "?state=open&kind=coverage_lost")
        assert set(seen) == {f"coverage_lost {point}"}
        (alarm,) = seen.values()
        assert "is not known from some time on" in alarm["sentence"]
        assert [alarm[name] for name in ("agent_id", "host", "acknowledged_by")] == [None, None, None]
        assert not any(secret in msgspec.json.encode(alarm).decode() for secret in ("agent-1", "edge-1", "eth"))


def test_lists_have_filters_times_and_pages(callers: Callers) -> None:
    report(callers["agent"], *({"kind": "device_held", "subject": f"d{number}", "sentence": "held"} for number in range(5)))
    admin = callers["admin"]
    eventually(lambda: listed(admin, "?kind=device_held"), lambda alarms: len(alarms) == 5)
    found: list[dict[str, Any]] = []
    marker: str | None = ""
    while marker is not None:
        page = admin.ask("GET", f"/v1/alarms?kind=device_held&limit=2{marker and '&marker=' + marker}")[1]
        found, marker = found + page["alarms"], page["next"]
    assert sorted(alarm["subject"] for alarm in found) == [f"d{number}" for number in range(5)]
    assert listed(admin, "?since=2999-01-01T00:00:00Z") == {}
    assert len(listed(admin, "?since=2020-01-01T00:00:00Z&kind=device_held")) == 5
    for query, sentence in (
        ("?since=soon", "since: 'soon' is not an RFC 3339 time"),
        ("?state=shut", "state: 'shut' is none of open, cleared"),
        ("?colour=red", "colour: this list has no such parameter"),
    ):
        status, document = admin.ask("GET", f"/v1/alarms{query}")
        assert status == 400
        assert sentence in document["error"]["message"]


def test_alarms_of_the_server_are_rows_and_metrics(anyone: Caller) -> None:
    for agent_id in ("first", "second"):
        anyone.ask("GET", f"/v1/plans/leased-host?agent_id={agent_id}")
    alarm = eventually(lambda: listed(anyone), lambda alarms: "plan_leased leased-host" in alarms)["plan_leased leased-host"]
    assert (alarm["agent_id"], alarm["host"], alarm["state"], alarm["count"]) == ("second", "leased-host", "open", 1)
    metrics = anyone.server.request("GET", "/metrics").data.decode()
    assert 'venturi_alarms_open{kind="plan_leased"} 1.0' in metrics
    assert 'venturi_alarms_open{kind="agent_silent"} 0.0' in metrics
    assert 'venturi_alarms_total{kind="plan_leased"} 1.0' in metrics


def test_health_tells_of_each_thread(anyone: Caller) -> None:
    for path, state in (("/healthz/live", "alive"), ("/healthz/ready", "ready")):
        status, told = anyone.ask("GET", path)
        past = told["threads"].pop("past-plans")
        tail = {"tail": {"postings": 0, "seconds": 0}} if state == "ready" else {}
        assert (status, told) == (
            200,
            {"status": state, "threads": {"alarms": "running", "last-use": "running", "roller": "running"}} | tail,
        )
        assert past in {"running", "ended"}, "it ends once all is worked out"
    metrics = anyone.server.request("GET", "/metrics").data.decode()
    assert 'venturi_thread_up{thread="alarms"} 1.0' in metrics
    assert 'venturi_thread_failures_total{thread="event-loop"} 0.0' in metrics


def test_an_agent_that_is_gone_is_forgotten_with_its_alarms(anyone: Caller) -> None:
    report(anyone, {"kind": "clock_step", "sentence": "set"}, path="/v1/agents/gone")
    eventually(lambda: listed(anyone, "?state=open"), lambda alarms: "clock_step " in alarms)
    assert anyone.ask("DELETE", "/v1/agents/gone") == (204, None)
    assert anyone.ask("GET", "/v1/agents/gone")[0] == 404
    assert listed(anyone, "?state=open&kind=clock_step") == {}
