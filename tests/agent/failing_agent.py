"""An agent whose driver has a fault of the program, which is no error that it tells of.

Run as ``python -m tests.agent.failing_agent FOLDER TABLE-PREFIX``, it fails for good and with little patience.
"""

import sys
from pathlib import Path

from tests.spool.building import LOG
from tests.support.threads import HASTY
from venturi.adapters.drivers.hook_drivers import HookDrivers
from venturi.adapters.drivers.nftables.driver import NftablesConfig, NftablesDriver
from venturi.adapters.threads.supervisor import Patience
from venturi.core.domain.errors import VenturiError
from venturi.core.domain.generation import Generation, MeteredDevice
from venturi.core.domain.interval import SECOND
from venturi.interfaces.agent.program import AgentProgram
from venturi.interfaces.signals import ended_by_signals
from venturi.services.agent.configuration import AgentConfig
from venturi.services.agent.schedule import Schedule

SAID = "nobody expected this"


class FailingDriver(NftablesDriver):
    """Fails whenever it is asked whether it counts, while ``failing``."""

    failing = False

    def is_counting(self, metered: MeteredDevice, generation: Generation) -> bool:
        if self.failing:
            raise RuntimeError(SAID)
        return super().is_counting(metered, generation)


def make_program(folder: Path, driver: FailingDriver, metrics: tuple[str, int] | None = None, patience: Patience = HASTY) -> AgentProgram:
    """Build the agent of a folder with ``plan.json``."""
    config = AgentConfig(
        agent_id="h",
        host="h",
        spool=folder / "spool.db",
        spool_limit=1 << 30,
        schedule=Schedule(SECOND, SECOND),
        server=None,
        plan=folder / "plan.json",
        metrics=metrics,
    )
    return AgentProgram(config, HookDrivers.only(driver), LOG, patience)


def main() -> int:
    """Run until it has failed too often, as the command does."""
    driver = FailingDriver(NftablesConfig(sys.argv[2]))
    driver.failing = True
    program = make_program(Path(sys.argv[1]), driver)
    try:
        with ended_by_signals(program.stop):
            program.run(lambda: None)
    except VenturiError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
