"""Usage in a store for tests of what reports it: roll-ups, written past the posting of batches, and points of the control plane.

Owns the making of versions, bins and coverage from records in a short spelling. Times are seconds after ``NOON``.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, insert, update

from tests.support.databases import writing_connection
from venturi.adapters.store.schema.ledger_tables import (
    LEDGER_COVERAGE_BINS,
    LEDGER_INTERVALS,
    LEDGER_LABEL_BINS,
    LEDGER_LABEL_VERSIONS,
    LEDGER_OWNER_BINS,
    LEDGER_OWNERS,
    LEDGER_POINT_BINS,
    LEDGER_POINT_VERSIONS,
    LEDGER_ROLLER,
    LEDGER_STATE,
    RESOLUTIONS,
)
from venturi.adapters.store.schema.tables import OBSERVATION_POINTS, OBSERVATION_POINTS_HISTORY, REVISION_COUNTER, REVISIONS
from venturi.adapters.store.tables.point_rows import write_point
from venturi.core.domain.coverage import Coverage
from venturi.core.domain.direction import DirectionCode
from venturi.core.domain.interval import SECOND
from venturi.core.domain.point import InterfacePlace, ObservationPoint, PointKind
from venturi.core.ledger.batch import HIGHEST
from venturi.core.ledger.bins import BIN, DAY, HOUR, cut
from venturi.core.ledger.covering import state_in_bin
from venturi.core.ledger.roll_ups import OwnerCounts, PointCounts

NOON = 1_772_366_400
"""2026-03-01T12:00:00Z, in seconds since the UTC epoch."""


def version_id(number: int) -> str:
    """Give the id of the label or point that a number of a version stands for."""
    return f"00000000-0000-4000-8000-{number:012d}"


@dataclass(frozen=True)
class KnownVersion:
    """A label or point as the ledger knows it; ``of`` is the number that its id is made of, by default that of the version.

    All points are of one boundary unless theirs is another.
    """

    number: int
    project_id: str = "p1"
    shared: bool = False
    name: str = ""
    of: int = 0
    boundary: str = "edge"

    def row(self, kind: str) -> dict[str, object]:
        """Give the row of its version."""
        identifier = version_id(self.of or self.number)
        name = self.name or f"{kind} {self.number}"
        return {"id": self.number, f"{kind}_id": identifier, "name": name, "project_id": self.project_id, "shared": self.shared}


@dataclass(frozen=True)
class MeteredRecord:
    """What a device at a point told of a time, and what labels counted, each other packets: (label version, direction, packets, octets)."""

    point: int
    start: float
    end: float
    usage: Sequence[tuple[int, DirectionCode, int, int]] = ()
    coverage: Coverage = Coverage.COMPLETE
    reason: str = ""
    place: int = 1
    unmatched: int = 0


@dataclass(frozen=True)
class KeptPoint:
    """A point of the control plane, by the number that its id is made of, from its creation to its deletion."""

    number: int
    created: float
    deleted: float | None = None
    project_id: str = "p1"
    shared: bool = False


@dataclass
class _Bins:
    owner_of: dict[int, int]
    totalled: bool
    owners: defaultdict[tuple[int, ...], list[int]] = field(default_factory=lambda: defaultdict(lambda: [0] * len(OwnerCounts._fields)))
    usage: defaultdict[tuple[int, ...], list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    totals: defaultdict[tuple[int, ...], list[int]] = field(default_factory=lambda: defaultdict(lambda: [0] * len(PointCounts._fields)))
    coverage: defaultdict[tuple[object, ...], list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))

    def add(self, record: MeteredRecord, width: int) -> None:
        """Add a record to the bins of one width."""
        parts = cut(round((NOON + record.start) * SECOND), round((NOON + record.end) * SECOND), width)
        for part in parts:
            key = (RESOLUTIONS[width], part.bin_start)
            told = self.coverage[
                *key, record.point, record.place, state_in_bin(parts[0], width, record.coverage).value, record.reason, "wire"
            ]
            told[0] += part.end - part.start
            for label, direction, packets, octets in record.usage:
                shares = part.share(packets), part.share(octets)
                _add(self.usage[*key, label, record.point, direction], shares)
                _add(self.owners[*key, self.owner_of[label], record.point, direction], (*shares, 0, 0, *shares))
                if self.totalled:
                    _add(self.totals[*key, record.point, direction], shares)
            if record.unmatched:
                unmatched = part.share(record.unmatched)
                _add(self.totals[*key, record.point, DirectionCode.EGRESS], (0, unmatched, 0, unmatched))


def _add(sums: list[int], shares: Sequence[int]) -> None:
    for place, share in enumerate(shares):
        sums[place] += share


def fill(
    database: str,
    labels: Sequence[KnownVersion],
    points: Sequence[KnownVersion],
    records: Sequence[MeteredRecord],
    *,
    totalled: bool = False,
) -> None:
    """Write what the ledger would hold after ``records``; what labels counted is in the totals of points if these are ``totalled``."""
    owners = {owner: number for number, owner in enumerate(dict.fromkeys((label.project_id, label.shared) for label in labels), 1)}
    bins = _Bins({label.number: owners[label.project_id, label.shared] for label in labels}, totalled)
    for record in records:
        bins.add(record, BIN)
        bins.add(record, HOUR)
        bins.add(record, DAY)
    with writing_connection(database) as connection:
        if labels:
            connection.execute(insert(LEDGER_LABEL_VERSIONS), [label.row("label") for label in labels])
            connection.execute(
                insert(LEDGER_OWNERS), [{"id": owners[owner], "project_id": owner[0], "shared": owner[1]} for owner in owners]
            )
        connection.execute(
            insert(LEDGER_POINT_VERSIONS), [point.row("point") | {"kind": "interface", "boundary": point.boundary} for point in points]
        )
        _insert_intervals(connection, records)
        filled = (
            (LEDGER_LABEL_BINS, bins.usage),
            (LEDGER_OWNER_BINS, bins.owners),
            (LEDGER_POINT_BINS, bins.totals),
            (LEDGER_COVERAGE_BINS, bins.coverage),
        )
        for table, rows in filled:
            names = [column.name for column in table.columns]
            held = [(key, sums) for key, sums in sorted(rows.items()) if max(sums) <= HIGHEST]  # a day that no bin can hold is in none
            if held:
                connection.execute(insert(table), [dict(zip(names, (*key, *sums), strict=True)) for key, sums in held])


def keep_points(database: str, points: Sequence[KeptPoint]) -> None:
    """Write what the control plane would hold after points were created, and some deleted."""
    times = sorted({*(point.created for point in points), *(point.deleted for point in points if point.deleted is not None)})
    revisions = {time: number for number, time in enumerate(times, 1)}
    with writing_connection(database) as connection:
        rows = [{"number": revisions[time], "at": round((NOON + time) * SECOND), "author": "", "project_id": ""} for time in times]
        connection.execute(insert(REVISIONS), rows)
        connection.execute(update(REVISION_COUNTER).values(number=len(times)))
        for point in points:
            place = InterfacePlace(host="edge-1", device=f"eth{point.number}")
            made = ObservationPoint(
                id=version_id(point.number),
                name=f"point {point.number}",
                kind=PointKind.INTERFACE,
                project_id=point.project_id,
                shared=point.shared,
                place=place,
            )
            columns = write_point(made) | {"valid_from": revisions[point.created]}
            if point.deleted is None:
                connection.execute(insert(OBSERVATION_POINTS), [columns])
            else:
                del columns["place_key"]
                connection.execute(insert(OBSERVATION_POINTS_HISTORY), [columns | {"valid_to": revisions[point.deleted]}])


def _insert_intervals(connection: Connection, records: Sequence[MeteredRecord]) -> None:
    connection.execute(update(LEDGER_STATE).values(posting=1))
    connection.execute(update(LEDGER_ROLLER).values(rolled=1, closed_until=1 << 62))
    known = {"posting": 1, "generation": 1, "overlapping": False}
    connection.execute(
        insert(LEDGER_INTERVALS),
        [
            known
            | {
                "ordinal": ordinal,
                "point_version": record.point,
                "place": record.place,
                "coverage": record.coverage,
                "reason": record.reason,
            }
            | {"start_at": round((NOON + record.start) * SECOND), "end_at": round((NOON + record.end) * SECOND)}
            for ordinal, record in enumerate(records)
        ],
    )
