"""A server that is away for 20 seconds and comes back: the agent follows its plan soon, and nothing of that was an error."""

import json
import socket
import time
from pathlib import Path

import pytest

from tests.agent.test_with_a_server import counted, make_plan
from tests.support.agent.process import AgentFiles, running_agent
from tests.support.kernel.router import Router
from tests.support.server import running_server
from tests.support.tools import needs

pytestmark = [pytest.mark.root, needs("ip", "nft")]

OUTAGE_SECONDS = 20.0
FOLLOWING_SECONDS = 5.0


def free_port() -> int:
    """Find a port on which a server can come back."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def test_after_an_outage_the_plan_is_followed_soon(router: Router, tmp_path: Path) -> None:
    files = AgentFiles(tmp_path, "nftables")
    files.environment["VENTURI_AGENT_REPORT_INTERVAL"] = "1s"
    listening = ("--listen", f"127.0.0.1:{free_port()}")
    with running_server(tmp_path, *listening) as server, running_agent(files, source=("--server", server.url)) as agent:
        make_plan(server, router)
        agent.wait_for_log("metering")
        assert server.stop() == 0
        time.sleep(OUTAGE_SECONDS)
        with running_server(tmp_path, *listening) as again:
            label = again.request("GET", "/v1/labels").json()["labels"][0]["id"]
            rules = [{"direction": "egress", "source_ip_prefix": "10.0.0.0/16"}]
            assert again.request("PUT", f"/v1/labels/{label}/rules", form={"rules": rules}).status == 200
            back = time.monotonic()
            agent.wait_for_log("metering", times=2)
            assert time.monotonic() - back < FOLLOWING_SECONDS
            assert agent.stop() == 0
            assert counted(again) == 0
    lines = [json.loads(line) for line in agent.log.read_text(encoding="utf-8").splitlines() if line.startswith("{")]
    assert [line for line in lines if line["level"] == "error"] == []
    assert [line for line in lines if line.get("kind") == "plan_refused"] == []
    assert len([line for line in lines if line["event"].startswith("no plan is given")]) == 1
