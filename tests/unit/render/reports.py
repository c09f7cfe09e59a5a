"""A small report for the tests beside: two labels and a folded third, one exact and one sampled source."""

from venturi.core.domain.counts import Counts
from venturi.core.domain.direction import Direction
from venturi.core.domain.drops import Drop, DropReason
from venturi.core.domain.interval import SECOND, Interval, Nanoseconds, parse_time
from venturi.core.domain.label import MeteringLabel
from venturi.core.domain.usage import UsageRecord
from venturi.services.offline.report import ExporterReport, MeterReport, ProjectReport, SourceReport

FIVE_MINUTES = Nanoseconds(300 * SECOND)
HUGE = 10**30
WEB = MeteringLabel(id="11111111-1111-4111-8111-111111111111", name="web", project_id="acme")
MAIL = MeteringLabel(id="22222222-2222-4222-8222-222222222222", name="mail, <b>old</b>")
LAB = MeteringLabel(id="33333333-3333-4333-8333-333333333333", name="lab")


def interval(number: int) -> Interval:
    """Give the interval ``number`` of five minutes from 10:00 on."""
    start = parse_time("2026-03-01T10:00:00Z") + number * FIVE_MINUTES
    return Interval(Nanoseconds(start), Nanoseconds(start + FIVE_MINUTES))


def usage(label: MeteringLabel, direction: Direction, octets: int, number: int | None = None, *, estimated: bool = False) -> UsageRecord:
    """Make a record of a tenth of a packet for each octet; an estimated one was scaled by ten."""
    counts = Counts(octets // 10, octets)
    observed = Counts(octets // 100, octets // 10) if estimated else counts
    return UsageRecord(label, direction, None if number is None else interval(number), None, counts, observed, estimated)


def source(total: int, **changes: object) -> SourceReport:
    """Make a source of ``total`` octets, a tenth of them unmatched."""
    counts = Counts(total // 10, total)
    values = {
        "name": "edge.pcap",
        "format": "pcap",
        "metered_as": "packets",
        "records": 1234,
        "counts": counts,
        "observed": counts,
        "unmatched": Counts(total // 100, total // 10),
        "not_crossing": Counts(),
        "outside_window": Counts(),
        "drops": {DropReason.NOT_IP: Drop(12, 3), DropReason.TRUNCATED_FILE: Drop(1, 5678)},
        "position_unit": "frame",
        "exporters": (ExporterReport("192.0.2.9", 7, "v9", 100, 3, "datagrams"), ExporterReport("192.0.2.8", 0, "v9", 100, 0, "datagrams")),
    }
    return SourceReport(**{**values, **changes})  # type: ignore[arg-type]  # a table of values of many types


def whole() -> MeterReport:
    """Give a report without intervals."""
    rows = (
        usage(WEB, Direction.INGRESS, 5_000_000),
        usage(WEB, Direction.EGRESS, 1_000_000, estimated=True),
        usage(MAIL, Direction.INGRESS, 2_000_000),
        usage(LAB, Direction.INGRESS, 1_000_000),
    )
    return MeterReport(rows, (source(10_000_000),), ("label", "direction"), None, ("a note",), partial=False)


def over_time() -> MeterReport:
    """Give a report of two intervals."""
    rows = (
        usage(WEB, Direction.INGRESS, 3_750_000, 0),
        usage(WEB, Direction.INGRESS, 7_500_000, 1),
        usage(MAIL, Direction.INGRESS, 375_000, 0),
        usage(MAIL, Direction.EGRESS, 37_500, 1),
    )
    once = Counts(1_166_250, 11_662_500)
    projects = (ProjectReport("acme", once, once),)
    return MeterReport(rows, (source(20_000_000),), ("label", "direction", "interval"), FIVE_MINUTES, (), partial=True, projects=projects)
