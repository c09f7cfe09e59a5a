"""The proof of a whole ledger, in the order in which a difference tells most.

Owns that order, and what is counted on the way. Nothing is repaired here.
"""

from dataclasses import dataclass, field

from sqlalchemy import func, select

from venturi.adapters.edges import STORE_EDGE
from venturi.adapters.store.ledger.proving.chains import prove_chains
from venturi.adapters.store.ledger.proving.roll_ups import prove_roll_ups
from venturi.adapters.store.ledger.proving.seals import prove_seals
from venturi.adapters.store.maintenance.opening import open_for_reading
from venturi.adapters.store.migrations.running import require_head
from venturi.adapters.store.schema.ledger_tables import LEDGER_SPOOLS, LEDGER_STATE
from venturi.core.domain.progress import UNHEARD, Progress


@dataclass(frozen=True)
class Proof:
    """What was found to be as it was posted, up to the posting ``latest``."""

    postings: int
    entries: int
    spools: int
    bins: int
    latest: int = field(default=0, compare=False)


@STORE_EDGE.function
def prove_ledger(url: str, since: int = 0, progress: Progress = UNHEARD) -> Proof:
    """Prove that a ledger is as it was posted; raises ``LedgerError`` with the first difference, and ``StoreError``.

    With ``since``, a posting that is believed, only what came after it is proved: postings, chains and the roll-ups from the first hour on
    that they add to.
    """
    with open_for_reading(url) as connection:
        require_head(connection)
        postings, entries = prove_seals(connection, progress, since)
        prove_chains(connection)
        bins = prove_roll_ups(connection, progress, since)
        latest = int(connection.execute(select(LEDGER_STATE.c.posting)).scalar_one())
        spools = connection.execute(select(func.count()).select_from(LEDGER_SPOOLS)).scalar_one()
    return Proof(postings, entries, spools, bins, latest)
