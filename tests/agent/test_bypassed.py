"""Packets that another program kept from the agent's are in no interval that claims to be complete."""

import json
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from tests.agent.test_running_agent import TEN, metered, send, usage
from tests.support.agent.process import SECONDS, AgentFiles, running_agent
from tests.support.kernel.router import OUTER, Router
from tests.support.kernel.tcx import passing_at
from tests.support.tools import needs
from venturi.core.domain.point import Hook

pytestmark = [pytest.mark.root, needs("ip", "clang")]


def test_a_program_that_is_put_before_the_agents_at_the_tc_hook(router: Router, tmp_path: Path) -> None:
    files = AgentFiles(tmp_path, "ebpf")
    files.write_plan(router, {"ten": "10.0.0.0/8"}, hook="tc")
    files.environment["VENTURI_AGENT_REPORT_INTERVAL"] = "1s"
    device = replace(router.metered(), hook=Hook.TC)
    with running_agent(files) as agent:
        agent.wait_for_log("metering")
        send(router, TEN, 5)
        time.sleep(2)
        before = time.time_ns()
        with passing_at(device):
            send(router, TEN, 7)
            assert [row["because"] for row in bypasses(files, router)] == [
                f"'{OUTER}' has a tc program 'lets_pass' before that of venturi (egress), which can pass packets on uncounted"
            ]
            wait_for_coverage(files, "bypassed", wanted=True)
        after = time.time_ns()
        wait_for_coverage(files, "bypassed", wanted=False)
        send(router, TEN, 11)
        assert agent.stop() == 0
    assert usage(files) == {"ten": 16}
    meanwhile = [each for each in metered(files) if each.start < after and before < each.end]
    assert {(each.coverage, each.reason) for each in meanwhile} == {("partial", "bypass")}
    assert {each.coverage for each in metered(files) if each not in meanwhile} >= {"complete"}


@pytest.mark.parametrize("stays", [True, False], ids=["stays", "goes again"])
def test_a_program_that_is_put_before_the_agents_while_no_agent_runs(router: Router, tmp_path: Path, *, stays: bool) -> None:
    files = AgentFiles(tmp_path, "ebpf")
    files.write_plan(router, {"ten": "10.0.0.0/8"}, hook="tc")
    files.environment["VENTURI_AGENT_REPORT_INTERVAL"] = "1s"
    device = replace(router.metered(), hook=Hook.TC)
    with running_agent(files) as agent:
        agent.wait_for_log("metering")
        send(router, TEN, 5)
        assert agent.stop() == 0
    down = time.time_ns()
    with ExitStack() as ahead:
        ahead.enter_context(passing_at(device))
        send(router, TEN, 7)
        if not stays:
            ahead.close()
            send(router, TEN, 11)
        up = time.time_ns()
        with running_agent(files) as agent:
            agent.wait_for_log("found")
            if stays:  # of one that is gone the first status may tell already
                wait_for_coverage(files, "bypassed", wanted=True)
            ahead.close()
            wait_for_coverage(files, "bypassed", wanted=False)
            assert agent.stop() == 0
    assert usage(files) == {"ten": 5 if stays else 16}
    without_agent = [each for each in metered(files) if each.start < up and down < each.end]
    assert {(each.coverage, each.reason) for each in without_agent} == {("partial", "bypass")}
    assert metered(files)[0].coverage == metered(files)[-1].coverage == "complete"


def bypasses(files: AgentFiles, router: Router) -> list[dict[str, str]]:
    """Ask the doctor what goes around the hooks in the router's namespace."""
    command = (sys.executable, "-m", "venturi", "doctor", "-f", "json")
    told = json.loads(subprocess.run(command, env=files.environment, capture_output=True, check=True).stdout)
    return [row for row in told["bypasses"] if row["namespace"] == router.namespace]


def wait_for_coverage(files: AgentFiles, field: str, *, wanted: bool) -> None:
    """Wait until the agent says of its one place that a field is so."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        places = files.status().get("places")
        if isinstance(places, list) and [place[field] for place in places] == [wanted]:
            return
        time.sleep(0.1)
    pytest.fail(f"{field} is not {wanted}: {files.status()}")
