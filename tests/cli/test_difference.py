"""What applying rules files would do, found and shown, without any server."""

import io

import pytest

from venturi.adapters.files.rules_file import parse_rules
from venturi.core.domain.errors import ConflictError
from venturi.core.domain.label import MeteringLabel
from venturi.interfaces.render.resources.difference import write_difference, write_done
from venturi.services.applying.applying import Done
from venturi.services.applying.difference import AccountedLabel, find_difference
from venturi.services.applying.reading import wanted_labels
from venturi.services.applying.wire import read_rule, rule_body

INGRESS = {"direction": "ingress", "excluded": False, "destination_ip_prefix": "10.1.0.0/16"}
EGRESS = {"direction": "egress", "excluded": False, "source_ip_prefix": "10.1.0.0/16"}
EXCLUDED = {"direction": "egress", "excluded": True, "source_ip_prefix": "10.1.2.0/24", "destination_ip_prefix": "192.0.2.1/32"}
REMOTE = {"direction": "egress", "excluded": False, "remote_ip_prefix": "10.1.0.0/16"}
HOST_BITS = {"direction": "egress", "excluded": False, "source_ip_prefix": "10.1.0.7/16"}


def _account(name: str, *rules: dict[str, object], identifier: str = "", project: str = "p", **values: object) -> AccountedLabel:
    label = MeteringLabel(id=identifier, name=name, project_id=project, **values)  # type: ignore[arg-type]  # the rest by name
    return AccountedLabel(label, tuple(read_rule(rule) for rule in rules))


def _shown(wanted: list[AccountedLabel], present: list[AccountedLabel], *, prune: bool = False) -> str:
    stream = io.StringIO()
    write_difference(find_difference(wanted, present, prune=prune), None, stream)
    return stream.getvalue()


SAME = _account("same", INGRESS, EGRESS, identifier="1")


@pytest.mark.parametrize(
    ("wanted", "present", "prune", "expected"),
    [
        pytest.param([], [], True, "nothing to do\n", id="nothing anywhere"),
        pytest.param([_account("same", EGRESS, INGRESS)], [SAME], True, "nothing to do\n", id="equal, rules in another order"),
        pytest.param([], [SAME], False, "nothing to do\n", id="what the files do not name stays"),
        pytest.param(
            [_account("new", INGRESS, EXCLUDED, shared=True)],
            [],
            False,
            """\
+ label 'new' (project 'p', shared)
    + ingress any -> 10.1.0.0/16
    + egress 10.1.2.0/24 -> 192.0.2.1/32, excluded
""",
            id="a new label",
        ),
        pytest.param(
            [_account("same", INGRESS, EXCLUDED, description="new")],
            [_account("same", INGRESS, EGRESS, identifier="1", description="old")],
            False,
            """\
~ label 'same' (project 'p', 1)
    ~ description 'old' -> 'new'
    + egress 10.1.2.0/24 -> 192.0.2.1/32, excluded
    - egress 10.1.0.0/16 -> any
""",
            id="a label with other rules and description",
        ),
        pytest.param(
            [],
            [_account("b", identifier="2"), SAME, _account("b", identifier="1")],
            True,
            """\
- label 'b' (project 'p', 1)
- label 'b' (project 'p', 2)
- label 'same' (project 'p', 1)
    - ingress any -> 10.1.0.0/16
    - egress 10.1.0.0/16 -> any
""",
            id="what the files do not name is pruned, two of a name too",
        ),
        pytest.param(
            [_account("same", INGRESS, EGRESS, project="q")],
            [SAME],
            False,
            """\
+ label 'same' (project 'q')
    + ingress any -> 10.1.0.0/16
    + egress 10.1.0.0/16 -> any
""",
            id="the same name in another project is another label",
        ),
        pytest.param(
            [_account("a", REMOTE)],
            [_account("a", EGRESS, identifier="1")],
            False,
            """\
~ label 'a' (project 'p', 1)
    + egress remote 10.1.0.0/16
    - egress 10.1.0.0/16 -> any
""",
            id="a rule is equal as it is given, not as it matches",
        ),
        pytest.param(
            [_account("a", HOST_BITS)],
            [_account("a", EGRESS, identifier="1")],
            False,
            """\
~ label 'a' (project 'p', 1)
    + egress 10.1.0.7/16 -> any
    - egress 10.1.0.0/16 -> any
""",
            id="host bits are part of a rule",
        ),
    ],
)
def test_the_difference_is_shown_whole(wanted: list[AccountedLabel], present: list[AccountedLabel], prune: bool, expected: str) -> None:
    assert _shown(wanted, present, prune=prune) == expected


@pytest.mark.parametrize(
    ("wanted", "present", "sentence"),
    [
        pytest.param(
            [_account("a"), _account("a")],
            [],
            "the files hold 2 labels 'a' of project 'p', which cannot be told apart",
            id="two in the files",
        ),
        pytest.param(
            [_account("a")],
            [_account("a", identifier="1"), _account("a", identifier="2")],
            "the server has 2 labels 'a' of project 'p', and which one is meant cannot be told: rename or delete all but one",
            id="two on the server",
        ),
        pytest.param(
            [_account("a", shared=True)],
            [_account("a", identifier="1")],
            "label 'a' of project 'p' is not shared on the server and shared in the files. That cannot change in place, since "
            "usage is booked by the label's id (1): rename or delete the label there first, and apply makes another",
            id="sharing does not change",
        ),
    ],
)
def test_what_cannot_be_made_equal_is_refused(wanted: list[AccountedLabel], present: list[AccountedLabel], sentence: str) -> None:
    with pytest.raises(ConflictError) as raised:
        find_difference(wanted, present, prune=True)
    assert str(raised.value) == sentence


def test_rules_of_files_are_sent_as_they_are_given() -> None:
    text = """
labels:
  - name: a
    rules:
      - {direction: egress, remote_ip_prefix: 10.1.0.7/16}
      - {direction: ingress, remote_ip_prefix: "2001:db8::/32", excluded: true}
      - {direction: egress, source_ip_prefix: 10.2.0.1}
      - {direction: ingress, source_ip_prefix: 10.3.0.0/16, destination_ip_prefix: 10.4.0.0/255.255.0.0}
  - {name: b, project_id: q, shared: true, description: told}
"""
    wanted = wanted_labels(parse_rules(text, "rules.yaml").require(), "mine")
    assert [account.label for account in wanted] == [
        MeteringLabel(id="", name="a", project_id="mine"),
        MeteringLabel(id="", name="b", project_id="q", shared=True, description="told"),
    ]
    assert [rule_body(fields) for account in wanted for fields in account.rules] == [
        {"direction": "egress", "excluded": False, "remote_ip_prefix": "10.1.0.7/16"},
        {"direction": "ingress", "excluded": True, "remote_ip_prefix": "2001:db8::/32"},
        {"direction": "egress", "excluded": False, "source_ip_prefix": "10.2.0.1/32"},
        {"direction": "ingress", "excluded": False, "source_ip_prefix": "10.3.0.0/16", "destination_ip_prefix": "10.4.0.0/16"},
    ]


@pytest.mark.parametrize(
    ("done", "expected"),
    [
        (
            Done(labels_created=2, rules_created=3, labels_deleted=1, finished=True),
            "done: labels: 2 created, 0 changed, 1 deleted; rules: 3 created, 0 deleted\n",
        ),
        (
            Done(labels_changed=1, rules_deleted=4),
            "stopped; done until then: labels: 0 created, 1 changed, 0 deleted; rules: 0 created, 4 deleted\n",
        ),
    ],
)
def test_what_was_done_is_said(done: Done, expected: str) -> None:
    stream = io.StringIO()
    write_done(done, stream)
    assert stream.getvalue() == expected
