"""Tokens and revisions on the wire."""

import time
import uuid
from typing import Any

import pytest

from tests.api.v1.conftest import Caller
from venturi.core.domain.interval import parse_time

REFUSED_TOKENS: list[tuple[dict[str, Any], str]] = [
    ({}, "role: this field is required"),
    ({"role": "root"}, "role: Invalid enum value 'root'"),
    ({"role": "reader", "expires_at": "tomorrow"}, "expires_at: 'tomorrow' is not an RFC 3339 time"),
    ({"role": "reader", "expires_at": "2262-01-01T00:00:00Z"}, "expires_at: '2262-01-01T00:00:00Z' is later than 2261"),
    ({"role": "reader", "expires_at": "2001-01-01T00:00:00Z"}, "expired already"),
    ({"role": "agent", "agent_id": "a"}, "bound to an agent id and a host"),
    ({"role": "reader", "host": "h"}, "bound to an agent id and a host"),
    ({"role": "reader", "secret": "mine"}, "there is no field 'secret' here"),
]


def test_a_token_is_shown_once_used_and_revoked(callers: dict[str, Caller]) -> None:
    admin = callers["admin"]
    made = admin.make("/v1/tokens", {"role": "reader", "name": "dash", "project_id": "own", "expires_at": "2199-01-01T00:00:00+01:00"})
    secret = made.pop("secret")
    assert made["expires_at"] == "2198-12-31T23:00:00Z"
    assert made["revoked_at"] is None
    path = f"/v1/tokens/{made['id']}"
    assert admin.ask("GET", path) == (200, made)
    assert admin.ask("GET", "/v1/tokens?name=dash") == (200, {"tokens": [made], "next": None})
    reader = Caller(admin.server, secret)
    assert reader.ask("GET", "/v1/labels")[0] == 200
    assert reader.ask("GET", "/v1/tokens")[0] == 403
    assert admin.ask("DELETE", path) == (204, None)
    assert reader.ask("GET", "/v1/labels")[0] == 401
    assert admin.ask("GET", path)[1]["revoked_at"] is not None


def test_a_rotated_token_goes_on_opening_for_the_overlap(callers: dict[str, Caller]) -> None:
    admin = callers["admin"]
    expiry = "2199-01-01T00:00:00Z"
    made = admin.make(
        "/v1/tokens", {"role": "agent", "name": "edge", "project_id": "own", "agent_id": "a", "host": "h", "expires_at": expiry}
    )
    path = f"/v1/tokens/{made['id']}"
    status, again = admin.ask("POST", f"{path}/rotations", {"overlap_seconds": 2})
    assert status == 201
    same = ("name", "project_id", "role", "agent_id", "host")
    assert [again[name] for name in same] == [made[name] for name in same]
    assert again["id"] != made["id"]
    assert parse_time(again["expires_at"]) > parse_time(expiry)
    assert admin.ask("GET", path)[1]["expires_at"] < "2100"
    before, after = (Caller(admin.server, token["secret"]) for token in (made, again))
    assert [caller.ask("GET", "/v1/caller")[0] for caller in (before, after)] == [200, 200]
    deadline = time.monotonic() + 30
    while before.ask("GET", "/v1/caller")[0] == 200:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert [caller.ask("GET", "/v1/caller")[0] for caller in (before, after)] == [401, 200]
    refused = admin.ask("POST", f"{path}/rotations", {})
    assert (refused[0], refused[1]["error"]["message"]) == (400, f"token {made['id']} opens nothing any more: make a new one")


def test_a_rotation_never_makes_a_token_last_longer(callers: dict[str, Caller]) -> None:
    admin = callers["admin"]
    made = admin.make("/v1/tokens", {"role": "reader", "project_id": "own", "expires_at": "2199-01-01T00:00:00Z"})
    soon = admin.ask("POST", f"/v1/tokens/{made['id']}/rotations", {"overlap_seconds": 60})
    assert soon[0] == 201
    ends = admin.ask("GET", f"/v1/tokens/{made['id']}")[1]["expires_at"]
    assert admin.ask("POST", f"/v1/tokens/{made['id']}/rotations", {"overlap_seconds": 86_400})[0] == 201
    assert admin.ask("GET", f"/v1/tokens/{made['id']}")[1]["expires_at"] == ends
    assert callers["member"].ask("POST", f"/v1/tokens/{made['id']}/rotations", {})[0] == 403


def test_an_answer_with_a_secret_is_kept_by_no_cache(anyone: Caller) -> None:
    answer = anyone.server.request("POST", "/v1/tokens", form={"role": "reader", "project_id": "7"})
    assert (answer.status, answer.headers["Cache-Control"]) == (201, "no-store")


@pytest.mark.parametrize(("asked", "sentence"), REFUSED_TOKENS)
def test_refused_tokens(anyone: Caller, asked: dict[str, Any], sentence: str) -> None:
    status, document = anyone.ask("POST", "/v1/tokens", asked)
    assert status == 400
    assert sentence in document["error"]["message"]


@pytest.mark.parametrize("token_id", ["nothing", "f699b4e8-d520-44c9-bad3-3adb6bc8671d"])
def test_a_token_that_is_not_there(anyone: Caller, token_id: str) -> None:
    assert anyone.ask("GET", f"/v1/tokens/{token_id}")[0] == 404
    assert anyone.ask("DELETE", f"/v1/tokens/{token_id}")[0] == 404


def _page_through(caller: Caller, path: str, key: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    marker: str | None = ""
    while marker is not None:
        status, page = caller.ask("GET", f"{path}?limit=3" + (f"&marker={marker}" if marker else ""))
        assert status == 200, page
        found, marker = found + page[key], page["next"]
    return found


def test_revisions_tell_who_changed_what_and_what_stood(anyone: Caller) -> None:
    label_id = anyone.make_label(name="first")
    anyone.give_rules(label_id, {"direction": "egress", "source_ip_prefix": "10.0.0.5/24"})
    point = anyone.make("/v1/observation-points", {"kind": "router", "name": "r", "router_id": str(uuid.uuid4())})
    anyone.ask("PATCH", f"/v1/labels/{label_id}", {"name": "second"})
    anyone.ask("DELETE", f"/v2.0/metering/metering-labels/{label_id}")
    revisions = _page_through(anyone, "/v1/revisions", "revisions")
    numbers = [revision["number"] for revision in revisions]
    assert numbers == list(range(1, len(numbers) + 1))
    assert {revision["author"] for revision in revisions} == {"anonymous"}
    made, ruled, pointed, renamed, gone = (anyone.ask("GET", f"/v1/revisions/{number}")[1]["changes"] for number in numbers[-5:])
    assert made == [{"resource": "label", "id": label_id, "kind": "created"}]
    assert [(change["resource"], change["kind"]) for change in ruled] == [("rule", "created")]
    assert pointed == [{"resource": "observation_point", "id": point["id"], "kind": "created"}]
    assert renamed == [{"resource": "label", "id": label_id, "kind": "changed"}]
    assert [(change["resource"], change["kind"]) for change in gone] == [("label", "deleted"), ("rule", "deleted")]
    names = []
    for number in numbers[-5:]:
        state = anyone.ask("GET", f"/v1/revisions/{number}/state")[1]
        assert state["revision"]["number"] == number
        gone_label: dict[str, Any] = {"name": None, "rules": []}
        label = next((label for label in state["labels"] if label["id"] == label_id), gone_label)
        points = [each for each in state["observation_points"] if each == point]
        names.append((label["name"], [rule["source_ip_prefix"] for rule in label["rules"]], len(points)))
    assert names == [
        ("first", [], 0),
        ("first", ["10.0.0.5/24"], 0),
        ("first", ["10.0.0.5/24"], 1),
        ("second", ["10.0.0.5/24"], 1),
        (None, [], 1),
    ]


@pytest.mark.parametrize("number", ["0", "999999", "-1", "one", "1e3", "9" * 30, "%00"])
@pytest.mark.parametrize("rest", ["", "/state"])
def test_a_revision_that_is_not_there(anyone: Caller, number: str, rest: str) -> None:
    status, document = anyone.ask("GET", f"/v1/revisions/{number}{rest}")
    assert (status, document["error"]["type"]) == (404, "RevisionNotFound")


@pytest.mark.parametrize("path", ["/v1/revisions", "/v1/revisions/1", "/v1/revisions/1/state", "/v1/tokens"])
def test_only_administrators_read_of_all_projects(callers: dict[str, Caller], path: str) -> None:
    assert {callers[who].ask("GET", path)[0] for who in ("manager", "member", "reader", "agent", "none")} == {403}


def test_what_is_done_to_tokens_is_kept_with_whoever_did_it(callers: dict[str, Caller]) -> None:
    admin = callers["admin"]
    own = admin.ask("GET", "/v1/tokens?role=admin")[1]["tokens"][0]
    made = admin.make("/v1/tokens", {"role": "agent", "name": "edge", "project_id": "own", "agent_id": "audited", "host": "edge-9"})
    path = f"/v1/tokens/{made['id']}"
    assert [admin.ask("DELETE", path)[0] for _ in range(2)] == [204, 204]
    assert callers["manager"].ask("DELETE", path)[0] == 403
    status, page = admin.ask("GET", f"/v1/token-changes?token_id={made['id']}")
    assert (status, page["next"]) == (200, None)
    created, revoked = page["token_changes"]
    known = {name: made[name] for name in ("name", "project_id", "role", "agent_id", "host")}
    by = {"author": own["name"] or own["id"], "author_project_id": "own", "author_token_id": own["id"]}
    assert created == {"number": created["number"], "at": created["at"], "change": "created", "token_id": made["id"], **known, **by}
    assert revoked == {**created, "number": created["number"] + 1, "at": revoked["at"], "change": "revoked"}
    assert parse_time(made["created_at"]) <= parse_time(created["at"]) < parse_time(revoked["at"])
    assert admin.ask("GET", f"/v1/token-changes?change=revoked&token_id={made['id']}")[1]["token_changes"] == [revoked]


def test_tokens_that_are_made_on_the_server_itself_are_kept_as_local(callers: dict[str, Caller]) -> None:
    changes = _page_through(callers["admin"], "/v1/token-changes", "token_changes")
    assert [change["number"] for change in changes] == list(range(1, len(changes) + 1))
    local = callers["admin"].ask("GET", "/v1/token-changes?author=local")[1]["token_changes"]
    assert local == [change for change in changes if change["author"] == "local"]
    assert {(change["change"], change["author_project_id"], change["author_token_id"]) for change in local} == {("created", "", None)}
    assert {change["role"] for change in local} == {"admin", "manager", "member", "reader", "none", "agent"}


@pytest.mark.parametrize("who", ["manager", "reader", "agent", "none", "other manager"])
def test_what_is_done_to_tokens_is_read_by_administrators_alone(callers: dict[str, Caller], who: str) -> None:
    assert callers[who].ask("GET", "/v1/token-changes")[0] == 403
