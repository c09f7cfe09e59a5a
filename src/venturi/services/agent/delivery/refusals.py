"""Batches that the ledger refuses: which answers are about the batch, and when it no longer holds up those after it.

Owns the counting of refusals. A batch that is set aside stays in the spool, unacknowledged, and is tried again from time to time: another
version of the server may know the word that this one does not.
"""

from collections.abc import Collection
from dataclasses import dataclass

from venturi.core.domain.errors import ConflictError, InvalidRequestError, RequestTooLargeError, ServerError, VenturiError
from venturi.services.agent.delivery.config import DeliveryConfig

_ABOUT_BATCHES = (InvalidRequestError, RequestTooLargeError, ConflictError)
_FAILURES_ABOUT_BATCHES = frozenset({429, 500})
"""Too much of this agent's is held, or the server fails at just this batch; 503 and 408 are about the moment."""


def is_about_batch(error: VenturiError) -> bool:
    """Tell whether another batch might be accepted where this one got ``error``."""
    return isinstance(error, _ABOUT_BATCHES) or (isinstance(error, ServerError) and error.answered in _FAILURES_ABOUT_BATCHES)


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
        self._in_a_row = 0

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
        if spool_id != self._spool_id:
            self._in_a_row = 0
        known = self._refused if spool_id == self._spool_id else {}
        self._refused = {sequence: refusal for sequence, refusal in known.items() if sequence in undelivered}
        self._spool_id = spool_id

    def note(self, sequence: int, sentence: str, now: float, *, overtaken: bool) -> bool:
        """Note that a batch was refused, and tell whether it is set aside.

        It is if it was refused often and long enough: longer where many in a row were, so that what waits can still be coalesced, but
        never for good. One that was ``overtaken``, because the ledger has a batch after
        it, holds up nothing and is set aside at once.
        """
        refusal = self._refused.setdefault(sequence, _Refusal(now, now, sentence))
        refusal.count, refusal.last, refusal.sentence = refusal.count + 1, now, sentence
        if not refusal.aside and len(self.aside) < self._config.most_aside_in_all:
            hasty = self._in_a_row < self._config.most_aside
            patience = self._config.refusal_patience if hasty else max(self._config.refusal_patience, self._config.standing_age)
            if refusal.count >= self._config.refusals and now - refusal.since >= patience and not overtaken:
                self._in_a_row += 1
                refusal.aside = True
            refusal.aside |= overtaken
        return refusal.aside

    def is_resting(self, sequence: int, now: float) -> bool:
        """Tell whether a batch is set aside and was tried lately."""
        refusal = self._refused.get(sequence)
        return refusal is not None and refusal.aside and now - refusal.last < self._config.standing_age

    def forget(self, sequence: int) -> None:
        """Forget the refusals of a batch that was accepted."""
        self._in_a_row = 0
        self._refused.pop(sequence, None)
