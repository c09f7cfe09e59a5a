"""A ledger for tests: posts what spools seal, reads back what came of it, and hears of alarms.

Owns the shape in which tests compare figures.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select

from tests.support.batches import BEGINNING, send_form
from tests.support.control_values import OPERATOR
from venturi.adapters.store.ledger.corrected import COUNT_NAMES
from venturi.adapters.store.ledger.held import HeldSelection
from venturi.adapters.store.schema.ledger_tables import (
    ENTRY_TABLES,
    LEDGER_COVERAGE_BINS,
    LEDGER_LABEL_BINS,
    LEDGER_LABEL_VERSIONS,
    LEDGER_POINT_BINS,
)
from venturi.adapters.store.store import Store
from venturi.core.domain.alarm import Alarm
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.interval import Nanoseconds
from venturi.core.ledger.batch import Envelope
from venturi.core.ledger.bins import DAY
from venturi.services.ledger.configuration import LedgerConfig
from venturi.services.ledger.correcting import CorrectionLine, CorrectionPosting
from venturi.services.ledger.deciding import HeldDecisions
from venturi.services.ledger.posting import Acknowledgement, BatchPosting
from venturi.services.ledger.rolling import Roller
from venturi.services.ledger.trusting import HostTrust

NOW = Nanoseconds(BEGINNING + 30 * DAY)
"""What the clock of a ledger of tests says."""


@dataclass
class LedgerOfTests:
    """A ledger in a store, and the alarms that it raised, by kind.

    Unless ``config`` says otherwise, the hosts of tests meter by plan files, so that tests can name points and labels as they like.
    """

    store: Store
    config: LedgerConfig = field(default_factory=lambda: LedgerConfig(plan_file_hosts=("edge-1", "edge-2", "edge-3")))
    now: Nanoseconds = field(default_factory=lambda: NOW)
    alarms: list[str] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Have a roller of its own."""
        self.roller = Roller(self.store, lambda: self.now, self._alarm)

    def _alarm(self, alarm: Alarm) -> None:
        self.alarms.append(str(alarm.kind))
        self.sentences.append(alarm.sentence)

    @property
    def batches(self) -> BatchPosting:
        trust = HostTrust(self.store, self.config, self._alarm)
        return BatchPosting(self.store, lambda: self.now, self._alarm, trust, self.config)

    def post(self, *envelopes: Envelope, caller: Principal = OPERATOR) -> Acknowledgement:
        """Post batches as they travel, and give the acknowledgement of the last."""
        return [self.batches.post(caller, send_form(envelope)) for envelope in envelopes][-1]

    def correct(self, *lines: tuple[int, int, Sequence[int]], reason: str = "counted twice", correction_id: str | None = None) -> int:
        """Post a correction of entries, each by posting and ordinal with what is added to its counts."""
        filled = [
            CorrectionLine(posting, ordinal, [*counts, *[0] * (len(COUNT_NAMES) - len(counts))]) for posting, ordinal, counts in lines
        ]
        return CorrectionPosting(self.store, lambda: self.now).post(OPERATOR, reason, filled, correction_id)

    @property
    def held(self) -> HeldDecisions:
        return HeldDecisions(self.store, lambda: self.now)

    def held_reasons(self, **selection: Any) -> list[tuple[int, int, str]]:  # noqa: ANN401 - fields of a selection
        """List what is held: posting, ordinal and reason."""
        found = self.held.list(OPERATOR, HeldSelection(**selection), 1000, (0, -1))
        return [(row.posting, row.ordinal, row.held_reason) for row in found]

    def roll(self) -> None:
        """Fold all that is posted into roll-ups."""
        while self.roller.roll():
            pass

    def usage(self, label_id: str, resolution: int = 300) -> dict[tuple[int, int], tuple[int, int]]:
        """Give the roll-up of a label: packets and octets by minute since the beginning and direction."""
        self.roll()
        bins, versions = LEDGER_LABEL_BINS.c, LEDGER_LABEL_VERSIONS.c
        sums = func.sum(bins.packets), func.sum(bins.octets)
        statement = select(bins.start_at, bins.direction, *sums).join(LEDGER_LABEL_VERSIONS, versions.id == bins.label_version)
        wanted = statement.where(versions.label_id == label_id, bins.resolution == resolution).group_by(bins.start_at, bins.direction)
        return {(_minute(row[0]), row[1]): (int(row[2]), int(row[3])) for row in self.rows(wanted)}

    def totals(self, resolution: int = 300) -> dict[tuple[int, int], tuple[int, ...]]:
        """Give the roll-up of all points: the six counts without ``parts`` by minute since the beginning and direction."""
        return {key: counts[:6] for key, counts in self._point_bins(resolution).items()}

    def parts(self, resolution: int = 300) -> dict[tuple[int, int], tuple[int, ...]]:
        """Give of the roll-up of all points what several projects used and what shared labels alone counted, as ``totals`` does."""
        return {key: counts[6:] for key, counts in self._point_bins(resolution).items()}

    def _point_bins(self, resolution: int) -> dict[tuple[int, int], tuple[int, ...]]:
        self.roll()
        bins = LEDGER_POINT_BINS.c
        counts = [func.sum(column) for column in list(bins)[4:]]
        wanted = select(bins.start_at, bins.direction, *counts).where(bins.resolution == resolution).group_by(bins.start_at, bins.direction)
        return {(_minute(row[0]), row[1]): tuple(map(int, row[2:])) for row in self.rows(wanted)}

    def coverage(self, resolution: int = 300) -> dict[tuple[int, str, str], tuple[int, int]]:
        """Give the roll-up of coverage: seconds, and those that overlap, by minute since the beginning, state and reason."""
        self.roll()
        bins = LEDGER_COVERAGE_BINS.c
        key = bins.start_at, bins.coverage, bins.reason
        sums = func.sum(bins.nanoseconds), func.sum(bins.overlapping_nanoseconds)
        wanted = select(*key, *sums).where(bins.resolution == resolution).group_by(*key)
        return {(_minute(row[0]), row[1], row[2]): (int(row[3]) // 10**9, int(row[4]) // 10**9) for row in self.rows(wanted)}

    def counts_of_rows(self) -> list[int]:
        """Give how many postings and entries of each kind there are."""
        return [int(self.rows(select(func.count()).select_from(table))[0][0]) for table in ENTRY_TABLES]

    def rows(self, statement: Any) -> Sequence[Any]:  # noqa: ANN401 - any statement
        with self.store.reading() as reader:
            return reader._transaction.connection.execute(statement).all()

    def spool(self, spool_id: str) -> tuple[int, list[tuple[int, int]]]:
        """Give the highest sequence of a spool and the ranges that are missing."""
        with self.store.reading() as reader:
            found = reader.ledger.spool(spool_id)
        return (0, []) if found is None else (found.highest, list(found.missing))


def _minute(start: int) -> int:
    return (start - BEGINNING) // (60 * 10**9)
