"""Figures of pages, out of reports of usage.

Owns how rows become what a page shows: amounts by direction, rates of intervals, what is known of them. Which rows there are, and who may
see them, is for ``services.reports``.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

from markupsafe import Markup

from venturi.core.domain.coverage import CoverageReason
from venturi.core.domain.direction import Direction
from venturi.core.domain.interval import SECOND
from venturi.core.ledger.calendar import Calendar
from venturi.core.ledger.roll_ups import PointCounts
from venturi.interfaces.web.charts import ABSENT, PENDING, Axis, Cell, Series, mirror
from venturi.interfaces.web.spelling import spell_clock, spell_rate
from venturi.services.reports.comparing import Comparability
from venturi.services.reports.groups import Group, Identity, RowKind
from venturi.services.reports.reporting import USED_COUNTS
from venturi.services.reports.rows import ReportInterval, ReportRow

PARTS: Mapping[str, str] = {
    "several": "several projects",
    "shared": "shared labels",
    "unmatched": "no label",
    "unattributed": "unattributed",
}
"""The parts of what points count that are no project's alone, and what they are called."""

_ALONE = USED_COUNTS.index("alone_octets")
_MOST_SERIES = 7
_MOST_NOTES = 320
_PERCENT = 100
_SHORTER = 0.9


@dataclass
class Amounts:
    """Octets and packets that were counted, by direction."""

    octets: dict[Direction, int] = field(default_factory=lambda: defaultdict(int))
    packets: dict[Direction, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, direction: Direction | None, packets: int, octets: int) -> None:
        """Add what a row has."""
        self.octets[direction or Direction.UNKNOWN] += octets
        self.packets[direction or Direction.UNKNOWN] += packets

    @property
    def ingress(self) -> int:
        """Octets in."""
        return self.octets[Direction.INGRESS]

    @property
    def egress(self) -> int:
        """Octets out."""
        return self.octets[Direction.EGRESS]

    @property
    def unknown(self) -> int:
        """Octets of a direction that nothing tells."""
        return self.octets[Direction.UNKNOWN]

    @property
    def most(self) -> int:
        """By what amounts are ranked."""
        return max(self.octets.values(), default=0)


class Change(NamedTuple):
    """How octets differ from those of the time before: in per cent, None where that cannot be said, and how far both are known.

    ``shorter`` tells that the points were there for much less of the time before, so that nobody should compare.
    """

    percent: Decimal | None
    known: Comparability
    shorter: bool = False

    @property
    def words(self) -> str:
        """What a page says of it."""
        if self.shorter:
            return "metered for less time before"
        if self.percent is None:
            return {Comparability.NOTHING_BEFORE: "nothing before"}.get(self.known, "not known before")
        about = "about " if self.known is Comparability.PARTLY_KNOWN else ""
        return f"{about}{'+' if self.percent > 0 else '−' if self.percent < 0 else ''}{abs(self.percent)} %"


class Known(NamedTuple):
    """How much of the time of a page is known at its points, in point-seconds, and how much there is."""

    known: int
    expected: int

    @property
    def percent(self) -> str:
        """The share in per cent, rounded down, so that 100 means all; empty if there was no time."""
        if not self.expected:
            return ""
        thousandths = self.known * _PERCENT * 1_000 // self.expected
        return f"{thousandths // 1_000}.{thousandths % 1_000:03d}"


def by_boundary(intervals: Iterable[ReportInterval]) -> dict[str, Amounts]:
    """Sum rows by boundary, the kinds of rows apart that are no group."""
    found: dict[str, Amounts] = {}
    for interval in intervals:
        for row in interval.rows:
            if row.group.kind is RowKind.GROUP:
                found.setdefault(row.group.boundary or "", Amounts()).add(row.group.direction, row.counts[0], row.counts[1])
    return dict(sorted(found.items()))


def changes_of(interval: ReportInterval) -> dict[tuple[RowKind, Identity, Direction | None], Change]:
    """Give how each row of a report that compares differs from the time before: by its kind, what it is about, and its direction."""
    beside = interval.rows.beside
    found = {}
    columns = beside["percent"], beside["comparison"], beside["previous_expected_point_seconds"]
    for row, percent, known, expected in zip(interval.rows, *columns, strict=True):
        shorter = isinstance(expected, int) and 0 < expected < row.time.expected * _SHORTER
        exact = percent if isinstance(percent, Decimal) and not shorter else None
        found[row.group.kind, row.group.identity, row.group.direction] = Change(exact, Comparability(str(known)), shorter)
    return found


def by_group(rows: Iterable[ReportRow]) -> dict[Group, Amounts]:
    """Sum rows by what they are about, the direction left out; in their order."""
    found: dict[object, tuple[Group, Amounts]] = {}
    for row in rows:
        found.setdefault((row.group.kind, row.group.identity), (row.group, Amounts()))[1].add(
            row.group.direction, row.counts[0], row.counts[1]
        )
    return dict(found.values())


def known_time(intervals: Sequence[ReportInterval]) -> Known:
    """Sum what is known of the time of some intervals."""
    return Known(sum(interval.time.known for interval in intervals), sum(interval.time.expected for interval in intervals))


def axis_of(intervals: Sequence[ReportInterval], calendar: Calendar) -> Axis:
    """Give the axis of a chart of intervals."""
    return Axis([*(interval.start for interval in intervals), intervals[-1].end], calendar)


def rate_of(octets: int, interval: ReportInterval) -> float | None:
    """Give the mean rate of an interval in octets a second, over the time that is known of it; None if none is."""
    known, expected = interval.time
    seconds = (min(interval.end, interval.read_at) - interval.start) / SECOND
    if not known or seconds <= 0:
        return None
    return octets * expected / (known * seconds)


def cells_of(intervals: Sequence[ReportInterval]) -> list[Cell]:
    """Say what is known of each interval; one that is under way, and lacks nothing but its end, is pending."""
    cells = []
    for interval in intervals:
        reasons = interval.coverage.reason_names
        if not interval.observation_points:
            cells.append(Cell(interval.start, interval.end, ABSENT))
        elif interval.end > interval.read_at and set(reasons) <= {CoverageReason.PENDING}:
            cells.append(Cell(interval.start, interval.end, PENDING))
        else:
            cells.append(Cell(interval.start, interval.end, interval.coverage.state.value, reasons))
    return cells


def flow_of(intervals: Sequence[ReportInterval], direction: Direction, name: str, style: str) -> Series:
    """Give the rate of all rows of a direction, interval by interval."""
    sums = [sum(row.counts[1] for row in interval.rows if row.group.direction is direction) for interval in intervals]
    return Series(name, style, [rate_of(octets, interval) for octets, interval in zip(sums, intervals, strict=True)])


def draw_flows(axis: Axis, intervals: Sequence[ReportInterval]) -> Markup:
    """Draw what goes in upwards, and what goes out downwards."""
    upwards = [flow_of(intervals, Direction.INGRESS, "in", "ingress")]
    return mirror(axis, upwards, [flow_of(intervals, Direction.EGRESS, "out", "egress")], notes_of(axis, intervals))


def notes_of(axis: Axis, intervals: Sequence[ReportInterval]) -> list[str]:
    """Say of each interval when it was, its rates, and what is known of it; of very many, nothing."""
    if len(intervals) > _MOST_NOTES:
        return []
    notes = []
    for interval, cell in zip(intervals, cells_of(intervals), strict=True):
        start, end = (spell_clock(time, axis.calendar, form) for time, form in ((cell.start, "%-d %b %H:%M"), (cell.end, "%H:%M")))
        spelled = ("–" if rate is None else spell_rate(rate) for rate in rates(interval))
        notes.append("{}–{}: in {}, out {}, {}".format(start, end, *spelled, cell.style))
    return notes


def rates(interval: ReportInterval) -> tuple[float | None, float | None]:
    """Give the rates in and out of an interval, in octets a second."""
    sums = dict.fromkeys(Direction, 0)
    for row in interval.rows:
        sums[row.group.direction or Direction.UNKNOWN] += row.counts[1]
    return rate_of(sums[Direction.INGRESS], interval), rate_of(sums[Direction.EGRESS], interval)


@dataclass(frozen=True)
class Partition:
    """What points counted in a direction, each packet in one series; where ``overlapping``, in one for all."""

    series: Sequence[Series]
    overlapping: bool = False


def part_by_project(used: Sequence[ReportInterval], totals: Sequence[ReportInterval], direction: Direction) -> Partition:
    """Part what points counted: what each of the largest projects used alone, what others did, and what is no project's alone.

    ``used`` tells the largest projects apart, ``totals`` what the same points counted, in the same intervals. What an older agent posted
    does not tell what a project used alone. The parts then do not add up to the whole, and there is one series.
    """
    rows = [row for interval in used for row in interval.rows if row.group.kind is RowKind.GROUP and not row.group.shared]
    projects = list(dict.fromkeys(row.group.project_id or "" for row in rows if row.group.direction is direction))
    columns: dict[str, list[int]] = {f"project {project}": [] for project in projects[:_MOST_SERIES]}
    columns |= {"others": [], **{part: [] for part in PARTS}}
    for interval, total in zip(used, totals, strict=True):
        sums: defaultdict[str, int] = defaultdict(int)
        for row in interval.rows:
            if row.group.direction is not direction or row.group.kind is RowKind.TOTAL or row.group.shared:
                continue
            name = f"project {row.group.project_id or ''}"
            sums[name if row.group.kind is RowKind.GROUP and name in columns else "others"] += row.counts[_ALONE]
        whole = 0
        for row in total.rows:
            if row.group.direction is direction:
                counts = PointCounts(*row.counts)
                whole += counts.octets
                for part in PARTS:
                    sums[part] += getattr(counts, f"{part}_octets")
        if sum(sums.values()) != whole:
            return Partition([flow_of(totals, direction, "all traffic", "s1")], overlapping=True)
        for name, column in columns.items():
            column.append(sums[name])
    names = {f"project {project}": project for project in projects} | {"others": "other projects", **PARTS}
    styles = {name: f"s{1 + place % _MOST_SERIES}" if name not in {"others", *PARTS} else name for place, name in enumerate(columns)}
    shown = [
        Series(names[name], styles[name], [rate_of(octets, interval) for octets, interval in zip(column, totals, strict=True)])
        for name, column in columns.items()
        if any(column)
    ]
    return Partition(shown or [flow_of(totals, direction, "all traffic", "s1")])


def mean_and_peak(series: Series, borders: Sequence[int]) -> tuple[float, float] | None:
    """Give the mean and the highest of a series, each interval by its length; None if nothing is known."""
    known = [(value, end - start) for value, (start, end) in zip(series.values, pairwise(borders), strict=True) if value is not None]
    if not known:
        return None
    return sum(value * length for value, length in known) / sum(length for _, length in known), max(value for value, _ in known)
