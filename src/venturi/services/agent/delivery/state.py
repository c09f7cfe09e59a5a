"""How delivery stands, for logs, metrics and the status of the agent.

Owns the phases.
"""

from dataclasses import dataclass
from enum import StrEnum


class DeliveryPhase(StrEnum):
    """What delivery is about."""

    STOPPED = "stopped"
    DELIVERING = "delivering"
    IDLE = "idle"
    """All that was recorded is with the ledger."""
    INCOMPLETE = "incomplete"
    """Batches that the ledger refuses are set aside; all else that was recorded is with the ledger."""
    RETRYING = "retrying"
    """The last try failed; another follows."""
    ROLLED_BACK = "rolled_back"
    """The ledger has more than the spool: the spool must be renewed before anything is delivered."""


@dataclass(frozen=True, kw_only=True)
class DeliveryState:
    """The phase; ``problem`` is the sentence of what stands in the way, empty if nothing does.

    ``sequence`` is that of the batch acknowledged last since the start, ``acknowledged`` the number of those, ``failures`` the tries that
    failed since the last that did not, and ``lost`` the batches that the ledger lacks and the spool no longer holds. ``refused`` are the
    sequences of those that are set aside.
    """

    phase: DeliveryPhase = DeliveryPhase.STOPPED
    problem: str = ""
    sequence: int = 0
    acknowledged: int = 0
    failures: int = 0
    lost: int = 0
    refused: tuple[int, ...] = ()
