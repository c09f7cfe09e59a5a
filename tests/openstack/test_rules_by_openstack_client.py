"""``openstack network meter rule`` at a real server: every option of a rule, and the server's refusals as a person reads them."""

from itertools import count

import pytest

from tests.support.openstack import OpenstackShell
from tests.support.tools import needs

pytestmark = needs("openstack")

_names = count()


@pytest.fixture
def label(shell: OpenstackShell) -> str:
    """The name of a label of the test's own."""
    name = f"cli-rules-{next(_names)}"
    shell.run(f"network meter create {name}")
    return name


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        pytest.param("--remote-ip-prefix 10.0.0.0/24", {"remote_ip_prefix": "10.0.0.0/24"}, id="remote"),
        pytest.param("--egress --source-ip-prefix 10.0.0.0/24", {"source_ip_prefix": "10.0.0.0/24", "direction": "egress"}, id="source"),
        pytest.param("--destination-ip-prefix 2001:db8::/32", {"destination_ip_prefix": "2001:db8::/32"}, id="destination"),
        pytest.param(
            "--source-ip-prefix 10.0.0.0/24 --destination-ip-prefix 198.51.100.7/32",
            {"source_ip_prefix": "10.0.0.0/24", "destination_ip_prefix": "198.51.100.7/32"},
            id="both sides",
        ),
        pytest.param("--exclude --source-ip-prefix 10.0.0.0/8", {"source_ip_prefix": "10.0.0.0/8", "is_excluded": True}, id="excluding"),
        pytest.param("--include --ingress --source-ip-prefix 10.0.0.0/8", {"source_ip_prefix": "10.0.0.0/8"}, id="including"),
    ],
)
def test_a_rule_as_it_is_created_and_shown(shell: OpenstackShell, label: str, options: str, shown: dict[str, object]) -> None:
    label_id = shell.read(f"network meter show {label}")["id"]
    created = shell.read(f"network meter rule create {options} {label}")
    unsaid = {
        "direction": "ingress",
        "is_excluded": False,
        "remote_ip_prefix": None,
        "source_ip_prefix": None,
        "destination_ip_prefix": None,
    }
    assert created == created | unsaid | shown | {"metering_label_id": label_id}
    assert shell.read(f"network meter rule show {created['id']}") == created


def test_rules_listed_and_deleted(shell: OpenstackShell, label: str) -> None:
    first, second = (shell.read(f"network meter rule create --source-ip-prefix 10.{n}.0.0/16 {label}")["id"] for n in range(2))
    rows = {row["ID"]: row for row in shell.read("network meter rule list")}
    assert rows[first]["Direction"] == rows[second]["Direction"] == "ingress"
    assert shell.run(f"network meter rule delete {first}") == ""
    left = shell.run("network meter rule list -f value -c ID").split()
    assert (first in left, second in left) == (False, True)


def test_rules_go_with_their_label(shell: OpenstackShell, label: str) -> None:
    rule = shell.read(f"network meter rule create --source-ip-prefix 10.0.0.0/16 {label}")["id"]
    assert shell.run(f"network meter delete {label}") == ""
    assert shell.run(f"network meter rule show {rule}") == f"No MeteringLabelRule found for {rule}"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        pytest.param(
            "--remote-ip-prefix 10.0.0.0/25", "Metering label rule with remote_ip_prefix '10.0.0.0/25' overlaps another.", id="overlap"
        ),
        pytest.param("--egress", "You must define at least one of", id="no prefix"),
        pytest.param(
            "--remote-ip-prefix 10.9.0.0/24 --source-ip-prefix 10.0.0.0/8",
            "Cannot use 'remote-ip-prefix' in conjunction with",
            id="remote and source",
        ),
        pytest.param("--source-ip-prefix 10.0.0.0/99", "'10.0.0.0/99'", id="no prefix of any family"),
    ],
)
def test_what_a_person_is_told(shell: OpenstackShell, label: str, options: str, told: str) -> None:
    shell.run(f"network meter rule create --remote-ip-prefix 10.0.0.0/24 {label}")
    printed = shell.run(f"network meter rule create {options} {label}")
    assert told in printed
    assert "Exception: " in printed, "the client did not take it for a refusal"


def test_no_such_rule(shell: OpenstackShell) -> None:
    assert shell.run("network meter rule show cli-nobody") == "No MeteringLabelRule found for cli-nobody"
    assert "No MeteringLabelRule found for cli-nobody" in shell.run("network meter rule delete cli-nobody")
