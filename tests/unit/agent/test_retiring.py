"""What the kernel does not let go is remembered within bounds, told, and tried again until it is gone."""

from pathlib import Path

import pytest

from tests.support.agent.world import AgentWorld
from tests.unit.agent.plans import NET_ELEVEN, NET_TEN, UPLINK, make_plan
from venturi.services.agent.metering.outbox import MOST_UNRETIRED
from venturi.services.agent.observing import AgentAlarm


@pytest.fixture
def world(tmp_path: Path) -> AgentWorld:
    made = AgentWorld(tmp_path)
    made.host.add_device("eth0")
    made.follow(make_plan(NET_TEN))
    made.watch()
    return made


def change_rules(world: AgentWorld, times: int) -> None:
    for number in range(times):
        world.follow(make_plan(NET_TEN, *[NET_ELEVEN] * (number % 2), revision=number + 2))
        world.watch()
        world.send(UPLINK, 100, source=0x0A000001)
        world.tick(1)


def test_it_is_tried_again_until_it_is_gone(world: AgentWorld) -> None:
    world.host.keep("somebody else uses it")
    change_rules(world, 3)
    assert world.metering.unretired == len(world.host.tables) - 1 > 0
    assert AgentAlarm.RETIRE_REFUSED in world.alarms.raised
    world.host.keep("")
    world.tick()
    world.tick()
    assert (world.metering.unretired, len(world.host.tables)) == (0, 1)
    raised = world.alarms.raised.count(AgentAlarm.RETIRE_REFUSED)
    world.tick()
    assert world.alarms.raised.count(AgentAlarm.RETIRE_REFUSED) == raised
    world.finish()
    world.check()


def test_what_went_by_itself_is_no_longer_remembered(world: AgentWorld) -> None:
    world.host.keep("somebody else uses it")
    change_rules(world, 3)
    world.host.remove_tables()
    world.tick()
    world.tick()
    assert world.metering.unretired == 0


def test_memory_is_bounded(world: AgentWorld) -> None:
    world.host.keep("somebody else uses it")
    change_rules(world, MOST_UNRETIRED + 20)
    assert world.metering.unretired == MOST_UNRETIRED
    assert len(world.metering._parts.drivers._of) <= MOST_UNRETIRED + 1
    world.finish()
    world.check()


def test_the_next_agent_tries_again(world: AgentWorld) -> None:
    world.host.keep("somebody else uses it")
    change_rules(world, 3)
    world.host.keep("")
    world.kill()
    world.start()
    world.tick()
    assert len(world.host.tables) == 1
