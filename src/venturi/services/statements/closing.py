"""Closing periods into statements, and voiding these, by policy.

Owns the order of it: what is read is of one posting; what is doubtful must be accepted by name; nothing is written if another statement of
the contract came between.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from venturi.adapters.store.store import Store, StoreReader, StoreWriter
from venturi.adapters.store.tables.statements import BilledPeriod, KeptStatement
from venturi.core.contracts.periods import Period
from venturi.core.contracts.settling import settle
from venturi.core.contracts.terms import Contract
from venturi.core.domain.control.listing import Listing
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.errors import InvalidPeriodError, StatementRefusedError
from venturi.core.domain.interval import Nanoseconds
from venturi.core.rules.checks import printable
from venturi.core.statements.document import AcceptancePart, LedgerPart, MemberPart, StatementKind, VoidPart, read_document
from venturi.core.statements.figures import contract_part
from venturi.core.statements.verifying import KNOWN_SHARE
from venturi.services.contracts.keeping import find_period, visible_contract
from venturi.services.contracts.measuring import clip_period
from venturi.services.control.policy import Operation, listed_project
from venturi.services.statements.checking import Finding, find_doubts
from venturi.services.statements.drafting import Draft, find_adjustments, name_members
from venturi.services.statements.keeping import MadeStatement, Signer, keep, visible_statement
from venturi.services.statements.reading import PeriodReader

MOST_NAMED = 5
"""How many findings the sentence of a refusal names."""

_AT_ONCE = 20
"""How many statements are written in one transaction, and kept in memory until then."""


@dataclass(frozen=True)
class Acceptance:
    """A finding that is accepted, by its name, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class CheckedPeriod:
    """What makes the figure of a period of a contract doubtful."""

    contract: Contract
    period: Period
    findings: Sequence[Finding]


@dataclass(frozen=True)
class RefusedContract:
    """A contract whose period was not closed, and why."""

    contract: Contract
    sentence: str


@dataclass(frozen=True)
class ClosedPeriods:
    """What became of the contracts of a period."""

    closed: Sequence[KeptStatement]
    refused: Sequence[RefusedContract]


class StatementControl:
    """Closes periods for callers."""

    def __init__(
        self, store: Store, clock: Callable[[], Nanoseconds], signer: Signer | None = None, *, default_line_rate: int = 10**12
    ) -> None:
        """Keep statements in ``store``, signed if there is a ``signer``; points carry ``default_line_rate`` bits a second unless told."""
        self._store = store
        self._clock = clock
        self._signer = signer
        self._line_rate = default_line_rate

    def check(self, caller: Principal, contract_id: str, period: str | None) -> CheckedPeriod:
        """List what makes the figure of a period doubtful, by default of the one before that which is running.

        Raises ``ContractNotFoundError``, ``ForbiddenError`` and ``InvalidPeriodError``.
        """
        now = self._clock()
        with self._store.reading() as reader:
            contract = visible_contract(caller, reader, contract_id, Operation.CHECK_STATEMENT)
            periods = _read_periods(reader, now)
            chosen = clip_period(contract, find_period(contract, period or "previous", now))
            version = contract.version_at(chosen.start)
            found = periods.read(contract, version, chosen, accept_missing=False)
            return CheckedPeriod(contract, chosen, find_doubts(reader, found, name_members(reader, version), self._line_rate))

    def close(self, caller: Principal, contract_id: str, period: str | None, accepted: Sequence[Acceptance] = ()) -> KeptStatement:
        """Close a period of a contract, by default the one before that which is running.

        Raises as ``check`` does, and ``StatementRefusedError`` while something makes it doubtful that is not accepted, or it is closed.
        """
        now = self._clock()
        with self._store.reading() as reader:
            contract = visible_contract(caller, reader, contract_id, Operation.CLOSE_STATEMENT)
            periods = _read_periods(reader, now)
            made = self._make(reader, periods, contract, period or "previous", accepted)
        with self._store.writing(caller) as writer:
            return self._write(writer, caller, made, now)

    def close_all(self, caller: Principal, period: str | None, accepted: Sequence[Acceptance] = ()) -> ClosedPeriods:
        """Close a period of all contracts, as of one posting; what is refused is told, and the others go on. Raises ``ForbiddenError``."""
        project_id = listed_project(caller, Operation.CLOSE_STATEMENT)
        now = self._clock()
        closed: list[KeptStatement] = []
        refused: list[RefusedContract] = []
        with self._store.reading() as reader:
            contracts = reader.contracts.list(Listing(), project_id=project_id)
            periods = _read_periods(reader, now)
            for first in range(0, len(contracts), _AT_ONCE):
                made = []
                for contract in contracts[first : first + _AT_ONCE]:
                    try:
                        made.append(self._make(reader, periods, contract, period or "previous", accepted))
                    except (InvalidPeriodError, StatementRefusedError) as error:
                        refused.append(RefusedContract(contract, str(error)))
                closed += self._write_some(caller, made, now, refused)
        return ClosedPeriods(closed, refused)

    def void(self, caller: Principal, number: int, reason: str) -> KeptStatement:
        """Cancel a statement by another, after which its period can be closed again.

        Raises ``StatementNotFoundError``, ``ForbiddenError``, and ``StatementRefusedError`` for one that is cancelled, that cancels
        another, or on which an adjustment rests.
        """
        now = self._clock()
        with self._store.writing(caller) as writer:
            statement = visible_statement(caller, writer, number, Operation.VOID_STATEMENT)
            _refuse_void(statement, writer.statements.billed(statement.contract_id))
            document = read_document(writer.statements.document(number))
            posting = writer.ledger.latest_posting()
            cancelling = MadeStatement(
                kind=StatementKind.VOID,
                contract=document.contract,
                period=Period(statement.period, statement.period_start, statement.period_end),
                members=document.members,
                currency=document.currency,
                total=None if document.total is None else -Fraction(document.total),
                ledger=LedgerPart(posting=str(posting), seal=writer.ledger.seal(posting)),
                voids=VoidPart(statement=str(number), reason=reason),
            )
            return keep(writer, caller, cancelling, (), now, self._signer)

    def _make(
        self, reader: StoreReader, periods: PeriodReader, contract: Contract, name: str, accepted: Sequence[Acceptance]
    ) -> tuple[MadeStatement, Draft]:
        """Make what is to be written; raises ``StatementRefusedError`` while anything about it is doubtful and not accepted."""
        draft = _draft(periods, contract, name)
        acceptances: list[AcceptancePart] = []
        if draft.own is not None:
            findings = find_doubts(reader, draft.own, draft.names, self._line_rate)
            acceptances = _accept(draft, findings, accepted)
            if any(each.name == KNOWN_SHARE for each in acceptances):
                found = draft.own.measured
                again = settle(found.contract, found.version, found.period, found.samples, found.read_at, accept_missing=True)
                draft = replace(draft, own=replace(draft.own, measured=again))
        measurement = None if draft.own is None else draft.own.part
        amounts = [Fraction((measurement and measurement.total) or 0)]
        amounts += [Fraction(adjustment.part.difference or 0) for adjustment in draft.adjustments]
        made = MadeStatement(
            kind=StatementKind.CLOSING if draft.own is None else StatementKind.STATEMENT,
            contract=contract_part(contract),
            members=[MemberPart(kind=member.kind, id=member.id, name=text) for member, text in draft.names.items()],
            period=draft.period,
            ledger=LedgerPart(posting=str(periods.posting), seal=periods.seal),
            currency=draft.version.terms.currency,
            total=None if draft.version.terms.currency is None else sum(amounts, Fraction(0)),
            measurement=measurement,
            adjustments=[adjustment.part for adjustment in draft.adjustments],
            acceptances=acceptances,
        )
        return made, draft

    def _write_some(
        self, caller: Principal, some: Sequence[tuple[MadeStatement, Draft]], now: Nanoseconds, refused: list[RefusedContract]
    ) -> list[KeptStatement]:
        closed = []
        with self._store.writing(caller) as writer:
            for made in some:
                try:
                    closed.append(self._write(writer, caller, made, now))
                except StatementRefusedError as error:
                    refused.append(RefusedContract(made[1].contract, str(error)))
        return closed

    def _write(self, writer: StoreWriter, caller: Principal, made: tuple[MadeStatement, Draft], now: Nanoseconds) -> KeptStatement:
        """Write a statement, unless another of the contract came since it was read: that is a ``StatementRefusedError``."""
        statement, draft = made
        if writer.statements.billed(draft.contract.id) != list(draft.billed) or writer.contracts.find(draft.contract.id) != draft.contract:
            message = f"contract '{printable(draft.contract.name)}' or its statements changed meanwhile: try again"
            raise StatementRefusedError(message)
        return keep(writer, caller, statement, _bill(statement, draft), now, self._signer)


def _read_periods(reader: StoreReader, now: Nanoseconds) -> PeriodReader:
    """Read as of the last posting of which a reader sees all."""
    return PeriodReader(reader, reader.usage.beyond().postings.last, now)


def _draft(periods: PeriodReader, contract: Contract, name: str) -> Draft:
    """Measure a period, and what is to be adjusted; of a contract that ended before, only the latter."""
    asked = find_period(contract, name, periods.now)
    billed = periods.reader.statements.billed(contract.id)
    for each in billed:
        if each.period == asked.name and each.statement == each.number:
            message = f"{asked.name} of contract '{printable(contract.name)}' is closed by statement {each.number}"
            raise StatementRefusedError(message)
    ended = contract.ends_at is not None and contract.ends_at <= asked.start
    period = asked if ended else clip_period(contract, asked)
    version = contract.version_at(period.start)
    own = None if ended else periods.read(contract, version, period, accept_missing=False)
    adjustments = find_adjustments(periods, contract, billed)
    if ended and not adjustments:
        message = f"contract '{printable(contract.name)}' ended before {asked.name}, and there is nothing to adjust"
        raise StatementRefusedError(message)
    names = name_members(periods.reader, version)
    return Draft(contract=contract, version=version, period=period, own=own, adjustments=adjustments, names=names, billed=billed)


def _accept(draft: Draft, findings: Sequence[Finding], accepted: Sequence[Acceptance]) -> list[AcceptancePart]:
    """Give what is accepted; raises ``StatementRefusedError``, which names what is not."""
    reasons = {each.name: each.reason for each in accepted}
    open_ones = [finding for finding in findings if finding.name not in reasons or not finding.acceptable]
    if open_ones:
        named = "; ".join(f"{finding.name}: {finding.sentence}" for finding in open_ones[:MOST_NAMED])
        more = f"; and {len(open_ones) - MOST_NAMED} more" if len(open_ones) > MOST_NAMED else ""
        message = f"{draft.period.name} of contract '{printable(draft.contract.name)}' cannot be closed: {named}{more}"
        raise StatementRefusedError(message)
    return [AcceptancePart(name=each.name, finding=each.sentence, reason=reasons[each.name]) for each in findings]


def _bill(statement: MadeStatement, draft: Draft) -> list[BilledPeriod]:
    """Give what a statement bills for each period; numbers and posting are given when it is kept."""
    billed = []
    if statement.measurement is not None:
        billed.append(
            BilledPeriod(
                number=0,
                contract_id=draft.contract.id,
                statement=0,
                posting=0,
                period=draft.period.name,
                period_start=draft.period.start,
                period_end=draft.period.end,
                contract_version=draft.version.number,
                figure=statement.measurement.figure,
                amount=statement.measurement.total,
                currency=draft.version.terms.currency,
            )
        )
    for adjustment in draft.adjustments:
        part = adjustment.part
        billed.append(replace(adjustment.first, number=0, figure=part.measurement.figure, amount=part.difference))
    return billed


def _refuse_void(statement: KeptStatement, billed: Sequence[BilledPeriod]) -> None:
    if statement.kind is StatementKind.VOID or statement.voided_by is not None:
        other = f"cancels statement {statement.voids}" if statement.voids else f"is cancelled by statement {statement.voided_by}"
        message = f"statement {statement.number} {other}"
        raise StatementRefusedError(message)
    resting = [each.number for each in billed if each.statement == statement.number != each.number]
    if resting:
        message = f"statement {resting[-1]} adjusts what statement {statement.number} billed: void that first"
        raise StatementRefusedError(message)
