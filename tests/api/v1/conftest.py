"""Servers for the tests of the own API: one that takes everybody for an administrator, one that asks for tokens."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.server import BY_PLAN_FILES, ServerProcess, make_token, running_server

OWN, OTHER = "own", "other"


@dataclass(frozen=True)
class Caller:
    """Somebody who asks a server; without a secret, nobody in particular."""

    server: ServerProcess
    secret: str = ""

    def ask(self, method: str, path: str, form: object = None, **headers: str) -> tuple[int, Any]:
        """Give status and JSON document of an answer, None for an empty one."""
        if self.secret:
            headers = {**headers, "X-Auth-Token": self.secret}
        answer = self.server.request(method, path, form=form, headers=headers)
        return answer.status, answer.json() if answer.data else None

    def make(self, path: str, form: object) -> dict[str, Any]:
        """Make a resource that must come to be."""
        status, document = self.ask("POST", path, form)
        assert status == 201, document
        return dict(document)

    def make_label(self, **attributes: object) -> str:
        """Make a label with the Networking API and give its id."""
        return str(self.make("/v2.0/metering/metering-labels", {"metering_label": attributes})["metering_label"]["id"])

    def give_rules(self, label_id: str, *rules: Mapping[str, object]) -> None:
        """Replace the rules of a label."""
        status, document = self.ask("PUT", f"/v1/labels/{label_id}/rules", {"rules": rules})
        assert status == 200, document


@pytest.fixture(scope="module")
def anyone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    """A caller of a server that takes everybody for an administrator."""
    with running_server(tmp_path_factory.mktemp("open")) as server:
        yield Caller(server)


@pytest.fixture(scope="module")
def callers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Caller]]:
    """Callers of a server that asks for tokens: by role in the project ``own``, and a manager and a reader of another one."""
    folder = tmp_path_factory.mktemp("closed")
    database = f"sqlite:///{Path(folder) / 'venturi.db'}"
    secrets = {role: make_token(database, role, OWN) for role in ("admin", "manager", "member", "reader", "none")}
    secrets["agent"] = make_token(database, "agent", OWN, agent_id="agent-1", host="edge-1")
    secrets["other manager"] = make_token(database, "manager", OTHER)
    secrets["other reader"] = make_token(database, "reader", OTHER)
    with running_server(folder, "--auth", "token", database=database, config=BY_PLAN_FILES) as server:
        yield {name: Caller(server, secret) for name, secret in secrets.items()}
