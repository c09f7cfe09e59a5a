"""A server with traffic of known amount, and browsers at it."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.support.batches import SpoolOfTests, make_batch_label, make_batch_point, make_interval, part_usage, send_form
from tests.support.server import BY_PLAN_FILES, ServerProcess, make_token, running_server
from tests.web.browsing import Browser

USAGE = [(0, 0, 10, 1_000), (0, 1, 40, 60_000), (1, 1, 5, 500), (2, 0, 2, 200)]
"""What passes in a minute: by label, direction, packets and octets."""

MINUTES = 30


@dataclass(frozen=True)
class Site:
    """A server, its tokens by caller, and the labels and the point that its batches name."""

    server: ServerProcess
    tokens: dict[str, str]
    labels: dict[str, str]
    point: str

    def browser(self, caller: str) -> Browser:
        """Give the browser of a caller, signed in."""
        browser = Browser(self.server)
        assert browser.sign_in(self.tokens[caller]).status == 303
        return browser


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server that asks for tokens: half an hour of traffic of two projects and of a shared label at one point."""
    folder = tmp_path_factory.mktemp("site")
    database = f"sqlite:///{folder / 'venturi.db'}"
    tokens = {"admin": make_token(database, name="ops"), "agent": make_token(database, "agent", agent_id="agent-1", host="edge-1")}
    tokens |= {f"{role} of {project}": make_token(database, role, project) for role in ("reader", "manager") for project in ("shop", "lab")}
    with running_server(folder, "--auth", "token", database=database, config=BY_PLAN_FILES) as server:
        headers = {"X-Auth-Token": tokens["admin"]}
        names = {"web": ("shop", False), "measuring": ("lab", False), "everything": ("default", True)}
        ids = {name: _make_label(server, headers, name, *owner) for name, owner in names.items()}
        place = {"kind": "interface", "name": "uplink", "host": "edge-1", "device": "eth0", "shared": True, "project_id": "default"}
        point = server.request("POST", "/v1/observation-points", headers=headers, form=place).json()["id"]
        labels = [make_batch_label(name, project_id=project, shared=shared) for name, (project, shared) in names.items()]
        labels = [type(label)(ids[label.name], label.name, label.project_id, label.shared) for label in labels]
        batch_point = make_batch_point("uplink", project_id="default", shared=True)
        batch_point = type(batch_point)(point, "uplink", "default", True, "interface")
        spool = SpoolOfTests(points=[batch_point], labels=labels)
        intervals = [part_usage(make_interval(minute, usage=USAGE, unmatched=(1, 70)), labels) for minute in range(MINUTES)]
        posted = {"X-Auth-Token": tokens["agent"], "Content-Type": "application/vnd.venturi.batch"}
        answer = server.request("POST", "/v1/batches", headers=posted, body=send_form(spool.seal(*intervals)))
        assert answer.status == 200, answer.data
        yield Site(server, tokens, ids, point)


def _make_label(server: ServerProcess, headers: dict[str, str], name: str, project_id: str, shared: bool) -> str:
    form = {"metering_label": {"name": name, "project_id": project_id, "shared": shared}}
    answer = server.request("POST", "/v2.0/metering/metering-labels", headers=headers, form=form)
    assert answer.status == 201, answer.data
    return str(answer.json()["metering_label"]["id"])
