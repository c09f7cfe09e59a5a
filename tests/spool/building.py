"""Makes what an agent would hand to its spool, and tells what a spool holds, whatever was coalesced in it."""

import hashlib
from collections import Counter
from pathlib import Path

import numpy as np
import structlog

from venturi.adapters.spool.config import SpoolConfig
from venturi.adapters.spool.spool import Spool
from venturi.adapters.spool.tables.intervals import read_intervals
from venturi.adapters.spool.values import GenerationState, LastReading, Moment, Recording, SpooledGeneration
from venturi.core.classify.pair_totals import PairTotals
from venturi.core.domain.counts import Counts
from venturi.core.domain.direction import Direction
from venturi.core.domain.generation import Generation, MeteredDevice
from venturi.core.domain.interval import SECOND
from venturi.core.domain.label import LabelWithRules, MeteringLabel, MeteringLabelRule
from venturi.core.domain.prefix import Prefix
from venturi.core.ledger.batch import BatchLabel, BatchPoint, DirectionTotals, MeteredInterval, UsageRow, decode_batch
from venturi.core.ledger.recorded import LabelSet, RecordedInterval

BEGIN = 1_700_000_040 * SECOND
"""When the metering of these tests begins: a border of a minute, and not of 5."""

READING = 10 * SECOND
LOG = structlog.wrap_logger(structlog.testing.CapturingLogger(), wrapper_class=structlog.make_filtering_bound_logger(0), processors=[])
POINT = BatchPoint("6b6f9f5e", "uplink", "", True, "interface")
DEVICE = MeteredDevice(point_id=POINT.id, device="eth0", namespace="qrouter-1")
LABELS = LabelSet(tuple(BatchLabel(f"label-{number}", f"customer {number}", "a project", False) for number in range(40)))
CLASSIFIER = tuple(
    LabelWithRules(
        MeteringLabel(id=label.id, name=label.name),
        (
            MeteringLabelRule(
                id="", metering_label_id=label.id, direction=Direction.INGRESS, source_ip_prefix=Prefix.parse(f"2001:db8:{number}::/48")
            ),
        ),
    )
    for number, label in enumerate(LABELS.labels)
)


def open_spool(path: Path, *, limit: int = 1 << 30, reserve: int = 4096, batch_rows: int = 50_000) -> Spool:
    """Give a spool, started."""
    spool = Spool(SpoolConfig(path=path, agent_id="agent-1", limit=limit, reserve=reserve, batch_rows=batch_rows), LOG)
    spool.start()
    return spool


def moment_of(reading: int) -> Moment:
    """Give the time of a reading, from 0."""
    return Moment(wall=BEGIN + reading * READING, monotonic=reading * READING, boot_id="a boot")


def spooled_generation(spool: Spool, number: int = 1) -> SpooledGeneration:
    """Give a generation of the spool's own, to be entered."""
    generation = Generation(id=f"{number:032x}", spool_id=spool.spool_id, digest=f"{number:064x}")
    return SpooledGeneration(generation=generation, metered=DEVICE, point=POINT, driver="memory", revision=7, entered=moment_of(0))


def totals_of(reading: int) -> PairTotals:
    """Give the totals of a reading: it counts 3 packets of 100 octets of every label."""
    pairs = len(LABELS.labels)
    packets = np.full(pairs, 3 * reading, dtype=np.int64)
    zeros = np.zeros(pairs, dtype=np.uint8)
    return PairTotals(zeros, zeros + 6, np.arange(pairs, dtype=np.int32), zeros.astype(np.int32), packets, packets * 100)


def interval_of(reading: int, generation: str = "", *, place: str = DEVICE.place, **changes: object) -> RecordedInterval:
    """Give the interval before a reading."""
    packets = 3 * len(LABELS.labels)
    interval = MeteredInterval(
        point=0,
        place=place,
        start=BEGIN + (reading - 1) * READING,
        end=BEGIN + reading * READING,
        generation=generation,
        totals=[DirectionTotals(0, packets, packets * 100)],
        usage=[UsageRow(number, 0, 3, 300) for number in range(len(LABELS.labels))],
    )
    return RecordedInterval(POINT, LABELS, _changed(interval, changes))


def _changed(interval: MeteredInterval, changes: dict[str, object]) -> MeteredInterval:
    return MeteredInterval(**{**{name: getattr(interval, name) for name in interval.__struct_fields__}, **changes})


def recording_of(reading: int, generation: str, state: GenerationState = GenerationState.COUNTING) -> Recording:
    """Give what a reading comes to where one generation counts."""
    last = LastReading(moment=moment_of(reading), pairs=totals_of(reading), unattributed={Direction.EGRESS: Counts(0, 0)})
    return Recording(
        moment=moment_of(reading), readings={generation: last}, states={generation: state}, intervals=[interval_of(reading, generation)]
    )


def contents_of(spool: Spool) -> str:
    """Identify what a spool must hold: coalescing changes nothing of it, nor does it matter how many acknowledged batches are left."""
    parts: list[object] = [spool.spool_id, spool.boot_id, spool.head()]
    for spooled in spool.generations():
        last = None if spooled.last is None else (spooled.last.moment, [column.tolist() for column in spooled.last.pairs])
        parts.append((spooled.generation, spooled.state, spool.classifier(spooled.generation.digest) == CLASSIFIER, last))
    parts.extend(sorted(counted_octets(waiting_of(spool)).items()))
    parts.extend(spool.batch(sequence) for sequence in spool.undelivered(spool.head().sequence))
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def waiting_of(spool: Spool) -> list[RecordedInterval]:
    """List the intervals that are in no batch yet, in the order in which they will be."""
    with spool._database.transaction() as connection:
        return list(read_intervals(connection, [row[0] for row in connection.execute("SELECT id FROM intervals ORDER BY id")]))


def sealed_of(spool: Spool) -> list[RecordedInterval]:
    """List the intervals of all batches that the spool holds, with empty label sets."""
    batches = [decode_batch(sealed.payload) for number in range(1, spool.head().sequence + 1) if (sealed := spool.batch(number))]
    return [RecordedInterval(batch.points[entry.point], LabelSet(()), entry) for batch in batches for entry in batch.intervals]


def counted_octets(recorded: list[RecordedInterval]) -> Counter[tuple[str, str]]:
    """Sum the octets of totals by place and generation."""
    octets: Counter[tuple[str, str]] = Counter()
    for entry in recorded:
        octets[entry.interval.place, entry.interval.generation] += sum(total.octets for total in entry.interval.totals)
    return octets
