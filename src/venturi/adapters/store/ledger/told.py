"""What hosts were told, as the ledger checks it: points, classifiers and labels, at the revisions at which they were in plans.

Owns the look-ups. What is recorded, and when, is for ``told_writing``; what becomes of an interval that fails is for the services.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from venturi.core.domain.interval import Nanoseconds
from venturi.core.ledger.batch import BatchLabel, BatchPoint
from venturi.core.ledger.trust import HeldReason


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What an interval of a batch says it was counted by.

    ``classifier`` is the digest in hexadecimal digits and ``revision`` the one at which it came into force; both are empty or 0 in a gap.
    ``label_ids`` are the labels of its usage. ``counted`` says whether it counted any packet. ``end`` is the time of its end.
    """

    point_id: str
    classifier: str
    revision: int
    label_ids: frozenset[str]
    counted: bool
    end: Nanoseconds


@dataclass(frozen=True, kw_only=True)
class Told:
    """What is known of a claim: ``problem`` is None if the host was told what it says.

    ``point`` and ``labels`` (by id) are as they were in the store when the interval ended, while what the host was told held; without a
    problem, ``point`` None means that the host meters by a plan file, and what its batch says is believed. ``told_since`` is the server's
    time of the first revision whose plan of the host had the point; None if there was none, or for a plan file. ``line_rate`` is the
    setting of the point in bits per second, None if it has none.
    """

    problem: HeldReason | None
    point: BatchPoint | None = None
    labels: Mapping[str, BatchLabel] = field(default_factory=dict)
    told_since: Nanoseconds | None = None
    line_rate: int | None = None


BY_PLAN_FILE = Told(problem=None)
"""What is known of every claim of a host that meters by a plan file."""


class ToldMemory:
    """What was looked up before, to be looked up no more; for one thread at a time."""


class ToldRecord:
    """The record of what hosts were told, as one transaction sees it."""

    def __init__(self, connection: Connection, memory: ToldMemory) -> None:
        """Look up by ``connection`` what ``memory`` does not know."""
        self._connection = connection
        self._memory = memory

    def find(self, host: str, claims: Sequence[Claim]) -> list[Told]:
        """Say of each claim of ``host``, in order, whether the host was told so; the statements do not grow with their number.

        Raises ``StoreError`` while the record of a revision that is needed is still being worked out.
        """
        raise NotImplementedError
