"""The records of an agent: what passed a device between two readings, or that it is not known.

Owns the way from readings to recorded intervals.
"""

from venturi.adapters.spool.values import LastReading, Moment
from venturi.core.classify.pair_totals import no_pair_totals
from venturi.core.domain.coverage import Coverage, CoverageReason
from venturi.core.domain.generation import Generation, MeteredDevice, Segments
from venturi.core.ledger.batch import BatchPoint, DirectionTotals, MeteredInterval, ProjectUsage, UsageRow, encode_batch
from venturi.core.ledger.checks import LONGEST_INTERVAL
from venturi.core.ledger.recorded import NO_LABELS, RecordedInterval
from venturi.core.meter.readings.attributing import DirectionUsage, attribute
from venturi.core.meter.readings.totals import Totals, subtract
from venturi.services.agent.classification import Classification


def nothing_read(moment: Moment) -> LastReading:
    """Give the reading of a generation that begins at ``moment``."""
    return LastReading(moment=moment, pairs=no_pair_totals())


def counted_between(earlier: LastReading, later: LastReading) -> Totals | None:
    """Give what was counted between two readings, None where they are not of the same counters."""
    return subtract(Totals(later.pairs, later.unattributed), Totals(earlier.pairs, earlier.unattributed))


def metered_interval(
    point: BatchPoint,
    metered: MeteredDevice,
    span: tuple[Moment, Moment],
    counted: Totals,
    classification: Classification,
    *,
    counted_by: tuple[Generation, int, Segments],
    coverage: tuple[Coverage, CoverageReason] = (Coverage.COMPLETE, CoverageReason.NONE),
) -> RecordedInterval:
    """Record what was counted over a span by a generation, which came into force at a revision."""
    usages = attribute(counted, classification.classifier, classification.owners)
    generation, revision, segments = counted_by
    interval = MeteredInterval(
        point=0,
        place=metered.place,
        start=_start(span),
        end=span[1].wall,
        coverage=coverage[0],
        reason=coverage[1],
        generation=generation.id,
        classifier=generation.digest,
        revision=revision,
        segments=segments,
        totals=[_direction_totals(usage) for usage in usages],
        usage=[row for usage in usages for row in _usage_rows(usage)],
        project_usage=encode_batch([row for usage in usages for row in _project_rows(usage)]),
    )
    return RecordedInterval(point, classification.label_set, interval)


def gap_interval(point: BatchPoint, metered: MeteredDevice, span: tuple[Moment, Moment], reason: CoverageReason) -> RecordedInterval:
    """Record that it is not known what passed over a span."""
    start, end = _start(span), span[1].wall
    interval = MeteredInterval(point=0, place=metered.place, start=start, end=end, coverage=Coverage.GAP, reason=reason)
    return RecordedInterval(point, NO_LABELS, interval)


def _start(span: tuple[Moment, Moment]) -> int:
    """Tell when an interval begins.

    One that is longer than a ledger takes, as after a clock is set for the first time, is as long as the monotonic clock says, unless the
    host was started anew meanwhile.
    """
    start, end = span
    if end.wall - start.wall <= LONGEST_INTERVAL:
        return start.wall
    passed = end.monotonic - start.monotonic if start.boot_id == end.boot_id else LONGEST_INTERVAL
    return end.wall - min(max(passed, 1), LONGEST_INTERVAL)


def _direction_totals(usage: DirectionUsage) -> DirectionTotals:
    return DirectionTotals(usage.direction.code, *usage.counted, *usage.unmatched, *usage.unattributed, *usage.several, *usage.shared)


def _usage_rows(usage: DirectionUsage) -> list[UsageRow]:
    columns = (usage.labels.tolist(), usage.packets.tolist(), usage.octets.tolist())
    return [UsageRow(label, usage.direction.code, packets, octets) for label, packets, octets in zip(*columns, strict=True)]


def _project_rows(usage: DirectionUsage) -> list[ProjectUsage]:
    return [ProjectUsage(project_id, usage.direction.code, *used, *alone) for project_id, used, alone in usage.projects]
