"""Folding: the intervals at the start and at the end of a report of which there is no record are one line each.

Owns which intervals those are, and that line. An interval between others is never folded, nor one that tells of a loss after the first
record. Intervals in which there was no point are left out.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from venturi.interfaces.render.usage.rows import intervals_of

_WITHOUT_RECORDS = frozenset({"missing", "pending"})
"""The reasons of an interval about which nothing was posted."""

_BEFORE_RECORDS = _WITHOUT_RECORDS | {"not_metered"}
"""The reasons of one before the first record."""


class FoldedReport(NamedTuple):
    """A report without the intervals that are folded: ``before`` and ``after`` the others, each in a line, empty where there are none."""

    report: Mapping[str, object]
    before: str
    after: str


def fold_report(report: Mapping[str, object]) -> FoldedReport:
    """Fold the intervals without records at both ends; where no interval has any, all are ``before``."""
    intervals = intervals_of(report)
    first = next((place for place, interval in enumerate(intervals) if not _is_without_records(interval, _BEFORE_RECORDS)), len(intervals))
    last = len(intervals)
    while last > first and _is_without_records(intervals[last - 1], _WITHOUT_RECORDS):
        last -= 1
    if report.get("resolution") == "total":
        return FoldedReport({**report, "intervals": intervals[first:]}, "", "")
    kept = {**report, "intervals": intervals[first:last]}
    return FoldedReport(kept, _line(intervals[:first], "until", "end"), _line(intervals[last:], "from", "start"))


def _is_without_records(interval: Mapping[str, object], reasons: frozenset[str]) -> bool:
    told = interval.get("reasons")
    nothing = isinstance(told, list) and reasons.issuperset(told) and interval.get("coverage") != "complete"
    return nothing and not interval.get("usage") and not interval.get("known_seconds")


def _line(folded: Sequence[Mapping[str, object]], word: str, bound: str) -> str:
    if not folded:
        return ""
    border = str(folded[-1 if bound == "end" else 0].get(bound)).replace("T", " ")
    number = "1 interval" if len(folded) == 1 else f"{len(folded)} intervals"
    return f"No record {word} {border}: {number}, shown by --all."
