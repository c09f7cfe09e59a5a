"""Batches that the ledger refuses: when one of them no longer holds up those after it.

Owns the counting of refusals. A batch that is set aside stays in the spool, unacknowledged, and is tried again from time to time.
"""

from collections.abc import Collection
from dataclasses import dataclass

from venturi.services.agent.delivery.config import DeliveryConfig


@dataclass
class _Refusal:
    since: float
    last: float
    sentence: str
    count: int = 0
    aside: bool = False


class Refusals:
    """What was refused of one spool, by sequence; times are in seconds by the monotonic clock."""

    def __init__(self, config: DeliveryConfig) -> None:
        self._config = config
        self._spool_id = ""
        self._refused: dict[int, _Refusal] = {}

    @property
    def aside(self) -> tuple[int, ...]:
        """The batches that are set aside, in order."""
        return tuple(sorted(sequence for sequence, refusal in self._refused.items() if refusal.aside))

    @property
    def problem(self) -> str:
        """What the ledger said of the first batch that is set aside, empty where none is."""
        if not self.aside:
            return ""
        return f"the ledger refuses {len(self.aside)} batches, which are set aside in the spool: {self._refused[self.aside[0]].sentence}"

    def keep(self, spool_id: str, undelivered: Collection[int]) -> None:
        """Forget what is no batch of this spool that is still to be delivered."""
        known = self._refused if spool_id == self._spool_id else {}
        self._refused = {sequence: refusal for sequence, refusal in known.items() if sequence in undelivered}
        self._spool_id = spool_id

    def note(self, sequence: int, sentence: str, now: float) -> bool:
        """Note that a batch was refused, and tell whether it is set aside: it was refused often and long enough, and few others are."""
        refusal = self._refused.setdefault(sequence, _Refusal(now, now, sentence))
        refusal.count, refusal.last, refusal.sentence = refusal.count + 1, now, sentence
        persistent = refusal.count >= self._config.refusals and now - refusal.since >= self._config.refusal_patience
        refusal.aside = refusal.aside or (persistent and len(self.aside) < self._config.most_aside)
        return refusal.aside

    def is_resting(self, sequence: int, now: float) -> bool:
        """Tell whether a batch is set aside and was tried lately."""
        refusal = self._refused.get(sequence)
        return refusal is not None and refusal.aside and now - refusal.last < self._config.standing_age

    def forget(self, sequence: int) -> None:
        """Forget the refusals of a batch that was accepted."""
        self._refused.pop(sequence, None)
