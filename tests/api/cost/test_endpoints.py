"""For each endpoint and role, the most expensive request within the limits costs little, and others hardly wait for it.

Memory and processor time are those of the server's process. A wait is what a small request waits for longer than the longest did while
nothing else went on, since the machine is others' too. The small request asks whether the server is alive: of its wait, the server's own
part is at most 100 ms, each time.

What only later work can mend stands in ``test_later`` by name with its figure. A route without a case fails.
"""

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import urllib3
from litestar import Router

from tests.api.v1.test_alarms import STATUS
from tests.support.batches import SpoolOfTests, make_batch_label, make_batch_point, make_interval, send_form
from tests.support.control_values import new_id
from tests.support.measuring import Cost, measured
from tests.support.server import BY_PLAN_FILES, ServerProcess, make_token, running_server
from venturi.core.ledger.batch import BatchLabel, BatchPoint
from venturi.interfaces.api.neutron.routes import neutron_routes
from venturi.interfaces.api.operations import operations_routes
from venturi.interfaces.api.v1.routes import v1_routes

ROLES = ("admin", "manager", "member", "reader", "agent", "none")
MEANT_TO_BE_CHEAP = frozenset({"member", "reader", "agent", "none"})
MOST_SECONDS, MOST_OCTETS, LONGEST_WAIT = 2.0, 64 << 20, 0.5
HEALTH_SECONDS = 0.1
LABELS = "/v2.0/metering/metering-labels"
RULES = "/v2.0/metering/metering-label-rules"
COUNT = 2_000
BATCH_LABELS = 8_000
HOURS = 6


@dataclass
class World:
    """A server with labels, rules, points and usage, and a secret for each role; the ids are of what it has."""

    server: ServerProcess
    secrets: dict[str, str]
    labels: list[str] = field(default_factory=list)
    rules: list[str] = field(default_factory=list)
    points: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    contracts: list[str] = field(default_factory=list)
    spools: Iterator[SpoolOfTests] = field(default_factory=lambda: iter(()))
    posted: SpoolOfTests = field(default_factory=SpoolOfTests)
    idle_wait: float = 0.0

    def send(self, role: str, method: str, path: str, body: bytes | None = None) -> urllib3.BaseHTTPResponse:
        with urllib3.PoolManager(retries=False, timeout=120) as pool:
            return pool.request(method, self.server.url + path, headers={"X-Auth-Token": self.secrets[role]}, body=body)

    def make(self, path: str, form: object) -> Any:  # noqa: ANN401 - a document
        answer = self.send("admin", "POST", path, json.dumps(form).encode())
        assert answer.status == 201, answer.data
        return answer.json()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A filled server that asks for tokens."""
    folder = tmp_path_factory.mktemp("cost")
    database = f"sqlite:///{Path(folder) / 'venturi.db'}"
    secrets = {role: make_token(database, role, "own") for role in ROLES if role != "agent"}
    secrets["agent"] = make_token(database, "agent", "own", agent_id="agent-1", host="edge-1")
    with running_server(folder, "--auth", "token", database=database, config=BY_PLAN_FILES) as server:
        made = World(server, secrets)
        _fill(made)
        with measured(server) as cost:
            time.sleep(1.5)
        made.idle_wait = max(cost.waits)
        yield made


def _fill(world: World) -> None:
    created = world.make(LABELS, {"metering_labels": [{"name": f"label {number}"} for number in range(COUNT)]})["metering_labels"]
    world.labels = [label["id"] for label in created]
    rules = [
        {"metering_label_id": label, "direction": "ingress", "remote_ip_prefix": f"10.{number >> 8}.{number & 255}.0/24"}
        for number, label in enumerate(world.labels)
    ]
    world.rules = [rule["id"] for rule in world.make(RULES, {"metering_label_rules": rules})["metering_label_rules"]]
    for device in ("eth0", "eth1"):
        point = {"name": "uplink", "kind": "interface", "shared": True, "host": "edge-1", "device": device, "boundary": "edge"}
        world.points.append(world.make("/v1/observation-points", point)["id"])
        world.tokens.append(world.make("/v1/tokens", {"role": "reader", "project_id": "own"})["id"])
    labels = [BatchLabel(identity, f"label {number}", "own", False) for number, identity in enumerate(world.labels)]
    points = [BatchPoint(world.points[0], "uplink", "own", True, "interface")]
    world.posted = SpoolOfTests(labels=labels, points=points)
    usage = [(label, direction, 10, 1_000) for label in range(COUNT) for direction in (0, 1)]
    for hour in range(HOURS):
        assert world.send("admin", "POST", "/v1/batches", send_form(world.posted.seal(make_interval(60 * hour, usage=usage)))).status == 200
    world.contracts = [world.make("/v1/contracts", json.loads(_contract(world)))["id"] for _ in range(2)]
    path = f"/v1/contracts/{world.contracts[0]}/statements"
    assert world.send("admin", "POST", path, _closing(world, "2026-01")).status == 201
    others = [make_batch_label(f"label {number}", project_id="own") for number in range(BATCH_LABELS)]
    world.spools = iter([SpoolOfTests(labels=others, points=[make_batch_point()]) for _ in ROLES])
    for agent_id, host in (("agent-1", "edge-1"), ("agent-9", "edge-9")):
        assert world.send("admin", "PUT", f"/v1/agents/{agent_id}", json.dumps({**STATUS, "host": host}).encode()).status == 200
    untold = SpoolOfTests(agent_id="agent-9", host="edge-9", labels=labels[:20], points=[make_batch_point()])
    for first in (0, 1_000):
        held = [make_interval(first + minute, usage=usage[:40]) for minute in range(1_000)]
        assert world.send("admin", "POST", "/v1/batches", send_form(untold.seal(*held))).status == 200


def _largest_batch(world: World) -> bytes:
    """Give the most that an agent seals: 50,000 rows, of labels that are new to the ledger."""
    usage = [(label, direction, 10, 1_000) for label in range(BATCH_LABELS) for direction in (0, 1)]
    return send_form(next(world.spools).seal(*(make_interval(100 + minute, usage=usage) for minute in range(3))))


def _status(_: World) -> bytes:
    alarms = [{"kind": "clock_step", "subject": f"device {number}", "sentence": "x" * 1_000} for number in range(100)]
    return json.dumps({**STATUS, "alarms": alarms}).encode()


_MOST_MEMBERS = 500


def _contract(world: World) -> bytes:
    """Give a contract with as many members as it may have, whose rules have to be compared."""
    members = [{"kind": "label", "id": label} for label in world.labels[10 : 10 + _MOST_MEMBERS]]
    measure = {"kind": "percentile", "of": "max_of_percentiles", "least_known": "0"}
    terms = {"boundary": "edge", "members": members, "measure": measure, "unit": "Mbit/s", "begins_at": "2026-01-01T00:00:00Z"}
    return json.dumps({"name": new_id(), **terms}).encode()


def _closing(world: World, period: str) -> bytes:
    """Close a period of the first contract, with all accepted that makes it doubtful."""
    found = json.loads(world.send("admin", "GET", f"/v1/contracts/{world.contracts[0]}/findings?period={period}").data)["findings"]
    return json.dumps({"period": period, "accepted": [{"name": each["name"], "reason": "known"} for each in found]}).encode()


def _corrections(_: World) -> bytes:
    entries = [{"posting": 1, "ordinal": 3 + number, "packets": 1, "octets": 1} for number in range(1_000)]
    return json.dumps({"reason": "counted too little", "entries": entries}).encode()


def _many(name: str, **attributes: object) -> Callable[[World], bytes]:
    return lambda _: json.dumps({name: [{"name": f"new {number}", **attributes} for number in range(2_000)]}).encode()


def _changes(_: World) -> bytes:
    """Give 2,000 labels with a rule each, as one revision."""
    labels = [
        {"name": f"new {number}", "rules": [{"direction": "egress", "source_ip_prefix": f"12.{number >> 8}.{number & 255}.0/24"}]}
        for number in range(2_000)
    ]
    return json.dumps({"create_labels": labels}).encode()


def _rules(world: World) -> bytes:
    rules = [
        {"metering_label_id": world.labels[number], "direction": "egress", "remote_ip_prefix": f"10.{number >> 8}.{number & 255}.0/24"}
        for number in range(2, COUNT)  # without what the case that deletes a label deletes
    ]
    return json.dumps({"metering_label_rules": rules}).encode()


def _replacement(_: World) -> bytes:
    rules = [{"direction": "ingress", "source_ip_prefix": f"11.{number >> 8}.{number & 255}.0/24"} for number in range(2_000)]
    return json.dumps({"rules": rules}).encode()


Body = Callable[[World], bytes]
USAGE = "?from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z"
PACKET = json.dumps({"source": "10.1.1.1", "destination": "192.0.2.1", "direction": "ingress", "observation_point_id": "{point}"})
NAME = json.dumps({"name": "n" * 200})
DECISION = json.dumps({"reason": "r" * 200, "agent_id": "agent-9"})

CASES: dict[tuple[str, str], tuple[str, str | Body]] = {
    # method and path: the query, and the body
    ("GET", "/"): ("", ""),
    ("GET", "/docs"): ("", ""),
    ("GET", "/docs/{name}"): ("", ""),
    ("GET", "/healthz/live"): ("", ""),
    ("GET", "/healthz/ready"): ("", ""),
    ("GET", "/metrics"): ("", ""),
    ("GET", "/openapi.json"): ("", ""),
    ("POST", "/v1/acceptances"): ("", DECISION),
    ("GET", "/v1/agents"): ("?limit=1000", ""),
    ("GET", "/v1/agents/{agent_id}"): ("", ""),
    ("PUT", "/v1/agents/{agent_id}"): ("", _status),
    ("DELETE", "/v1/agents/{agent_id}"): ("", ""),
    ("GET", "/v1/alarms"): ("?limit=1000", ""),
    ("PUT", "/v1/alarms/{alarm_id}/acknowledgement"): ("", ""),
    ("POST", "/v1/apply"): ("", _changes),
    ("POST", "/v1/batches"): ("", _largest_batch),
    ("GET", "/v1/caller"): ("", ""),
    ("GET", "/v1/contracts"): ("?limit=1000", ""),
    ("POST", "/v1/contracts"): ("", _contract),
    ("GET", "/v1/contracts/{contract_id}"): ("", ""),
    ("PATCH", "/v1/contracts/{contract_id}"): ("", json.dumps({"minimum_charge": "0", "decimals": 4})),
    ("DELETE", "/v1/contracts/{contract_id}"): ("", ""),
    ("GET", "/v1/contracts/{contract_id}/measure"): ("?period=2026-01", ""),
    ("GET", "/v1/contracts/{contract_id}/samples"): ("?period=2026-01", ""),
    ("POST", "/v1/contracts/{contract_id}/statements"): ("", lambda world: _closing(world, "2026-02")),
    ("GET", "/v1/contracts/{contract_id}/findings"): ("?period=2026-01", ""),
    ("GET", "/v1/measures"): ("?period=2026-01", ""),
    ("POST", "/v1/corrections"): ("", _corrections),
    ("POST", "/v1/explain"): ("", PACKET),
    ("GET", "/v1/held"): ("?limit=1000", ""),
    ("GET", "/v1/labels"): ("?limit=1000", ""),
    ("GET", "/v1/labels/{label_id}"): ("", ""),
    ("PATCH", "/v1/labels/{label_id}"): ("", NAME),
    ("GET", "/v1/labels/{label_id}/rules"): ("", ""),
    ("PUT", "/v1/labels/{label_id}/rules"): ("", _replacement),
    ("GET", "/v1/observation-points"): ("?limit=1000", ""),
    ("POST", "/v1/observation-points"): ("", json.dumps({"name": "x", "kind": "interface", "host": "edge-2", "device": "eth1"})),
    ("GET", "/v1/observation-points/{point_id}"): ("", ""),
    ("PATCH", "/v1/observation-points/{point_id}"): ("", NAME),
    ("DELETE", "/v1/observation-points/{point_id}"): ("", ""),
    ("GET", "/v1/plans/{host}"): ("", ""),
    ("GET", "/v1/postings"): ("?limit=1000", ""),
    ("GET", "/v1/postings/{number}"): ("?limit=1000", ""),
    ("POST", "/v1/rejections"): ("", DECISION),
    ("GET", "/v1/revisions"): ("?limit=1000", ""),
    ("GET", "/v1/revisions/{number}"): ("", ""),
    ("GET", "/v1/revisions/{number}/state"): ("?limit=1000", ""),
    ("GET", "/v1/spools"): ("?limit=1000", ""),
    ("GET", "/v1/spools/{spool_id}"): ("", ""),
    ("GET", "/v1/statements"): ("?limit=1000", ""),
    ("POST", "/v1/statements"): ("", json.dumps({"period": "2026-03"})),
    ("GET", "/v1/statements/{number}"): ("", ""),
    ("GET", "/v1/statements/{number}/document"): ("", ""),
    ("GET", "/v1/statements/{number}/lines"): ("", ""),
    ("GET", "/v1/statements/{number}/verification"): ("", ""),
    ("POST", "/v1/statements/{number}/voids"): ("", json.dumps({"reason": "a wrong price"})),
    ("GET", "/v1/token-changes"): ("?limit=1000", ""),
    ("GET", "/v1/tokens"): ("?limit=1000", ""),
    ("POST", "/v1/tokens"): ("", json.dumps({"role": "reader", "project_id": "own"})),
    ("GET", "/v1/tokens/{token_id}"): ("", ""),
    ("DELETE", "/v1/tokens/{token_id}"): ("", ""),
    ("POST", "/v1/tokens/{token_id}/rotations"): ("", json.dumps({"overlap_seconds": 0})),
    ("GET", "/v1/usage"): (f"{USAGE}&resolution=5m&group_by=label,point,direction", ""),
    ("GET", "/v1/usage/points"): (f"{USAGE}&resolution=5m", ""),
    ("GET", "/v2.0"): ("", ""),
    ("GET", "/v2.0/extensions"): ("", ""),
    ("POST", "/v2.0/extensions"): ("", ""),
    ("GET", "/v2.0/extensions/{alias}"): ("", ""),
    ("GET", RULES): ("", ""),
    ("POST", RULES): ("", _rules),
    ("GET", f"{RULES}/{{identifier}}"): ("", ""),
    ("PUT", f"{RULES}/{{identifier}}"): ("", "{}"),
    ("DELETE", f"{RULES}/{{identifier}}"): ("", ""),
    ("GET", LABELS): ("", ""),
    ("POST", LABELS): ("", _many("metering_labels", description="d" * 200)),
    ("GET", f"{LABELS}/{{identifier}}"): ("", ""),
    ("PUT", f"{LABELS}/{{identifier}}"): ("", "{}"),
    ("DELETE", f"{LABELS}/{{identifier}}"): ("", ""),
}

REFUSED = {("POST", "/v2.0/extensions"), ("PUT", f"{RULES}/{{identifier}}"), ("PUT", f"{LABELS}/{{identifier}}"), ("GET", "/docs/{name}")}
"""What is refused whatever is asked, or asked for in vain here."""


def served() -> set[tuple[str, str]]:
    """List method and path of every route; HEAD and OPTIONS do what GET does, or less."""
    found = set()
    for route in Router("/", route_handlers=[*operations_routes(), *neutron_routes(), *v1_routes()]).routes:
        path = re.sub(r"\{(\w+):\w+\}", r"{\1}", route.path)
        for handler in getattr(route, "route_handlers", ()):
            if handler.include_in_schema is not False:
                found |= {(str(method), path) for method in handler.http_methods if method not in {"HEAD", "OPTIONS"}}
    return found


def test_every_route_has_a_case() -> None:
    assert set(CASES) == served()


def _path(world: World, method: str, template: str) -> str:
    """Give a path with the ids of what there is; what is deleted is nothing that others ask for."""
    which = 1 if method == "DELETE" else 0
    known = {"label_id": world.labels[7], "point_id": world.points[which], "token_id": world.tokens[which], "number": "1", "host": "edge-1"}
    known |= {"contract_id": world.contracts[which], "spool_id": world.posted.spool_id, "alias": "metering", "name": "swagger-ui.css"}
    known["agent_id"] = "agent-9" if which else "agent-1"
    if "{alarm_id}" in template:
        known["alarm_id"] = _any_alarm(world)
    known["identifier"] = (world.rules if template.startswith(RULES) else world.labels)[which]
    return template.format(**known)


def _any_alarm(world: World) -> str:
    """Give the id of an alarm, which becomes a row a moment after it was raised."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        alarms = json.loads(world.send("admin", "GET", "/v1/alarms").data)["alarms"]
        if alarms:
            return str(alarms[0]["id"])
        time.sleep(0.2)
    message = "there is no alarm"
    raise AssertionError(message)


def _cost(world: World, role: str, method: str, template: str) -> tuple[int, Cost]:
    query, body = CASES[method, template]
    content = body.encode().replace(b"{point}", world.points[0].encode()) if isinstance(body, str) else body(world)
    with measured(world.server) as cost:
        status = world.send(role, method, _path(world, method, template) + query, content or None).status
    return status, cost


@pytest.mark.parametrize(("method", "template"), sorted(CASES))
def test_the_most_expensive_request_costs_little(world: World, method: str, template: str) -> None:
    answered = set()
    for role in reversed(ROLES):
        status, cost = _cost(world, role, method, template)
        answered.add(status < 400)
        assert status < 500, (role, status)
        assert cost.peak_octets <= MOST_OCTETS, (role, cost)
        assert cost.wait <= LONGEST_WAIT + world.idle_wait, (role, cost)
        assert cost.longest_kept <= HEALTH_SECONDS, (role, cost)
        assert role not in MEANT_TO_BE_CHEAP or cost.processor_seconds <= MOST_SECONDS, (role, cost)
    assert True in answered or (method, template) in REFUSED, "the request was not what the endpoint takes"


@pytest.mark.parametrize("wanted", ["format=parquet", "format=arrow", "format=json", "format=csv"])
def test_the_largest_report_costs_little_in_every_form(world: World, wanted: str) -> None:
    """JSON and CSV compressed; what writes columns was loaded before, once for all reports."""
    path = f"/v1/usage{USAGE}&resolution=5m&group_by=label,point,direction&{wanted}"
    assert world.send("reader", "GET", f"/v1/usage?{wanted}").status == 200
    with measured(world.server) as cost, urllib3.PoolManager(retries=False, timeout=120) as pool:
        headers = {"X-Auth-Token": world.secrets["reader"], "Accept-Encoding": "gzip"}
        assert pool.request("GET", world.server.url + path, headers=headers).status == 200
    assert cost.processor_seconds <= MOST_SECONDS, cost
    assert cost.peak_octets <= MOST_OCTETS, cost
    assert cost.longest_kept <= HEALTH_SECONDS, cost
