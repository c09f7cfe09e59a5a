"""A report of usage as a table for people: a total below, coverage beside every figure.

Owns which columns are shown and how they are worded. Spelling of quantities belongs to ``quantities``, layout to ``resources.table``.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple, TextIO

from rich.cells import cell_len

from venturi.core.domain.interval import SECOND, parse_time
from venturi.core.ledger.calendar import Calendar
from venturi.interfaces.render.quantities import Units, format_change, format_count, format_octets, format_rate, format_share
from venturi.interfaces.render.resources.cells import spell_for_table
from venturi.interfaces.render.resources.selection import Row
from venturi.interfaces.render.resources.table import write_table
from venturi.interfaces.render.usage.rows import (
    BOUNDARY,
    FORECAST,
    MAY_OVERLAP,
    PARTS,
    PREVIOUS,
    SHARED,
    USED,
    add_previous,
    boundaries_of,
    intervals_of,
    objects_of,
    point_time,
)

_UNBROKEN = 36
_PENDING = "pending"
_POINTS = "observation_points"
_LOSSES = frozenset({"partial", "gap"})
_WORDS = {
    "label": "label",
    "project": "project",
    "point": "observation point",
    "point_project": "project of the point",
    "direction": "direction",
    BOUNDARY: BOUNDARY,
}
_FIELDS = {
    "label": "label",
    "project": "project_id",
    "point": "observation_point",
    "point_project": "point_project_id",
    "direction": "direction",
    BOUNDARY: BOUNDARY,
}


def write_report_table(
    report: Mapping[str, object],
    rows: Sequence[Row],
    units: Units,
    stream: TextIO,
    *,
    coloured: bool = True,
    counted: Mapping[str, Row] | None = None,
) -> None:
    """Write a table of ``rows``, each with its share of the total of its boundary, and that total.

    It is what the points of the boundary ``counted``, each packet once; without that, the sum of what is listed. Where there are several
    boundaries, they are told in a column, and one with a single row has no total beside it. Loss is red on a terminal, if ``coloured``.
    """
    groupings = [str(each) for each in _sequence(report.get("group_by"))]
    several = len(boundaries_of(rows)) > 1
    groupings += [BOUNDARY] if several and BOUNDARY not in groupings else []
    total = report.get("resolution") == "total"
    points = any(name in row for row in rows for name in PARTS)
    shares = _Shares(rows, units, _Rated.of(report), points=points, counted=counted or {})
    apart = any(row.get(SHARED) for row in rows)
    identity = [*([] if total else ["interval"]), *(_WORDS[grouping] for grouping in groupings), *(["labels"] if apart else [])]
    clock = Clock(report)
    lines = [
        [
            *([] if total else [clock.spell(row["interval_start"])]),
            *(_name(row, grouping) for grouping in groupings),
            *([_whose(row)] if apart else []),
        ]
        for row in rows
    ]
    numbers = [shares.cells(row) for row in rows]
    read_at = _read_at(report)
    coverage = [_coverage(row, read_at) for row in rows]
    lossy = [number for number, row in enumerate(rows) if _is_loss(row)]
    totals = [] if shares.unknown else shares.totals(alone=not several)
    sums = [_total_line(row, identity) for row in totals]
    known = [_known_of(report) if len(totals) == 1 and not several else "" for _ in totals]
    cells = _lay([*lines, *sums], shares.headings, [*numbers, *map(shares.cells, totals)], [*coverage, *known])
    write_table([*identity, *cells[0], "coverage"], cells[1], stream, unbroken=_UNBROKEN, red=lossy, coloured=coloured)


def spell_bounds(report: Mapping[str, object]) -> str:
    """Say from when to when a report is."""
    clock = Clock(report)
    bounds = f"{clock.spell(report.get('from'))} to {clock.spell(report.get('to'))}"
    period, read_at = report.get("period"), _read_at(report)
    if not isinstance(period, dict):
        return bounds
    so_far = read_at is not None and read_at < parse_time(str(period.get("end")))
    return f"{period.get('name')}: {bounds}{', so far' if so_far else ''}"


def spell_comparison(report: Mapping[str, object], rows: Sequence[Row]) -> list[str]:
    """Say with what a report is compared, and what its signs mean."""
    earlier = report.get("compared_with")
    if not isinstance(earlier, dict):
        return []
    clock = Clock(report)
    told = [f"before: {clock.spell(earlier.get('start'))} to {clock.spell(earlier.get('end'))}"]
    if any(row.get("comparison") == "partly_known" for row in rows):
        told.append("~: some of the time is not known, so the change is that of what is.")
    return told


def tell_what_is_twice(report: Mapping[str, object], rows: Sequence[Row]) -> list[str]:
    """Say that sums of both directions have some traffic twice, where several points may have passed it on to each other."""
    both = report.get("directions_summed") or len({row.get("direction") for row in rows if "octets" in row}) > 1
    points = max((_count(interval, _POINTS) for interval in objects_of(report, "intervals")), default=0)
    if not both or points <= len(boundaries_of(rows)):
        return []
    return ["In a sum of both directions, traffic between points of one boundary is twice."]


def tell_what_may_overlap(rows: Sequence[Row]) -> list[str]:
    """Say that figures were added up over labels that may have counted a packet several times."""
    if not any(row.get(MAY_OVERLAP) and not row.get(SHARED) for row in rows):
        return []
    return ["Labels may overlap: a packet may be in some figures several times."]


def _whose(row: Row) -> str:
    """Say whose labels a row is about; of several kinds, nothing."""
    told = row.get(SHARED)
    return "" if told is None else "shared" if told else "own"


def _total_line(total: Row, identity: Sequence[str]) -> list[str]:
    """Head the total of a boundary: by its name, where it has a column."""
    return [
        "total" if place == 0 else spell_for_table(total.get(BOUNDARY))[0] if name == BOUNDARY else ""
        for place, name in enumerate(identity)
    ]


class _Rated(NamedTuple):
    """The rates of a report: their unit, and how the column of the percentile is called."""

    unit: str
    heading: str

    @classmethod
    def of(cls, report: Mapping[str, object]) -> "_Rated | None":
        """Give those of a report, None where it has none."""
        unit = report.get("unit")
        return None if unit is None else cls(str(unit), f"p{report.get('percentile')}")


class _Shares:
    """The cells of counts, and their totals by boundary; these are ``unknown`` where a sum may have a packet several times."""

    def __init__(self, rows: Sequence[Row], units: Units, rated: "_Rated | None", *, points: bool, counted: Mapping[str, Row]) -> None:
        self._units = units
        used = any(USED[1] in row for row in rows)
        self._parts = ("unmatched_octets", "unattributed_octets") if points else (USED[1],) if used else ()
        overlap = any(row.get(MAY_OVERLAP) or row.get(SHARED) or row.get("octets", 0) != row.get(USED[1], 0) for row in rows)
        labels = {row.get("label_id") for row in rows if "octets" in row}
        self.unknown = not points and not counted and (overlap if used else len(labels) > 1)
        self._compared = any("comparison" in row for row in rows)
        self._rated = rated
        self._foreseen = any(FORECAST[0] in row for row in rows)
        beside = self._compared or rated is not None or self._foreseen
        self._parts = () if beside else self._parts
        self.headings = [
            *([] if beside else ["packets"]),
            "bits" if units is Units.BITS else "octets",
            *(["before", "change"] if self._compared else []),
            *(name.removesuffix("_octets") for name in self._parts),
            *(["forecast", "range"] if self._foreseen else []),
            *([] if rated is None else [f"mean {rated.unit}", "most", rated.heading, "samples"]),
            *([] if self.unknown or rated is not None else ["share"]),
        ]
        self._rows: dict[object, list[Row]] = {}
        for row in rows:
            if "octets" in row:
                self._rows.setdefault(row.get(BOUNDARY), []).append(row)
        names = ("packets", "octets", *self._parts)
        self._totals: dict[object, dict[str, object]] = {
            boundary: {BOUNDARY: boundary, **{name: sum(_count(row, name) for row in some) for name in names}}
            for boundary, some in (self._rows or {None: []}).items()
        }
        for boundary, some in self._rows.items() if self._compared else ():
            for row in some:
                add_previous(self._totals[boundary], row)
        for boundary, row in counted.items():
            if boundary in self._totals:
                self._totals[boundary] = {BOUNDARY: boundary, **{name: row.get(name) for name in (*names, PREVIOUS)}}

    def totals(self, *, alone: bool) -> Sequence[Row]:
        """Give the total of each boundary that has several rows, or whatever it has if it is the only one."""
        return [total for boundary, total in self._totals.items() if alone or len(self._rows[boundary]) > 1]

    def cells(self, row: Row) -> list[str]:
        """Spell the counts of a row, nothing for one that has none."""
        if "octets" not in row:
            return [""] * len(self.headings)
        octets = _count(row, "octets")
        parts = ["" if row.get(name) is None or row.get(SHARED) else format_octets(_count(row, name), self._units) for name in self._parts]
        share = [] if self.unknown or self._rated is not None else [format_share(octets, _count(self._totals[row.get(BOUNDARY)], "octets"))]
        if self._compared or self._rated is not None or self._foreseen:
            change = _change(row, self._units) if self._compared else []
            rates = [] if self._rated is None else _rates(row, self._rated.unit)
            foreseen = _spell_forecast(row, self._units) if self._foreseen else []
            return [format_octets(octets, self._units), *change, *foreseen, *rates, *share]
        return [format_count(_count(row, "packets")), format_octets(octets, self._units), *parts, *share]


def _spell_forecast(row: Row, units: Units) -> list[str]:
    """Spell what a row will come to, and the range; a total has none, since ranges do not add up."""
    if FORECAST[0] not in row:
        return ["", ""]
    if row.get(FORECAST[0]) is None:
        return ["none yet", ""]
    octets, least, most = (format_octets(_count(row, name), units) for name in FORECAST[:3])
    return [octets, f"{least} to {most}"]


def _rates(row: Row, unit: str) -> list[str]:
    """Spell the rates of a row without their unit, which stands above, and of how many samples they are.

    A total has none, since percentiles do not add up.
    """
    if "known_samples" not in row:
        return [""] * 4
    known, missing = _count(row, "known_samples"), _count(row, "missing_samples")
    rates = [row.get(name) for name in ("mean_rate", "maximum_rate", "percentile_rate")]
    spelled = ["unknown" if rate is None else format_rate(Fraction(str(rate)), unit).removesuffix(unit).rstrip() for rate in rates]
    return [*spelled, f"{known:,} of {known + missing:,}" if missing else f"{known:,}"]


def _change(row: Row, units: Units) -> list[str]:
    """Spell what was counted before, and the change in percent; what is not known is never zero."""
    before = row.get(PREVIOUS)
    if not isinstance(before, int):
        return ["unknown", ""]
    if row.get("comparison") == "unknown":
        return [format_octets(before, units), ""]
    spelled = format_change(_count(row, "octets"), before)
    return [format_octets(before, units), f"~{spelled}" if row.get("comparison") == "partly_known" else spelled]


def _lay(
    lines: Sequence[list[str]], headings: Sequence[str], numbers: Sequence[list[str]], coverage: Sequence[str]
) -> tuple[list[str], list[list[list[str]]]]:
    """Lay numbers to the right, everything else to the left; give the headings of numbers, and the rows."""
    columns = [[heading, *(row[place] for row in numbers)] for place, heading in enumerate(headings)]
    right = [[cell.rjust(max(map(cell_len, column))) for cell in column] for column in columns]
    cells = [[[cell] for cell in (*line, *(column[number + 1] for column in right), coverage[number])] for number, line in enumerate(lines)]
    return [column[0] for column in right], cells


def _name(row: Row, grouping: str) -> str:
    """Name a group as people do, a deleted one as such."""
    field = _FIELDS[grouping]
    if grouping not in {"label", "point"}:
        return spell_for_table(row.get(field))[0]
    name = spell_for_table(row.get(f"{field}_name") or row.get(f"{field}_id"))[0]
    return f"{name} (deleted)" if row.get(f"{field}_deleted") else name


def _coverage(row: Row, read_at: int | None) -> str:
    """Word coverage: the state, why, and how much of the time at the points is known.

    An interval that was not over at ``read_at`` is so far, and what is known of it is a share of the time until then.
    """
    start, end = parse_time(str(row["interval_start"])), parse_time(str(row["interval_end"]))
    under_way = read_at is not None and start < read_at < end
    reasons = [reason for reason in _reasons(row) if not (under_way and reason == _PENDING)]
    if under_way and not reasons:
        return _spell_segments("so far", row)
    words = f"{row['coverage']}: {', '.join(reason.replace('_', ' ') for reason in reasons)}" if reasons else str(row["coverage"])
    words = f"{words}, so far" if under_way else words
    length = ((read_at if read_at is not None and under_way else end) - start) // SECOND
    known = _spell_known(*(point_time(row) or (_count(row, "known_seconds"), length)))
    return _spell_segments(f"{words}; {known}" if known else words, row)


def _known_of(report: Mapping[str, object]) -> str:
    """Word how much of the time at the points is known in all intervals, nothing where that is all of it."""
    times = [time for interval in intervals_of(report) if (time := point_time(interval)) is not None]
    return _spell_known(sum(known for known, _ in times), sum(expected for _, expected in times))


def _spell_known(known: int, expected: int) -> str:
    if known >= expected:
        return ""
    if expected < 2000 * (expected - known):
        return f"{format_share(known, expected) if known else 'nothing'} known"
    return ">99.9 % known"


def _spell_segments(words: str, row: Row) -> str:
    return f"{words} (merged segments)" if row.get("segments") == "merged" else words


def _is_loss(row: Row) -> bool:
    """Tell whether traffic passed uncounted or may have; what is only to come is no loss."""
    return row.get("coverage") in _LOSSES and _reasons(row) != [_PENDING]


def _reasons(row: Row) -> list[str]:
    return [str(reason) for reason in _sequence(row.get("reasons"))]


def _read_at(report: Mapping[str, object]) -> int | None:
    """Give when a report was read; an earlier server does not say."""
    told = report.get("read_at")
    return None if told is None else parse_time(str(told))


class Clock:
    """Spells times as the clocks of a report's zone show them; an earlier server knows of UTC alone."""

    def __init__(self, report: Mapping[str, object]) -> None:
        """Take the zone that a report names."""
        name = report.get("zone", "UTC")
        self._calendar = None if name == "UTC" else Calendar(str(name))

    def spell(self, value: object) -> str:
        """Spell a time of a report, with the distance from UTC where the zone is another."""
        if self._calendar is None:
            return str(value).replace("T", " ").replace(":00Z", "Z")
        shown = self._calendar.clock(parse_time(str(value)))
        return shown.isoformat(" ").replace(":00+", "+").replace(":00-", "-")


def _count(row: Row, name: str) -> int:
    value = row.get(name, 0)
    return value if isinstance(value, int) else 0


def _sequence(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else ()
