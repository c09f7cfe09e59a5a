"""The drivers of a real agent: one for each hook, and another one than before where the operator says so."""

from pathlib import Path

import pytest

from tests.agent.test_running_agent import TEN, metered, send, usage
from tests.kernel.test_lengths import frame_of, send_from_router
from tests.spec.cases import LENGTH_CASES
from tests.support.agent.process import AgentFiles, running_agent
from tests.support.kernel.router import OUTER, Router, run
from tests.support.tools import needs
from venturi.core.domain.interval import SECOND

pytestmark = [pytest.mark.root, needs("ip", "nft", "clang", "iptables")]


def test_a_point_at_the_device_counts_what_is_on_the_wire(tmp_path: Path, router: Router) -> None:
    files = AgentFiles(tmp_path, "ebpf")
    files.driver = "auto"
    files.write_plan(router, {"inside": "10.0.0.0/8", "wire": "198.18.2.1"}, hook="tc")
    translation = f"-t nat -A POSTROUTING -o {OUTER} -s 10.0.0.0/8 -j SNAT --to-source 198.18.2.1"
    run("ip", "netns", "exec", router.namespace, "iptables-legacy", *translation.split())
    with running_agent(files) as agent:
        agent.wait_for_log("metering")
        send(router, TEN, 5)
        run("ip", "netns", "exec", router.namespace, "bash", "-c", "for each in 1 2 3; do printf x > /dev/udp/198.18.2.2/9; done")
        assert agent.stop() == 0
    assert usage(files) == {"wire": 8}
    assert {interval.coverage for interval in metered(files)} == {"complete"}


def test_what_claims_more_than_its_frame_held_is_shown(tmp_path: Path, router: Router) -> None:
    files = AgentFiles(tmp_path, "ebpf")
    files.write_plan(router, {"ten": "10.0.0.0/8"}, hook="tc")
    forged = next(case for case in LENGTH_CASES if (case.claimed, case.frame) == (65_535, 60))
    with running_agent(files) as agent:
        agent.wait_for_log("metering")
        send_from_router(router, [frame_of(forged, router.router_mac(TEN.direction))] * 100)
        send(router, TEN, 5)
        assert agent.stop() == 0
    places = files.status()["places"]
    assert isinstance(places, list)
    assert [place["bad_ip_headers"] for place in places] == [100]
    assert usage(files) == {"ten": 5}


def test_a_point_at_the_device_is_not_metered_without_a_driver_for_it(tmp_path: Path, router: Router) -> None:
    files = AgentFiles(tmp_path, "nftables")
    files.write_plan(router, {"ten": "10.0.0.0/8"}, hook="tc")
    with running_agent(files) as agent:
        agent.wait_for_log("alarm")
        assert "only eBPF has the hook 'tc'" in agent.log.read_text(encoding="utf-8")
        send(router, TEN, 5)
        assert agent.stop() == 0
    assert {(each.coverage, each.reason) for each in metered(files)} == {("gap", "not_metered")}
    assert usage(files) == {}


@pytest.mark.parametrize(("before", "after"), [("ebpf", "nftables"), ("nftables", "ebpf")])
def test_another_driver_takes_over(tmp_path: Path, router: Router, before: str, after: str) -> None:
    files = AgentFiles(tmp_path, "ebpf")
    files.write_plan(router, {"ten": "10.0.0.0/8"})
    files.driver = before
    with running_agent(files) as agent:
        agent.wait_for_log("metering")
        send(router, TEN, 5)
        assert agent.stop() == 0
    send(router, TEN, 7)
    files.driver = after
    with running_agent(files) as agent:
        agent.wait_for_log("metering")
        send(router, TEN, 11)
        assert agent.stop() == 0
    send(router, TEN, 13)
    files.driver = before
    with running_agent(files) as agent:
        agent.wait_for_log("metering")
        assert agent.stop() == 0
    assert usage(files) == {"ten": 36}
    intervals = metered(files)
    assert [one.end for one in intervals[:-1]] == [other.start for other in intervals[1:]]
    gaps = [each for each in intervals if each.coverage != "complete"]
    assert {(each.coverage, each.reason) for each in gaps} == {("gap", "not_metered")}
    assert len(gaps) == 2
    assert sum(each.end - each.start for each in gaps) < SECOND, gaps
