"""Callers of a server that asks for tokens, by role and project, for tests of what each may do."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.server import ServerProcess, make_token, running_server

LABELS = "/v2.0/metering/metering-labels"
RULES = "/v2.0/metering/metering-label-rules"


@dataclass(frozen=True)
class Caller:
    """Somebody who asks a server; without a secret, nobody in particular."""

    server: ServerProcess
    project: str
    secret: str = ""

    def send(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes, Mapping[str, str]]:
        """Give status, body and headers of an answer."""
        if self.secret:
            headers = {**headers, "X-Auth-Token": self.secret}
        answer = self.server.request(method, path, headers=headers, body=body)
        return answer.status, answer.data, answer.headers

    def ask(self, method: str, path: str, form: object = None, **headers: str) -> tuple[int, Any]:
        """Give status and JSON document of an answer, None for an empty one."""
        status, body, _ = self.send(method, path, None if form is None else json.dumps(form).encode(), **headers)
        return status, json.loads(body) if body else None

    def make_label(self, **attributes: object) -> str:
        """Make a label that must come to be, and give its id."""
        status, document = self.ask("POST", LABELS, {"metering_label": attributes})
        assert status == 201, document
        return str(document["metering_label"]["id"])

    def make_rule(self, label_id: str, **attributes: object) -> str:
        """Make a rule that must come to be, and give its id."""
        rule = {"metering_label_id": label_id, "direction": "ingress", **attributes}
        status, document = self.ask("POST", RULES, {"metering_label_rule": rule})
        assert status == 201, document
        return str(document["metering_label_rule"]["id"])

    def wipe(self) -> None:
        """Delete every label that the caller sees."""
        for label in self.ask("GET", LABELS)[1]["metering_labels"]:
            status, document = self.ask("DELETE", f"{LABELS}/{label['id']}")
            assert status == 204, document


@contextmanager
def serving(folder: Path, callers: Mapping[str, tuple[str, str]], database: str = "") -> Iterator[dict[str, Caller]]:
    """Serve callers, each with a role and a project, by tokens; gives them by name while the server runs."""
    database = database or f"sqlite:///{folder / 'venturi.db'}"
    bound = {"agent": {"agent_id": "agent-1", "host": "edge-1"}}
    secrets = {name: make_token(database, role, project, **bound.get(role, {})) for name, (role, project) in callers.items()}
    environment = {"VENTURI_TRUSTED_PROXIES": "127.0.0.1"}
    with running_server(folder, "--auth", "token", database=database, environment=environment) as server:
        yield {name: Caller(server, callers[name][1], secret) for name, secret in secrets.items()}
