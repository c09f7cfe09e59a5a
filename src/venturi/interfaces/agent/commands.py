"""The commands of an agent that have to do with the kernel.

Owns their words and exit codes.
"""

import sys

from structlog.typing import FilteringBoundLogger

from venturi.adapters.service_manager import notify_service_manager
from venturi.interfaces.agent.drivers import choose_drivers, purge_all
from venturi.interfaces.agent.program import AgentProgram
from venturi.interfaces.signals import ended_by_signals
from venturi.services.agent.configuration import AgentConfig, AgentSettings

_DONE = 0


def meter_host(
    settings: AgentSettings, config: AgentConfig, log: FilteringBoundLogger, *, config_file: str | None, service_manager: str | None
) -> int:
    """Meter until SIGTERM or Ctrl-C, and tell the service manager at that address when it begins; raises as ``AgentProgram.run`` does.

    ``config_file`` is where the settings came from, for the log.
    """
    drivers = choose_drivers(settings)
    log.info(
        "agent",
        driver=str(drivers),
        agent_id=config.agent_id,
        host=config.host,
        follows=str(config.plan or (config.server and config.server.url)),
        delivers_to=config.server and config.server.url,
        spool=str(config.spool),
        metrics=config.metrics and "{}:{}".format(*config.metrics),
        config=config_file,
    )
    program = AgentProgram(config, drivers, log)
    with ended_by_signals(program.stop):
        program.run(lambda: notify_service_manager(service_manager, "READY=1"))
    log.info("stopped")
    return _DONE


def purge(settings: AgentSettings) -> int:
    """Remove what agents left in the kernel, and say how much that was; raises ``DriverError`` while one meters."""
    sys.stdout.write(f"{purge_all(settings)} generations removed\n")
    return _DONE
