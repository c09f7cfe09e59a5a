"""Observation points on the wire."""

import uuid
from pathlib import Path
from typing import Any

import pytest

from tests.api.v1.conftest import Caller
from tests.support.control_values import OPERATOR, make_point
from tests.support.databases import open_store
from tests.support.server import running_server
from venturi.core.domain.point import ExporterPlace

PATH = "/v1/observation-points"
ROUTER = str(uuid.uuid4())

MADE: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"kind": "interface", "name": "a", "host": "Edge-1", "device": "eth0"},
        {"kind": "interface", "name": "a", "host": "edge-1", "device": "eth0", "namespace": None, "hook": "netfilter"},
    ),
    (
        {"kind": "interface", "name": "a", "host": "edge-1", "device": "eth0", "namespace": "blue", "shared": True, "traffic": "both"},
        {"kind": "interface", "host": "edge-1", "device": "eth0", "namespace": "blue", "shared": True, "traffic": "both"},
    ),
    ({"kind": "router", "name": "r", "router_id": ROUTER.upper()}, {"kind": "router", "router_id": ROUTER, "hook": "netfilter"}),
    (
        {"kind": "interface", "name": "a", "host": "edge-1", "device": "eth1", "hook": "tc"},
        {"kind": "interface", "host": "edge-1", "device": "eth1", "hook": "tc"},
    ),
    ({"kind": "router", "name": "r", "router_id": ROUTER, "hook": "tc"}, {"kind": "router", "router_id": ROUTER, "hook": "tc"}),
    (
        {"kind": "router", "name": "r", "router_id": ROUTER, "hosts": ["Net-2", "net-1", "NET-1"], "line_rate": 10**10},
        {"kind": "router", "router_id": ROUTER, "hosts": ["net-1", "net-2"], "line_rate": 10**10},
    ),
    (
        {"kind": "router", "name": "r", "router_id": ROUTER},
        {"kind": "router", "hosts": [], "line_rate": None, "boundary": "routers"},
    ),
    ({"kind": "router", "name": "r", "router_id": ROUTER, "boundary": "behind ü"}, {"kind": "router", "boundary": "behind ü"}),
]


@pytest.mark.parametrize(("asked", "expected"), MADE, ids=lambda each: each["kind"])
def test_a_point_is_made_shown_and_removed(anyone: Caller, asked: dict[str, Any], expected: dict[str, Any]) -> None:
    made = anyone.make(PATH, asked)
    assert expected.items() <= made.items()
    assert anyone.ask("GET", f"{PATH}/{made['id']}") == (200, made)
    assert anyone.ask("GET", f"{PATH}?id={made['id']}") == (200, {"observation_points": [made], "next": None})
    status, refused = anyone.ask("POST", PATH, asked)
    assert (status, refused["error"]["type"]) == (409, "DuplicatePoint")
    assert anyone.ask("DELETE", f"{PATH}/{made['id']}") == (204, None)
    assert anyone.ask("GET", f"{PATH}/{made['id']}")[0] == 404
    assert anyone.ask("DELETE", f"{PATH}/{made['id']}")[0] == 404


CHANGES: list[tuple[dict[str, Any], int, str]] = [
    ({"name": "b"}, 200, ""),
    ({}, 200, ""),
    ({"device": "eth9", "namespace": None, "traffic": "local", "shared": True}, 200, ""),
    ({"router_id": ROUTER}, 400, "router_id: a point of kind interface has no such field"),
    ({"kind": "router"}, 400, "there is no field 'kind' here"),
    ({"project_id": "8"}, 400, "there is no field 'project_id' here"),
    ({"hook": "tc"}, 200, ""),
    ({"hook": "xdp"}, 400, "hook: "),
    ({"host": "a b"}, 400, "host: expected a host name"),
    ({"device": None}, 400, "device: Expected 'str'"),
    ({"device": "taken"}, 409, ""),
    ({"line_rate": 1}, 200, ""),
    ({"line_rate": None}, 200, ""),
    ({"line_rate": 0}, 400, "line_rate: "),
    ({"line_rate": 10**15 + 1}, 400, "line_rate: "),
    ({"hosts": ["edge-2"]}, 400, "hosts: a point of kind interface has no such field"),
    ({"boundary": "x" * 64}, 200, ""),
    ({"boundary": "x" * 65}, 400, "boundary: "),
    ({"boundary": ""}, 400, "boundary: "),
    ({"boundary": " x"}, 400, "boundary: expected a text without control and invisible characters"),
    ({"boundary": "a\u200bb"}, 400, "boundary: expected a text without control and invisible characters"),
]

ROUTER_CHANGES: list[tuple[dict[str, Any], int, str]] = [
    ({"hosts": ["edge-1", "edge-2"]}, 200, ""),
    ({"hosts": []}, 200, ""),
    ({"hosts": ["a b"]}, 400, "hosts[0]: expected a host name"),
    ({"hosts": None}, 400, "hosts: "),
    ({"hosts": [f"h{number}" for number in range(251)]}, 400, "hosts: "),
    ({"host": "edge-1"}, 400, "host: a point of kind router has no such field"),
]


@pytest.mark.parametrize(("changes", "status", "sentence"), CHANGES)
def test_a_point_is_changed(anyone: Caller, changes: dict[str, Any], status: int, sentence: str) -> None:
    taken = anyone.make(PATH, {"kind": "interface", "name": "t", "host": "edge-2", "device": "taken", "namespace": "red"})
    made = anyone.make(PATH, {"kind": "interface", "name": "a", "host": "edge-2", "device": "eth0", "namespace": "red"})
    answered, document = anyone.ask("PATCH", f"{PATH}/{made['id']}", changes)
    expected = made | changes if status == 200 else made
    assert anyone.ask("GET", f"{PATH}/{made['id']}") == (200, expected)
    for each in (taken, made):
        anyone.ask("DELETE", f"{PATH}/{each['id']}")
    assert answered == status
    if status != 200:
        assert sentence in document["error"]["message"]


@pytest.mark.parametrize(("changes", "status", "sentence"), ROUTER_CHANGES, ids=lambda each: str(each)[:40])
def test_a_router_is_changed(anyone: Caller, changes: dict[str, Any], status: int, sentence: str) -> None:
    made = anyone.make(PATH, {"kind": "router", "name": "r", "router_id": str(uuid.uuid4()), "hosts": ["edge-3"]})
    answered, document = anyone.ask("PATCH", f"{PATH}/{made['id']}", changes)
    assert anyone.ask("GET", f"{PATH}/{made['id']}") == (200, made | changes if status == 200 else made)
    anyone.ask("DELETE", f"{PATH}/{made['id']}")
    assert answered == status
    if status != 200:
        assert sentence in document["error"]["message"]


def test_an_exporter_is_refused_and_one_that_is_there_stays(tmp_path: Path) -> None:
    """Nothing meters it yet; earlier servers took it."""
    database = f"sqlite:///{tmp_path / 'venturi.db'}"
    kept = make_point(ExporterPlace(address="192.0.2.1", outside_interfaces=(1, 3)), name="x")
    with open_store(database) as store, store.writing(OPERATOR) as writer:
        writer.points.insert(kept)
    with running_server(tmp_path, database=database) as server:
        caller = Caller(server)
        status, refused = caller.ask("POST", PATH, {"kind": "exporter", "name": "y", "address": "192.0.2.2"})
        sentence = "kind: nothing meters points of kind exporter yet; there can be interface and router"
        assert (status, refused["error"]["message"]) == (400, sentence)
        shown = caller.ask("GET", f"{PATH}/{kept.id}")[1]
        assert (shown["kind"], shown["address"], shown["outside_interfaces"]) == ("exporter", "192.0.2.1", [1, 3])
        assert caller.ask("GET", f"{PATH}?kind=exporter")[1]["observation_points"] == [shown]
        assert [point["id"] for point in caller.ask("GET", "/v1/plans/edge-1")[1]["points"]] == [kept.id]
        assert caller.ask("PATCH", f"{PATH}/{kept.id}", {"name": "renamed"})[1] == shown | {"name": "renamed"}
        assert caller.ask("DELETE", f"{PATH}/{kept.id}")[0] == 204


def test_a_boundary_has_a_default_and_a_history(anyone: Caller) -> None:
    made = anyone.make(PATH, {"kind": "interface", "name": "a", "host": "edge-7", "device": "eth0"})
    assert made["boundary"] == made["id"]
    seen = []
    for boundary in ("uplinks", None):
        answered = anyone.ask("PATCH", f"{PATH}/{made['id']}", {"boundary": boundary})[1]["boundary"]
        listed = anyone.ask("GET", f"{PATH}?boundary={answered}")[1]["observation_points"]
        assert [point["id"] for point in listed] == [made["id"]]
        seen.append(answered)
    assert seen == ["uplinks", made["id"]]
    latest = max(revision["number"] for revision in anyone.ask("GET", "/v1/revisions?limit=1000")[1]["revisions"])
    states = [anyone.ask("GET", f"/v1/revisions/{number}/state")[1]["observation_points"] for number in range(latest - 2, latest + 1)]
    found = [next(point["boundary"] for point in points if point["id"] == made["id"]) for points in states]
    assert found == [made["id"], "uplinks", made["id"]]
    anyone.ask("DELETE", f"{PATH}/{made['id']}")


def test_routers_are_listed_by_their_default_boundary(anyone: Caller) -> None:
    made = anyone.make(PATH, {"kind": "router", "name": "r", "router_id": str(uuid.uuid4())})
    other = anyone.make(PATH, {"kind": "router", "name": "r", "router_id": str(uuid.uuid4()), "boundary": "uplinks"})
    listed = {point["id"] for point in anyone.ask("GET", f"{PATH}?boundary=routers")[1]["observation_points"]}
    assert made["id"] in listed
    assert other["id"] not in listed
    for each in (made, other):
        anyone.ask("DELETE", f"{PATH}/{each['id']}")


def test_the_hosts_of_a_router_have_a_history(anyone: Caller) -> None:
    made = anyone.make(PATH, {"kind": "router", "name": "r", "router_id": str(uuid.uuid4())})
    before = max(revision["number"] for revision in anyone.ask("GET", "/v1/revisions?limit=1000")[1]["revisions"])
    anyone.ask("PATCH", f"{PATH}/{made['id']}", {"hosts": ["edge-1"], "line_rate": 5})
    states = [anyone.ask("GET", f"/v1/revisions/{number}/state")[1]["observation_points"] for number in (before, before + 1)]
    found = [next(point for point in points if point["id"] == made["id"]) for points in states]
    assert [(point["hosts"], point["line_rate"]) for point in found] == [([], None), (["edge-1"], 5)]
    anyone.ask("DELETE", f"{PATH}/{made['id']}")


def test_a_change_to_what_is_makes_no_revision(anyone: Caller) -> None:
    made = anyone.make(PATH, {"kind": "router", "name": "r", "router_id": str(uuid.uuid4())})
    before = anyone.ask("GET", "/v1/revisions")[1]["revisions"]
    assert anyone.ask("PATCH", f"{PATH}/{made['id']}", {"name": "r", "shared": False}) == (200, made)
    assert anyone.ask("GET", "/v1/revisions")[1]["revisions"] == before


def test_pages_hold_each_point_once(anyone: Caller) -> None:
    made = {
        anyone.make(PATH, {"kind": "interface", "name": "page", "host": "paged", "device": f"eth{number}"})["id"] for number in range(5)
    }
    seen: list[str] = []
    marker: str | None = ""
    while marker is not None:
        status, page = anyone.ask("GET", f"{PATH}?name=page&kind=interface&limit=2" + (f"&marker={marker}" if marker else ""))
        assert status == 200
        seen += [point["id"] for point in page["observation_points"]]
        marker = page["next"]
    assert seen == sorted(made)


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        (f"{PATH}?limit=0", 400, "limit: '0'"),
        (f"{PATH}?limit=1001", 400, "limit: '1001'"),
        (f"{PATH}?colour=red", 400, "colour: this list has no such parameter"),
        (f"{PATH}?shared=1", 400, "shared: '1' is neither true nor false"),
        (f"{PATH}?traffic=all", 400, "traffic: 'all' is none of forwarded, "),
        (f"{PATH}?kind=tunnel", 400, "kind: 'tunnel' is none of "),
        (f"{PATH}?marker=f699b4e8-d520-44c9-bad3-3adb6bc8671d", 404, "observation point"),
        (f"{PATH}/nothing", 404, "Observation point 'nothing' does not exist."),
        (f"{PATH}/%00", 404, "does not exist."),
        (f"{PATH}/f699b4e8-d520-44c9-bad3-3adb6bc8671d", 404, "does not exist."),
    ],
)
def test_what_is_refused_to_read(anyone: Caller, path: str, status: int, sentence: str) -> None:
    answered, document = anyone.ask("GET", path)
    assert (answered, document["error"]["code"]) == (status, status)
    assert sentence in document["error"]["message"]


@pytest.mark.parametrize(
    ("who", "asked", "status"),
    [
        ("manager", {}, 403),
        ("manager", {"shared": True}, 403),
        ("manager", {"project_id": "other"}, 403),
        ("member", {}, 403),
        ("reader", {}, 403),
        ("none", {}, 403),
        ("agent", {}, 403),
        ("manager", {"hosts": ["edge-1"]}, 403),
        ("admin", {"shared": True, "project_id": "other"}, 201),
        ("admin", {"hosts": ["edge-1"], "line_rate": 1}, 201),
    ],
)
def test_who_may_make_a_point(callers: dict[str, Caller], who: str, asked: dict[str, Any], status: int) -> None:
    answered, document = callers[who].ask("POST", PATH, {"kind": "router", "name": "r", "router_id": str(uuid.uuid4()), **asked})
    assert answered == status, document


def test_points_of_other_projects_do_not_exist(callers: dict[str, Caller]) -> None:
    made = callers["admin"].make(PATH, {"kind": "router", "name": "mine", "project_id": "own", "router_id": str(uuid.uuid4())})
    path = f"{PATH}/{made['id']}"
    assert made["project_id"] == "own"
    assert callers["reader"].ask("GET", path) == (200, made)
    assert callers["other reader"].ask("GET", path)[0] == 404
    assert callers["other reader"].ask("GET", f"{PATH}?name=mine") == (200, {"observation_points": [], "next": None})
    assert callers["other manager"].ask("PATCH", path, {"name": "yours"})[0] == 404
    assert callers["other manager"].ask("DELETE", path)[0] == 404
    assert callers["manager"].ask("DELETE", path)[0] == 403
    assert callers["manager"].ask("PATCH", path, {"shared": True})[0] == 403
    assert callers["admin"].ask("DELETE", path)[0] == 204
