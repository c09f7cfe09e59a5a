"""A real Keystone in a folder of its own, and the projects, users and services that it is told of.

Owns starting and asking it. What its tokens may do is asked of the server in ``tests/openstack``.
"""

import functools
import json
import secrets
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import urllib3

from tests.support.openstack import surroundings
from tests.support.tools import OPENSTACK_PROGRAMS

ADMIN = "admin"
"""The user that bootstrapping makes, and its project."""

REGION = "RegionOne"

_PROGRAM = Path(__file__).parents[1] / "openstack" / "programs" / "serve_keystone.py"
_START_SECONDS = 60
_DOMAIN = {"id": "default"}


@dataclass
class Keystone:
    """A running Keystone: ``url`` is where; all users have one ``password``."""

    url: str
    password: str
    _projects: dict[str, str] = field(default_factory=dict)
    _users: dict[str, str] = field(default_factory=dict)

    def settings(self, user: str, project: str) -> dict[str, str]:
        """Give the OS_ variables of a user who signs in by password to a project."""
        return {
            "OS_AUTH_TYPE": "password",
            "OS_AUTH_URL": self.url,
            "OS_IDENTITY_API_VERSION": "3",
            "OS_USERNAME": user,
            "OS_PASSWORD": self.password,
            "OS_PROJECT_NAME": project,
            "OS_USER_DOMAIN_NAME": "Default",
            "OS_PROJECT_DOMAIN_NAME": "Default",
        }

    def project_id(self, project: str) -> str:
        """Give the id of a project, made now if there is none of that name."""
        if project not in self._projects:
            found = self._ask("GET", f"/projects?name={project}")["projects"]
            made = found or [self._ask("POST", "/projects", {"project": {"name": project, "domain_id": "default"}})["project"]]
            self._projects[project] = made[0]["id"]
        return self._projects[project]

    def add_user(self, user: str, project: str, role: str) -> None:
        """Make a user with a role in a project."""
        form = {"name": user, "password": self.password, "domain_id": "default"}
        self._users[user] = self._ask("POST", "/users", {"user": form})["user"]["id"]
        role_id = self._ask("GET", f"/roles?name={role}")["roles"][0]["id"]
        self._ask("PUT", f"/projects/{self.project_id(project)}/users/{self._users[user]}/roles/{role_id}")

    def disable_user(self, user: str) -> None:
        """Let a user in no longer."""
        self._ask("PATCH", f"/users/{self._users[user]}", {"user": {"enabled": False}})

    def add_network_service(self, url: str) -> None:
        """Tell clients where the network service is."""
        service = self._ask("POST", "/services", {"service": {"name": "venturi", "type": "network"}})["service"]
        self._ask("POST", "/endpoints", {"endpoint": {"service_id": service["id"], "interface": "public", "region_id": REGION, "url": url}})

    def issue_token(self, user: str, project: str | None) -> str:
        """Sign a user in and give the token, of no scope without a project."""
        who = {"name": user, "domain": _DOMAIN, "password": self.password}
        auth: dict[str, object] = {"identity": {"methods": ["password"], "password": {"user": who}}}
        auth["scope"] = {"project": {"name": project, "domain": _DOMAIN}} if project else "unscoped"
        body = json.dumps({"auth": auth}).encode()
        answer = urllib3.request("POST", f"{self.url}/auth/tokens", body=body, headers={"Content-Type": "application/json"}, timeout=30)
        assert answer.status == 201, answer.data
        return answer.headers["X-Subject-Token"]

    @functools.cached_property
    def _admin_token(self) -> str:
        return self.issue_token(ADMIN, ADMIN)

    def _ask(self, method: str, path: str, form: object = None) -> Any:  # noqa: ANN401 - whatever JSON says
        headers = {"X-Auth-Token": self._admin_token, "Content-Type": "application/json"}
        body = None if form is None else json.dumps(form).encode()
        answer = urllib3.request(method, self.url + path, body=body, headers=headers, timeout=30)
        assert answer.status < 300, answer.data
        return json.loads(answer.data or b"null")


@contextmanager
def running_keystone(folder: Path) -> Iterator[Keystone]:
    """Make a Keystone and run it on a free loopback port until the end of the block."""
    password = secrets.token_hex()
    command = [str(OPENSTACK_PROGRAMS / "python"), "-W", "ignore", str(_PROGRAM), str(folder), password]
    told = (folder / "stderr").open("w", encoding="utf-8")
    pipe = subprocess.PIPE
    with told, subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=told, text=True, env=surroundings({})) as process:
        timer = threading.Timer(_START_SECONDS, process.kill)
        timer.start()
        try:
            url = ((process.stdout and process.stdout.readline()) or "").strip()
            timer.cancel()
            assert url, "Keystone did not start:\n" + (folder / "stderr").read_text(encoding="utf-8")
            yield Keystone(url, password)
        finally:
            timer.cancel()
            process.kill()
