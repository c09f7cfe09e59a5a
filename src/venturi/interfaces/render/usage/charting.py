"""A report of usage as what charts are drawn of.

Owns the way from rows to usage records. What a chart looks like belongs to ``render.chart``.
"""

from collections.abc import Iterator, Mapping, Sequence

from venturi.core.domain.counts import Counts
from venturi.core.domain.direction import Direction
from venturi.core.domain.errors import InvalidRequestError
from venturi.core.domain.interval import Interval, Nanoseconds, parse_time
from venturi.core.domain.label import MeteringLabel
from venturi.core.domain.text import escape_unfit
from venturi.core.domain.usage import UsageRecord
from venturi.interfaces.render.resources.selection import Row
from venturi.interfaces.render.rows import OTHER
from venturi.interfaces.render.usage.rows import BOUNDARY, GROUPS, MAY_OVERLAP, OTHERS, PARTS, SHARED, USED, boundaries_of
from venturi.services.offline.report import MeterReport

_NAMES = ("label_name", "observation_point_name", "project_id", "point_project_id", BOUNDARY)
_BOUNDARIES_NAMED = 4
_PART_NAMES = {
    "several": "several projects",
    "shared": "shared labels",
    "unmatched": "unmatched",
    "unattributed": "unattributed",
}


def drawable(report: Mapping[str, object], rows: Sequence[Row], totals: Sequence[Row] = ()) -> MeterReport:
    """Give the rows that have counts as usage records: a series for each group, the direction apart; a total has no intervals.

    Over time, what projects used is drawn with the rows of the ``totals`` of its points as what they counted once: what each used alone,
    and the parts that are no project's. Without them, groups that may have counted the same packets are ``overlapping``. Raises
    ``InvalidRequestError`` for what may be of the same packets altogether: rows of several boundaries.
    """
    group_by = [str(each) for each in _list(report.get("group_by"))]
    fields = [name for grouping in group_by if grouping not in {"direction", BOUNDARY} for name in GROUPS[grouping]]
    total, boundaries = report.get("resolution") == "total", boundaries_of(rows)
    if len(boundaries) > 1 and not total:
        named = ", ".join(map(escape_unfit, boundaries[:_BOUNDARIES_NAMED])) + (", ..." if len(boundaries) > _BOUNDARIES_NAMED else "")
        message = (
            f"a chart over time is of one boundary, since several may have counted the same packets: name one with --boundary ({named})"
        )
        raise InvalidRequestError(message)
    fields += [BOUNDARY] if BOUNDARY in group_by or len(boundaries) > 1 else []
    counted = [row for row in rows if "octets" in row]
    overlapping = not any(PARTS[0] in row for row in counted) and len({_series(row, fields).id for row in counted}) > 1
    overlapping = overlapping and not all(_is_alone(row) for row in counted)
    if overlapping and totals and not total and all((USED[0] in row and not row.get(MAY_OVERLAP)) or row.get(SHARED) for row in counted):
        parts = [part for row in totals if "octets" in row for part in _parts_of(row)]
        counted = [_alone(row) for row in counted if not row.get(SHARED)] + [part for part in parts if part["octets"]]
        overlapping = False
    usage = [_record(row, fields, total=total) for row in counted]
    lengths = [record.interval.end - record.interval.start for record in usage if record.interval]
    grouped_by = ("label", *(["direction"] if "direction" in group_by else []), *([] if total else ["interval"]))
    length = None if total else Nanoseconds(max(lengths, default=0))
    return MeterReport(usage, (), grouped_by, length, overlapping=overlapping and not total)


def _is_alone(row: Row) -> bool:
    """Tell whether no packet of a row of what a project used is in another row."""
    return not row.get(SHARED) and not row.get(MAY_OVERLAP) and row.get(USED[0]) == row["packets"] and row.get(USED[1]) == row["octets"]


def _alone(row: Row) -> Row:
    return {**row, "packets": row[USED[0]], "octets": row[USED[1]]}


def _parts_of(totals: Row) -> Iterator[Row]:
    """Give the parts of what points counted that are no project's, as rows of projects."""
    for part, name in _PART_NAMES.items():
        yield {**totals, "project_id": name, "packets": totals[f"{part}_packets"], "octets": totals[f"{part}_octets"]}


def _record(row: Row, fields: Sequence[str], *, total: bool) -> UsageRecord:
    start, end = (parse_time(str(row[name])) for name in ("interval_start", "interval_end"))
    counts = Counts(int(str(row["packets"])), int(str(row["octets"])))
    direction = Direction(str(row["direction"])) if row.get("direction") else None
    return UsageRecord(_series(row, fields), direction, None if total else Interval(start, end), None, counts, counts, estimated=False)


def _series(row: Row, fields: Sequence[str]) -> MeteringLabel:
    """Stand for a group by a label of its names; what is summed is the label of charts for that."""
    names = [str(row[name]) for name in _NAMES if name in fields and row.get(name) is not None and not _is_beside(name, fields)]
    names += ["shared labels"] if row.get(SHARED) else []
    identity = " ".join(str(row.get(name)) for name in (*fields, *([SHARED] if row.get(SHARED) else [])))
    if names == [OTHERS] and all(row.get(name) in {None, OTHERS} for name in fields):
        return OTHER
    return MeteringLabel(id=identity or "all", name=" at ".join(names) or "all", project_id=str(row.get("project_id") or ""))


def _is_beside(name: str, fields: Sequence[str]) -> bool:
    """Tell whether a project stands beside what is named already."""
    return (name == "project_id" and "label_name" in fields) or (name == "point_project_id" and "observation_point_name" in fields)


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else ()
