"""Commands on labels, rules, points, tokens and revisions, on a running server: what they print and how they end."""

import json
import re
from collections.abc import Callable

import pytest

Venturi = Callable[..., str]
ROUTER = "7f3a4b0e-3f6c-4d0b-9a52-6c1d1a1f7c11"
NOWHERE = "5f3a4b0e-3f6c-4d0b-9a52-6c1d1a1f7c11"


def _masked(text: str) -> str:
    """Put a sign of the same width in place of every id, so that a table can be compared whole."""
    return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "#" * 36, text)


def _make_label(venturi: Venturi, name: str, *options: str) -> str:
    return venturi("label", "create", name, *options, "-f", "value", "-c", "id").strip()


def test_a_label_is_created_and_shown(venturi: Venturi) -> None:
    created = venturi("label", "create", "web shop", "--description", "what it sends", "--project", "shop", "--share")
    assert (
        _masked(created)
        == f"""\
field        value
───────────  ────────────────────────────────────
id           {"#" * 36}
name         web shop
description  what it sends
shared       true
project_id   shop
"""
    )
    assert venturi("label", "show", "web shop") == created
    assert json.loads(venturi("label", "show", "web shop", "-f", "json", "-c", "Name", "-c", "shared")) == {
        "name": "web shop",
        "shared": True,
    }


def test_labels_are_listed_filtered_and_sorted(venturi: Venturi) -> None:
    for name, options in (("b", ("--share",)), ("a", ()), ("c", ("--description", "third"))):
        _make_label(venturi, name, "--project", "lists", *options)
    of_project = ("label", "list", "--project", "lists")
    assert (
        _masked(venturi(*of_project, "--sort-column", "name"))
        == f"""\
id                                    name  description  shared
────────────────────────────────────  ────  ───────────  ──────
{"#" * 36}  a                  false
{"#" * 36}  b                  true
{"#" * 36}  c     third        false
"""
    )
    assert venturi(*of_project, "--sort-column", "name", "-f", "value", "-c", "name", "-c", "shared") == "a False\nb True\nc False\n"
    assert venturi(*of_project, "--long", "-f", "csv", "-c", "name", "-c", "project_id", "--share") == "name,project_id\nb,lists\n"
    assert venturi(*of_project, "--no-share", "-f", "csv", "-c", "name", "--sort-column", "name") == "name\na\nc\n"
    assert venturi(*of_project, "--description", "third", "-f", "yaml", "-c", "name") == "- name: c\n"
    assert venturi(*of_project, "--name", "none", "-f", "json") == "[]\n"
    assert len(venturi(*of_project, "--limit", "2", "-f", "value").splitlines()) == 2


def test_a_label_is_renamed_and_redescribed_and_keeps_its_id(venturi: Venturi) -> None:
    identifier = _make_label(venturi, "before")
    assert venturi("label", "set", "before", "--name", "after", "--description", "told") == ""
    assert venturi("label", "show", "after", "-f", "value", "-c", "id", "-c", "description") == f"{identifier}\ntold\n"
    venturi("label", "set", "after", code=2, sentence="nothing is said of what to change of the label")


def test_labels_are_deleted_together_or_not_at_all(venturi: Venturi) -> None:
    first, _ = _make_label(venturi, "gone 1"), _make_label(venturi, "gone 2")
    venturi("label", "delete", first, "gone 2", "missing", code=8, sentence="there is no label with the id or name 'missing'")
    assert venturi("label", "show", first, "-f", "value", "-c", "name") == "gone 1\n"
    assert venturi("label", "delete", first, "gone 2", "gone 1") == ""
    venturi("label", "show", first, code=8, sentence=f"there is no label with the id or name '{first}'")


def test_two_labels_of_a_name_are_told_apart_by_id(venturi: Venturi) -> None:
    first, second = _make_label(venturi, "twice"), _make_label(venturi, "twice")
    venturi("label", "show", "twice", code=9, sentence="2 labels have the name 'twice': give the id")
    assert venturi("label", "delete", first, second) == ""


@pytest.mark.parametrize("command", [("label", "create", "colours"), ("label", "list"), ("label", "show", "colours")])
def test_a_column_that_there_is_not_is_refused_before_anything_is_done(command: tuple[str, ...], venturi: Venturi) -> None:
    sentence = "there is no column 'colour': there are id, name, description, shared, project_id"
    venturi(*command, "-c", "colour", code=2, sentence=sentence)
    assert venturi("label", "list", "--name", "colours", "-f", "value") == ""


def test_what_the_server_refuses_is_said_in_its_words(venturi: Venturi) -> None:
    name = "a" * 256
    venturi("label", "create", name, code=2, sentence=f"Invalid input for name. Reason: '{name}' exceeds maximum length of 255.")


def test_rules_are_created_listed_shown_and_deleted(venturi: Venturi) -> None:
    label_id = _make_label(venturi, "ruled")
    first = venturi("rule", "create", "ruled", "--destination-ip-prefix", "10.1.0.7/16", "-f", "value", "-c", "id").strip()
    venturi("rule", "create", label_id, "--egress", "--remote-ip-prefix", "10.1.0.0/16", "--exclude")
    assert (
        _masked(venturi("rule", "list", "--label", "ruled", "--sort-column", "direction", "--sort-column", "id"))
        == f"""\
id                                    direction  excluded  source_ip_prefix  destination_ip_prefix  remote_ip_prefix
────────────────────────────────────  ─────────  ────────  ────────────────  ─────────────────────  ────────────────
{"#" * 36}  egress     true                                               10.1.0.0/16
{"#" * 36}  ingress    false                       10.1.0.7/16
"""
    )
    assert (
        venturi("rule", "list", "--label", label_id, "--ingress", "-f", "value", "-c", "id", "-c", "metering_label_id")
        == f"{first} {label_id}\n"
    )
    assert venturi("rule", "list", "--label", label_id, "--exclude", "-f", "csv", "-c", "direction") == "direction\negress\n"
    assert json.loads(venturi("rule", "show", first, "-f", "json")) == {
        "id": first,
        "metering_label_id": label_id,
        "direction": "ingress",
        "excluded": False,
        "source_ip_prefix": None,
        "destination_ip_prefix": "10.1.0.7/16",
        "remote_ip_prefix": None,
    }
    assert venturi("rule", "delete", first) == ""
    venturi("rule", "delete", first, code=8, sentence=f"there is no rule '{first}'")
    venturi("rule", "show", "ruled", code=8, sentence="there is no rule 'ruled'")


def test_a_rule_that_overlaps_is_a_conflict(venturi: Venturi) -> None:
    _make_label(venturi, "overlapping")
    venturi("rule", "create", "overlapping", "--remote-ip-prefix", "10.0.0.0/8")
    venturi(
        "rule",
        "create",
        "overlapping",
        "--remote-ip-prefix",
        "10.1.0.0/16",
        code=9,
        sentence="Metering label rule with remote_ip_prefix '10.1.0.0/16' overlaps another.",
    )


ITS_ID = "its id"

POINTS: dict[str, tuple[tuple[str, ...], dict[str, object], str]] = {
    "interface": (
        ("--host", "edge-1", "--device", "eth0", "--namespace", "blue", "--share", "--boundary", "edge"),
        {"host": "edge-1", "namespace": "blue", "device": "eth0", "hook": "netfilter", "shared": True, "boundary": "edge"},
        "edge-1 eth0 in blue",
    ),
    "router": (
        ("--router-id", NOWHERE, "--traffic", "both", "--hook", "tc", "--host", "Net-2", "--host", "net-1", "--line-rate", "1000"),
        {"router_id": NOWHERE, "traffic": "both", "hook": "tc", "hosts": ["net-1", "net-2"], "line_rate": 1000, "boundary": "routers"},
        f"router {NOWHERE}",
    ),
    "exporter": (
        ("--address", "192.0.2.7", "--observation-domain", "3", "--outside-interface", "7", "--outside-interface", "2"),
        {"address": "192.0.2.7", "observation_domain": 3, "outside_interfaces": [2, 7], "collector_host": None, "boundary": ITS_ID},
        "192.0.2.7 domain 3",
    ),
}


@pytest.mark.parametrize("kind", sorted(POINTS))
def test_points_of_each_kind_come_change_and_go(kind: str, venturi: Venturi) -> None:
    options, expected, place = POINTS[kind]
    created = json.loads(venturi("point", "create", f"a {kind}", "--kind", kind, *options, "-f", "json"))
    whole = {
        "name": f"a {kind}",
        "kind": kind,
        "traffic": "forwarded",
        "shared": False,
        "project_id": "default",
        "line_rate": None,
        **expected,
    }
    if whole["boundary"] == ITS_ID:
        whole["boundary"] = created["id"]
    assert {name: value for name, value in created.items() if name != "id"} == whole
    listed = ("point", "list", "--kind", kind, "-f", "csv", "-c", "name", "-c", "place")
    assert venturi(*listed) == f"name,place\na {kind},{place}\n"
    assert venturi("point", "set", f"a {kind}", "--name", "renamed", "--share") == ""
    assert json.loads(venturi("point", "show", "renamed", "-f", "json")) == {**created, "name": "renamed", "shared": True}
    assert venturi("point", "delete", "renamed") == ""
    assert venturi(*listed) == "name,place\n"


def test_an_empty_namespace_takes_it_away(venturi: Venturi) -> None:
    venturi("point", "create", "moved", "--kind", "interface", "--host", "edge-1", "--device", "eth1", "--namespace", "blue")
    venturi("point", "set", "moved", "--namespace", "")
    assert venturi("point", "show", "moved", "-f", "value", "-c", "namespace") == "None\n"
    venturi("point", "delete", "moved")


def test_hosts_and_line_rates_are_set_and_taken_away(venturi: Venturi) -> None:
    venturi("point", "create", "gateway", "--kind", "router", "--router-id", ROUTER, "--host", "net-1")
    shown = ("point", "show", "gateway", "-f", "json", "-c", "hosts", "-c", "line_rate")
    for options, hosts, rate in (
        (("--host", "net-2", "--host", "net-1"), ["net-1", "net-2"], None),
        (("--line-rate", "10000000000"), ["net-1", "net-2"], 10**10),
        (("--host", ""), [], 10**10),
        (("--host", "net-3", "--line-rate", "0"), ["net-3"], None),
    ):
        assert venturi("point", "set", "gateway", *options) == ""
        assert json.loads(venturi(*shown)) == {"hosts": hosts, "line_rate": rate}
    venturi("point", "delete", "gateway")


def test_a_boundary_is_named_listed_and_taken_away(venturi: Venturi) -> None:
    venturi("point", "create", "bounded", "--kind", "router", "--router-id", ROUTER)
    listed = ("point", "list", "--boundary", "behind the firewall", "-f", "value", "-c", "name")
    for options, boundary, found in (
        (("--boundary", "behind the firewall"), "behind the firewall", "bounded\n"),
        (("--boundary", ""), "routers", ""),
    ):
        assert venturi("point", "set", "bounded", *options) == ""
        assert venturi("point", "show", "bounded", "-f", "value", "-c", "boundary") == f"{boundary}\n"
        assert venturi(*listed) == found
    venturi("point", "set", "bounded", "--boundary", "x" * 65, code=2, sentence="boundary: Expected 'str' of length <= 64")
    venturi("point", "delete", "bounded")


def test_an_interface_is_on_one_host(venturi: Venturi) -> None:
    place = ("--kind", "interface", "--device", "eth7", "--host", "edge-1")
    venturi("point", "create", "two", *place, "--host", "edge-2", code=2, sentence="--host: a point of kind interface is on one host")
    venturi("point", "create", "one", *place)
    venturi("point", "set", "one", "--host", "edge-3")
    assert venturi("point", "show", "one", "-f", "value", "-c", "host") == "edge-3\n"
    venturi("point", "delete", "one")


def test_a_point_at_a_place_that_is_taken_is_a_conflict(venturi: Venturi) -> None:
    place = ("--kind", "interface", "--host", "edge-1", "--device", "eth2")
    venturi("point", "create", "first", *place)
    venturi("point", "create", "second", *place, code=9, sentence="Another observation point is at the same place.")
    assert venturi("point", "list", "--name", "second", "-f", "value") == ""
    venturi("point", "delete", "first")


def test_a_packet_is_explained_at_a_point_and_without_one(venturi: Venturi) -> None:
    _make_label(venturi, "explained", "--project", "explaining")
    included = venturi("rule", "create", "explained", "--egress", "--source-ip-prefix", "10.7.0.0/16", "-f", "value", "-c", "id").strip()
    venturi("point", "create", "mine", "--kind", "router", "--router-id", ROUTER, "--project", "explaining")
    venturi("point", "create", "yours", "--kind", "interface", "--host", "h", "--device", "d", "--project", "another")
    packet = ("10.7.0.1", "192.0.2.1", "egress")
    at_point = json.loads(venturi("explain", "--point", "mine", *packet, "-f", "json"))
    assert [(label["label"], label["counts"], [rule["id"] for rule in label["including_rules"]]) for label in at_point["labels"]] == [
        ("explained", True, [included])
    ]
    assert json.loads(venturi("explain", *packet, "-f", "json")) == at_point
    assert venturi("explain", "--point", "yours", *packet) == "No rule of any label matches: the packet is unmatched.\n"
    table = venturi("explain", "--point", "mine", *packet)
    assert "included by egress" in table
    assert "10.7.0.0/16 → any" in table
    venturi("explain", "--point", "nowhere", *packet, code=8, sentence="there is no observation point with the id or name 'nowhere'")


def test_revisions_say_what_changed_and_give_the_state_back(venturi: Venturi) -> None:
    label_id = _make_label(venturi, "revised", "--description", "first")
    venturi("rule", "create", "revised", "--source-ip-prefix", "10.9.0.0/16")
    number = max(int(line) for line in venturi("revision", "list", "-f", "value", "-c", "number").splitlines())
    venturi("label", "delete", "revised")
    last = json.loads(venturi("revision", "show", str(number + 1), "-f", "json"))
    assert {"resource": "label", "id": label_id, "kind": "deleted"} in last["changes"]
    rows = venturi("revision", "show", str(number), "--state", "-f", "csv", "-c", "resource", "-c", "id", "-c", "what").splitlines()
    position = rows.index(f"label,{label_id},first")
    assert re.fullmatch(r"rule,[0-9a-f-]{36},ingress 10\.9\.0\.0/16 -> any", rows[position + 1])
    state = json.loads(venturi("revision", "show", str(number), "--state", "-f", "json"))
    assert label_id in {label["id"] for label in state["labels"]}
    venturi("revision", "show", "999999", code=8, sentence="there is no revision '999999'")


def test_tokens_are_created_shown_listed_and_revoked(venturi: Venturi) -> None:
    created = json.loads(
        venturi("token", "create", "--project", "p", "--role", "reader", "--name", "dash", "--expires", "90d", "-f", "json")
    )
    assert re.fullmatch(r"venturi_[0-9a-f]{32}_[0-9a-f]{64}", created.pop("secret"))
    assert created["expires_at"] > created["created_at"]
    assert json.loads(venturi("token", "show", "dash", "-f", "json")) == created
    assert venturi("token", "list", "--role", "reader", "-f", "csv", "-c", "name", "-c", "revoked_at") == "name,revoked_at\ndash,\n"
    assert venturi("token", "revoke", "dash") == ""
    assert json.loads(venturi("token", "show", "dash", "-f", "json"))["revoked_at"] is not None


def test_a_token_that_contradicts_itself_is_refused(venturi: Venturi) -> None:
    with pytest.raises(AssertionError, match="a token of role agent is bound to an agent id and a host"):
        venturi("token", "create", "--project", "p", "--role", "agent")
