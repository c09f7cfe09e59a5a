"""The commands of an agent that have to do with the kernel.

Owns their words and exit codes.
"""

import sys

from venturi.adapters.logs.configuration import LogConfig
from venturi.adapters.logs.log import running_log
from venturi.adapters.service_manager import notify_service_manager
from venturi.interfaces.agent.drivers import choose_drivers, purge_all
from venturi.interfaces.agent.program import AgentProgram
from venturi.interfaces.signals import ended_by_signals
from venturi.services.agent.configuration import AgentConfig, AgentSettings

_DONE = 0


def meter_host(settings: AgentSettings, config: AgentConfig, logs: LogConfig, service_manager: str | None) -> int:
    """Meter until SIGTERM or Ctrl-C, and tell the service manager at that address when it begins; raises as ``AgentProgram.run`` does."""
    with running_log(sys.stderr, logs) as log:
        drivers = choose_drivers(settings)
        log.info("agent", driver=str(drivers), agent_id=config.agent_id, host=config.host)
        program = AgentProgram(config, drivers, log)
        with ended_by_signals(program.stop):
            program.run(lambda: notify_service_manager(service_manager, "READY=1"))
        log.info("stopped")
    return _DONE


def purge(settings: AgentSettings) -> int:
    """Remove what agents left in the kernel, and say how much that was; raises ``DriverError`` while one meters."""
    sys.stdout.write(f"{purge_all(settings)} generations removed\n")
    return _DONE
