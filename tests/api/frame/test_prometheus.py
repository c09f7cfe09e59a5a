"""Metrics as Prometheus itself sees them: its linter, a scrape by the real one with a token of role monitor, and the alerts."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import urllib3
import yaml
from prometheus_client import generate_latest

from tests.support.server import ServerProcess, make_token, running_server
from tests.support.sources import ROOT
from tests.support.tools import find_tool, needs
from venturi.core.domain.agent_status import Pressure
from venturi.interfaces.agent.metrics import AgentMetrics
from venturi.services.agent.status import AgentStatus, PlaceStatus, SpoolStatus

pytestmark = needs("prometheus", "promtool")

FOLDER = ROOT / "packaging" / "prometheus"
RULES = FOLDER / "venturi.rules.yml"
STATUS = {
    "host": "edge-1",
    "version": "1",
    "driver": "ebpf",
    "phase": "retrying",
    "report_interval_seconds": 3600,
    "oldest_undelivered": "2026-01-01T00:00:00Z",
    "spool": {"octets": 900, "limit": 1000, "waiting_intervals": 1, "unacknowledged_batches": 2, "pressure": "coalesced"},
}


def promtool(*arguments: str, given: bytes = b"", folder: Path | None = None) -> str:
    program = find_tool("promtool")
    assert program
    run = subprocess.run([program, *arguments], input=given, capture_output=True, check=False, cwd=folder, timeout=120)
    told = (run.stdout + run.stderr).decode()
    assert run.returncode == 0, told
    return told


@contextmanager
def running_prometheus(folder: Path, target: str, token: str) -> Iterator[str]:
    """Let a Prometheus scrape a server by the configuration that is shipped, with another target and at once; give its URL."""
    settings = yaml.safe_load((FOLDER / "prometheus.yml").read_text(encoding="utf-8"))
    (job,) = [job for job in settings["scrape_configs"] if job["job_name"] == "venturi"]
    job |= {"scheme": "http", "static_configs": [{"targets": [target]}]}
    settings |= {"global": {"scrape_interval": "1s", "evaluation_interval": "1s"}, "rule_files": [str(RULES)], "scrape_configs": [job]}
    (folder / "prometheus.yml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    (folder / "venturi.token").write_text(token, encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    program = find_tool("prometheus")
    assert program
    options = [f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data", f"--web.listen-address={address}"]
    with (folder / "log").open("wb") as log, subprocess.Popen([program, *options], stdout=log, stderr=log) as process:
        try:
            yield f"http://{address}"
        finally:
            process.terminate()
            process.wait(30)


def ask(url: str, query: str) -> list[dict[str, object]]:
    """Give the results of a query once there are some."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            answer = urllib3.request("GET", f"{url}/api/v1/query", fields={"query": query}, timeout=10, retries=False).json()
        except (urllib3.exceptions.HTTPError, ValueError):
            answer = {}
        results = answer.get("data", {}).get("result", [])
        if results:
            return list(results)
        time.sleep(0.2)
    message = f"no result of {query}"
    raise AssertionError(message)


@pytest.fixture(scope="module")
def secrets() -> dict[str, str]:
    """The tokens of the server, by role."""
    return {}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, secrets: dict[str, str]) -> Iterator[ServerProcess]:  # noqa: PLR0206 - no property
    """A server that wants tokens, and to which an agent with a spool that is full has reported."""
    folder = tmp_path_factory.mktemp("observed")
    database = f"sqlite:///{folder / 'venturi.db'}"
    secrets |= {role: make_token(database, role) for role in ("admin", "manager", "member", "reader", "monitor", "none")}
    secrets["agent"] = make_token(database, "agent", agent_id="edge", host="edge-1")
    with running_server(folder, "--auth", "token", database=database) as running:
        reported = running.request("PUT", "/v1/agents/edge", headers=bearer(secrets["agent"]), form=STATUS)
        assert reported.status == 200, reported.data
        yield running


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


@pytest.mark.parametrize(
    ("role", "status"),
    [("admin", 200), ("monitor", 200), ("manager", 403), ("member", 403), ("reader", 403), ("agent", 403), ("none", 403)],
)
def test_who_reads_metrics(server: ServerProcess, secrets: dict[str, str], role: str, status: int) -> None:
    assert server.request("GET", "/metrics", headers=bearer(secrets[role])).status == status


@pytest.mark.parametrize("path", ["/v1/labels", "/v1/tokens", "/v1/agents", "/v1/plans/edge-1"])
def test_a_monitor_reads_nothing_else(server: ServerProcess, secrets: dict[str, str], path: str) -> None:
    answer = server.request("GET", path, headers=bearer(secrets["monitor"]))
    assert answer.status == 403 or answer.json() == {"labels": [], "next": None}


def test_a_refused_request_is_logged_with_its_reason_and_its_token(server: ServerProcess, secrets: dict[str, str]) -> None:
    secret = secrets["reader"]
    token_id = "-".join((secret[8:16], secret[16:20], secret[20:24], secret[24:28], secret[28:40]))
    for shown, reason in ((secret, "rule:get_metrics is disallowed by policy"), (secret[:-64] + "0" * 64, "there is no such token")):
        answer = server.request("GET", "/metrics", headers=bearer(shown))
        line = server.wait_for_log("request", request_id=answer.headers["X-Openstack-Request-Id"])
        assert (line["reason"], line["token_id"]) == (reason, token_id)
    assert secret[-64:] not in "".join(server.raw_log)


def test_changes_of_tokens_are_in_the_log(server: ServerProcess, secrets: dict[str, str]) -> None:
    form = {"role": "reader", "project_id": "p", "name": "short"}
    made = server.request("POST", "/v1/tokens", headers=bearer(secrets["admin"]), form=form).json()
    assert server.request("DELETE", f"/v1/tokens/{made['id']}", headers=bearer(secrets["admin"])).status == 204
    for event in ("token created", "token revoked"):
        line = server.wait_for_log(event, token_id=made["id"])
        assert (line["name"], line["role"], line["project"], line["by_project"]) == ("short", "reader", "p", "default")
        assert len(line["by_token_id"]) == 36
    assert made["secret"] not in "".join(server.raw_log)


def count_plans(server: ServerProcess, secret: str) -> tuple[float, float]:
    """Count the requests for plans that were answered by 304, and those whose time was noted."""
    metrics = server.request("GET", "/metrics", headers=bearer(secret)).data.decode()
    amounts = {name: float(amount) for name, _, amount in (line.rpartition(" ") for line in metrics.splitlines() if line[:1] != "#")}
    route = 'method="GET",route="/v1/plans/{host}"'
    answered = amounts.get(f'venturi_http_requests_total{{{route},status="304"}}', 0.0)
    return answered, amounts.get(f"venturi_http_request_duration_seconds_count{{{route}}}", 0.0)


def test_waiting_for_a_plan_is_no_slow_request(server: ServerProcess, secrets: dict[str, str]) -> None:
    headers = bearer(secrets["agent"])
    plan = server.request("GET", "/v1/plans/edge-1?agent_id=edge", headers=headers)
    before = count_plans(server, secrets["monitor"])
    waited = server.request("GET", "/v1/plans/edge-1?agent_id=edge&wait=1", headers=headers | {"If-None-Match": plan.headers["ETag"]})
    assert waited.status == 304
    assert count_plans(server, secrets["monitor"]) == (before[0] + 1, before[1])


def test_promtool_finds_nothing_in_the_metrics_of_a_server(server: ServerProcess, secrets: dict[str, str]) -> None:
    metrics = server.request("GET", "/metrics", headers=bearer(secrets["monitor"])).data
    assert promtool("check", "metrics", given=metrics) == ""
    for kind in ("agent_silent", "batch_conflict", "plan_leased"):
        assert f'venturi_alarms_total{{kind="{kind}"}} 0.0' in metrics.decode(), "counted from zero on"


@pytest.mark.parametrize("reported", [False, True], ids=["before the first status", "after it"])
def test_promtool_finds_nothing_in_the_metrics_of_an_agent(reported: bool) -> None:
    metrics = AgentMetrics()
    if reported:
        metrics.show(agent_status())
    written = generate_latest(metrics.registry)
    assert promtool("check", "metrics", given=written) == ""
    assert b'venturi_agent_alarms_total{kind="coverage_lost"} 0.0' in written
    assert (b'venturi_agent_spool_pressure{pressure="full"} 0.0' in written) is reported


def agent_status() -> AgentStatus:
    place = PlaceStatus(point_id="p", point="uplink", place="eth0", gap="", bypassed=False, generation="g", classifier="c", known_until=1)
    return AgentStatus(
        agent_id="edge",
        host="edge-1",
        version="1",
        process=1,
        told_by="",
        running=True,
        driver="ebpf",
        written_at=1,
        plan_revision=1,
        places=[place],
        spool=SpoolStatus(id="s", octets=1, limit=2, waiting_intervals=0, unacknowledged_batches=0, pressure=str(Pressure.NONE)),
        delivery="idle",
        problem="",
        alarms={"coverage_lost": 0},
    )


def test_promtool_accepts_what_is_shipped(tmp_path: Path) -> None:
    for file in FOLDER.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "venturi.token").write_text("venturi_x")
    assert "SUCCESS" in promtool("check", "rules", str(RULES))
    assert "SUCCESS" in promtool("check", "config", "prometheus.yml", folder=tmp_path)


AGENT = 'agent="edge", host="edge-1"'
ALERTS: dict[str, tuple[dict[str, str], str]] = {
    "a server that does not answer": ({'up{job="venturi"}': "0x20"}, "VenturiServerDown"),
    "roll-ups that are behind": ({"venturi_ledger_tail_seconds": "301x20"}, "VenturiRollUpsBehind"),
    "a dead agent": ({f"venturi_known_agent_silent{{{AGENT}}}": "1x20"}, "VenturiAgentDead"),
    "an agent that posts nothing": (
        {f"venturi_known_agent_silent{{{AGENT}}}": "0x60", f"venturi_known_agent_last_batch_timestamp_seconds{{{AGENT}}}": "0x60"},
        "VenturiAgentDeliversNothing",
    ),
    "an agent that lags": ({f"venturi_known_agent_lag_seconds{{{AGENT}}}": "901x20"}, "VenturiAgentLags"),
    "a spool that fills up": (
        {f"venturi_known_agent_spool_octets{{{AGENT}}}": "81x20", f"venturi_known_agent_spool_limit_octets{{{AGENT}}}": "100x20"},
        "VenturiSpoolFillsUp",
    ),
    "a full spool": ({f'venturi_known_agent_spool_pressure{{{AGENT}, pressure="full"}}': "1x20"}, "VenturiSpoolFull"),
    "missing batches": ({f"venturi_known_agent_missing_batches{{{AGENT}}}": "3x60"}, "VenturiBatchesMissing"),
    "a gap that a server knows": ({'venturi_alarms_open{kind="coverage_lost"}': "1x20"}, "VenturiGap"),
    "a gap that an agent knows": ({'venturi_agent_places{coverage="gap"}': "1x20"}, "VenturiDeviceNotMetered"),
    "a thread that is down": ({'venturi_thread_up{thread="alarms"}': "0x20"}, "VenturiThreadFailed"),
}
"""Series with their amounts, a minute apart, and the alert that they raise within an hour; nothing else is raised."""


def test_every_alert_has_a_case() -> None:
    (group,) = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    assert {rule["alert"] for rule in group["rules"]} == {alert for _, alert in ALERTS.values()}


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_is_raised(name: str, tmp_path: Path) -> None:
    series, alert = ALERTS[name]
    length = 59 if any(amounts.endswith("x60") for amounts in series.values()) else 19
    counted = f'count(ALERTS{{alertstate="firing", alertname="{alert}"}})'
    others = f'count(ALERTS{{alertname!="{alert}"}})'
    test = {
        "interval": "1m",
        "input_series": [{"series": one, "values": amounts} for one, amounts in series.items()],
        "promql_expr_test": [
            {"expr": counted, "eval_time": f"{length}m", "exp_samples": [{"labels": "{}", "value": 1}]},
            {"expr": others, "eval_time": f"{length}m", "exp_samples": []},
        ],
    }
    (tmp_path / "test.yml").write_text(yaml.safe_dump({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": [test]}))
    assert "SUCCESS" in promtool("test", "rules", str(tmp_path / "test.yml"))


def test_a_real_prometheus_scrapes_and_alerts(server: ServerProcess, secrets: dict[str, str], tmp_path: Path) -> None:
    with running_prometheus(tmp_path, f"127.0.0.1:{server.port}", secrets["monitor"]) as url:
        (scraped,) = ask(url, 'up{job="venturi"} == 1')
        assert scraped["metric"] == {"__name__": "up", "instance": f"127.0.0.1:{server.port}", "job": "venturi"}
        (lagging,) = ask(url, 'venturi_known_agent_lag_seconds{agent="edge", host="edge-1"} > 900')
        assert lagging
        (raised,) = ask(url, 'ALERTS{alertname="VenturiSpoolFull", alertstate="firing"}')
        assert {"agent": "edge", "host": "edge-1", "severity": "critical"}.items() <= dict(raised["metric"]).items()  # type: ignore[call-overload]
