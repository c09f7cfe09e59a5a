"""``venturi apply`` on a running server: what it shows, what it does, and that it does nothing the second time."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.server import running_server
from venturi.main import run

Venturi = Callable[..., str]
NOTHING = "nothing to do\n"

RULES = """
labels:
  - name: shop
    project_id: apply
    description: all of it
    rules:
      - {direction: ingress, destination_ip_prefix: 10.1.0.7/16}
      - {direction: egress, source_ip_prefix: 10.1.0.0/16}
      - {direction: egress, source_ip_prefix: 10.1.0.0/16, destination_ip_prefix: 192.0.2.10, excluded: true}
  - {name: uplink, project_id: apply, shared: true, rules: [{direction: egress, remote_ip_prefix: "2001:db8::/32"}]}
"""
CREATED = """\
+ label 'shop' (project 'apply')
    + ingress any -> 10.1.0.7/16
    + egress 10.1.0.0/16 -> any
    + egress 10.1.0.0/16 -> 192.0.2.10/32, excluded
+ label 'uplink' (project 'apply', shared)
    + egress remote 2001:db8::/32
"""


@pytest.fixture
def rules_file(tmp_path: Path) -> Path:
    """A file that nothing is in yet."""
    return tmp_path / "rules.yaml"


@pytest.fixture
def applied(request: pytest.FixtureRequest) -> Iterator[Path]:
    """The rules file, as the server already has it; its labels are deleted in the end."""
    venturi: Venturi = request.getfixturevalue("venturi")
    path: Path = request.getfixturevalue("rules_file")
    path.write_text(RULES)
    assert venturi("apply", str(path)) == CREATED + "done: labels: 2 created, 0 changed, 0 deleted; rules: 4 created, 0 deleted\n"
    yield path
    left = venturi("label", "list", "--project", "apply", "-f", "value", "-c", "id").split()
    if left:
        venturi("label", "delete", *left)


def _last_revision(venturi: Venturi) -> int:
    return max(map(int, venturi("revision", "list", "-f", "value", "-c", "number").split()), default=0)


def test_labels_and_rules_come_and_the_second_time_nothing_is_done(venturi: Venturi, applied: Path) -> None:
    revision = _last_revision(venturi)
    assert venturi("apply", str(applied)) == NOTHING
    assert venturi("apply", str(applied), "--prune") == NOTHING
    assert _last_revision(venturi) == revision
    remote = json.loads(venturi("rule", "list", "--label", "uplink", "-f", "json"))
    assert [rule["remote_ip_prefix"] for rule in remote] == ["2001:db8::/32"]


def test_a_dry_run_shows_the_difference_and_touches_nothing(venturi: Venturi, rules_file: Path) -> None:
    rules_file.write_text(RULES)
    revision = _last_revision(venturi)
    asked = venturi("apply", str(rules_file), "--dry-run")
    assert asked == CREATED + "would create 2 labels, create 4 rules\nnothing was changed\n"
    assert _last_revision(venturi) == revision


def test_what_differs_is_made_equal_and_ids_stay(venturi: Venturi, applied: Path) -> None:
    shop = venturi("label", "show", "shop", "-f", "value", "-c", "id").strip()
    kept = venturi("rule", "list", "--label", "shop", "--ingress", "-f", "value", "-c", "id")
    applied.write_text(RULES.replace("all of it", "some").replace("source_ip_prefix: 10.1.0.0/16}", "source_ip_prefix: 10.2.0.0/16}"))
    difference = f"""\
~ label 'shop' (project 'apply', {shop})
    ~ description 'all of it' -> 'some'
    + egress 10.2.0.0/16 -> any
    - egress 10.1.0.0/16 -> any
"""
    assert venturi("apply", str(applied)) == difference + "done: labels: 0 created, 1 changed, 0 deleted; rules: 1 created, 1 deleted\n"
    assert venturi("apply", str(applied)) == NOTHING
    assert venturi("label", "show", "shop", "-f", "value", "-c", "id").strip() == shop
    assert venturi("rule", "list", "--label", "shop", "--ingress", "-f", "value", "-c", "id") == kept


def test_labels_that_files_do_not_name_stay_unless_pruned_and_never_in_other_projects(venturi: Venturi, applied: Path) -> None:
    other = venturi("label", "create", "elsewhere", "--project", "not applied", "-f", "value", "-c", "id").strip()
    uplink = venturi("label", "show", "uplink", "-f", "value", "-c", "id").strip()
    applied.write_text(RULES[: RULES.index("  - {name: uplink")])
    assert venturi("apply", str(applied)) == NOTHING
    assert (
        venturi("apply", str(applied), "--prune")
        == f"""\
- label 'uplink' (project 'apply', shared, {uplink})
    - egress remote 2001:db8::/32
done: labels: 0 created, 0 changed, 1 deleted; rules: 0 created, 1 deleted
"""
    )
    assert f"- label 'elsewhere' (project 'not applied', {other})\n" in venturi(
        "apply", str(applied), "--prune", "--all-projects", "--dry-run"
    )
    venturi("label", "delete", other)


def test_a_label_without_project_is_of_the_callers_own_or_of_the_one_named(venturi: Venturi, rules_file: Path) -> None:
    rules_file.write_text("labels: [{name: mine}]")
    assert venturi("apply", str(rules_file)).startswith("+ label 'mine' (project 'default')\n")
    assert venturi("apply", str(rules_file)) == NOTHING
    assert venturi("apply", str(rules_file), "--project", "another").startswith("+ label 'mine' (project 'another')\n")
    assert venturi("apply", str(rules_file), "--project", "another") == NOTHING


def test_what_cannot_be_made_equal_is_refused_and_nothing_is_changed(venturi: Venturi, applied: Path) -> None:
    revision = _last_revision(venturi)
    shop = venturi("label", "show", "shop", "-f", "value", "-c", "id").strip()
    applied.write_text(RULES.replace("all of it", "some\n    shared: true"))
    sentence = (
        "label 'shop' of project 'apply' is not shared on the server and shared in the files. That cannot change in place, since "
        f"usage is booked by the label's id ({shop}): rename or delete the label there first, and apply makes another"
    )
    assert venturi("apply", str(applied), "--prune", code=9, sentence=sentence) == ""
    assert _last_revision(venturi) == revision


def test_two_labels_of_a_name_on_the_server_are_refused(venturi: Venturi, applied: Path) -> None:
    first = venturi("label", "show", "shop", "-f", "value", "-c", "id").strip()
    warning = f"warning: project 'apply' had a label 'shop' already, {first}: each counts by itself, and is named by its id"
    second = venturi("label", "create", "shop", "--project", "apply", "-f", "value", "-c", "id", warning=warning).strip()
    sentence = "the server has 2 labels 'shop' of project 'apply', and which one is meant cannot be told: rename or delete all but one"
    venturi("apply", str(applied), code=9, sentence=sentence)
    venturi("label", "delete", second)


def test_a_file_that_is_wrong_is_refused_by_line(venturi: Venturi, rules_file: Path) -> None:
    rules_file.write_text("labels:\n  - {name: a, rules: [{direction: up, source_ip_prefix: 10.0.0.0/8}]}\n")
    with pytest.raises(AssertionError, match=rf"{rules_file}:2: .*up is not in valid_values"):
        venturi("apply", str(rules_file))


def test_all_projects_without_prune_means_nothing(venturi: Venturi, rules_file: Path) -> None:
    with pytest.raises(AssertionError, match="--all-projects needs --prune"):
        venturi("apply", str(rules_file), "--all-projects")


def test_what_was_done_before_a_failure_is_said(
    tmp_path: Path, rules_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = ", ".join(f"{{direction: ingress, source_ip_prefix: 10.{n}.0.0/16}}" for n in range(8))
    rules_file.write_text(f"labels: [{{name: a}}, {{name: b, rules: [{rules}]}}]")
    with running_server(tmp_path, config="[limits]\nbulk_resources = 4\n") as server:
        monkeypatch.setenv("VENTURI_URL", server.url)
        assert run(["apply", str(rules_file)]) == 2
    printed = capsys.readouterr()
    assert printed.out.splitlines()[-1] == "stopped; done until then: labels: 2 created, 0 changed, 0 deleted; rules: 0 created, 0 deleted"
    _, note, failure, *_ = printed.err.splitlines()
    assert note.startswith("note: the server does not take so many changes in one request: the changes are made one after the other")
    assert failure.startswith("venturi: ")


def test_ten_thousand_labels_are_applied_in_bulk(venturi: Venturi, rules_file: Path) -> None:
    labels = [
        {
            "name": f"customer {n}",
            "project_id": f"p{n % 100}",
            "rules": [
                {"direction": "ingress", "destination_ip_prefix": f"10.{n >> 8}.{n & 255}.0/24"},
                {"direction": "egress", "source_ip_prefix": f"10.{n >> 8}.{n & 255}.0/24"},
            ],
        }
        for n in range(10_000)
    ]
    rules_file.write_text(json.dumps({"labels": labels}))
    start = time.monotonic()
    done = venturi("apply", str(rules_file)).splitlines()[-1]
    assert done == "done: labels: 10000 created, 0 changed, 0 deleted; rules: 20000 created, 0 deleted"
    assert venturi("apply", str(rules_file)) == NOTHING
    assert time.monotonic() - start < 120
