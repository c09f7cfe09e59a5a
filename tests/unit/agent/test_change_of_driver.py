"""An agent that is given another driver, and killed at any step of taking over: nothing is counted twice, nothing lost untold."""

from pathlib import Path

import pytest

from tests.support.agent.world import AgentWorld, KillableDriver
from tests.unit.agent.plans import NET_TEN, UPLINK, make_plan
from venturi.adapters.drivers.hook_drivers import HookDrivers
from venturi.adapters.drivers.memory_host import MemoryHost, PassingPackets
from venturi.adapters.drivers.protocol import DriverName
from venturi.adapters.spool.spool import Spool
from venturi.core.domain.point import Hook

STEPS = 16
"""More than there are in a take-over at which an agent can be killed."""


class OtherDriver(KillableDriver):
    """A driver with another name."""

    name = DriverName.NFTABLES


class TwoDriverWorld(AgentWorld):
    """A host on which two drivers can count, in tables of their own; the ``other`` one from ``change`` on."""

    def __init__(self, folder: Path) -> None:
        self.other = MemoryHost()
        self.other.add_device(UPLINK.device)
        self.changed = False
        super().__init__(folder)

    def make_drivers(self, spool: Spool) -> HookDrivers:
        drivers = KillableDriver(self.host, self.fuse), OtherDriver(self.other, self.fuse)
        chosen, before = reversed(drivers) if self.changed else drivers
        made = HookDrivers(dict.fromkeys(Hook, chosen), {}, [before])
        made.start({spooled.driver for spooled in spool.generations()})
        return made

    def let_pass(self, passing: PassingPackets) -> None:
        super().let_pass(passing)
        self.other.count(passing)

    def change(self) -> None:
        """Stop the agent, and start it with the other driver."""
        self.kill()
        self.changed = True
        self.send(UPLINK, 20)
        self.start()


@pytest.fixture
def two_drivers(tmp_path: Path) -> TwoDriverWorld:
    """An agent that counts at the uplink, with something recorded and something only counted."""
    world = TwoDriverWorld(tmp_path)
    world.host.add_device(UPLINK.device)
    world.follow(make_plan(NET_TEN, points=("uplink",)))
    for _ in range(7):
        world.tick()
        world.send(UPLINK, 10)
    return world


@pytest.mark.parametrize("steps", range(STEPS))
def test_an_agent_may_be_killed_while_one_driver_takes_over(two_drivers: TwoDriverWorld, steps: int) -> None:
    world = two_drivers
    world.change()
    world.fuse.steps = steps
    world.watch()
    assert world.alive or steps < STEPS - 1
    world.send(UPLINK, 30)
    if not world.alive:
        world.start()
    world.tick()
    world.send(UPLINK, 40)
    assert len(world.other.tables) == 1
    world.finish()
    assert world.host.tables == {}
    counted = sum(each.octets for each in world.posted if each.interval.coverage != "gap")
    assert counted in {160, 130}, "what passes between death and restart lies in the gap, or was counted by the driver before"
    world.check()


def test_a_driver_that_cannot_run_any_more_leaves_a_gap(two_drivers: TwoDriverWorld) -> None:
    world = two_drivers
    world.host.tables.clear()
    world.change()
    world.tick()
    world.send(UPLINK, 40)
    world.finish()
    assert ("gap", "counters_lost") in {(each.interval.coverage, each.interval.reason) for each in world.posted}
    world.check()
