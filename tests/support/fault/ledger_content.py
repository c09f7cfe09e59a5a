"""What the ledger of a world holds, read past the server.

Owns the reading. What is right is for ``verdict``.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, select

from tests.support.databases import writing_connection
from tests.support.fault.timeline import Account
from tests.support.fault.world import FaultWorld
from venturi.adapters.laboratory.network import UPLINK
from venturi.adapters.store.schema.ledger_tables import (
    LEDGER_INTERVALS,
    LEDGER_LABEL_BINS,
    LEDGER_LABEL_VERSIONS,
    LEDGER_LONG_INTERVALS,
    LEDGER_MISSING,
    LEDGER_POINT_BINS,
    LEDGER_POINT_VERSIONS,
    LEDGER_ROLLER,
    LEDGER_TOTALS,
    LEDGER_USAGE,
)
from venturi.core.domain.counts import Counts
from venturi.core.domain.direction import DirectionCode

_BIN_SECONDS = 300


@dataclass(frozen=True)
class Recorded:
    """An interval of the uplink, with what it counts by account; times are nanoseconds since the UTC epoch."""

    start: int
    end: int
    coverage: str
    reason: str
    counted: Mapping[Account, Counts]


@dataclass(frozen=True)
class LedgerContent:
    """Intervals in order of time, the roll-ups of 5 minutes by account, and the ranges of batches that are outstanding.

    Traffic had ``begun`` at that time, in nanoseconds since the UTC epoch.
    """

    begun: int
    intervals: tuple[Recorded, ...]
    rolled_up: Mapping[Account, Counts]
    outstanding: tuple[tuple[str, int, int], ...]

    @property
    def last(self) -> int:
        """The end of the latest interval, 0 where there is none."""
        return max((recorded.end for recorded in self.intervals), default=0)

    def total(self) -> Mapping[Account, Counts]:
        """Sum all entries by account."""
        sums: defaultdict[Account, Counts] = defaultdict(Counts)
        for recorded in self.intervals:
            for account, counts in recorded.counted.items():
                sums[account] += counts
        return sums


def read_ledger(world: FaultWorld) -> LedgerContent:
    """Read the whole ledger at one moment."""
    with writing_connection(world.parts.database.url) as connection:
        names = _label_names(connection, world)
        entries = _read_entries(connection, names)
        counting = select(LEDGER_INTERVALS).join(LEDGER_POINT_VERSIONS, LEDGER_POINT_VERSIONS.c.id == LEDGER_INTERVALS.c.point_version)
        rows = connection.execute(counting.where(~LEDGER_POINT_VERSIONS.c.held).order_by(LEDGER_INTERVALS.c.start_at)).all()
        rolled_up = _read_roll_ups(connection, names)
        for row in connection.execute(select(LEDGER_LONG_INTERVALS)):  # in no roll-up
            for account, counts in entries.get((row.posting, row.ordinal), {}).items():
                rolled_up[account] += counts
        long_ones = {(row.posting, row.ordinal) for row in connection.execute(select(LEDGER_LONG_INTERVALS))}
        rolled = connection.execute(select(LEDGER_ROLLER.c.rolled)).scalar_one()
        for row in rows:  # beyond the watermark, where readers add the entries themselves
            if row.posting > rolled and (row.posting, row.ordinal) not in long_ones:
                for account, counts in entries.get((row.posting, row.ordinal), {}).items():
                    rolled_up[account] += counts
        outstanding = tuple((row.spool_id, row.first_sequence, row.last_sequence) for row in connection.execute(select(LEDGER_MISSING)))
    intervals = (Recorded(row.start_at, row.end_at, row.coverage, row.reason, entries.get((row.posting, row.ordinal), {})) for row in rows)
    return LedgerContent(world.timeline.begun, tuple(intervals), rolled_up, outstanding)


def _label_names(connection: Connection, world: FaultWorld) -> dict[int, str]:
    names = {identifier: name for name, identifier in world.label_ids.items()}
    return {row.id: names.get(row.label_id, row.name) for row in connection.execute(select(LEDGER_LABEL_VERSIONS))}


def _read_entries(connection: Connection, names: Mapping[int, str]) -> dict[tuple[int, int], dict[Account, Counts]]:
    """Read what is counted over each interval, which posting and ordinal name."""
    entries: defaultdict[tuple[int, int], dict[Account, Counts]] = defaultdict(dict)
    for row in connection.execute(select(LEDGER_USAGE)):
        account = names[row.label_version], DirectionCode(row.direction).direction
        entries[row.posting, row.interval_ordinal][account] = Counts(row.packets, row.octets)
    for row in connection.execute(select(LEDGER_TOTALS)):
        account = UPLINK, DirectionCode(row.direction).direction
        entries[row.posting, row.interval_ordinal][account] = Counts(row.packets, row.octets)
    return entries


def _read_roll_ups(connection: Connection, names: Mapping[int, str]) -> defaultdict[Account, Counts]:
    sums: defaultdict[Account, Counts] = defaultdict(Counts)
    for row in connection.execute(select(LEDGER_LABEL_BINS).where(LEDGER_LABEL_BINS.c.resolution == _BIN_SECONDS)):
        sums[names[row.label_version], DirectionCode(row.direction).direction] += Counts(row.packets, row.octets)
    for row in connection.execute(select(LEDGER_POINT_BINS).where(LEDGER_POINT_BINS.c.resolution == _BIN_SECONDS)):
        sums[UPLINK, DirectionCode(row.direction).direction] += Counts(row.packets, row.octets)
    return sums
