"""The real agent at a real router: what it records is what was sent, whatever is done to it."""

import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.agent.process import AgentFiles, running_agent
from tests.support.kernel.router import INNER, OUTER, Router, run
from tests.support.tools import needs
from venturi.core.classify.reference import Passage
from venturi.core.domain.direction import Direction
from venturi.core.ledger.batch import MeteredInterval

pytestmark = [pytest.mark.root, needs("ip", "nft")]

TEN = Passage(Direction.EGRESS, 4, 0x0A000001, 0xC6330001)
ELEVEN = Passage(Direction.EGRESS, 4, 0x0B000001, 0xC6330001)


def send(router: Router, passage: Passage, packets: int) -> None:
    router.send([passage] * packets, [100] * packets)


def metered(files: AgentFiles) -> list[MeteredInterval]:
    return [interval for batch in files.recorded() for interval in batch.intervals]


def usage(files: AgentFiles) -> dict[str, int]:
    """Sum the packets of each label that are recorded."""
    sums: dict[str, int] = {}
    for batch in files.recorded():
        for interval in batch.intervals:
            for row in interval.usage:
                name = batch.labels[row.label].name
                sums[name] = sums.get(name, 0) + row.packets
    return sums


def test_an_agent_that_is_stopped_killed_and_given_other_rules(files: AgentFiles, router: Router) -> None:
    files.write_plan(router, {"ten": "10.0.0.0/8"})
    with running_agent(files) as agent:
        agent.wait_for_log("metering")
        send(router, TEN, 5)
        assert agent.stop() == 0
    send(router, TEN, 7)
    with running_agent(files) as agent:
        agent.wait_for_log("found")
        send(router, TEN, 11)
        agent.kill()
    send(router, ELEVEN, 2)
    files.write_plan(router, {"ten": "10.0.0.0/8", "eleven": "11.0.0.0/8"})
    with running_agent(files) as agent:
        agent.wait_for_log("metering")
        send(router, TEN, 13)
        send(router, ELEVEN, 17)
        assert agent.stop() == 0
    assert usage(files) == {"ten": 36, "eleven": 17}
    intervals = metered(files)
    assert {interval.coverage for interval in intervals} == {"complete"}
    assert sum(total.packets for interval in intervals for total in interval.totals) == 55
    assert sum(total.unmatched_packets for interval in intervals for total in interval.totals) == 2
    assert [one.end for one in intervals[:-1]] == [other.start for other in intervals[1:]]


def test_a_device_that_is_made_anew_leaves_a_gap(files: AgentFiles, router: Router) -> None:
    files.write_plan(router, {"ten": "10.0.0.0/8"})
    with running_agent(files) as agent:
        agent.wait_for_log("metering")
        send(router, TEN, 5)
        run("ip", "-n", router.namespace, "link", "set", OUTER, "down")
        run("ip", "-n", router.namespace, "link", "delete", OUTER)
        agent.wait_for_log("alarm")
        run("ip", "-n", router.namespace, "link", "add", OUTER, "type", "veth", "peer", "name", "other0")
        agent.wait_for_log("metering", 2)
        assert agent.stop() == 0
    intervals = metered(files)
    assert {(each.coverage, each.reason) for each in intervals} >= {("complete", ""), ("gap", "device_gone")}
    assert usage(files) == {"ten": 5}


def test_a_second_agent_does_not_meter_the_same_device(files: AgentFiles, router: Router, tmp_path: Path) -> None:
    files.write_plan(router, {"ten": "10.0.0.0/8"})
    (tmp_path / "second").mkdir()
    second = AgentFiles(tmp_path / "second", "nftables")
    second.write_plan(router, {"ten": "10.0.0.0/8"})
    with ExitStack() as running:
        first = running.enter_context(running_agent(files))
        first.wait_for_log("metering")
        other = running.enter_context(running_agent(second))
        other.wait_for_log("plan")
        other.wait_for_log("alarm")
        assert '"device_held"' in other.log.read_text(encoding="utf-8")
        assert files.status()["running"] is True
        purged = subprocess.run(files.command("purge"), env=files.environment, capture_output=True, text=True, check=False)
        assert purged.returncode == 13
        assert "stop it first" in purged.stderr
        assert other.stop() == 0
        assert first.stop() == 0
    assert {each.coverage for each in metered(second)} == {"gap"}
    assert files.status()["running"] is False


def test_an_agent_leaves_alone_what_another_counts_that_is_dead(files: AgentFiles, router: Router, tmp_path: Path) -> None:
    files.write_plan(router, {"ten": "10.0.0.0/8"})
    (tmp_path / "second").mkdir()
    second = AgentFiles(tmp_path / "second", files.driver)
    second.environment = files.environment
    second.write_plan(router, {"ten": "10.0.0.0/8"}, device=INNER)
    with running_agent(files) as first:
        first.wait_for_log("metering")
        first.kill()
    send(router, TEN, 3)
    with running_agent(second) as other:
        other.wait_for_log("metering")
        assert other.stop() == 0
    with running_agent(files) as first:
        first.wait_for_log("found")
        assert first.stop() == 0
    assert usage(files) == {"ten": 3}
    assert {each.coverage for each in metered(files)} == {"complete"}


def test_an_agent_meters_though_the_address_of_its_metrics_does_not_exist(files: AgentFiles, router: Router) -> None:
    files.write_plan(router, {"ten": "10.0.0.0/8"})
    with running_agent(files, None, "--metrics", "192.0.2.1:9") as agent:
        agent.wait_for_log("metering")
        agent.wait_for_log("metrics cannot be served; it is tried again")
        send(router, TEN, 5)
        assert agent.stop() == 0
    assert usage(files) == {"ten": 5}
