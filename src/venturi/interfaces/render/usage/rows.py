"""Reports of usage as rows: one for each group and interval, the interval's bounds with it.

Owns their columns, which are those of the server's CSV. How a table for people looks is for ``table``.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from venturi.core.domain.errors import ServerError
from venturi.interfaces.render.resources.selection import Row

BOUNDS = ("interval_start", "interval_end")
COVERAGE = ("coverage", "reasons", "known_seconds", "segments")
COUNTS = ("packets", "octets")
POINTS = "observation_points"
"""How many points account for an interval; it is no column, and an earlier server does not say."""

BOUNDARY = "boundary"
"""What tells apart rows that may be of the same packets; an earlier server does not say."""

UNLABELLED = ("unmatched_packets", "unmatched_octets", "unattributed_packets", "unattributed_octets")

GROUPS: Mapping[str, tuple[str, ...]] = {
    "label": ("label_id", "label_name", "project_id", "label_deleted"),
    "project": ("project_id",),
    "point": ("observation_point_id", "observation_point_name", "point_project_id", "observation_point_deleted"),
    "point_project": ("point_project_id",),
    "direction": ("direction",),
    BOUNDARY: (BOUNDARY,),
}


def report_columns(report: Mapping[str, object], *, points: bool) -> tuple[str, ...]:
    """Name the columns of a report's rows; ``points`` tells that it is one of the totals of points."""
    groups = [name for grouping in _list(report, "group_by") if grouping != BOUNDARY for name in GROUPS[str(grouping)]]
    groups += [BOUNDARY] if "boundaries" in report else []
    return tuple(dict.fromkeys((*BOUNDS, *groups, *COUNTS, *(UNLABELLED if points else ()), *COVERAGE)))


def report_rows(report: Mapping[str, object]) -> Iterator[Row]:
    """List the rows; an interval without any has one without counts, unless its coverage is complete.

    Raises ``ServerError`` for what is no report.
    """
    for interval in objects_of(report, "intervals"):
        bounds = {"interval_start": interval.get("start"), "interval_end": interval.get("end")}
        rows = objects_of(interval, "usage")
        for row in rows:
            yield {**bounds, **row}
        if not rows and interval.get("coverage") != "complete":
            yield {**bounds, **{name: interval.get(name) for name in COVERAGE}, POINTS: interval.get(POINTS)}


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
