"""Changes of labels and rules applied as one: one revision or nothing at all, each allowed and refused as it is by itself."""

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.api.v1.conftest import OTHER, OWN, Caller
from tests.support.server import running_server

APPLY = "/v1/apply"
UNKNOWN = str(uuid.uuid4())
TEN = {"direction": "egress", "source_ip_prefix": "10.0.0.0/24"}
ELEVEN = {"direction": "egress", "source_ip_prefix": "11.0.0.0/24"}
REMOTE = {"direction": "egress", "remote_ip_prefix": "10.0.0.0/8"}

Callers = dict[str, Caller]


def latest(caller: Caller) -> int:
    """Give the number of the latest revision, 0 before the first."""
    return max((each["number"] for each in caller.ask("GET", "/v1/revisions")[1]["revisions"]), default=0)


def rules_of(caller: Caller, label_id: str) -> list[dict[str, Any]]:
    """List the rules of a label."""
    return list(caller.ask("GET", f"/v1/labels/{label_id}/rules")[1]["rules"])


def test_all_changes_make_one_revision(anyone: Caller) -> None:
    kept, changed, gone = (anyone.make_label(name=name) for name in ("kept", "changed", "gone"))
    anyone.give_rules(kept, TEN, ELEVEN)
    anyone.give_rules(changed, TEN, ELEVEN)
    moved, stays = (
        next(rule["id"] for rule in rules_of(anyone, kept) if rule["source_ip_prefix"] == p) for p in ("10.0.0.0/24", "11.0.0.0/24")
    )
    same = next(rule["id"] for rule in rules_of(anyone, changed) if rule["source_ip_prefix"] == "11.0.0.0/24")
    before = latest(anyone)
    status, document = anyone.ask(
        "POST",
        APPLY,
        {
            "create_labels": [{"name": "new", "project_id": "7", "shared": True, "rules": [TEN, REMOTE]}, {}],
            "change_labels": [{"id": changed, "name": "named anew", "rules": [REMOTE, ELEVEN]}, {"id": kept, "description": "anew"}],
            "delete_labels": [gone.upper()],
            "create_rules": [{"metering_label_id": kept, **TEN}],
            "delete_rules": [moved],
        },
    )
    assert (status, document["revision"]) == (200, before + 1), document
    new, bare = document["created_labels"]
    shown = anyone.ask("GET", f"/v1/labels/{new['id']}")[1]
    assert (shown["name"], shown["project_id"], shown["shared"]) == ("new", "7", True)
    assert {rule["id"] for rule in rules_of(anyone, new["id"])} == set(new["rule_ids"])
    assert bare["rule_ids"] == []
    assert [each["id"] for each in document["changed_labels"]] == [changed, kept]
    assert document["changed_labels"][0]["rule_ids"][1] == same
    assert document["changed_labels"][1]["rule_ids"] is None
    assert {rule["id"] for rule in rules_of(anyone, kept)} == {stays, *document["created_rules"]}
    assert anyone.ask("GET", f"/v1/labels/{changed}")[1]["name"] == "named anew"
    assert anyone.ask("GET", f"/v1/labels/{gone}")[0] == 404
    listed = anyone.ask("GET", f"/v1/revisions/{before + 1}")[1]["changes"]
    assert {(change["resource"], change["kind"]) for change in listed} >= {("label", "created"), ("label", "changed"), ("label", "deleted")}
    past = {each["id"]: each for each in anyone.ask("GET", f"/v1/revisions/{before}/state")[1]["labels"]}
    assert (past[changed]["name"], past[gone]["name"], len(past[kept]["rules"])) == ("changed", "gone", 2)


def test_what_changes_nothing_makes_no_revision(anyone: Caller) -> None:
    label = anyone.make_label(name="as it is")
    anyone.give_rules(label, TEN)
    before = latest(anyone)
    unchanged = [{"id": label, "name": "as it is", "rules": [TEN]}]
    forms: list[dict[str, Any]] = [{}, {"change_labels": unchanged}, {"delete_labels": [], "create_rules": []}]
    for form in forms:
        status, document = anyone.ask("POST", APPLY, form)
        assert (status, document["revision"]) == (200, None)
    assert latest(anyone) == before


def test_many_labels_are_changed_and_deleted_at_once(anyone: Caller) -> None:
    labels = [{"name": f"many {n}", "rules": [TEN]} for n in range(1200)]
    made = [each["id"] for each in anyone.ask("POST", APPLY, {"create_labels": labels})[1]["created_labels"]]
    before = latest(anyone)
    status, document = anyone.ask(
        "POST",
        APPLY,
        {
            "change_labels": [{"id": each, "name": f"anew {n}", "rules": [ELEVEN]} for n, each in enumerate(made[:600])],
            "delete_labels": made[600:],
        },
    )
    assert (status, document["revision"]) == (200, before + 1)
    left = {each["id"]: each["name"] for each in anyone.ask("GET", "/v1/labels?limit=1000")[1]["labels"] if each["id"] in made}
    assert left == {each: f"anew {n}" for n, each in enumerate(made[:600])}
    assert [rule["source_ip_prefix"] for rule in rules_of(anyone, made[0])] == ["11.0.0.0/24"]
    assert anyone.ask("POST", APPLY, {"delete_labels": made[:600]})[0] == 200


REFUSED: dict[str, tuple[Callable[[str, str], dict[str, Any]], int, str]] = {
    "an unknown label to change": (lambda _, __: {"change_labels": [{"id": UNKNOWN}]}, 404, f"Metering label '{UNKNOWN}' does not exist."),
    "an unknown label to delete": (lambda _, __: {"delete_labels": [UNKNOWN]}, 404, f"Metering label '{UNKNOWN}' does not exist."),
    "no id": (lambda _, __: {"delete_labels": ["x"]}, 404, "Metering label 'x' does not exist."),
    "an unknown label to fill": (
        lambda _, __: {"create_rules": [{"metering_label_id": UNKNOWN, **TEN}]},
        404,
        f"Metering label '{UNKNOWN}' does not exist.",
    ),
    "an unknown rule": (lambda _, __: {"delete_rules": [UNKNOWN]}, 404, f"Metering label rule '{UNKNOWN}' does not exist."),
    "a deleted label to fill": (
        lambda label, _: {"delete_labels": [label], "create_rules": [{"metering_label_id": label, **TEN}]},
        404,
        "Metering label '{label}' does not exist.",
    ),
    "a label changed and deleted": (
        lambda label, _: {"change_labels": [{"id": label}], "delete_labels": [label]},
        400,
        "delete_labels[0]: '{label}' is named in change_labels[0] already; name it once",
    ),
    "a rule deleted twice": (
        lambda _, rule: {"delete_rules": [rule, rule]},
        400,
        "delete_rules[1]: '{rule}' is named in delete_rules[0] already; name it once",
    ),
    "remote prefixes that overlap": (
        lambda label, _: {"create_rules": [{"metering_label_id": label, **REMOTE}, {"metering_label_id": label, **REMOTE}]},
        409,
        "Metering label rule with remote_ip_prefix '10.0.0.0/8' overlaps another.",
    ),
    "a rule without prefix": (
        lambda _, __: {"create_labels": [{}, {"rules": [TEN, {"direction": "egress"}]}]},
        400,
        "create_labels[1].rules[1]: You must define at least one",
    ),
    "a bad prefix of a label to change": (
        lambda label, _: {"change_labels": [{"id": label, "rules": [{"direction": "egress", "source_ip_prefix": "x"}]}]},
        400,
        "change_labels[0].rules[0]: ",
    ),
    "a name of the wrong type": (
        lambda _, __: {"create_labels": [{"name": None}]},
        400,
        "create_labels[0].name: Expected 'str', got 'null'",
    ),
    "an unknown field": (lambda _, __: {"labels": []}, 400, "the body: there is no field 'labels' here"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_if_one_change_is_refused_none_is_made(case: str, anyone: Caller) -> None:
    label = anyone.make_label(name="stays")
    anyone.give_rules(label, TEN)
    rule, before = rules_of(anyone, label)[0]["id"], latest(anyone)
    form, status, sentence = REFUSED[case]
    valid = {"create_labels": [{"name": "never"}], "create_rules": [{"metering_label_id": label, **ELEVEN}]}
    asked = form(label, rule)
    together = {name: [*valid.get(name, ()), *asked.get(name, ())] for name in valid | asked}
    if asked.keys() & valid.keys():
        together = asked
    answered, document = anyone.ask("POST", APPLY, together)
    assert answered == status, document
    assert document["error"]["message"].startswith(sentence.format(label=label, rule=rule))
    assert latest(anyone) == before
    assert [each["id"] for each in rules_of(anyone, label)] == [rule]


def test_more_than_one_request_may_carry_is_refused_unread(tmp_path: Path) -> None:
    with running_server(tmp_path, config="[limits]\nbulk_resources = 3\n") as server:
        caller = Caller(server)
        assert caller.ask("POST", APPLY, {"create_labels": [{"rules": [TEN, ELEVEN]}]})[0] == 200
        status, document = caller.ask("POST", APPLY, {"create_labels": [{"rules": [TEN, ELEVEN]}], "delete_labels": [UNKNOWN]})
        assert (status, document["error"]["message"]) == (413, "the body: 4 labels and rules, but one request may carry at most 3")


@pytest.mark.parametrize(("who", "status"), [("manager", 200), ("member", 403), ("reader", 403), ("none", 403), ("agent", 403)])
def test_within_a_project_whoever_may_change_its_labels_may_apply(callers: Callers, who: str, status: int) -> None:
    form = {"create_labels": [{"name": "of the project", "rules": [TEN]}]}
    assert callers[who].ask("POST", APPLY, form)[0] == status


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"create_labels": [{"project_id": OTHER}]}, 403),
        ({"change_labels": [{"id": "{label}", "name": "x"}]}, 404),
        ({"delete_labels": ["{label}"]}, 404),
        ({"create_rules": [{"metering_label_id": "{label}", **TEN}]}, 404),
        ({"delete_rules": ["{rule}"]}, 404),
    ],
)
def test_nothing_of_another_project_is_touched(callers: Callers, changes: dict[str, Any], status: int) -> None:
    label = callers["other manager"].make_label(name="theirs", project_id=OTHER)
    callers["other manager"].give_rules(label, TEN)
    rule = rules_of(callers["admin"], label)[0]["id"]
    before = latest(callers["admin"])

    def fill(value: Any) -> Any:  # noqa: ANN401 - any JSON
        if isinstance(value, str):
            return value.replace("{label}", label).replace("{rule}", rule)
        if isinstance(value, list):
            return [fill(each) for each in value]
        return {name: fill(each) for name, each in value.items()} if isinstance(value, dict) else value

    own = {"create_labels": [{"name": "ours", "project_id": OWN}]}
    assert callers["manager"].ask("POST", APPLY, own | fill(changes))[0] == status
    assert latest(callers["admin"]) == before
