"""What a contract comes to in a period: its figure, the samples that it is of, and the price.

Owns which version settles, until when a period that is running is read, and when there is no figure.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from venturi.adapters.store.store import Store
from venturi.adapters.store.usage.sums import Span
from venturi.core.contracts.periods import Period
from venturi.core.contracts.pricing import PriceLine, price
from venturi.core.contracts.samples import Decision, Octets, Sample, decide, measured, share_known, sum_octets
from venturi.core.contracts.terms import Contract, PercentileMeasure, Version
from venturi.core.contracts.units import Rounding, factor_of, round_to, spell_decimal
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.errors import ForbiddenError, InvalidPeriodError
from venturi.core.domain.interval import Nanoseconds
from venturi.core.ledger.bins import BIN
from venturi.services.contracts.keeping import find_period, visible_contract
from venturi.services.contracts.reading import read_samples
from venturi.services.control.policy import Operation, permits, require

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


class ContractMeasures:
    """Measures contracts for callers."""

    def __init__(self, store: Store, clock: Callable[[], Nanoseconds]) -> None:
        """Read from ``store``; by ``clock``, which gives nanoseconds since the UTC epoch, periods and samples are over."""
        self._store = store
        self._clock = clock

    def measure(self, caller: Principal, contract_id: str, period: str | None, *, accept_missing: bool = False) -> Measured:
        """Measure a period, by default the one that is running; with ``accept_missing``, however few samples are known.

        Raises ``ContractNotFoundError``, ``ForbiddenError``, and ``InvalidPeriodError`` for a period that is none of the contract's.
        """
        now = self._clock()
        with self._store.reading() as reader:
            contract = visible_contract(caller, reader, contract_id, Operation.MEASURE_CONTRACT)
            chosen = _clip(contract, find_period(contract, period, now))
            version = contract.version_at(chosen.start)
            until = min(chosen.end, max(chosen.start, now // BIN * BIN))
            samples = read_samples(reader, contract, version, Span(BIN, chosen.start, until), now)
        return settle(contract, version, chosen, samples, now, accept_missing=accept_missing)

    def samples(self, caller: Principal, contract_id: str, period: str | None) -> Measured:
        """Measure as ``measure`` does, for whoever may see the samples; raises ``ForbiddenError`` where these are not for the caller."""
        require(caller, Operation.SHOW_SAMPLES)
        found = self.measure(caller, contract_id, period, accept_missing=True)
        hidden = found.version.foreign and not found.version.terms.samples_visible
        if not permits(caller, Operation.SHOW_SAMPLES, found.contract.project_id, shared=hidden):
            message = "the samples of this contract are for administrators: it has members of other projects"
            raise ForbiddenError(message)
        return found


def _clip(contract: Contract, period: Period) -> Period:
    """Give the part of a period that lies within the contract; raises ``InvalidPeriodError`` where none does."""
    clipped = period.clip(contract.begins_at, contract.ends_at)
    if clipped.start >= clipped.end:
        message = f"period: the contract holds at no time of {period.name}"
        raise InvalidPeriodError(message)
    return clipped


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
