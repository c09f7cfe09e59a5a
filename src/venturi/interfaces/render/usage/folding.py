"""Folding: the intervals at the start and at the end of a report of which there is no record are one line each.

Owns which intervals those are, and that line. An interval between others is never folded, nor one that tells of a loss.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from venturi.interfaces.render.usage.rows import objects_of

_WITHOUT_RECORDS = frozenset({"missing", "pending"})
"""The reasons of an interval about which nothing was posted."""


class FoldedReport(NamedTuple):
    """A report without the intervals that are folded: ``before`` and ``after`` the others, each in a line, empty where there are none."""

    report: Mapping[str, object]
    before: str
    after: str


def fold_report(report: Mapping[str, object]) -> FoldedReport:
    """Fold the intervals without records at both ends; where no interval has any, all are ``before``."""
    intervals = objects_of(report, "intervals")
    told = [place for place, interval in enumerate(intervals) if not _is_without_records(interval)]
    first, last = (told[0], told[-1]) if told else (len(intervals), len(intervals) - 1)
    if report.get("resolution") == "total":
        return FoldedReport({**report, "intervals": intervals[first:]}, "", "")
    kept = {**report, "intervals": intervals[first : last + 1]}
    return FoldedReport(kept, _line(intervals[:first], "until", "end"), _line(intervals[last + 1 :], "from", "start"))


def _is_without_records(interval: Mapping[str, object]) -> bool:
    reasons = interval.get("reasons")
    told = isinstance(reasons, list) and _WITHOUT_RECORDS.issuperset(reasons) and interval.get("coverage") != "complete"
    return told and not interval.get("usage") and not interval.get("known_seconds")


def _line(folded: Sequence[Mapping[str, object]], word: str, bound: str) -> str:
    if not folded:
        return ""
    border = str(folded[-1 if bound == "end" else 0].get(bound)).replace("T", " ")
    number = "1 interval" if len(folded) == 1 else f"{len(folded)} intervals"
    return f"No record {word} {border}: {number}, shown by --all."
