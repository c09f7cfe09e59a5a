"""What a well-formed rules file means."""

import io
import sys
from pathlib import Path

import pytest

from venturi.adapters.files.rules_file import load_rules, parse_rules
from venturi.core.domain.direction import Direction
from venturi.core.domain.errors import RulesFileError, UnreadableFileError
from venturi.core.domain.prefix import Prefix
from venturi.core.rules.document import RulesDocument

WHOLE = """
inside: [10.0.0.0/8, "2001:db8::/32"]
labels:
- name: web
  description: the shop
  project_id: acme
  shared: yes
  rules:
  - {direction: egress, source_ip_prefix: 10.0.0.5/24, destination_ip_prefix: 0.0.0.0/0}
  - {direction: ingress, destination_ip_prefix: 10.0.0.9, excluded: "ON"}
- name: mail
"""
AS_JSON = """
{"inside": ["10.0.0.0/8", "2001:db8::/32"],
 "labels": [
  {"name": "web", "description": "the shop", "project_id": "acme", "shared": true, "rules": [
    {"direction": "egress", "source_ip_prefix": "10.0.0.5/24", "destination_ip_prefix": "0.0.0.0/0"},
    {"direction": "ingress", "destination_ip_prefix": "10.0.0.9", "excluded": 1}]},
  {"name": "m\\u0061il", "rules": []}]}
"""


def read(text: str) -> RulesDocument:
    """Read a rules file that must be right."""
    return parse_rules(text, "R").require()


def test_every_field_arrives() -> None:
    document = read(WHOLE)
    web, mail = document.labels
    assert document.inside == (Prefix.parse("10.0.0.0/8"), Prefix.parse("2001:db8::/32"))
    assert (web.label.name, web.label.description, web.label.project_id, web.label.shared) == ("web", "the shop", "acme", True)
    assert [(str(rule.source_ip_prefix), str(rule.destination_ip_prefix), rule.excluded) for rule in web.rules] == [
        ("10.0.0.5/24", "0.0.0.0/0", False),
        ("None", "10.0.0.9/32", True),
    ]
    assert (mail.label.shared, mail.rules) == (False, ())


def test_json_says_the_same() -> None:
    assert read(AS_JSON) == read(WHOLE)


REMOTE = {"egress is the source": ("egress", "10.0.0.0/8", "None"), "ingress is the destination": ("ingress", "None", "10.0.0.0/8")}


@pytest.mark.parametrize(("direction", "source", "destination"), REMOTE.values(), ids=REMOTE.keys())
def test_remote_prefix_on(direction: str, source: str, destination: str) -> None:
    document = read(f"labels: [{{name: a, rules: [{{direction: {direction}, remote_ip_prefix: 10.0.0.0/8}}]}}]")
    rule = document.labels[0].rules[0]
    assert (rule.direction, str(rule.source_ip_prefix), str(rule.destination_ip_prefix)) == (Direction(direction), source, destination)


def test_label_ids_follow_project_and_name() -> None:
    first, second, other = (
        read(f"labels: [{{name: {name}, project_id: {project}}}]").labels[0].label.id
        for name, project in (("a", "p"), ("a", "p"), ("a", "q"))
    )
    assert first == second != other


ALLOWED = {
    "one name in two projects": "labels: [{name: a, project_id: p}, {name: a, project_id: q}]",
    "remote prefixes of two directions": "labels: [{name: a, rules: [{direction: egress, remote_ip_prefix: 10.0.0.0/8}, "
    "{direction: ingress, remote_ip_prefix: 10.0.0.0/8}]}]",
    "an exclusion inside a remote prefix": "labels: [{name: a, rules: [{direction: egress, remote_ip_prefix: 10.0.0.0/8}, "
    "{direction: egress, remote_ip_prefix: 10.1.0.0/16, excluded: true}]}]",
    "nested source prefixes": "labels: [{name: a, rules: [{direction: egress, source_ip_prefix: 10.0.0.0/8}, "
    "{direction: egress, source_ip_prefix: 10.1.0.0/16}]}]",
    "a name that YAML 1.1 takes for a truth value": "labels: [{name: no}]",
    "null for a prefix left out": "labels: [{name: a, rules: [{direction: egress, source_ip_prefix: 10.0.0.0/8, remote_ip_prefix: null}]}]",
    "YAML in braces": "{labels: [{name: a}]}",
}


@pytest.mark.parametrize("text", ALLOWED.values(), ids=ALLOWED.keys())
def test_allowed(text: str) -> None:
    assert read(text).labels[0].label.name in {"a", "no"}


def test_files_are_joined(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("inside: [10.0.0.0/8]\nlabels: [{name: a}]")
    (tmp_path / "b.json").write_text('\ufeff{"labels": [{"name": "b"}]}')
    document = load_rules([str(tmp_path / "a.yaml"), str(tmp_path / "b.json")])
    assert [entry.label.name for entry in document.labels] == ["a", "b"]


def test_a_name_in_two_files_names_both_lines(tmp_path: Path) -> None:
    paths = [str(tmp_path / name) for name in ("a.yaml", "b.yaml")]
    for path in paths:
        Path(path).write_text("labels:\n- name: a")
    with pytest.raises(RulesFileError) as caught:
        load_rules(paths)
    assert str(caught.value) == f"{paths[1]}:2: field 'labels[0]': a label named 'a' is already at {paths[0]}:2"


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"labels: [{name: a}]")))
    assert len(load_rules(["-"]).labels) == 1


def test_not_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_bytes(b"labels:\n- name: caf\xe9\n")
    with pytest.raises(RulesFileError, match=r"r\.yaml:2: not UTF-8: octet 0xe9 at offset 19$"):
        load_rules([str(path)])


def test_no_such_file() -> None:
    with pytest.raises(UnreadableFileError, match=r"^nowhere\.yaml: cannot be read: No such file or directory$"):
        load_rules(["nowhere.yaml"])
