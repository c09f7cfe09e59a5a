"""What an agent can be told.

Owns the settings and their defaults; where they come from is for ``venturi.config``.
"""

from dataclasses import dataclass
from pathlib import Path

import msgspec

from venturi.adapters.client.config import ConnectionConfig
from venturi.adapters.drivers.choice import DriverChoice
from venturi.adapters.server.configuration import Count
from venturi.core.domain.errors import ConfigurationError
from venturi.core.domain.generation import Segments
from venturi.core.ledger.batch import AgentId, HostName
from venturi.core.rules.checks import printable
from venturi.services.agent.schedule import Schedule


@dataclass(frozen=True, kw_only=True)
class AgentSettings:
    """What ``venturi agent`` can be told: the table ``[agent]`` of the configuration file.

    Without ``server``, it is the one that commands ask. With ``plan``, that file is followed instead of a server's plan, and only a
    ``server`` that is named is delivered to. ``host`` is this host's name unless given, ``agent_id`` the host unless given. ``bpffs`` is a
    mounted BPF file system, for eBPF, which is mounted with ``mount_bpffs`` where there is none.
    """

    server: str = ""
    plan: Path | None = None
    driver: DriverChoice = DriverChoice.AUTO
    host: str = ""
    agent_id: str = ""
    spool: Path | None = None
    spool_limit: Count = 2 << 30
    measure_interval: str = "10s"
    report_interval: str = "60s"
    segments: Segments = Segments.WIRE
    bpffs: Path = Path("/sys/fs/bpf")
    mount_bpffs: bool = False
    metrics: str = ""
    ca_file: Path | None = None
    insecure_token: bool = False


@dataclass(frozen=True, kw_only=True)
class AgentConfig:
    """What an agent is built of; ``server`` is None where nothing is delivered, ``plan`` where the server's plan is followed.

    ``metrics`` is the address at which they are served, None for nowhere.
    """

    agent_id: str
    host: str
    spool: Path
    spool_limit: int
    schedule: Schedule
    server: ConnectionConfig | None
    plan: Path | None
    metrics: tuple[str, int] | None

    def __post_init__(self) -> None:
        """Refuse, with ``ConfigurationError``, names under which no ledger would take a batch."""
        for setting, name, form in (("agent.agent_id", self.agent_id, AgentId), ("agent.host", self.host, HostName)):
            try:
                msgspec.convert(name, form)
            except msgspec.ValidationError as error:
                message = f"{setting}: '{printable(name)}' is no name: letters, digits and ._:@- that begin with a letter or digit"
                raise ConfigurationError(message) from error
