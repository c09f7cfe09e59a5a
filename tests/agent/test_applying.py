"""A prefix that moves from one label to another under load counts for exactly one of them at any time: one revision, one generation."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.agent.test_with_a_server import TEN, read_claims
from tests.support.agent.process import SECONDS, AgentFiles, running_agent
from tests.support.databases import open_store
from tests.support.kernel.router import OUTER, Router
from tests.support.server import ServerProcess, running_server
from tests.support.tools import needs
from venturi.main import run

pytestmark = [pytest.mark.root, needs("ip", "nft")]

MOVES = 4
RULE = {"direction": "egress", "source_ip_prefix": "10.0.0.0/8"}


def write_rules(path: Path, holder: str) -> None:
    """Write a rules file in which one of two labels has the prefix."""
    labels = [{"name": name, "project_id": "p", "shared": True, "rules": [RULE] if name == holder else []} for name in ("one", "two")]
    path.write_text(json.dumps({"labels": labels}), encoding="utf-8")


def packets_by_label(server: ServerProcess) -> dict[str, int]:
    """Ask for the packets of the last hours by the names of labels."""
    start, end = (time.strftime("%Y-%m-%dT%H:00:00Z", time.gmtime(time.time() + seconds)) for seconds in (-7200, 7200))
    answer: dict[str, Any] = server.request("GET", f"/v1/usage?from={start}&to={end}").json()
    found: dict[str, int] = {}
    for interval in answer["intervals"]:
        for row in interval["usage"]:
            found[row["label_name"]] = found.get(row["label_name"], 0) + row["packets"]
    return found


def test_a_prefix_moves_between_labels_and_always_counts_for_one(
    router: Router, files: AgentFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.environment["VENTURI_AGENT_REPORT_INTERVAL"] = "1s"
    rules = tmp_path / "rules.yaml"
    with running_server(tmp_path) as server, running_agent(files, source=("--server", server.url)) as agent:
        monkeypatch.setenv("VENTURI_URL", server.url)
        write_rules(rules, "one")
        assert run(["apply", str(rules)]) == 0
        place = {"kind": "interface", "host": "h", "namespace": router.namespace, "device": OUTER}
        assert server.request("POST", "/v1/observation-points", form={"name": "uplink", "shared": True, **place}).status == 201
        agent.wait_for_log("metering")
        ids = {each["name"]: each["id"] for each in server.request("GET", "/v1/labels").json()["labels"]}
        before = router.forwarded()
        with router.traffic([TEN] * 64, tmp_path):
            for move in range(MOVES):
                write_rules(rules, ("two", "one")[move % 2])
                assert run(["apply", str(rules)]) == 0
                agent.wait_for_log("metering", times=move + 2)
        sent = router.forwarded() - before
        deadline = time.monotonic() + SECONDS
        while sum((counted := packets_by_label(server)).values()) < sent and time.monotonic() < deadline:
            time.sleep(0.2)
        assert agent.stop() == 0
        # Neither for both, nor for none: what the two counted is what was forwarded.
        assert sum(counted.values()) == sent
        assert set(counted) == {"one", "two"}
        assert {each["name"]: each["id"] for each in server.request("GET", "/v1/labels").json()["labels"]} == ids
        # The labels, the point, and one for each move.
        assert len(server.request("GET", "/v1/revisions").json()["revisions"]) == 2 + MOVES
    with open_store(server.database) as store, store.reading() as reader:
        claims = [claim for claim in read_claims(reader) if claim.counted]
    assert {len(claim.label_ids) for claim in claims} == {1}
    assert len({claim.revision for claim in claims}) <= 1 + MOVES
    assert agent.log.read_text(encoding="utf-8").count('"event":"metering"') == 1 + MOVES
