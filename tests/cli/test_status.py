"""``venturi status``: a server and all that reports to it, on one screen of 80 columns."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Venturi
from tests.support.server import ServerProcess, make_token, running_server
from venturi.main import run

SPOOL = {"octets": 8 << 20, "limit": 2 << 30, "waiting_intervals": 3, "unacknowledged_batches": 1, "pressure": "none"}
STATUS = {"host": "edge-1", "version": "1.2.3", "driver": "ebpf", "phase": "idle", "report_interval_seconds": 60, "spool": SPOOL}
ALARM = {"kind": "clock_step", "subject": "eth0", "sentence": "the wall clock was set by +3.000 s while the agent metered the host"}


def _report(server: ServerProcess, eventually: Callable[[Callable[[], bool]], None]) -> None:
    form = {**STATUS, "problem": "the disk is full", "oldest_undelivered": "2026-01-01T00:00:00Z", "alarms": [ALARM]}
    assert server.request("PUT", "/v1/agents/edge-1", form=form).status == 200
    eventually(lambda: b"clock_step" in server.request("GET", "/v1/alarms").data)


def test_server_database_agents_spools_lag_and_alarms_fit_on_a_screen(
    venturi: Venturi, server: ServerProcess, monkeypatch: pytest.MonkeyPatch, eventually: Callable[[Callable[[], bool]], None]
) -> None:
    assert "agents    none; start one on a host" in venturi("status")
    venturi("label", "create", "web")
    _report(server, eventually)
    monkeypatch.setenv("COLUMNS", "80")
    lines = venturi("status").splitlines()
    assert [line for line in lines if len(line) > 80] == []
    assert len(lines) <= 24
    assert lines[0].startswith(f"server    {server.url}, venturi ")
    assert lines[1:6] == [
        "you       anonymous, admin of project default",
        "database  ready",
        "metering  1 label, 0 observation points",
        "agents    1 of 1 reporting",
        "alarms    1 open",
    ]
    text = " ".join(" ".join(lines).split())
    assert "8.00 MiB, 1 batch waits" in text
    for told in ("reporting", "the disk is full", " d ", "clock_step", "+3.000 s"):
        assert told in text


def test_programs_get_a_document(venturi: Venturi, server: ServerProcess) -> None:
    told = json.loads(venturi("status", "-f", "json"))
    assert told["server"]["url"] == server.url
    assert told["server"]["ready"] is True
    assert {"caller", "labels", "observation_points", "agents", "open_alarms", "held_intervals"} <= set(told)


def test_what_a_reader_may_not_see_is_said_to_be_unseen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    database = f"sqlite:///{tmp_path / 'venturi.db'}"
    reader = make_token(database, "reader", "shop", name="dash")
    with running_server(tmp_path, "--auth", "token", database=database) as server:
        monkeypatch.setenv("VENTURI_URL", server.url)
        monkeypatch.setenv("VENTURI_TOKEN", reader)
        assert run(["status"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "you       dash, reader of project shop" in lines
    assert "agents    only an administrator sees them" in lines


def test_without_a_server_it_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("VENTURI_URL", "http://127.0.0.1:9")
    assert run(["status"]) == 11
    assert "Start one by `venturi serve`, or name another by --url or VENTURI_URL." in capsys.readouterr().err
