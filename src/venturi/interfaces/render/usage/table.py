"""A report of usage as a table for people: a total below, coverage beside every figure.

Owns which columns are shown and how they are worded. Spelling of quantities belongs to ``quantities``, layout to ``resources.table``.
"""

from collections.abc import Mapping, Sequence
from typing import TextIO

from rich.cells import cell_len

from venturi.core.domain.interval import SECOND, parse_time
from venturi.interfaces.render.quantities import Units, format_count, format_octets, format_share
from venturi.interfaces.render.resources.cells import spell_for_table
from venturi.interfaces.render.resources.selection import Row
from venturi.interfaces.render.resources.table import write_table
from venturi.interfaces.render.usage.rows import POINTS, UNLABELLED

_UNBROKEN = 36
_WORDS = {
    "label": "label",
    "project": "project",
    "point": "observation point",
    "point_project": "project of the point",
    "direction": "direction",
}
_FIELDS = {
    "label": "label",
    "project": "project_id",
    "point": "observation_point",
    "point_project": "point_project_id",
    "direction": "direction",
}


def write_report_table(report: Mapping[str, object], rows: Sequence[Row], units: Units, stream: TextIO) -> None:
    """Write a table of ``rows``, each with its share of all that is listed, and their total."""
    groupings = [str(each) for each in _sequence(report.get("group_by"))]
    total = report.get("resolution") == "total"
    points = any(name in row for row in rows for name in UNLABELLED)
    shares = _Shares(rows, units, points=points)
    identity = [*([] if total else ["interval"]), *(_WORDS[grouping] for grouping in groupings)]
    lines = [[*([] if total else [_time(row["interval_start"])]), *(_name(row, grouping) for grouping in groupings)] for row in rows]
    numbers = [shares.cells(row) for row in rows]
    coverage = [_coverage(row) for row in rows]
    sums = ["total", *[""] * (len(identity) - 1)] if identity else []
    stream.write(f"{_time(report.get('from'))} to {_time(report.get('to'))}\n\n")
    _write([*identity], [*lines, sums], shares.headings, [*numbers, shares.cells(shares.total)], [*coverage, ""], stream)


class _Shares:
    """The cells of counts, and their sum."""

    def __init__(self, rows: Sequence[Row], units: Units, *, points: bool) -> None:
        self._units = units
        self._parts = ("unmatched_octets", "unattributed_octets") if points else ()
        self.headings = ["packets", "octets", *(name.removesuffix("_octets") for name in self._parts), "share"]
        self.total: Row = {name: sum(_count(row, name) for row in rows) for name in ("packets", "octets", *self._parts)}

    def cells(self, row: Row) -> list[str]:
        """Spell the counts of a row, nothing for one that has none."""
        if "octets" not in row:
            return [""] * len(self.headings)
        octets = _count(row, "octets")
        parts = [format_octets(_count(row, name), self._units) for name in self._parts]
        share = format_share(octets, _count(self.total, "octets"))
        return [format_count(_count(row, "packets")), format_octets(octets, self._units), *parts, share]


def _write(
    identity: list[str], lines: list[list[str]], headings: list[str], numbers: list[list[str]], coverage: list[str], stream: TextIO
) -> None:
    """Lay numbers to the right, everything else to the left."""
    columns = [[heading, *(row[place] for row in numbers)] for place, heading in enumerate(headings)]
    right = [[cell.rjust(max(map(cell_len, column))) for cell in column] for column in columns]
    cells = [[[cell] for cell in (*line, *(column[number + 1] for column in right), coverage[number])] for number, line in enumerate(lines)]
    write_table([*identity, *(column[0] for column in right), "coverage"], cells, stream, unbroken=_UNBROKEN)


def _name(row: Row, grouping: str) -> str:
    """Name a group as people do, a deleted one as such."""
    field = _FIELDS[grouping]
    if grouping not in {"label", "point"}:
        return spell_for_table(row.get(field))[0]
    name = spell_for_table(row.get(f"{field}_name") or row.get(f"{field}_id"))[0]
    return f"{name} (deleted)" if row.get(f"{field}_deleted") else name


def _coverage(row: Row) -> str:
    """Word coverage: the state, why, and how much of the interval is known; or that there was no point at which anything can be known."""
    if row.get(POINTS) == 0:
        return "no observation point of yours was metered"
    reasons = ", ".join(str(reason).replace("_", " ") for reason in _sequence(row.get("reasons")))
    words = f"{row['coverage']}: {reasons}" if reasons else str(row["coverage"])
    length = (parse_time(str(row["interval_end"])) - parse_time(str(row["interval_start"]))) // SECOND
    known = _count(row, "known_seconds")
    words = words if known >= length else f"{words}; {format_share(known, length) if known else 'nothing'} known"
    return f"{words} (merged segments)" if row.get("segments") == "merged" else words


def _time(value: object) -> str:
    return str(value).replace("T", " ").replace(":00Z", "Z")


def _count(row: Row, name: str) -> int:
    value = row.get(name, 0)
    return value if isinstance(value, int) else 0


def _sequence(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else ()
