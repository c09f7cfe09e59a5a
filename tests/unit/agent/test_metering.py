"""What the agent records, step by step."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import cast

import pytest

from tests.support.agent.world import REPORT_INTERVAL, AgentWorld, Posted
from tests.unit.agent.plans import GATEWAY, NET_ELEVEN, NET_TEN, POINTS, UPLINK, make_plan
from venturi.core.domain.errors import DriverError
from venturi.core.domain.interval import SECOND
from venturi.core.domain.label import LabelWithRules
from venturi.core.ledger.checks import LONGEST_INTERVAL
from venturi.services.agent.observing import AgentAlarm
from venturi.services.agent.plan import AgentPlan, UnknownPoint
from venturi.services.agent.running import AgentRun, RunningParts

TEN, ELEVEN = 0x0A000001, 0x0B000001


@pytest.fixture
def world(tmp_path: Path) -> AgentWorld:
    made = AgentWorld(tmp_path)
    made.host.add_device("eth0")
    made.host.add_device("inside")
    return made


def run(world: AgentWorld, seconds: int) -> None:
    for _ in range(seconds // 10):
        world.tick()


def told(world: AgentWorld, place: str = "eth0") -> list[tuple[str, str, int]]:
    return [(each.interval.coverage, each.interval.reason, each.octets) for each in world.intervals(place)]


def usage(posted: Posted) -> dict[str, int]:
    return {posted.labels[row.label].name: row.octets for row in posted.interval.usage}


def test_a_quiet_minute_and_one_with_traffic(world: AgentWorld) -> None:
    world.follow(make_plan(NET_TEN))
    world.watch()
    world.send(UPLINK, 100, source=TEN)
    world.send(UPLINK, 40, source=ELEVEN)
    run(world, 120)
    world.deliver()
    first, second = world.intervals("eth0")
    assert usage(first) == {"ten": 100}
    assert first.interval.totals[0].unmatched_octets == 40
    assert (second.interval.coverage, second.octets) == ("complete", 0)
    assert second.interval.start == first.interval.end
    assert second.interval.end // REPORT_INTERVAL > second.interval.start // REPORT_INTERVAL
    world.finish()
    world.check()


def test_a_change_of_rules_is_attributed_by_the_rules_of_then(world: AgentWorld) -> None:
    world.follow(make_plan(NET_TEN))
    world.watch()
    world.send(UPLINK, 100, source=ELEVEN)
    world.follow(make_plan(NET_TEN, NET_ELEVEN, revision=2))
    world.tick(1)
    world.send(UPLINK, 7, source=ELEVEN)
    world.finish()
    before, after = world.intervals("eth0")
    assert [usage(each) for each in (before, after)] == [{}, {"eleven": 7}]
    assert [each.interval.revision for each in (before, after)] == [1, 2]
    assert before.interval.end == after.interval.start
    assert len(world.host.tables) == 1
    world.check()


def test_a_rename_changes_nothing_in_the_kernel(world: AgentWorld) -> None:
    world.follow(make_plan(NET_TEN))
    world.watch()
    generation = set(world.host.tables)
    world.send(UPLINK, 100, source=TEN)
    renamed = LabelWithRules(replace(NET_TEN.label, name="ten anew"), NET_TEN.rules)
    world.follow(make_plan(renamed, revision=2))
    run(world, 60)
    assert set(world.host.tables) == generation
    world.finish()
    assert usage(world.intervals("eth0")[0]) == {"ten anew": 100}


def test_an_agent_that_was_away_records_one_long_interval(world: AgentWorld) -> None:
    world.follow(make_plan(NET_TEN))
    run(world, 60)
    world.kill()
    world.send(UPLINK, 500, source=TEN)
    world.advance(3600)
    world.start()
    run(world, 20)
    world.deliver()
    longest = max(world.intervals("eth0"), key=lambda each: each.interval.end - each.interval.start)
    assert (longest.octets, longest.interval.coverage) == (500, "complete")
    assert longest.interval.end - longest.interval.start > 3600 * SECOND
    world.finish()
    world.check()


@pytest.mark.parametrize(
    ("point", "reason"), [pytest.param(UPLINK, "not_metered", id="interface"), pytest.param(GATEWAY, "", id="a router elsewhere")]
)
def test_a_point_without_its_device(world: AgentWorld, point: object, reason: str) -> None:
    world.host.remove_device("eth0")
    world.follow(make_plan(NET_TEN))
    run(world, 120)
    world.kill()
    world.advance(600)
    world.start()
    world.finish()
    place = UPLINK.place if point is UPLINK else GATEWAY.place
    gaps = world.intervals(place)
    assert {each.interval.reason for each in gaps} == ({reason} if reason else set())
    if gaps:
        assert gaps[-1].interval.end - gaps[0].interval.start > 720 * SECOND


def test_a_device_that_is_made_anew_leaves_a_gap(world: AgentWorld) -> None:
    world.follow(make_plan(NET_TEN))
    run(world, 60)
    world.send(UPLINK, 10)
    world.host.add_device("eth0")
    world.send(UPLINK, 30)
    world.tick(1)
    world.send(UPLINK, 50)
    world.finish()
    assert [each for each in told(world) if each[2]] == [("gap", "device_gone", 10), ("complete", "", 50)]
    assert AgentAlarm.COVERAGE_LOST in world.alarms.raised
    world.check()


def test_a_reboot_leaves_a_gap_from_the_last_reading_on(world: AgentWorld) -> None:
    world.follow(make_plan(NET_TEN))
    run(world, 60)
    world.send(UPLINK, 10)
    world.reboot()
    world.advance(100)
    world.start()
    world.tick(1)
    world.send(UPLINK, 50)
    world.finish()
    assert {(coverage, reason) for coverage, reason, _ in told(world) if coverage == "gap"} == {("gap", "counters_lost")}
    world.check()


def test_counters_that_somebody_removed_leave_a_gap(world: AgentWorld) -> None:
    world.follow(make_plan(NET_TEN))
    run(world, 60)
    world.send(UPLINK, 10)
    world.host.remove_tables()
    world.tick(10)
    world.tick(1)
    world.send(UPLINK, 50)
    world.finish()
    assert {each for each in told(world) if each[0] == "gap"} == {("gap", "counters_lost", 0)}
    world.check()


def test_another_spool_s_counters_are_replaced_and_a_gap(world: AgentWorld, tmp_path: Path) -> None:
    world.follow(make_plan(NET_TEN))
    world.watch()
    world.send(UPLINK, 10)
    world.kill()
    for path in tmp_path.glob("spool.db*"):
        path.unlink()
    world.start()
    world.tick(1)
    world.send(UPLINK, 50)
    world.finish()
    assert [each for each in told(world) if each[2] or each[0] == "gap"] == [("gap", "foreign_counters", 0), ("complete", "", 50)]
    assert len(world.host.tables) == 1


def test_a_spool_that_was_rolled_back_begins_anew(world: AgentWorld) -> None:
    world.follow(make_plan(NET_TEN))
    run(world, 60)
    world.kill()
    world.copy_spool()
    world.start()
    world.send(UPLINK, 10)
    run(world, 60)
    world.deliver()
    world.send(UPLINK, 20)
    world.kill()
    world.restore_spool()
    world.start()
    world.send(UPLINK, 40)
    run(world, 60)
    world.deliver()
    world.send(UPLINK, 80)
    world.finish()
    assert "spool_rolled_back" in {reason for _, reason, _ in told(world)}
    assert sum(octets for coverage, _, octets in told(world) if coverage == "complete") == 10 + 80
    world.check()


def test_a_gap_is_told_once_when_a_spool_begins_anew(world: AgentWorld) -> None:
    world.host.remove_device("eth0")
    world.follow(make_plan(NET_TEN))
    run(world, 90)
    world.kill()
    world.copy_spool()
    world.start()
    world.deliver()
    world.kill()
    world.restore_spool()
    world.start()
    run(world, 10)
    world.posted.clear()
    world.finish()
    gaps = [each.interval for each in world.intervals("eth0")]
    assert gaps
    assert all(one.end <= other.start for one, other in pairwise(gaps))


def test_a_driver_that_refuses_new_rules_goes_on_by_the_old(world: AgentWorld) -> None:
    world.follow(make_plan(NET_TEN))
    world.watch()
    world.host.refuse("no room")
    world.follow(make_plan(NET_ELEVEN, revision=2))
    run(world, 60)
    world.send(UPLINK, 10, source=TEN)
    assert AgentAlarm.APPLY_REFUSED in world.alarms.raised
    world.host.refuse("")
    run(world, 20)
    world.send(UPLINK, 20, source=ELEVEN)
    world.finish()
    assert [usage(each) for each in world.intervals("eth0") if each.octets] == [{"ten": 10}, {"eleven": 20}]
    world.check()


def test_a_device_that_another_process_meters_is_a_gap(world: AgentWorld) -> None:
    world.view.held.add("eth0")
    world.follow(make_plan(NET_TEN))
    run(world, 60)
    assert world.host.tables == {}
    world.view.held.clear()
    world.send(UPLINK, 5)
    run(world, 20)
    world.finish()
    assert told(world)[0][:2] == ("gap", "not_metered")
    assert AgentAlarm.DEVICE_HELD in world.alarms.raised
    world.check()


def test_a_bypass_makes_coverage_partial(world: AgentWorld) -> None:
    world.follow(make_plan(NET_TEN))
    world.view.bypassed.add("eth0")
    run(world, 60)
    world.view.bypassed.clear()
    run(world, 120)
    world.finish()
    assert [each[:2] for each in told(world)][:3] == [("partial", "bypass"), ("partial", "bypass"), ("complete", "")]


def test_a_full_spool_loses_nothing(world: AgentWorld) -> None:
    world.follow(make_plan(NET_TEN))
    world.watch()
    assert world.spool is not None
    world.spool.full = True
    world.send(UPLINK, 10)
    run(world, 180)
    assert AgentAlarm.SPOOL_REFUSED in world.alarms.raised
    world.spool.full = False
    run(world, 60)
    world.send(UPLINK, 30)
    world.finish()
    assert sum(octets for _, _, octets in told(world)) == 40
    assert {coverage for coverage, _, _ in told(world)} == {"complete"}
    world.check()


@pytest.mark.parametrize("reboots", [pytest.param(False, id="while metering"), pytest.param(True, id="while the host is down")])
def test_a_clock_that_is_set_by_years_makes_no_interval_that_a_ledger_refuses(world: AgentWorld, reboots: bool) -> None:
    world.follow(make_plan(NET_TEN))
    run(world, 30)
    world.send(UPLINK, 10)
    run(world, 10)
    if reboots:
        world.reboot()
    world.advance(1)
    world.wall += 20_000 * 86400 * SECOND
    if reboots:
        world.start()
    run(world, 30)
    world.finish()
    assert sum(octets for _, _, octets in told(world)) == (0 if reboots else 10)
    assert all(each.interval.end - each.interval.start <= LONGEST_INTERVAL for each in world.posted)


def test_a_host_that_refuses_ends_no_agent(world: AgentWorld) -> None:
    def refuse() -> None:
        message = "the kernel cannot be spoken to: No buffer space available"
        raise DriverError(message)

    parts = SimpleNamespace(observer=world.alarms, new_metering=lambda: None)
    run_of_agent = AgentRun(cast("RunningParts", parts), Event(), lambda: None)
    run_of_agent._do(refuse)
    assert world.alarms.raised == [AgentAlarm.READING_FAILED]


def test_a_router_comes_and_goes(world: AgentWorld) -> None:
    world.follow(make_plan(NET_TEN))
    run(world, 60)
    world.host.add_device("qg-1", "qrouter-r1")
    world.send(GATEWAY, 1)
    world.tick(1)
    world.send(GATEWAY, 10)
    run(world, 60)
    world.send(GATEWAY, 100)
    world.host.remove_namespace("qrouter-r1")
    world.tick(1)
    world.finish()
    place = told(world, GATEWAY.place)
    assert place[0] == ("gap", "not_metered", 0)
    assert [each for each in place if each[2]] == [("complete", "", 10)]
    assert place[-1][:2] == ("gap", "device_gone")
    world.check()


def test_a_router_whose_namespace_cannot_be_entered_is_a_gap(world: AgentWorld) -> None:
    world.host.add_device("qg-1", "qrouter-r1")
    world.view.closed.add("qrouter-r1")
    world.follow(make_plan(NET_TEN))
    run(world, 120)
    assert AgentAlarm.COVERAGE_LOST in world.alarms.raised
    world.view.closed.clear()
    world.tick(1)
    world.send(GATEWAY, 10)
    world.finish()
    assert {each[:2] for each in told(world, "qrouter-r1/qg-")} == {("gap", "not_metered")}
    assert [each for each in told(world, GATEWAY.place) if each[2]] == [("complete", "", 10)]
    world.check()


def test_a_wall_clock_that_is_set_back_makes_no_interval_overlap(world: AgentWorld) -> None:
    world.follow(make_plan(NET_TEN))
    run(world, 60)
    world.wall -= 90 * SECOND
    for _ in range(30):
        world.send(UPLINK, 3)
        world.tick()
    world.wall += 500 * SECOND
    run(world, 60)
    world.finish()
    assert AgentAlarm.CLOCK_STEP in world.alarms.raised
    assert sum(octets for _, _, octets in told(world)) == 90
    world.check()


def with_unknown_uplink() -> AgentPlan:
    """Make the plan of a router and of an uplink at a hook that is not known."""
    uplink = UnknownPoint(id="uplink", name="Uplink", problem="hook 'xdp'", located=POINTS["uplink"])
    cloud = UnknownPoint(id="cloud", name="Cloud", problem="kind 'cloud'")
    return replace(make_plan(NET_TEN, points=("router",)), unknown=(uplink, cloud))


def test_a_point_that_is_not_known_is_a_gap_and_the_others_are_metered(world: AgentWorld) -> None:
    world.host.add_device("qg-1", "qrouter-r1")
    world.follow(with_unknown_uplink())
    world.watch()
    assert world.alarms.raised.count(AgentAlarm.POINT_UNKNOWN) == 2
    assert AgentAlarm.COVERAGE_LOST not in world.alarms.raised
    world.send(UPLINK, 100, source=TEN)
    world.send(GATEWAY, 40, source=TEN)
    run(world, 120)
    world.deliver()
    assert told(world) == [("gap", "not_metered", 0)] * 2
    assert told(world, "qrouter-r1/qg-1") == [("complete", "", 40), ("complete", "", 0)]
    assert {posted.point_id for posted in world.posted} == {"uplink", "router"}


def test_a_point_that_comes_to_be_unknown_is_metered_until_then_and_again_by_a_version_that_knows_it(world: AgentWorld) -> None:
    world.follow(make_plan(NET_TEN))
    world.watch()
    world.send(UPLINK, 100, source=TEN)
    run(world, 30)
    world.follow(with_unknown_uplink())
    world.watch()
    assert [each.name for each in world.metering.unknown_points] == ["Uplink", "Cloud"]
    world.send(UPLINK, 40, source=TEN)
    run(world, 60)
    world.kill()
    world.plan = make_plan(NET_TEN)
    world.start()
    world.watch()
    world.send(UPLINK, 20, source=TEN)
    run(world, 120)
    world.deliver()
    kept = [each for each in told(world) if each[2]]
    assert kept == [("complete", "", 100), ("complete", "", 20)]
    assert ("gap", "not_metered", 0) in told(world)
    ends = [(each.interval.start, each.interval.end) for each in world.intervals("eth0")]
    assert all(before[1] == after[0] for before, after in pairwise(ends)), "no time is without a word"
