"""``venturi alarm`` and ``venturi agent`` against a running server: what they print, and how they end."""

import json
import time
from collections.abc import Callable

import pytest

from tests.support.scripted_server import http_answer, scripted_server
from tests.support.server import ServerProcess

Venturi = Callable[..., str]
SECONDS = 15.0
NOWHERE = "5f3a4b0e-3f6c-4d0b-9a52-6c1d1a1f7c11"
STATUS = {"host": "edge-1", "version": "1.2.3", "driver": "ebpf", "phase": "idle", "report_interval_seconds": 60}


def report(server: ServerProcess, agent_id: str, *alarms: dict[str, object]) -> None:
    """Report as an agent, and wait until that is a row."""
    assert server.request("PUT", f"/v1/agents/{agent_id}", form={**STATUS, "alarms": alarms}).status == 200
    deadline = time.monotonic() + SECONDS
    while server.request("GET", f"/v1/agents/{agent_id}").status != 200:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_alarms_are_listed_and_acknowledged(venturi: Venturi, server: ServerProcess) -> None:
    report(server, "listed", {"kind": "clock_step", "subject": "eth0", "sentence": "the wall clock was set by +3.000 s", "count": 2})
    columns = ("-c", "kind", "-c", "state", "-c", "subject", "-c", "sentence", "-c", "count")
    assert (
        venturi("alarm", "list", "--kind", "clock_step", *columns)
        == """\
kind        state  subject  sentence                            count
──────────  ─────  ───────  ──────────────────────────────────  ─────
clock_step  open   eth0     the wall clock was set by +3.000 s      2
"""
    )
    identifier = venturi("alarm", "list", "--kind", "clock_step", "-f", "value", "-c", "id").strip()
    assert venturi("alarm", "ack", identifier) == ""
    acknowledged = json.loads(venturi("alarm", "list", "--kind", "clock_step", "--long", "-f", "json"))[0]
    assert (acknowledged["acknowledged_by"], acknowledged["agent_id"], acknowledged["host"]) == ("anonymous", "listed", "edge-1")
    venturi("alarm", "ack", NOWHERE, code=8, sentence=f"Alarm '{NOWHERE}' does not exist.")
    assert venturi("alarm", "list", "--state", "cleared", "--kind", "clock_step", "-f", "value") == ""
    assert venturi("alarm", "list", "--since", "2999-01-01T00:00:00Z", "-f", "value") == ""
    assert len(venturi("alarm", "list", "--since", "1h", "--kind", "clock_step", "--limit", "1", "-f", "value").splitlines()) == 1


def test_agents_are_listed_shown_and_forgotten(venturi: Venturi, server: ServerProcess) -> None:
    report(server, "shown")
    columns = ("-c", "agent_id", "-c", "host", "-c", "state", "-c", "version", "-c", "phase")
    assert "shown\tedge-1\treporting\t1.2.3\tidle\n" in venturi("agent", "list", "-f", "value", *columns)
    assert venturi("agent", "list", "--host", "elsewhere", "-f", "value") == ""
    assert venturi("agent", "show", "shown", "-f", "value", "-c", "driver", "-c", "last_posted_at") == "ebpf\nNone\n"
    assert venturi("agent", "forget", "shown") == ""
    for command in ("show", "forget"):
        venturi("agent", command, "shown", code=8, sentence="Agent 'shown' does not exist.")


HOSTILE = ["\x1b]0;owned\x07\x1b[2J", "a\r\nb", "\x9b31m", "x" * 255]


@pytest.mark.parametrize("form", ["table", "value", "json", "yaml"])
@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_nothing_that_a_server_says_reaches_a_person_raw(venturi: Venturi, monkeypatch: pytest.MonkeyPatch, name: str, form: str) -> None:
    alarm = {"id": NOWHERE, "kind": name, "state": "open", "subject": name, "sentence": name, "count": 1}
    agent = {"agent_id": name, "host": name, "driver": name, "problem": name, "threads": {name: name}}
    answers = [http_answer(json.dumps({"alarms": [alarm], "next": None})), http_answer(json.dumps({"agents": [agent], "next": None}))]
    with scripted_server(answers) as scripted:
        monkeypatch.setenv("VENTURI_URL", scripted.url)
        printed = venturi("alarm", "list", "--long", "-f", form) + venturi("agent", "list", "--long", "-f", form)
    assert all(character.isprintable() or character in "\n\t" for character in printed)
    assert "xxx" not in name or name in printed.replace("\n", "").replace(" ", "") or form == "table"
