"""Rates of groups: the mean, the extremes and a percentile of samples of 5 minutes.

Owns how samples are read and how many may be. What they come to is for ``core.contracts.samples``, which are known for ``sampling``.
"""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from venturi.adapters.store.usage.sums import Span
from venturi.core.contracts.samples import Distribution, distribute, rate_of
from venturi.core.contracts.units import spell_decimal
from venturi.core.domain.errors import InvalidRequestError
from venturi.core.domain.interval import SECOND
from venturi.core.ledger.bins import BIN, DAY
from venturi.services.reports.request import MOST_SAMPLES, Rates, RateUnit
from venturi.services.reports.rows import Beside, Columns
from venturi.services.reports.sampling import SampleCoverage
from venturi.services.reports.summing import Source

RATES = ("mean_rate", "minimum_rate", "maximum_rate", "percentile_rate", "known_samples", "missing_samples")
"""What stands beside counts whose rates are asked for."""

_DECIMALS = 3


def check_samples(groups: int, borders: Sequence[int], now: int) -> None:
    """Refuse more than ``MOST_SAMPLES`` in the longest interval of so many groups with ``InvalidRequestError``, before any is read."""
    count = max((max(0, min(end, now) - start) // BIN for start, end in pairwise(borders)), default=0)
    if count * groups > MOST_SAMPLES:
        message = (
            f"unit: {groups:,} groups with {count:,} samples each are more than {MOST_SAMPLES:,} samples: "
            "ask for fewer groups, by top or a filter, or for shorter intervals"
        )
        raise InvalidRequestError(message)


def read_rates(source: Source, rates: Rates, bounds: tuple[int, int], numbers: Sequence[int]) -> Columns:
    """Read the samples of groups, by their ``numbers``, in an interval, as far as samples are over. They were checked before."""
    start, end = bounds[0], max(bounds[0], min(bounds[1], source.now // BIN * BIN))
    count = (end - start) // BIN
    if not count or not numbers:
        return dict.fromkeys(RATES[:4], [None] * len(numbers)) | dict.fromkeys(RATES[4:], [0] * len(numbers))
    coverage = SampleCoverage(source.points, Span(BIN, start, end), source.now, source.read_coverage)
    groups = source.groups
    known = {scope: coverage.known(groups.scopes[scope]) for scope in set(map(groups.scope_of.__getitem__, numbers))}
    counted = _read_counts(source, rates.unit, range(start, end, BIN), known)
    cells = []
    for number in numbers:
        samples = known[groups.scope_of[number]]
        found = distribute(counted[number], len(samples) - len(counted[number]), rates.rank)
        cells.append((*_spell(found, rates.unit), len(samples), count - len(samples)))
    return dict(zip(RATES, zip(*cells, strict=True), strict=True))


def _read_counts(source: Source, unit: RateUnit, starts: range, known: dict[int, frozenset[int]]) -> defaultdict[int, list[int]]:
    """Read what groups counted in the samples that are known, a day at a time; where nothing was counted, there is no number."""
    column = 1 if unit is RateUnit.BITS else 0
    counted: defaultdict[int, list[int]] = defaultdict(list)
    scope_of = source.groups.scope_of
    for first in range(starts.start, starts.stop, DAY):
        borders = range(first, min(first + DAY, starts.stop) + 1, BIN)
        for start, sums in source.sum_up(borders).items():
            for number, count in zip(sums.numbers, sums.counts[column] if sums.counts else (), strict=True):
                if start in known.get(scope_of[number], ()):
                    counted[number].append(count)
    return counted


def _spell(found: Distribution | None, unit: RateUnit) -> tuple[Beside, ...]:
    if found is None:
        return (None,) * 4
    return tuple(Decimal(spell_decimal(_rate(value, unit), _DECIMALS)) for value in found)


def _rate(count: Fraction | int, unit: RateUnit) -> Fraction:
    return rate_of(count) if unit is RateUnit.BITS else Fraction(count) * SECOND / BIN
