"""Contracts: their making, changing and removal, by policy.

Owns when a change takes effect and the transactions of it. Who may be a member is for ``members``.
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import msgspec

from venturi.adapters.store.store import Store, StoreReader
from venturi.core.contracts.periods import Period, PeriodLength, Schedule
from venturi.core.contracts.terms import Contract, Side, Terms, Version
from venturi.core.domain.control.listing import Listing
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.errors import ContractNotFoundError, InvalidContractError, InvalidTimeError, StatementRefusedError
from venturi.core.domain.interval import Nanoseconds, format_time
from venturi.core.ledger.bins import BIN
from venturi.core.ledger.calendar import find_zone
from venturi.core.rules.checks import printable
from venturi.services.contracts.members import check_members
from venturi.services.control.policy import Operation, listed_project, require

NEXT_PERIOD = "next"
THIS_PERIOD = "current"
"""When a change takes effect, beside the name of a period."""


@dataclass(frozen=True, kw_only=True)
class NewContract:
    """The contract that a caller asks for.

    ``project_id`` None is the caller's own project, ``begins_at`` None the start of the period that is running.
    """

    name: str
    terms: Terms
    project_id: str | None = None
    direction: Side = Side.RECEIVABLE
    zone: str = "UTC"
    period: PeriodLength = PeriodLength.MONTH
    first_day: int = 1
    begins_at: Nanoseconds | None = None
    ends_at: Nanoseconds | None = None


@dataclass(frozen=True, kw_only=True)
class ContractChanges:
    """New values of a contract's own attributes (``name``, ``ends_at``) and of its terms, by name, and from which period on these hold."""

    own: Mapping[str, object] = field(default_factory=dict)
    terms: Mapping[str, object] = field(default_factory=dict)
    takes_effect: str = NEXT_PERIOD


class ContractControl:
    """What callers do with contracts."""

    def __init__(self, store: Store, clock: Callable[[], Nanoseconds]) -> None:
        """Keep contracts in ``store``; by ``clock``, which gives nanoseconds since the UTC epoch, periods run."""
        self._store = store
        self._clock = clock

    def now(self) -> Nanoseconds:
        """Give the time by which a version is in force."""
        return self._clock()

    def create(self, caller: Principal, asked: NewContract) -> Contract:
        """Make a contract.

        Raises ``ForbiddenError``, ``InvalidContractError``, ``DuplicateContractError``, ``MembersOverlapError``, and the errors of members
        that there are not.
        """
        project_id, now = caller.project_id if asked.project_id is None else asked.project_id, self._clock()
        require(caller, Operation.CREATE_CONTRACT, project_id=project_id)
        terms = asked.terms.check()
        schedule = Schedule(_find_zone(asked.zone), asked.period, asked.first_day)
        begins_at = schedule.at(now).start if asked.begins_at is None else asked.begins_at
        _check_bounds(begins_at, asked.ends_at)
        with self._store.writing(caller) as writer:
            foreign = check_members(caller, writer, project_id, terms)
            require(caller, Operation.CREATE_CONTRACT, project_id=project_id, shared=foreign)
            first = Version(number=1, since=begins_at, at=now, author=caller.user_id, foreign=foreign, terms=terms)
            contract = Contract(
                id=str(uuid.uuid4()),
                name=asked.name,
                project_id=project_id,
                direction=asked.direction,
                zone=asked.zone,
                period=asked.period,
                first_day=asked.first_day,
                begins_at=begins_at,
                ends_at=asked.ends_at,
                versions=(first,),
            )
            writer.contracts.insert(contract)
        return contract

    def find(self, caller: Principal, contract_id: str) -> Contract:
        """Give a contract that the caller may see; else ``ContractNotFoundError``."""
        with self._store.reading() as reader:
            return visible_contract(caller, reader, contract_id, Operation.SHOW_CONTRACT)

    def list_contracts(self, caller: Principal, listing: Listing) -> list[Contract]:
        """List the contracts that the caller may see; raises ``ForbiddenError`` to whoever may see none."""
        project_id = listed_project(caller, Operation.LIST_CONTRACTS)
        with self._store.reading() as reader:
            return reader.contracts.list(listing, project_id=project_id)

    def update(self, caller: Principal, contract_id: str, changes: ContractChanges) -> Contract:
        """Change a contract; what it says changes from a period on, and is kept as it was for those before. Raises as ``create`` does."""
        now = self._clock()
        with self._store.writing(caller) as writer:
            before = visible_contract(caller, writer, contract_id, Operation.SHOW_CONTRACT)
            latest = before.versions[-1]
            require(caller, Operation.UPDATE_CONTRACT, project_id=before.project_id, shared=latest.foreign)
            after = msgspec.structs.replace(before, **dict(changes.own))
            _check_bounds(after.begins_at, after.ends_at)
            if after != before:
                writer.contracts.update(after)
            terms = msgspec.structs.replace(latest.terms, **dict(changes.terms)).check()
            if terms == latest.terms:
                return after
            if terms.currency != latest.terms.currency and writer.statements.any_of(before.id):
                message = f"currency: there are statements in {latest.terms.currency or 'none'}; end this contract and make another"
                raise InvalidContractError(message)
            foreign = check_members(caller, writer, before.project_id, terms, latest.terms)
            require(caller, Operation.UPDATE_CONTRACT, project_id=before.project_id, shared=foreign)
            since = Nanoseconds(max(before.begins_at, _effect(before, changes.takes_effect, now)))
            version = Version(number=latest.number + 1, since=since, at=now, author=caller.user_id, foreign=foreign, terms=terms)
            writer.contracts.add_version(before.id, version)
        return msgspec.structs.replace(after, versions=(*before.versions, version))

    def delete(self, caller: Principal, contract_id: str) -> None:
        """Remove a contract with its versions; what was counted stays.

        Raises ``ContractNotFoundError``, ``ForbiddenError``, and ``StatementRefusedError`` for one that has statements.
        """
        with self._store.writing(caller) as writer:
            contract = visible_contract(caller, writer, contract_id, Operation.SHOW_CONTRACT)
            require(caller, Operation.DELETE_CONTRACT, project_id=contract.project_id, shared=contract.versions[-1].foreign)
            if writer.statements.any_of(contract_id):
                message = f"contract '{printable(contract.name)}' has statements, which are of what it says: give it an end instead"
                raise StatementRefusedError(message)
            writer.contracts.delete(contract_id)


def visible_contract(caller: Principal, reader: StoreReader, contract_id: str, operation: Operation) -> Contract:
    """Give a contract of which the caller may do what ``operation`` says; whoever may do it of none hears so."""
    contract = reader.contracts.find(contract_id, listed_project(caller, operation))
    if contract is None:
        message = f"Contract '{contract_id}' does not exist."
        raise ContractNotFoundError(message)
    return contract


def schedule_of(contract: Contract) -> Schedule:
    """Give the schedule of a contract's periods."""
    return Schedule(find_zone(contract.zone), contract.period, contract.first_day)


def _find_zone(name: str) -> ZoneInfo:
    try:
        return find_zone(name)
    except InvalidTimeError as error:
        message = f"zone: {printable(error)}"
        raise InvalidContractError(message) from error


def find_period(contract: Contract, name: str | None, now: Nanoseconds) -> Period:
    """Give a period of a contract by its name, ``current`` or ``previous``, by default the one that is running.

    Of a period in which the contract begins or ends there is only the part within it. Raises ``InvalidPeriodError``.
    """
    schedule = schedule_of(contract)
    if name in {None, THIS_PERIOD, "previous"}:
        running = schedule.at(now)
        return schedule.before(running) if name == "previous" else running
    return schedule.named(str(name))


def _effect(contract: Contract, word: str, now: Nanoseconds) -> Nanoseconds:
    """Give the start of the period from which on a change holds."""
    if word == NEXT_PERIOD:
        return schedule_of(contract).at(now).end
    return find_period(contract, word, now).start


def _check_bounds(begins_at: int, ends_at: int | None) -> None:
    for name, time in (("begins_at", begins_at), ("ends_at", ends_at)):
        if time is not None and (time % BIN or time < 0):
            message = f"{name}: {format_time(time)} is no border of 5 minutes"
            raise InvalidContractError(message)
    if ends_at is not None and ends_at <= begins_at:
        message = f"ends_at: a contract ends after it begins, which is {format_time(begins_at)}"
        raise InvalidContractError(message)
