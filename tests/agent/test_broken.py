"""What somebody takes away from a running agent's driver becomes a gap with an alarm, and the agent counts again."""

import time
from pathlib import Path

import pytest

from tests.agent.test_running_agent import TEN, metered, send, usage
from tests.support.agent.process import AgentFiles, running_agent
from tests.support.kernel.breaking import BREAKAGES, Scene
from tests.support.kernel.router import Router
from tests.support.tools import needs

pytestmark = [pytest.mark.root, needs("ip", "nft", "clang", "bpftool")]

BROKEN = (
    "the link of IPv4 is detached",
    "the pin of a link is deleted",
    "the pin of the counters is deleted",
    "the record of the generation is deleted",
    "the link outwards is detached",
    "a rule at the hook is deleted",
    "a rule that accepts is put before",
    "the table is switched off",
    "all rules are listed, flushed and loaded again",
)


@pytest.mark.parametrize("name", BROKEN)
def test_it_is_a_gap_and_no_longer(name: str, router: Router, tmp_path: Path) -> None:
    breakage = BREAKAGES[name]
    files = AgentFiles(tmp_path, breakage.driver)
    files.write_plan(router, {"ten": "10.0.0.0/8"}, hook=breakage.hook)
    with running_agent(files) as agent:
        agent.wait_for_log("metering")
        send(router, TEN, 5)
        breakage.do(Scene(router, Path(files.environment["VENTURI_AGENT_BPFFS"])))
        broken_at = time.time_ns()
        send(router, TEN, 7)
        uncounted_at = time.time_ns()
        agent.wait_for_log("metering", 2)
        assert '"kind":"coverage_lost"' in agent.log.read_text(encoding="utf-8")
        send(router, TEN, 11)
        assert agent.stop() == 0
    gaps = [each for each in metered(files) if each.coverage == "gap"]
    start, end = gaps[0].start, gaps[-1].end
    assert [one.end for one in gaps[:-1]] == [other.start for other in gaps[1:]]
    assert {gap.reason for gap in gaps} <= {"counters_lost", "device_gone"}
    assert start <= broken_at < uncounted_at <= end
    assert {each.coverage for each in metered(files) if each not in gaps} <= {"complete"}
    assert sum(row.packets for each in metered(files) if each.start >= end for row in each.usage) == 11
    assert usage(files).get("ten", 0) <= 23
