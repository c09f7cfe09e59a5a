"""The groups of a report that have the most octets, and all others as one.

Owns what is summed over the others: counts, the worst of their coverage, and their known time, in which a point is as often as groups of
the others can count there.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from venturi.core.domain.coverage import Coverage
from venturi.interfaces.render.resources.selection import Row
from venturi.interfaces.render.usage.rows import BOUNDARY, BOUNDS, COUNTS, GROUPS, MAY_OVERLAP, PARTS, POINT_TIME, SHARED, USED

OTHERS = "other"
"""The name of what is summed."""

_NAMES = ("label_name", "observation_point_name", "project_id", "point_project_id")
_STATES = tuple(Coverage)


def keep_largest(rows: Iterable[Row], group_by: Sequence[str], top: int) -> list[Row]:
    """Keep the rows of the ``top`` groups with the most octets over the whole report, and sum the others by interval and direction.

    Groups are told apart by all of ``group_by`` but the direction, and by boundary: the others of each are a sum of their own. A packet
    that several of the others count is in the sum as often.
    """
    listed = list(rows)
    fields = [name for grouping in group_by if grouping not in {"direction", BOUNDARY} for name in GROUPS[grouping]]
    octets: defaultdict[tuple[object, ...], int] = defaultdict(int)
    for row in listed:
        if "octets" in row:
            octets[_key(row, (*fields, SHARED, BOUNDARY))] += int(str(row["octets"]))
    kept = set(sorted(octets, key=lambda key: (-octets[key], str(key)))[:top])
    if len(kept) == len(octets):
        return listed
    others: dict[tuple[object, ...], Row] = {}
    for row in listed:
        if "octets" in row and _key(row, (*fields, SHARED, BOUNDARY)) not in kept:
            key = _key(row, (*BOUNDS, "direction", SHARED, BOUNDARY))
            others[key] = _add(others[key], row) if key in others else _nameless(row, fields)
    return [*(row for row in listed if "octets" not in row or _key(row, (*fields, SHARED, BOUNDARY)) in kept), *others.values()]


def _key(row: Row, fields: Sequence[str]) -> tuple[object, ...]:
    return tuple(row.get(name) for name in fields)


def _nameless(row: Row, fields: Sequence[str]) -> Row:
    """Make the first row of the others: without ids, and named as such where the report has a name."""
    name = next((name for name in _NAMES if name in fields), None)
    return {**row, **dict.fromkeys(fields), **({} if name is None else {name: OTHERS})}


def _add(one: Row, other: Row) -> Row:
    counts = {name: int(str(one[name])) + int(str(other[name])) for name in (*COUNTS, *PARTS, *USED) if name in one}
    overlap = {MAY_OVERLAP: True} if MAY_OVERLAP in one else {}
    states = (str(one["coverage"]), str(other["coverage"]))
    reasons = dict.fromkeys([*_reasons(one), *_reasons(other)])
    times = {name: _number(one, name) + _number(other, name) for name in POINT_TIME if name in one}
    worst: Mapping[str, object] = {
        "coverage": max(states, key=lambda state: _STATES.index(Coverage(state))),
        "reasons": list(reasons),
        "known_seconds": min(int(str(one["known_seconds"])), int(str(other["known_seconds"]))),
        "segments": "merged" if "merged" in {one["segments"], other["segments"]} else "wire",
    }
    return {**one, **counts, **overlap, **worst, **times}


def _number(row: Row, name: str) -> int:
    return int(str(row.get(name, 0)))


def _reasons(row: Row) -> Sequence[object]:
    reasons = row.get("reasons")
    return reasons if isinstance(reasons, list) else ()
