"""Intervals of a report, made of sums, of what stands beside them, and of coverage.

Owns the order of rows, and that whatever stands beside a row is of the same moment.
"""

from collections.abc import Sequence
from itertools import pairwise

from venturi.services.reports.comparing import Comparison
from venturi.services.reports.coverage import IntervalCoverage
from venturi.services.reports.foreseeing import Foresight
from venturi.services.reports.groups import EVERYWHERE
from venturi.services.reports.rates import read_rates
from venturi.services.reports.request import UsageRequest
from venturi.services.reports.rows import ReportInterval, ReportRows
from venturi.services.reports.summing import IntervalSums, Source


def join(source: Source, request: UsageRequest, borders: Sequence[int]) -> list[ReportInterval]:
    """Sum the versions of each group in each interval, and say how much of the truth that is."""
    coverage, sums = source.cover(borders), source.sum_up(borders)
    return [_interval(source, request, start, end, sums[start], coverage) for start, end in pairwise(borders)]


def _interval(
    source: Source, request: UsageRequest, start: int, end: int, sums: IntervalSums, coverage: IntervalCoverage
) -> ReportInterval:
    groups = source.groups
    comparison = None if request.compared is None else Comparison(source, request.compared)
    if comparison is not None:
        sums.include(comparison.numbers, comparison.count_columns)
    foresight = Foresight(source, request, request.period.end) if request.forecast and request.period is not None else None
    if foresight is not None:
        sums.include(foresight.numbers, foresight.count_columns)
    if groups.ranked:
        sums.sort(groups.order)
    scopes = set(map(groups.scope_of.__getitem__, sums.numbers))
    told = {scope: coverage.of(start, end, groups.scopes[scope]) for scope in scopes}
    rows = ReportRows(groups, sums.numbers, sums.counts, told)
    beside = {} if comparison is None else dict(comparison.columns(rows))
    if request.rates is not None:
        beside |= read_rates(source, request.rates, (start, end), rows.numbers)
    if foresight is not None:
        beside |= foresight.columns(rows)
    whole, points = coverage.of(start, end, EVERYWHERE), coverage.count(start, end)
    return ReportInterval(start, end, *whole, points, rows.with_beside(beside), coverage.known_until, coverage.now)
