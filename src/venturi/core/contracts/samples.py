"""Samples: what all members of a contract counted in 5 minutes, their percentile by nearest rank, and their volume.

Owns which sample decides. What is missing is never ranked; its octets stand apart.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import ceil
from operator import itemgetter
from typing import NamedTuple

from venturi.core.contracts.terms import Of, PercentileMeasure
from venturi.core.domain.interval import SECOND, Nanoseconds
from venturi.core.ledger.bins import BIN

_BITS = 8


class Octets(NamedTuple):
    """What was counted in each direction, in octets."""

    ingress: int = 0
    egress: int = 0
    unknown: int = 0


class Sample(NamedTuple):
    """Octets in the 5 minutes from ``start``, in nanoseconds since the UTC epoch; ``known`` unless some of what passed may lack."""

    start: Nanoseconds
    octets: Octets
    known: bool


class Decision(NamedTuple):
    """The sample that decides: its ``octets`` of ``of`` are at ``position`` of those of all ``known`` samples, counted from the lowest."""

    sample: Sample
    octets: int
    of: Of
    position: int
    known: int

    @property
    def rate(self) -> Fraction:
        """The rate in bits per second."""
        return rate_of(self.octets)


def rate_of(octets: Fraction | int) -> Fraction:
    """Give the mean rate, in bits per second, of octets in 5 minutes."""
    return Fraction(octets) * _BITS * SECOND / BIN


class Distribution(NamedTuple):
    """What counts of samples come to: their mean, the least, the most, and the one at a percentile."""

    mean: Fraction
    minimum: int
    maximum: int
    percentile: int


def distribute(counts: Sequence[int], zeros: int, rank: Fraction) -> Distribution | None:
    """Give the distribution of the known samples: those with ``counts``, and so many with 0; None where there is none.

    The percentile is by nearest rank.
    """
    ranked = sorted([*counts, *[0] * zeros])
    if not ranked:
        return None
    return Distribution(Fraction(sum(ranked), len(ranked)), ranked[0], ranked[-1], ranked[position_of(rank, len(ranked)) - 1])


_VALUES: dict[Of, Callable[[Octets], int]] = {
    Of.INGRESS: itemgetter(0),
    Of.EGRESS: itemgetter(1),
    Of.MAX: lambda octets: max(octets[0], octets[1]),
    Of.SUM: sum,
}


def measured(octets: Octets, of: Of) -> int:
    """Give what of the directions of a sample, or of a sum of samples, is measured; ``max_of_percentiles`` is that of several samples."""
    return _VALUES[of](octets)


def position_of(rank: Fraction, count: int) -> int:
    """Give the position of a percentile among ``count`` values, from 1, the lowest: nearest rank, ⌈rank × count⌉."""
    return max(1, ceil(rank * count))


def decide(samples: Sequence[Sample], measure: PercentileMeasure) -> Decision | None:
    """Find the sample at the percentile among those known, None where none is; of equal samples, the order of time counts."""
    sides = (Of.INGRESS, Of.EGRESS) if measure.of is Of.MAX_OF_PERCENTILES else (measure.of,)
    decisions = [_decide(ranked, measure, of) for of in sides if (ranked := rank(samples, of))]
    return max(decisions, key=lambda decision: decision.octets, default=None)


def rank(samples: Sequence[Sample], of: Of) -> list[tuple[int, Sample]]:
    """Give the known samples, each with what is measured of it, from the lowest on; equal ones in the order of time."""
    value = _VALUES[of]
    return sorted(((value(sample.octets), sample) for sample in samples if sample.known), key=itemgetter(0))


def _decide(ranked: Sequence[tuple[int, Sample]], measure: PercentileMeasure, of: Of) -> Decision:
    position = position_of(measure.rank, len(ranked))
    octets, sample = ranked[position - 1]
    return Decision(sample, octets, of, position, len(ranked))


def sum_octets(samples: Sequence[Sample], *, known: bool | None = None) -> Octets:
    """Sum the octets of samples: of all, of those known, or of those missing."""
    some = [sample.octets for sample in samples if known is None or sample.known is known]
    return Octets(*map(sum, zip(*some, strict=True))) if some else Octets()


def share_known(samples: Sequence[Sample]) -> Fraction:
    """Give the share of samples that are known, from 0 to 1; of no samples, 0."""
    return Fraction(sum(sample.known for sample in samples), len(samples) or 1)
