"""How an agent delivers: in whose name, how often it tries again, and how long it keeps what was acknowledged."""

from dataclasses import dataclass

from venturi.core.domain.interval import SECOND

_DAY = 86400 * SECOND


@dataclass(frozen=True, kw_only=True)
class DeliveryConfig:
    """Who delivers, and its patience.

    After a failure delivery waits for a random time: at most ``first_pause`` after the first, twice as much after each further one, and
    never more than ``longest_pause`` (seconds) nor, beyond ``first_pause``, than ``outage_share`` of the time that it fails. It asks the
    ledger anew what it has after each failure, and once ``standing_age`` seconds went by. Acknowledged batches are kept for ``retention``
    nanoseconds. A batch that was refused ``refusals`` times, over ``refusal_patience`` seconds at least, no longer holds up those after
    it; over ``standing_age`` seconds, where ``most_aside`` others were set aside in a row, with none accepted between. At most
    ``most_aside_in_all`` are aside at a time.
    """

    agent_id: str
    host: str
    first_pause: float = 1.0
    longest_pause: float = 60.0
    outage_share: float = 0.15
    standing_age: float = 300.0
    retention: int = 7 * _DAY
    refusals: int = 3
    refusal_patience: float = 60.0
    most_aside: int = 16
    most_aside_in_all: int = 1024
