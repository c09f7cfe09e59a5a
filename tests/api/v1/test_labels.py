"""Labels, their rules and explanations under ``/v1``."""

import uuid
from typing import Any

import pytest

from tests.api.v1.conftest import Caller

NETWORK = {"direction": "egress", "source_ip_prefix": "10.0.0.0/24"}
HOST = {"direction": "egress", "source_ip_prefix": "10.0.0.9/32", "excluded": True}
REMOTE = {"direction": "ingress", "remote_ip_prefix": "10.0.0.5/24"}


def _latest(caller: Caller) -> int:
    revisions: list[dict[str, Any]] = []
    marker: str | None = ""
    while marker is not None:
        page = caller.ask("GET", "/v1/revisions" + (f"?marker={marker}" if marker else ""))[1]
        revisions, marker = revisions + page["revisions"], page["next"]
    return int(revisions[-1]["number"])


def test_a_label_is_renamed_in_one_revision(anyone: Caller) -> None:
    label_id = anyone.make_label(name="before", description="of all")
    revision = _latest(anyone)
    status, label = anyone.ask("PATCH", f"/v1/labels/{label_id}", {"name": "after"})
    assert (status, label["name"], label["description"], label["shared"]) == (200, "after", "of all", False)
    assert anyone.ask("GET", f"/v1/labels/{label_id}") == (200, label)
    assert anyone.ask("GET", "/v1/labels?name=after") == (200, {"labels": [label], "next": None})
    assert anyone.ask("PATCH", f"/v1/labels/{label_id}", {"name": "after"}) == (200, label)
    assert _latest(anyone) == revision + 1
    changes = anyone.ask("GET", f"/v1/revisions/{revision + 1}")[1]["changes"]
    assert changes == [{"resource": "label", "id": label_id, "kind": "changed"}]


def test_rules_are_replaced_in_one_revision(anyone: Caller) -> None:
    label_id = anyone.make_label(name="replaced")
    path = f"/v1/labels/{label_id}/rules"
    revision = _latest(anyone)
    status, first = anyone.ask("PUT", path, {"rules": [NETWORK, HOST]})
    assert status == 200
    assert _latest(anyone) == revision + 1
    assert {rule["source_ip_prefix"]: rule["excluded"] for rule in first["rules"]} == {"10.0.0.0/24": False, "10.0.0.9/32": True}
    assert anyone.ask("PUT", path, {"rules": [HOST, NETWORK]})[0] == 200
    assert _latest(anyone) == revision + 1
    second = anyone.ask("PUT", path, {"rules": [NETWORK, REMOTE]})[1]["rules"]
    assert _latest(anyone) == revision + 2
    kept = {rule["id"] for rule in first["rules"]} & {rule["id"] for rule in second}
    assert len(kept) == 1
    shown = anyone.ask("GET", path)[1]["rules"]
    assert sorted(shown, key=lambda rule: rule["id"]) == sorted(second, key=lambda rule: rule["id"])
    assert [rule["remote_ip_prefix"] for rule in shown if rule["direction"] == "ingress"] == ["10.0.0.5/24"]
    assert anyone.ask("PUT", path, {"rules": []}) == (200, {"rules": []})


@pytest.mark.parametrize(
    ("rules", "status"),
    [
        ([REMOTE, {"direction": "ingress", "remote_ip_prefix": "10.0.0.0/16"}], 409),
        ([{"direction": "egress"}], 400),
        ([{"direction": "unknown", "source_ip_prefix": "10.0.0.0/8"}], 400),
        ([{**NETWORK, "metering_label_id": str(uuid.uuid4())}], 400),
    ],
)
def test_refused_rules_change_nothing(anyone: Caller, rules: list[dict[str, Any]], status: int) -> None:
    label_id = anyone.make_label(name="kept")
    anyone.give_rules(label_id, HOST)
    before = anyone.ask("GET", f"/v1/labels/{label_id}/rules")
    assert anyone.ask("PUT", f"/v1/labels/{label_id}/rules", {"rules": rules})[0] == status
    assert anyone.ask("GET", f"/v1/labels/{label_id}/rules") == before


def test_the_same_rule_may_be_given_twice_and_keeps_both_ids(anyone: Caller) -> None:
    label_id = anyone.make_label(name="twice")
    path = f"/v1/labels/{label_id}/rules"
    twice = anyone.ask("PUT", path, {"rules": [NETWORK, NETWORK]})[1]["rules"]
    revision = _latest(anyone)
    assert len({rule["id"] for rule in twice}) == 2
    assert anyone.ask("PUT", path, {"rules": [NETWORK, NETWORK]})[0] == 200
    assert _latest(anyone) == revision
    once = anyone.ask("PUT", path, {"rules": [NETWORK]})[1]["rules"]
    assert {rule["id"] for rule in once} < {rule["id"] for rule in twice}


def test_pages_of_rules(anyone: Caller) -> None:
    label_id = anyone.make_label(name="paged")
    anyone.give_rules(label_id, NETWORK, HOST, REMOTE)
    first = anyone.ask("GET", f"/v1/labels/{label_id}/rules?limit=2")[1]
    second = anyone.ask("GET", f"/v1/labels/{label_id}/rules?limit=2&marker={first['next']}")[1]
    assert len({rule["id"] for rule in first["rules"] + second["rules"]}) == 3
    assert second["next"] is None
    assert len(anyone.ask("GET", f"/v1/labels/{label_id}/rules?excluded=true")[1]["rules"]) == 1


@pytest.mark.parametrize(("method", "form"), [("GET", None), ("PATCH", {"name": "a"})])
@pytest.mark.parametrize("label_id", ["nothing", "f699b4e8-d520-44c9-bad3-3adb6bc8671d"])
def test_a_label_that_is_not_there(anyone: Caller, method: str, form: object, label_id: str) -> None:
    assert anyone.ask(method, f"/v1/labels/{label_id}", form)[0] == 404


@pytest.mark.parametrize(
    ("who", "read", "written"), [("admin", 200, 200), ("manager", 200, 200), ("reader", 200, 403), ("other manager", 404, 404)]
)
def test_who_may_read_and_write_a_label(callers: dict[str, Caller], who: str, read: int, written: int) -> None:
    label_id = callers["manager"].make_label(name="of a project")
    path = f"/v1/labels/{label_id}"
    assert callers[who].ask("GET", path)[0] == read
    assert callers[who].ask("GET", f"{path}/rules")[0] == read
    assert callers[who].ask("PATCH", path, {"name": "renamed"})[0] == written
    assert callers[who].ask("PUT", f"{path}/rules", {"rules": [NETWORK]})[0] == written


QUESTION = {"source": "10.0.0.7", "destination": "192.0.2.1", "direction": "egress"}
QUESTIONS: list[tuple[dict[str, Any], dict[str, bool]]] = [
    (QUESTION, {"network": True, "shared": True}),
    ({**QUESTION, "source": "10.0.0.9"}, {"network": False, "shared": True}),
    ({**QUESTION, "direction": "unknown", "source": "10.0.0.9"}, {"network": False, "shared": True}),
    ({**QUESTION, "direction": "ingress"}, {}),
    ({**QUESTION, "direction": "ingress", "destination": "10.0.0.7"}, {"remote": True}),
    ({**QUESTION, "source": "2001:db8::1", "destination": "2001:db8::2"}, {}),
]


@pytest.fixture(scope="module")
def explained(callers: dict[str, Caller]) -> dict[str, str]:
    """Points by name, where labels with rules apply."""
    admin, manager = callers["admin"], callers["manager"]
    manager.give_rules(manager.make_label(name="network"), NETWORK, HOST)
    manager.give_rules(manager.make_label(name="remote"), REMOTE)
    admin.give_rules(admin.make_label(name="shared", shared=True), NETWORK)
    admin.give_rules(admin.make_label(name="foreign", project_id="other"), NETWORK)
    point = {"kind": "router", "name": "p"}
    return {
        "own": admin.make("/v1/observation-points", {**point, "project_id": "own", "router_id": str(uuid.uuid4())})["id"],
        "uplink": admin.make("/v1/observation-points", {**point, "router_id": str(uuid.uuid4()), "shared": True})["id"],
    }


@pytest.mark.parametrize(("question", "expected"), QUESTIONS)
def test_explanations_at_a_point(
    callers: dict[str, Caller], explained: dict[str, str], question: dict[str, Any], expected: dict[str, bool]
) -> None:
    status, document = callers["admin"].ask("POST", "/v1/explain", {**question, "observation_point_id": explained["own"]})
    wanted = {"network", "shared", "remote", "foreign"}
    assert status == 200
    assert {label["name"]: label["counts"] for label in document["labels"] if label["name"] in wanted} == expected


def test_labels_that_do_not_apply_at_a_point_are_told_with_the_reason(callers: dict[str, Caller], explained: dict[str, str]) -> None:
    document = callers["admin"].ask("POST", "/v1/explain", {**QUESTION, "observation_point_id": explained["own"]})[1]
    (foreign,) = (label for label in document["inapplicable"] if label["name"] == "foreign")
    assert (foreign["counts"], len(foreign["including"])) == (False, 1)
    assert foreign["reason"] == "the point is neither shared nor of project other"
    assert callers["reader"].ask("POST", "/v1/explain", {**QUESTION, "observation_point_id": explained["own"]})[1]["inapplicable"] == []
    assert callers["admin"].ask("POST", "/v1/explain", QUESTION)[1]["inapplicable"] == []


def test_a_reader_is_told_of_its_own_labels_only(callers: dict[str, Caller], explained: dict[str, str]) -> None:
    for who, own, foreign in (("reader", True, False), ("other reader", False, True), ("admin", True, True)):
        names = {label["name"] for label in callers[who].ask("POST", "/v1/explain", QUESTION)[1]["labels"]}
        assert ("network" in names, "foreign" in names) == (own, foreign)
    assert callers["other reader"].ask("POST", "/v1/explain", {**QUESTION, "observation_point_id": explained["own"]})[0] == 404
    assert callers["none"].ask("POST", "/v1/explain", QUESTION)[0] == 403


def test_every_label_applies_at_a_shared_point(callers: dict[str, Caller], explained: dict[str, str]) -> None:
    document = callers["admin"].ask("POST", "/v1/explain", {**QUESTION, "observation_point_id": explained["uplink"]})[1]
    assert {"network", "shared", "foreign"} <= {label["name"] for label in document["labels"]}
    rule = next(label for label in document["labels"] if label["name"] == "network")["including"][0]
    assert (rule["direction"], rule["source_ip_prefix"], rule["excluded"]) == ("egress", "10.0.0.0/24", False)


@pytest.mark.parametrize(
    ("changed", "status", "sentence"),
    [
        ({"source": "10.0.0"}, 400, "source: '10.0.0'"),
        ({"destination": "fe80::1%eth0"}, 400, "destination: 'fe80::1%eth0'"),
        ({"destination": "2001:db8::1"}, 400, "not of one family"),
        ({"direction": "both"}, 400, "direction: Invalid enum value"),
        ({"observation_point_id": str(uuid.uuid4())}, 404, "Observation point"),
        ({"observation_point_id": "nothing"}, 404, "Observation point 'nothing'"),
    ],
)
def test_questions_that_make_no_sense(anyone: Caller, changed: dict[str, Any], status: int, sentence: str) -> None:
    answered, document = anyone.ask("POST", "/v1/explain", {**QUESTION, **changed})
    assert answered == status
    assert sentence in document["error"]["message"]
