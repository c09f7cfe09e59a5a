"""What the commands of an agent need, out of settings."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from venturi.composition.extras import require_extras
from venturi.composition.starting import run_logged
from venturi.config.surroundings import agent_spool, config_file, service_manager, spare_threads
from venturi.interfaces.render.resources.view import View

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from venturi.config.settings import AllSettings


def run_agent(config_path: str | None, options: Mapping[str, object]) -> int:
    """Meter this host until SIGTERM or Ctrl-C; give the exit code. ``options`` go before environment and configuration file."""
    require_extras("venturi agent", "agent")
    spare_threads()
    from venturi.config.settings import agent_config
    from venturi.interfaces.agent.commands import meter_host

    def run(settings: "AllSettings", log: "FilteringBoundLogger") -> int:
        return meter_host(
            settings.agent, agent_config(settings.agent), log, config_file=config_file(config_path), service_manager=service_manager()
        )

    return run_logged(config_path, options, run)


def show_agent_status(spool: Path | None, view: View) -> int:
    """Write what the agent of a spool last knew of itself; give the exit code, 1 for an agent that does not run."""
    require_extras("venturi agent status", "agent")
    spare_threads()
    from venturi.interfaces.agent.status import show_status

    return show_status(agent_spool(spool), view)


def purge_drivers(config_path: str | None) -> int:
    """Remove what agents left in the kernel, by every driver that this host can run; give the exit code."""
    require_extras("venturi agent purge", "agent")
    spare_threads()
    from venturi.config.settings import read_settings
    from venturi.interfaces.agent.commands import purge

    return purge(read_settings(config_path, {}).agent)


def examine_host(config_path: str | None, view: View) -> int:
    """Write what this host can count by and what goes around the hook; give the exit code, 0 if a driver can run."""
    require_extras("venturi doctor", "agent")
    spare_threads()
    from venturi.config.settings import read_settings
    from venturi.interfaces.agent.doctor import show_examination

    return show_examination(read_settings(config_path, {}).agent, view)
