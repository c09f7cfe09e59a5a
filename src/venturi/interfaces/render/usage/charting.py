"""A report of usage as what charts are drawn of.

Owns the way from rows to usage records. What a chart looks like belongs to ``render.chart``.
"""

from collections.abc import Mapping, Sequence

from venturi.core.domain.counts import Counts
from venturi.core.domain.direction import Direction
from venturi.core.domain.errors import InvalidRequestError
from venturi.core.domain.interval import Interval, Nanoseconds, parse_time
from venturi.core.domain.label import MeteringLabel
from venturi.core.domain.text import escape_unfit
from venturi.core.domain.usage import UsageRecord
from venturi.interfaces.render.resources.selection import Row
from venturi.interfaces.render.rows import OTHER
from venturi.interfaces.render.usage.rows import BOUNDARY, GROUPS, OTHERS, boundaries_of
from venturi.services.offline.report import MeterReport

_NAMES = ("label_name", "observation_point_name", "project_id", "point_project_id", BOUNDARY)
_BOUNDARIES_NAMED = 4


def drawable(report: Mapping[str, object], rows: Sequence[Row]) -> MeterReport:
    """Give the rows that have counts as usage records: a series for each group, the direction apart; a total has no intervals.

    Raises ``InvalidRequestError`` for what would be stacked though it may be of the same packets: rows of several boundaries.
    """
    group_by = [str(each) for each in _list(report.get("group_by"))]
    fields = [name for grouping in group_by if grouping not in {"direction", BOUNDARY} for name in GROUPS[grouping]]
    total, boundaries = report.get("resolution") == "total", boundaries_of(rows)
    if len(boundaries) > 1 and not total:
        named = ", ".join(map(escape_unfit, boundaries[:_BOUNDARIES_NAMED])) + (", ..." if len(boundaries) > _BOUNDARIES_NAMED else "")
        message = (
            f"a chart over time stacks its rows, which of several boundaries may be of the same packets: name one with --boundary ({named})"
        )
        raise InvalidRequestError(message)
    fields += [BOUNDARY] if BOUNDARY in group_by or len(boundaries) > 1 else []
    usage = [_record(row, fields, total=total) for row in rows if "octets" in row]
    lengths = [record.interval.end - record.interval.start for record in usage if record.interval]
    grouped_by = ("label", *(["direction"] if "direction" in group_by else []), *([] if total else ["interval"]))
    return MeterReport(usage, (), grouped_by, None if total else Nanoseconds(max(lengths, default=0)))


def _record(row: Row, fields: Sequence[str], *, total: bool) -> UsageRecord:
    start, end = (parse_time(str(row[name])) for name in ("interval_start", "interval_end"))
    counts = Counts(int(str(row["packets"])), int(str(row["octets"])))
    direction = Direction(str(row["direction"])) if row.get("direction") else None
    return UsageRecord(_series(row, fields), direction, None if total else Interval(start, end), None, counts, counts, estimated=False)


def _series(row: Row, fields: Sequence[str]) -> MeteringLabel:
    """Stand for a group by a label of its names; what is summed is the label of charts for that."""
    names = [str(row[name]) for name in _NAMES if name in fields and row.get(name) is not None and not _is_beside(name, fields)]
    identity = " ".join(str(row.get(name)) for name in fields)
    if names == [OTHERS] and all(row.get(name) in {None, OTHERS} for name in fields):
        return OTHER
    return MeteringLabel(id=identity or "all", name=" at ".join(names) or "all", project_id=str(row.get("project_id") or ""))


def _is_beside(name: str, fields: Sequence[str]) -> bool:
    """Tell whether a project stands beside what is named already."""
    return (name == "project_id" and "label_name" in fields) or (name == "point_project_id" and "observation_point_name" in fields)


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else ()
