"""What the samples of a period come to under a version of a contract: the figure, and its price line by line.

Owns when there is no figure. Where samples come from, and which version settles, is for the services.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from venturi.core.contracts.periods import Period
from venturi.core.contracts.pricing import PriceLine, price
from venturi.core.contracts.samples import Decision, Octets, Sample, decide, measured, share_known, sum_octets
from venturi.core.contracts.terms import Contract, PercentileMeasure, Version
from venturi.core.contracts.units import Rounding, factor_of, round_to, spell_decimal
from venturi.core.domain.interval import Nanoseconds

_HUNDRED = 100


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What a contract comes to in a period, as it is known at ``read_at``.

    ``period`` is the part of it that lies within the contract, and ``so_far`` tells that it is not over. ``exact`` is the figure in bits
    per second or octets, ``figure`` the same rounded, in the contract's unit; both are None, with the ``refusal``, where too few samples
    are known.
    """

    contract: Contract
    version: Version
    period: Period
    read_at: Nanoseconds
    so_far: bool
    samples: Sequence[Sample]
    decision: Decision | None
    exact: Fraction | None
    figure: Fraction | None
    refusal: str | None
    lines: Sequence[PriceLine]

    @property
    def known(self) -> int:
        """How many samples are known."""
        return sum(sample.known for sample in self.samples)

    @property
    def missing_octets(self) -> Octets:
        """What was counted in missing samples."""
        return sum_octets(self.samples, known=False)


def settle(
    contract: Contract, version: Version, period: Period, samples: Sequence[Sample], now: Nanoseconds, *, accept_missing: bool
) -> Measured:
    """Work out what samples come to under a version, as it is known at ``now``."""
    terms, decision = version.terms, None
    refusal: str | None = None
    if isinstance(terms.measure, PercentileMeasure):
        decision = decide(samples, terms.measure)
        refusal = _refuse(terms.measure, samples, accept_missing=accept_missing)
        exact = None if decision is None or refusal else decision.rate
    else:
        exact = Fraction(measured(sum_octets(samples), terms.measure.of))
    figure = None if exact is None else round_to(exact / factor_of(terms.unit), terms.decimals, terms.rounding)
    return Measured(
        contract=contract,
        version=version,
        period=period,
        read_at=now,
        so_far=now < period.end,
        samples=samples,
        decision=None if refusal else decision,
        exact=exact,
        figure=figure,
        refusal=refusal,
        lines=() if figure is None else price(terms, figure),
    )


def _refuse(measure: PercentileMeasure, samples: Sequence[Sample], *, accept_missing: bool) -> str | None:
    """Say why there is no percentile, None if there is one."""
    share = share_known(samples) * _HUNDRED
    if not share:
        return "no sample is known"
    if share >= Fraction(measure.least_known) or accept_missing:
        return None
    percent = spell_decimal(round_to(share, 2, Rounding.DOWN), 2)
    return f"{percent} % of the samples are known, less than the {measure.least_known} % that the contract needs"
