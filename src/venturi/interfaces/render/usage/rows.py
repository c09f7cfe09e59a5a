"""Reports of usage as rows: one for each group and interval, the interval's bounds with it.

Owns their columns, which are those of the server's CSV. How a table for people looks is for ``table``.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from venturi.core.domain.errors import ServerError
from venturi.interfaces.render.resources.selection import Row

BOUNDS = ("interval_start", "interval_end")
POINT_TIME = ("known_point_seconds", "expected_point_seconds")
COVERAGE = ("coverage", "reasons", "known_seconds", "segments", *POINT_TIME)
COUNTS = ("packets", "octets")
USED = ("alone_packets", "alone_octets")
"""What is told of what projects used, beside all of it: the part that no label of another project counted."""

SHARED, MAY_OVERLAP = "shared", "labels_may_overlap"
"""Whether a row is about shared labels, and whether a packet may be in it several times; told of what projects used."""


BOUNDARY = "boundary"
"""What tells apart rows that may be of the same packets; an earlier server does not say."""

KIND = "kind"
"""What a row is of, where only the largest groups are told apart."""

OTHERS = "other"
"""The name of what is summed of all others."""

COMPARED = (
    "previous_packets",
    "previous_octets",
    "difference_packets",
    "difference_octets",
    "percent",
    "comparison",
    "previous_coverage",
    "previous_known_point_seconds",
    "previous_expected_point_seconds",
)
"""What stands beside the counts of a row that is compared."""

RATES = ("mean_rate", "minimum_rate", "maximum_rate", "percentile_rate", "known_samples", "missing_samples")
"""What stands beside the counts of a row whose rates are asked for."""

FORECAST = ("forecast_octets", "forecast_least_octets", "forecast_most_octets", "forecast_known_hours")
"""What stands beside the counts of a row that is forecast."""

PREVIOUS = "previous_octets"

_NAMES = ("label_name", "observation_point_name", "project_id", "point_project_id")

PARTS = tuple(f"{part}_{unit}" for part in ("unmatched", "unattributed", "several", "shared") for unit in ("packets", "octets"))
"""The parts of what a point counted that are no project's alone."""

GROUPS: Mapping[str, tuple[str, ...]] = {
    "label": ("label_id", "label_name", "project_id", "label_deleted"),
    "project": ("project_id",),
    "point": ("observation_point_id", "observation_point_name", "point_project_id", "observation_point_deleted"),
    "point_project": ("point_project_id",),
    "direction": ("direction",),
    BOUNDARY: (BOUNDARY,),
}


def report_columns(report: Mapping[str, object], *, points: bool, used: bool = False) -> tuple[str, ...]:
    """Name the columns of a report's rows.

    ``points`` tells that it is one of the totals of points, ``used`` that it is one of what projects used.
    """
    groups = [name for grouping in _list(report, "group_by") if grouping != BOUNDARY for name in GROUPS[str(grouping)]]
    groups += [*([SHARED] if used else []), *([BOUNDARY] if "boundaries" in report else [])]
    groups = [*([KIND] if report.get("top") else []), *groups]
    counts = (*COUNTS, *(PARTS if points else ()), *((*USED, MAY_OVERLAP) if used else ()))
    beside = (*(COMPARED if is_compared(report) else ()), *(RATES if report.get("unit") is not None else ()))
    beside = (*beside, *(FORECAST if any(FORECAST[0] in row for row in report_rows(report)) else ()))
    return tuple(dict.fromkeys((*BOUNDS, *groups, *counts, *beside, *COVERAGE)))


def is_compared(report: Mapping[str, object]) -> bool:
    """Tell whether a report is compared with an earlier time; an earlier server never does."""
    return report.get("compared_with") is not None


def report_rows(report: Mapping[str, object]) -> Iterator[Row]:
    """List the rows; an interval without any has one without counts, unless its coverage is complete or there was no point in it.

    Raises ``ServerError`` for what is no report.
    """
    for interval in intervals_of(report):
        bounds = {"interval_start": interval.get("start"), "interval_end": interval.get("end")}
        rows = objects_of(interval, "usage")
        for row in rows:
            yield {**bounds, **row}
        if not rows and interval.get("coverage") != "complete":
            yield {**bounds, **{name: interval.get(name) for name in COVERAGE}}


def name_others(report: Mapping[str, object], rows: Iterable[Row]) -> list[Row]:
    """Give the rows of groups, and of all others under that name; the totals beside them are left out."""
    told_apart = {name for grouping in _list(report, "group_by") for name in GROUPS[str(grouping)]}
    name = next((name for name in _NAMES if name in told_apart), "")
    kept = (row for row in rows if row.get(KIND) != "total")
    return [{**row, name: OTHERS} if row.get(KIND) == "others" else row for row in kept]


def totals_by_boundary(rows: Iterable[Row]) -> dict[str, Row]:
    """Sum rows of the totals of points by their boundary, over intervals and directions."""
    sums: dict[str, dict[str, object]] = {}
    for row in rows:
        total = sums.setdefault(str(row.get(BOUNDARY)), {})
        for name in (*COUNTS, *PARTS):
            if isinstance(row.get(name), int):
                total[name] = int(str(total.get(name, 0))) + int(str(row[name]))
        add_previous(total, row)
    return dict(sums)


def add_previous(total: dict[str, object], row: Row) -> None:
    """Add what a row had before to that of a total, which is not known if that of any row is not."""
    if "comparison" not in row:
        return
    previous, known = row.get(PREVIOUS), row.get("comparison") != "unknown"
    whole = isinstance(previous, int) and known and total.get(PREVIOUS, 0) is not None
    total[PREVIOUS] = int(str(total.get(PREVIOUS, 0))) + int(str(previous)) if whole else None


def intervals_of(report: Mapping[str, object]) -> list[Mapping[str, object]]:
    """List the intervals in which there was a point; an earlier server does not say of every interval how many there were."""
    return [each for each in objects_of(report, "intervals") if each.get("observation_points") != 0 or objects_of(each, "usage")]


def point_time(row: Row) -> tuple[int, int] | None:
    """Give the point-seconds of a row or interval that are known, and all that are expected; None if an earlier server answered."""
    known, expected = map(row.get, POINT_TIME)
    return (known, expected) if isinstance(known, int) and isinstance(expected, int) else None


def boundaries_of(rows: Iterable[Row]) -> list[str]:
    """List the boundaries that have rows, in the order of their names."""
    return sorted({str(row[BOUNDARY]) for row in rows if row.get(BOUNDARY) is not None})


def largest_first(rows: Iterable[Row]) -> list[Row]:
    """Order rows by interval, and in each by octets, the largest first."""
    return sorted(rows, key=lambda row: (str(row["interval_start"]), -_octets(row)))


def _octets(row: Row) -> int:
    octets = row.get("octets", 0)
    return octets if isinstance(octets, int) else 0


def _list(document: Mapping[str, object], name: str) -> Sequence[object]:
    found = document.get(name)
    if not isinstance(found, list):
        message = "the answer is no report of usage, so this is no venturi server, or one of another version"
        raise ServerError(message)
    return found


def objects_of(document: Mapping[str, object], name: str) -> list[Mapping[str, object]]:
    """List the objects under a name; raises ``ServerError`` for what is no report."""
    return [each for each in _list(document, name) if isinstance(each, dict)]
