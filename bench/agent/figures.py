"""What is measured of the agent, as values that pass from the measuring process to the one that reports.

Owns names and units; imports nothing large, so that the reporting process stays small.
"""

from dataclasses import dataclass

AGENT_DRIVERS = ("ebpf", "nftables")
"""The drivers that an agent is told to count by."""


@dataclass(frozen=True)
class AgentFigures:
    """What an agent took by one driver, over ``seconds`` in which it metered ``labels``, all of them with traffic.

    ``cpu`` is its processor time in seconds; memory is in octets, that at the end and the most that it had held until then.
    """

    driver: str
    labels: int
    seconds: float
    cpu: float
    resident_octets: int
    peak_octets: int

    @property
    def percent(self) -> float:
        """The part of one core."""
        return self.cpu / self.seconds * 100
