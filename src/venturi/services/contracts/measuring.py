"""What contracts come to in a period, for callers.

Owns which version settles, and until when a period that is running is read.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from venturi.adapters.store.store import Store
from venturi.adapters.store.usage.sums import Span
from venturi.core.contracts.periods import Period
from venturi.core.contracts.settling import Measured, settle
from venturi.core.contracts.terms import Contract, Version
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.errors import ForbiddenError, InvalidPeriodError
from venturi.core.domain.interval import Nanoseconds
from venturi.core.ledger.bins import BIN
from venturi.services.contracts.keeping import find_period, visible_contract
from venturi.services.contracts.reading import Wanted, read_all_samples, read_samples
from venturi.services.control.policy import Operation, listed_project, permits, require


class Unmeasured(NamedTuple):
    """A contract that has no such period, and why."""

    contract: Contract
    reason: str


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
            chosen = clip_period(contract, find_period(contract, period, now))
            version = contract.version_at(chosen.start)
            samples = read_samples(reader, contract, version, _until_now(chosen, now), now)
        return settle(contract, version, chosen, samples, now, accept_missing=accept_missing)

    def measure_all(
        self, caller: Principal, contracts: Sequence[Contract], period: str | None, *, accept_missing: bool = False
    ) -> Iterator[Measured | Unmeasured]:
        """Measure the same period of many contracts, of those that the caller may measure, in their order by boundary.

        All are read together, by one transaction. A contract that has no such period, or does not hold in it, is not measured. Raises
        ``ForbiddenError``.
        """
        project, now = listed_project(caller, Operation.LIST_MEASURES), self._clock()
        mine = [contract for contract in contracts if project is None or contract.project_id == project]
        found = [_try_period(contract, period, now) for contract in mine]
        yield from (each for each in found if isinstance(each, Unmeasured))
        chosen = [each for each in found if not isinstance(each, Unmeasured)]
        with self._store.reading() as reader:
            wanted = [Wanted(contract, version, _until_now(clipped, now)) for contract, version, clipped in chosen]
            for place, samples in read_all_samples(reader, wanted, now):
                yield settle(*chosen[place], samples, now, accept_missing=accept_missing)

    def samples(self, caller: Principal, contract_id: str, period: str | None) -> Measured:
        """Measure as ``measure`` does, for whoever may see the samples; raises ``ForbiddenError`` where these are not for the caller."""
        require(caller, Operation.SHOW_SAMPLES)
        found = self.measure(caller, contract_id, period, accept_missing=True)
        hidden = found.version.foreign and not found.version.terms.samples_visible
        if not permits(caller, Operation.SHOW_SAMPLES, found.contract.project_id, shared=hidden):
            message = "the samples of this contract are for administrators: it has members of other projects"
            raise ForbiddenError(message)
        return found


def _try_period(contract: Contract, name: str | None, now: Nanoseconds) -> tuple[Contract, Version, Period] | Unmeasured:
    """Find the part of a period that lies within a contract, and the version that settles it."""
    try:
        clipped = clip_period(contract, find_period(contract, name, now))
    except InvalidPeriodError as error:
        return Unmeasured(contract, str(error))
    return contract, contract.version_at(clipped.start), clipped


def _until_now(period: Period, now: Nanoseconds) -> Span:
    """Give the samples of a period that are over."""
    return Span(BIN, period.start, min(period.end, max(period.start, now // BIN * BIN)))


def clip_period(contract: Contract, period: Period) -> Period:
    """Give the part of a period that lies within the contract; raises ``InvalidPeriodError`` where none does."""
    clipped = period.clip(contract.begins_at, contract.ends_at)
    if clipped.start >= clipped.end:
        message = f"period: the contract holds at no time of {period.name}"
        raise InvalidPeriodError(message)
    return clipped
