"""``openstack network meter`` at a real server: labels made, found, listed, deleted, and what a person is told when it cannot be done."""

import pytest

from tests.support.openstack import OpenstackShell, run_once
from tests.support.tools import needs

pytestmark = needs("openstack")


def test_a_label_as_it_is_created_and_shown(shell: OpenstackShell) -> None:
    created = shell.read("network meter create --description Uplink --share cli-shown")
    assert created == created | {"name": "cli-shown", "description": "Uplink", "shared": True}
    assert shell.read("network meter show cli-shown") == created
    assert shell.read(f"network meter show {created['id']}") == created


def test_a_label_of_which_only_the_name_is_given(shell: OpenstackShell) -> None:
    created = shell.read("network meter create cli-plain")
    assert (created["description"], created["shared"]) == ("", False)
    assert shell.read("network meter create --no-share cli-unshared")["shared"] is False


def test_labels_listed(shell: OpenstackShell) -> None:
    created = shell.read("network meter create --description Listed cli-listed")
    rows = {row["ID"]: row for row in shell.read("network meter list")}
    assert rows[created["id"]] == rows[created["id"]] | {"Name": "cli-listed", "Description": "Listed"}


def test_labels_deleted_by_name_and_by_id(shell: OpenstackShell) -> None:
    by_id = shell.read("network meter create cli-deleted-1")["id"]
    shell.run("network meter create cli-deleted-2")
    assert shell.run(f"network meter delete {by_id} cli-deleted-2") == ""
    listed = shell.run("network meter list -f value -c Name").split()
    assert not {"cli-deleted-1", "cli-deleted-2"} & set(listed)


def test_pages_of_a_list(shell: OpenstackShell) -> None:
    for number in range(5):
        shell.run(f"network meter create cli-paged-{number}")
    whole = shell.run("network meter list -f value -c ID").split()
    assert len(whole) >= 5
    assert shell.run("network meter list -f value -c ID --limit 2").split() == whole
    assert shell.run("network meter list -f value -c ID --max-items 3 --limit 2").split() == whole[:3]
    assert shell.run(f"network meter list -f value -c ID --limit 2 --marker {whole[1]}").split() == whole[2:]


def test_two_labels_of_one_name(shell: OpenstackShell) -> None:
    ids = [shell.read("network meter create cli-twice")["id"] for _ in range(2)]
    assert shell.run("network meter show cli-twice") == "More than one MeteringLabel exists with the name 'cli-twice'."
    assert shell.run("network meter delete " + " ".join(ids)) == ""


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("network meter show cli-nobody", "No MeteringLabel found for cli-nobody"),
        ("network meter delete cli-nobody", "Failed to delete meter with ID 'cli-nobody': No MeteringLabel found for cli-nobody"),
        ("network meter rule create --remote-ip-prefix 10.0.0.0/24 cli-nobody", "No MeteringLabel found for cli-nobody"),
        (f"network meter create {'n' * 256}", f"Invalid input for name. Reason: '{'n' * 256}' exceeds maximum length of 255."),
    ],
    ids=["shown", "deleted", "given a rule", "name too long"],
)
def test_what_a_person_is_told(shell: OpenstackShell, command: str, told: str) -> None:
    assert told in shell.run(command)


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        pytest.param(("network", "meter", "create", "--description", "two words", "cli once"), 0, "two words", id="words with blanks"),
        pytest.param(("network", "meter", "show", "cli-nobody"), 1, "No MeteringLabel found for cli-nobody", id="no such label"),
        pytest.param(("extension", "show", "metering", "-f", "value", "-c", "alias"), 0, "metering", id="the extension"),
    ],
)
def test_exit_codes(settings: dict[str, str], words: tuple[str, ...], code: int, told: str) -> None:
    done = run_once(settings, *words)
    assert (done.returncode, told in done.stdout + done.stderr) == (code, True)


def test_extensions(shell: OpenstackShell) -> None:
    listed = {row["Alias"]: row["Name"] for row in shell.read("extension list --network")}
    assert listed == listed | {"metering": "Neutron Metering"}
    assert "metering_source_and_destination_fields" in listed
    assert shell.read("extension show metering")["alias"] == "metering"
    assert shell.run("extension show cli-nobody") == "No Extension found for cli-nobody"
