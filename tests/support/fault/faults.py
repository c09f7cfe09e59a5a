"""What goes wrong, by name: each fault is done to a world that runs, which is left running.

Owns the faults and which of them may cause a gap.
"""

import random
import time
from collections.abc import Callable

from tests.support.fault.world import FaultWorld
from venturi.core.domain.coverage import CoverageReason

Fault = Callable[[FaultWorld, random.Random], None]

_LONGEST_OUTAGE = 1.5
_NOTICED = 2.5
"""An outage after which every agent has tried to deliver in vain, and asks the ledger anew what it has."""


def kill_agent(world: FaultWorld, chance: random.Random) -> None:
    """Kill the agent, and begin it again after a while."""
    world.agent.kill()
    time.sleep(chance.random() * _LONGEST_OUTAGE)
    world.agent.begin()


def kill_server(world: FaultWorld, chance: random.Random) -> None:
    """Kill the server, and begin it again after a while."""
    world.server.kill()
    time.sleep(chance.random() * _LONGEST_OUTAGE)
    world.server.begin()


def kill_database(world: FaultWorld, chance: random.Random) -> None:
    """Kill the database under the server, and begin both again."""
    world.parts.database.kill()
    time.sleep(chance.random() * _LONGEST_OUTAGE)
    world.parts.database.begin()
    world.await_server()


def kill_everything(world: FaultWorld, chance: random.Random) -> None:
    """Kill agent, server and database at once."""
    world.agent.kill()
    world.server.kill()
    world.parts.database.kill()
    time.sleep(chance.random() * _LONGEST_OUTAGE)
    world.parts.database.begin()
    world.server.begin()
    world.agent.begin()


def fill_agent_disk(world: FaultWorld, chance: random.Random) -> None:
    """Leave no room for the spool for a while."""
    world.parts.agent_disk.fill()
    time.sleep(0.5 + chance.random() * 2)
    world.parts.agent_disk.free()


def fill_server_disk(world: FaultWorld, chance: random.Random) -> None:
    """Leave no room for the database for a while."""
    world.parts.server_disk.fill()
    time.sleep(0.5 + chance.random() * 2)
    world.parts.server_disk.free()
    world.parts.database.begin()
    world.await_server()


def unsettle_network(world: FaultWorld, chance: random.Random) -> None:
    """Begin to drop, delay, duplicate and truncate what agent and server say to each other, and go on with that; or cease to."""
    world.relay.unruly = not world.relay.unruly
    time.sleep(1 + chance.random())


def cut_network(world: FaultWorld, chance: random.Random) -> None:
    """Let agent and server not reach each other."""
    world.relay.cut = True
    time.sleep(0.5 + chance.random() * _LONGEST_OUTAGE)
    world.relay.cut = False


def keep_database(world: FaultWorld, _chance: random.Random) -> None:
    """Keep a copy of the database."""
    _copy_database(world, world.parts.database.keep)


def restore_database(world: FaultWorld, _chance: random.Random) -> None:
    """Go back to the copy of the database that was kept last."""
    world.restored = True
    _copy_database(world, world.parts.database.go_back)


def kill_database_and_agent(world: FaultWorld, chance: random.Random) -> None:
    """Kill the database and the agent at once, but not the server."""
    world.agent.kill()
    world.parts.database.kill()
    time.sleep(chance.random() * _LONGEST_OUTAGE)
    world.agent.begin()
    world.parts.database.begin()
    world.await_server()


def kill_agent_without_room(world: FaultWorld, chance: random.Random) -> None:
    """Kill the agent while there is no room for its spool; whether it can begin or not, it runs once there is."""
    world.parts.agent_disk.fill()
    time.sleep(chance.random())
    world.agent.kill()
    world.agent.begin()
    time.sleep(1 + chance.random())
    world.parts.agent_disk.free()
    world.agent.begin()


def keep_spool(world: FaultWorld, chance: random.Random) -> None:
    """Keep a copy of the spool, and let the agent go on for a while."""
    world.keep_spool()
    time.sleep(1 + chance.random())


def roll_back_spool(world: FaultWorld, chance: random.Random) -> None:
    """Go back to a copy of the spool."""
    world.roll_back_spool()
    time.sleep(chance.random())


def lose_spool(world: FaultWorld, chance: random.Random) -> None:
    """Remove the spool."""
    world.lose_spool()
    time.sleep(1 + chance.random())


def renew_uplink(world: FaultWorld, chance: random.Random) -> None:
    """Remove the device that is metered, and make it anew."""
    world.network.renew_uplink()
    time.sleep(1 + chance.random())


def renew_router(world: FaultWorld, chance: random.Random) -> None:
    """Remove the namespace of the router, and make it anew."""
    world.network.renew_router()
    time.sleep(1 + chance.random())


def _copy_database(world: FaultWorld, copy: Callable[[], None]) -> None:
    """Copy it or put the copy back; a server whose database runs apart from it goes on meanwhile."""
    if not world.parts.database.apart:
        world.server.kill()
    world.parts.database.kill()
    copy()
    time.sleep(_NOTICED)
    world.parts.database.begin()
    world.await_server()


LOSSLESS: tuple[Fault, ...] = (
    kill_agent,
    kill_server,
    kill_database,
    kill_everything,
    kill_database_and_agent,
    fill_server_disk,
    unsettle_network,
    cut_network,
)
"""After which every octet is in the ledger."""

RESTORING: tuple[Fault, ...] = (keep_database, restore_database)
"""After which every octet is in the ledger, because the spool still has what the ledger lost."""

FILLING: tuple[Fault, ...] = (fill_agent_disk, kill_agent_without_room)
"""After which every octet is in the ledger, unless that is restored later: a full spool gives up what was acknowledged to go on."""

LOSSY: dict[Fault, tuple[CoverageReason, ...]] = {
    renew_uplink: (CoverageReason.DEVICE_GONE,),
    renew_router: (CoverageReason.DEVICE_GONE,),
    roll_back_spool: (CoverageReason.SPOOL_ROLLED_BACK,),
    lose_spool: (CoverageReason.FOREIGN_COUNTERS, CoverageReason.MISSING),
}
"""After which there are gaps for these reasons."""

MIXED = (
    CoverageReason.DEVICE_GONE,
    CoverageReason.SPOOL_ROLLED_BACK,
    CoverageReason.FOREIGN_COUNTERS,
    CoverageReason.MISSING,
    CoverageReason.COUNTERS_LOST,
    CoverageReason.NOT_METERED,
)
"""For which reasons there may be gaps where all of this happens to one world."""
