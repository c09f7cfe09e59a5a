"""Plans on the wire: content, conditions, waiting and leases."""

import gzip
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.api.v1.conftest import Caller
from tests.support.server import running_server
from venturi.core.classify.compiler import CompiledClassifier
from venturi.core.domain.direction import Direction
from venturi.core.domain.label import LabelWithRules, MeteringLabel, MeteringLabelRule
from venturi.core.domain.prefix import Prefix
from venturi.services.control.planning.form import Plan, PlannedClassifier

POINTS = "/v1/observation-points"
NETWORK = {"direction": "egress", "source_ip_prefix": "10.0.0.5/24"}
REMOTE = {"direction": "ingress", "remote_ip_prefix": "2001:DB8::/32", "excluded": True}


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Caller]:
    """A caller of a server that holds nothing yet."""
    with running_server(tmp_path) as server:
        yield Caller(server)


def _read(caller: Caller, path: str, known: str = "") -> tuple[int, str, Plan | None]:
    headers = {"If-None-Match": known} if known else {}
    answer = caller.server.request("GET", path, headers=headers)
    plan = msgspec.json.decode(answer.data, type=Plan) if answer.status == 200 else None
    return answer.status, answer.headers.get("ETag", ""), plan


def _plan(caller: Caller, host: str) -> Plan:
    plan = _read(caller, f"/v1/plans/{host}")[2]
    assert plan is not None
    return plan


def _router(**attributes: object) -> dict[str, object]:
    return {"kind": "router", "name": "r", "router_id": str(uuid.uuid4()), **attributes}


def _compile(classifier: PlannedClassifier) -> str:
    """Give the digest that an agent computes from what it was told."""
    rules = [
        MeteringLabelRule(
            id=str(number),
            metering_label_id=rule.metering_label_id,
            direction=Direction(rule.direction),
            source_ip_prefix=Prefix.parse(rule.source_ip_prefix) if rule.source_ip_prefix else None,
            destination_ip_prefix=Prefix.parse(rule.destination_ip_prefix) if rule.destination_ip_prefix else None,
            excluded=rule.excluded,
        )
        for number, rule in enumerate(classifier.rules)
    ]
    labels = [MeteringLabel(id=label.id, name=label.name) for label in classifier.labels]
    return CompiledClassifier(
        [LabelWithRules(label, tuple(r for r in rules if r.metering_label_id == label.id)) for label in labels]
    ).digest


def test_a_plan_holds_what_is_on_the_host(fresh: Caller) -> None:
    interface = {"kind": "interface", "name": "i", "device": "eth0"}
    wanted = [
        fresh.make(POINTS, {**interface, "host": "edge-1", "project_id": "7"}),
        fresh.make(POINTS, _router(project_id="7")),
        fresh.make(POINTS, _router(shared=True)),
        fresh.make(POINTS, {**interface, "host": "edge-1", "device": "eth1", "project_id": "9"}),
    ]
    fresh.make(POINTS, {**interface, "host": "edge-2"})
    own, foreign = fresh.make_label(name="own", project_id="7"), fresh.make_label(name="foreign", project_id="8")
    fresh.give_rules(own, NETWORK, REMOTE)
    fresh.give_rules(foreign, NETWORK)
    fresh.make_label(name="without rules", project_id="7")
    plan = _plan(fresh, "EDGE-1")
    assert (plan.version, plan.host) == (1, "edge-1")
    assert plan.revision == fresh.ask("GET", "/v1/revisions")[1]["revisions"][-1]["number"]
    assert [point.id for point in plan.points] == sorted(point["id"] for point in wanted)
    classifiers = {classifier.digest: classifier for classifier in plan.classifiers}
    applying = {point.id: {label.id for label in classifiers[point.classifier].labels} for point in plan.points}
    assert [applying[point["id"]] for point in wanted] == [{own}, {own}, {own, foreign}, set()]
    assert len({point.classifier for point in plan.points if point.project_id == "7"}) == 1
    rules = {rule.direction: rule for rule in next(c for c in plan.classifiers if {label.id for label in c.labels} == {own}).rules}
    assert (rules["egress"].source_ip_prefix, rules["egress"].destination_ip_prefix, rules["egress"].excluded) == (
        "10.0.0.0/24",
        None,
        False,
    )
    assert (rules["ingress"].source_ip_prefix, rules["ingress"].destination_ip_prefix, rules["ingress"].excluded) == (
        None,
        "2001:db8::/32",
        True,
    )
    assert {_compile(classifier) for classifier in plan.classifiers} == set(classifiers)


def test_a_router_is_in_the_plans_of_its_hosts(fresh: Caller) -> None:
    every = fresh.make(POINTS, _router())["id"]
    some = fresh.make(POINTS, _router(hosts=["edge-1", "edge-2"], line_rate=10**9))["id"]
    asked = ("edge-1", "edge-2", "edge-3", "edge", "dge-1")
    found = {host: {point.id for point in _plan(fresh, host).points} for host in asked}
    assert found == {"edge-1": {every, some}, "edge-2": {every, some}, "edge-3": {every}, "edge": {every}, "dge-1": {every}}
    document = fresh.ask("GET", "/v1/plans/edge-1")[1]
    assert not any({"hosts", "line_rate"} & set(point) for point in document["points"])
    fresh.ask("PATCH", f"{POINTS}/{some}", {"hosts": ["edge-3"]})
    assert [some in {point.id for point in _plan(fresh, host).points} for host in asked[:3]] == [False, False, True]


def test_an_empty_plan(fresh: Caller) -> None:
    plan = _plan(fresh, "nowhere")
    assert (plan.points, plan.classifiers) == ([], [])


def test_a_tag_stands_for_the_content_and_not_for_the_revision(fresh: Caller) -> None:
    fresh.make(POINTS, _router(project_id="7"))
    label_id = fresh.make_label(name="before", project_id="7")
    fresh.give_rules(label_id, NETWORK)
    status, tag, plan = _read(fresh, "/v1/plans/edge-1")
    assert status == 200
    assert _read(fresh, "/v1/plans/edge-1", tag) == (304, tag, None)
    fresh.make_label(name="elsewhere", project_id="8")
    assert _read(fresh, "/v1/plans/edge-1", f'"other", {tag}') == (304, tag, None)
    fresh.ask("PATCH", f"/v1/labels/{label_id}", {"name": "after"})
    status, renamed_tag, renamed = _read(fresh, "/v1/plans/edge-1", tag)
    assert (status, renamed_tag != tag) == (200, True)
    assert plan is not None
    assert renamed is not None
    assert [each.digest for each in renamed.classifiers] == [each.digest for each in plan.classifiers]
    assert renamed.classifiers[0].labels[0].name == "after"


def test_a_compressed_plan_is_the_same(fresh: Caller) -> None:
    fresh.make(POINTS, _router(shared=True))
    fresh.give_rules(fresh.make_label(name="a"), NETWORK, REMOTE)
    plain = fresh.server.request("GET", "/v1/plans/edge-1", headers={"Accept-Encoding": "identity"})
    packed = fresh.server.request("GET", "/v1/plans/edge-1", headers={"Accept-Encoding": "gzip"})
    assert (plain.headers.get("Content-Encoding"), packed.headers["Content-Encoding"]) == (None, "gzip")
    assert plain.data == packed.data
    assert plain.headers["ETag"] == packed.headers["ETag"]
    refused = fresh.server.request("GET", "/v1/plans/edge-1", headers={"Accept-Encoding": "gzip;q=0, deflate"})
    assert (refused.headers.get("Content-Encoding"), refused.data) == (None, plain.data)


def test_many_wait_and_hear_of_a_change_at_once(fresh: Caller) -> None:
    fresh.make(POINTS, _router(shared=True))
    label_id = fresh.make_label(name="a")

    def wait(number: int) -> tuple[int, float]:
        status = _read(fresh, f"/v1/plans/edge-{number}?agent_id=agent-{number}&wait=20", tags[number])[0]
        return status, time.monotonic()

    tags = [_read(fresh, f"/v1/plans/edge-{number}")[1] for number in range(40)]
    with ThreadPoolExecutor(40) as pool:
        waiting = [pool.submit(wait, number) for number in range(40)]
        time.sleep(1.0)
        assert not any(each.done() for each in waiting)
        began = time.monotonic()
        assert fresh.ask("GET", "/healthz/ready")[0] == 200
        fresh.make_label(name="no rules, so no news")
        fresh.give_rules(label_id, NETWORK)
        answered = [each.result() for each in waiting]
    assert {status for status, _ in answered} == {200}
    assert max(moment for _, moment in answered) - began < 10


def test_a_wait_ends(fresh: Caller) -> None:
    tag = _read(fresh, "/v1/plans/edge-1")[1]
    began = time.monotonic()
    assert _read(fresh, "/v1/plans/edge-1?wait=1", tag)[0] == 304
    assert 0.9 < time.monotonic() - began < 10


def test_a_server_that_stops_lets_waiting_readers_go(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        caller = Caller(server)
        tag = _read(caller, "/v1/plans/edge-1")[1]
        answers: list[int] = []
        waiting = threading.Thread(target=lambda: answers.append(_read(caller, "/v1/plans/edge-1?wait=60", tag)[0]))
        waiting.start()
        time.sleep(1.0)
        began = time.monotonic()
        assert server.stop() == 0
        waiting.join(30)
        assert time.monotonic() - began < 10
        assert answers == [304]


def test_a_second_agent_is_refused_with_an_alarm(fresh: Caller) -> None:
    assert _read(fresh, "/v1/plans/edge-1?agent_id=first")[0] == 200
    assert _read(fresh, "/v1/plans/edge-1?agent_id=first")[0] == 200
    status, document = fresh.ask("GET", "/v1/plans/edge-1?agent_id=second")
    assert (status, document["error"]["type"]) == (409, "PlanLeased")
    assert "leased to agent 'first' until" in document["error"]["message"]
    assert _read(fresh, "/v1/plans/edge-1")[0] == 200
    assert _read(fresh, "/v1/plans/edge-2?agent_id=second")[0] == 200
    metrics = fresh.server.request("GET", "/metrics").data.decode()
    assert 'venturi_alarms_total{kind="plan_leased"} 1.0' in metrics
    assert any("agent 'second' asked for it" in str(line) for line in fresh.server.log)


@pytest.mark.parametrize(
    ("who", "path", "status"),
    [
        ("agent", "/v1/plans/edge-1", 200),
        ("agent", "/v1/plans/Edge-1?agent_id=agent-1", 200),
        ("agent", "/v1/plans/edge-2", 403),
        ("agent", "/v1/plans/edge-1?agent_id=agent-2", 403),
        ("admin", "/v1/plans/edge-1", 200),
        ("admin", "/v1/plans/edge-2?agent_id=agent-2", 200),
        ("manager", "/v1/plans/edge-1", 403),
        ("reader", "/v1/plans/edge-1", 403),
    ],
)
def test_who_may_read_a_plan(callers: dict[str, Caller], who: str, path: str, status: int) -> None:
    assert callers[who].ask("GET", path)[0] == status


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/v1/plans/a%20b", "host: expected a host name"),
        ("/v1/plans/edge-1?wait=61", "wait: '61' is no whole number from 0 to 60"),
        ("/v1/plans/edge-1?wait=1.5", "wait: '1.5'"),
        ("/v1/plans/edge-1?agent_id=", "agent_id: expected an agent id"),
        ("/v1/plans/edge-1?agent_id=a&agent_id=b", "agent_id: given 2 times"),
        ("/v1/plans/edge-1?agent=a", "agent: a plan has no such parameter"),
    ],
)
def test_refused_requests(anyone: Caller, path: str, sentence: str) -> None:
    status, document = anyone.ask("GET", path)
    assert status == 400
    assert sentence in document["error"]["message"]


def test_what_a_plan_costs_with_many_labels(fresh: Caller) -> None:
    fresh.make(POINTS, _router(shared=True))
    made: list[dict[str, Any]] = []
    for batch in range(2):
        labels = [{"name": f"{batch}.{number}"} for number in range(10_000)]
        made += fresh.make("/v2.0/metering/metering-labels", {"metering_labels": labels})["metering_labels"]
    for start in range(0, len(made), 10_000):
        rules = [
            {"metering_label_id": label["id"], "direction": "egress", "source_ip_prefix": f"10.{number >> 8}.{number & 255}.0/24"}
            for number, label in enumerate(made[start : start + 10_000])
        ]
        fresh.make("/v2.0/metering/metering-label-rules", {"metering_label_rules": rules})
    before = fresh.server.resident_octets()
    began = time.monotonic()
    answer = fresh.server.request("GET", "/v1/plans/edge-1", headers={"Accept-Encoding": "gzip"})
    assert time.monotonic() - began < 20
    assert len(msgspec.json.decode(answer.data, type=Plan).classifiers[0].rules) == 20_000
    assert len(gzip.compress(answer.data)) < len(answer.data) / 3
    assert fresh.server.resident_octets() - before < 60 << 20
