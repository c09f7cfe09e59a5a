"""The handshake: what the ledger has is compared with what the spool holds, before anything is delivered.

Owns the rule by which a spool that was rolled back is told from a ledger that was.
"""

from dataclasses import dataclass

from venturi.adapters.client.ledger import LedgerClient, SpoolStanding
from venturi.adapters.spool.spool import Spool


@dataclass(frozen=True)
class Agreement:
    """What comes of a handshake: the batches to send, in order, how many the ledger lacks that are not held any more, and its highest.

    ``again`` counts the batches to send that the ledger had acknowledged, and lacks: it was restored from a backup.
    """

    undelivered: list[int]
    lost: int
    highest: int
    again: int


def shake_hands(spool: Spool, ledger: LedgerClient) -> Agreement | None:
    """Ask the ledger what it has, and agree on what to send; None where the spool was rolled back.

    It was if the ledger has a sequence that the spool has not come to, or has another batch than the spool under the highest. A ledger
    restored from a backup is behind, and is sent what it lacks of the batches still held. Raises as ``LedgerClient.standing`` does.
    """
    standing = ledger.standing(spool.spool_id)
    held = spool.digest(standing.highest)
    if standing.highest > spool.head().sequence or (held is not None and held.hex() != standing.digest):
        return None
    undelivered = spool.undelivered(standing.highest, standing.missing)
    lacking = _lacking(standing, undelivered)
    lost = _wanting(standing, spool.head().sequence) - len(lacking)
    return Agreement(undelivered, max(0, lost), standing.highest, spool.count_acknowledged(lacking))


def _wanting(standing: SpoolStanding, head: int) -> int:
    """Count the sequences up to ``head`` that the ledger lacks."""
    holes = sum(max(0, last - first + 1) for first, last in standing.missing)
    return holes + head - standing.highest


def _lacking(standing: SpoolStanding, sequences: list[int]) -> list[int]:
    """Choose the sequences that the ledger lacks."""
    return [n for n in sequences if n > standing.highest or any(first <= n <= last for first, last in standing.missing)]
