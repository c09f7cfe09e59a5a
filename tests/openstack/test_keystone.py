"""``venturi serve --auth keystone`` with a real Keystone: clients sign in by password and find the server in the catalog."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.keystone import ADMIN, REGION, Keystone, running_keystone
from tests.support.openstack import OpenstackShell, running_shell
from tests.support.server import ServerProcess, make_token, running_server
from tests.support.tools import needs

pytestmark = needs("openstack", "keystone-manage")

LABELS = "/v2.0/metering/metering-labels"
REFUSED = "ForbiddenException: 403"

# The project of each user, and the role in it.
USERS = {
    "manager-a": ("a", "manager"),
    "member-a": ("a", "member"),
    "reader-a": ("a", "reader"),
    "manager-b": ("b", "manager"),
    "leaver-a": ("a", "reader"),
}

CONFIG = """
auth = "keystone"
[keystone]
auth_url = "{url}"
username = "venturi"
password = "{password}"
token_cache_time = -1
"""


@pytest.fixture(scope="module")
def keystone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keystone]:
    """A Keystone with two projects and users of every role."""
    with running_keystone(tmp_path_factory.mktemp("keystone")) as running:
        running.add_user("venturi", "service", "service")
        for user, (project, role) in USERS.items():
            running.add_user(user, project, role)
        yield running


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the server."""
    return tmp_path_factory.mktemp("server")


@pytest.fixture(scope="module")
def agent_token(folder: Path) -> str:
    """The secret of a token of venturi's own, made before the server runs."""
    return make_token(f"sqlite:///{folder / 'venturi.db'}", role="agent", agent_id="h", host="h")


@pytest.fixture(scope="module")
def server(keystone: Keystone, folder: Path, agent_token: str) -> Iterator[ServerProcess]:  # noqa: PLR0206 - no property
    """A server that has tokens verified there, and stands in the catalog as the network service."""
    assert agent_token
    config = CONFIG.format(url=keystone.url, password=keystone.password)
    with running_server(folder, config=config) as running:
        keystone.add_network_service(running.url)
        yield running


@pytest.fixture(scope="module")
def admin(keystone: Keystone, server: ServerProcess) -> Iterator[OpenstackShell]:  # noqa: PLR0206 - no property
    """A shell of the administrator."""
    assert server.url, "the catalog names the server before it is read"
    with running_shell(keystone.settings(ADMIN, ADMIN)) as shell:
        yield shell


@pytest.fixture(scope="module")
def label_of_a(keystone: Keystone, admin: OpenstackShell) -> str:  # noqa: PLR0206 - no property
    """The id of a label that the administrator made for project ``a``."""
    label = admin.read("network meter create --project a label-of-a")
    assert label["project_id"] == keystone.project_id("a")
    admin.read("network meter rule create --source-ip-prefix 10.66.0.0/16 label-of-a")
    identity: str = label["id"]
    return identity


@pytest.mark.parametrize(
    ("user", "sees", "creates"),
    [
        pytest.param("manager-a", True, True, id="a manager reads and writes"),
        pytest.param("member-a", True, False, id="a member reads"),
        pytest.param("reader-a", True, False, id="a reader reads"),
        pytest.param("manager-b", False, True, id="a manager of another project sees only what is its own"),
    ],
)
def test_roles(keystone: Keystone, label_of_a: str, user: str, sees: bool, creates: bool) -> None:
    project, _ = USERS[user]
    with running_shell(keystone.settings(user, project)) as shell:
        assert (label_of_a in shell.run("network meter list -f value -c ID").split()) == sees
        assert ("10.66.0.0/16" in shell.run("network meter rule list -f value")) == sees
        shown = shell.run("network meter show label-of-a -f value -c id")
        assert shown == (label_of_a if sees else "No MeteringLabel found for label-of-a")
        told = shell.run(f"network meter create label-of-{user} -f value -c project_id")
        if creates:
            assert told == keystone.project_id(project)
            assert shell.run(f"network meter delete label-of-{user}") == ""
        else:
            assert REFUSED in told
            assert REFUSED in shell.run("network meter delete label-of-a")


def test_an_administrator_sees_all_projects(keystone: Keystone, admin: OpenstackShell, label_of_a: str) -> None:
    label_of_b = admin.read("network meter create --project b label-of-b")
    own = admin.read("network meter create label-of-admin")
    assert (label_of_b["project_id"], own["project_id"]) == (keystone.project_id("b"), keystone.project_id(ADMIN))
    assert {label_of_a, label_of_b["id"], own["id"]} <= set(admin.run("network meter list -f value -c ID").split())


def test_a_manager_makes_no_label_for_another_project(keystone: Keystone, server: ServerProcess) -> None:
    headers = {"X-Auth-Token": keystone.issue_token("manager-a", "a")}
    form = {"metering_label": {"name": "not-mine", "project_id": keystone.project_id("b")}}
    refused = server.request("POST", LABELS, headers=headers, form=form)
    assert (refused.status, b"Specifying 'project_id' other than" in refused.data) == (400, True)


def test_a_revoked_token(keystone: Keystone, server: ServerProcess, admin: OpenstackShell) -> None:
    headers = {"X-Auth-Token": keystone.issue_token("reader-a", "a")}
    assert server.request("GET", LABELS, headers=headers).status == 200
    assert admin.run(f"token revoke {headers['X-Auth-Token']}") == ""
    refused = server.request("GET", LABELS, headers=headers)
    assert (refused.status, refused.json()["error"]["reason"]) == (
        401,
        "this token was revoked before it expired, or its user or project was disabled",
    )


def test_a_token_of_a_user_who_was_disabled(keystone: Keystone, server: ServerProcess) -> None:
    headers = {"X-Auth-Token": keystone.issue_token("leaver-a", "a")}
    assert server.request("GET", LABELS, headers=headers).status == 200
    keystone.disable_user("leaver-a")
    assert server.request("GET", LABELS, headers=headers).status == 401


@pytest.mark.parametrize(
    "headers",
    [{}, {"X-Auth-Token": "gAAAAAjunk"}, {"X-Auth-Token": ""}, {"Authorization": "Bearer junk"}],
    ids=["no token", "junk", "an empty token", "a junk bearer"],
)
def test_callers_whom_keystone_does_not_know(keystone: Keystone, server: ServerProcess, headers: dict[str, str]) -> None:
    refused = server.request("GET", LABELS, headers=headers)
    assert refused.status == 401
    assert refused.headers["WWW-Authenticate"] == f'Keystone uri="{keystone.url}"'
    assert refused.json()["error"] == refused.json()["error"] | {"code": 401, "title": "Unauthorized"}


def test_a_token_of_no_project(keystone: Keystone, server: ServerProcess) -> None:
    headers = {"X-Auth-Token": keystone.issue_token("reader-a", None)}
    refused = server.request("GET", LABELS, headers=headers)
    assert refused.status == 401
    assert refused.json()["error"]["reason"] == "the token is not scoped to a project: ask Keystone for one of a project"


def test_tokens_of_venturi_open_beside_those_of_keystone(keystone: Keystone, server: ServerProcess, agent_token: str) -> None:
    own = {"X-Auth-Token": agent_token}
    assert server.request("GET", "/v1/plans/h?agent_id=h", headers=own).status == 200
    assert server.request("GET", "/v1/tokens", headers=own).status == 403, "the policy is the same"
    manager = {"X-Auth-Token": keystone.issue_token("manager-a", "a")}
    assert server.request("GET", "/v1/tokens", headers=manager).status == 403, "for both"
    refused = server.request("GET", LABELS, headers={"X-Auth-Token": agent_token[:-1] + "g"})
    assert (refused.status, refused.json()["error"]["reason"]) == (401, "there is no such token")
    assert refused.headers["WWW-Authenticate"] == f'Keystone uri="{keystone.url}"'


def test_a_server_that_begins_warns_of_no_options(server: ServerProcess) -> None:
    begun = next(number for number, line in enumerate(server.log) if line["event"] == "listening")
    assert [line for line in server.log[:begun] if line["level"] != "info"] == []
    assert [line for line in server.log if "option" in line["event"] or "deprecated" in line["event"]] == []


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        pytest.param("password", "Keystone at {url} refuses the account 'venturi'", id="a wrong password"),
        pytest.param("auth_url", "Keystone cannot be reached at http://127.0.0.1:9/v3: ", id="an unreachable Keystone"),
        pytest.param("interface", "Keystone's catalog has no identity endpoint for interface 'admin'", id="an endpoint that is not there"),
    ],
)
def test_why_keystone_cannot_be_asked(keystone: Keystone, setting: str, sentence: str, tmp_path: Path) -> None:
    wrong = {"password": '"wrong"', "auth_url": '"http://127.0.0.1:9/v3"', "interface": '"admin"'}[setting]
    lines = [line for line in CONFIG.splitlines() if not line.startswith(setting)]
    config = "\n".join([*lines, f"{setting} = {wrong}"]).format(url=keystone.url, password=keystone.password)
    with running_server(tmp_path, config=config) as running:
        refused = running.request("GET", LABELS, headers={"X-Auth-Token": keystone.issue_token("reader-a", "a")})
        assert refused.status == 502
        assert sentence.format(url=keystone.url) in refused.json()["NeutronError"]["message"]
        assert keystone.password not in refused.data.decode()


def test_versions_are_told_without_a_token(server: ServerProcess) -> None:
    assert [version["id"] for version in server.request("GET", "/").json()["versions"]] == ["v2.0"]


def test_extensions_by_way_of_the_catalog(admin: OpenstackShell) -> None:
    assert "metering" in admin.run("extension list --network -f value -c Alias").split()
    assert REGION in admin.run("catalog show network")


def test_tokens_are_in_no_log(keystone: Keystone, server: ServerProcess) -> None:
    token = keystone.issue_token("reader-a", "a")
    assert server.request("GET", LABELS, headers={"X-Auth-Token": token}).status == 200
    written = "".join(server.raw_log)
    assert [secret for secret in (token, keystone.password) if secret in written] == []
