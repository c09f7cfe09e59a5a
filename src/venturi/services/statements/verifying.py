"""Statements held to the ledger: all that one says is read again as of its posting, and the first difference is named.

Owns that nothing of it but names, acceptances and terms is taken from the statement itself.
"""

from dataclasses import dataclass

from venturi.adapters.store.store import Store, StoreReader
from venturi.core.contracts.periods import Period
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.errors import InvalidStatementError
from venturi.core.domain.interval import Nanoseconds, parse_time
from venturi.core.statements.document import MeasurementPart, SignedStatement, StatementDocument, digest_of, read_document
from venturi.core.statements.verifying import KNOWN_SHARE, check_statement, find_difference
from venturi.services.control.policy import Operation
from venturi.services.statements.keeping import visible_statement
from venturi.services.statements.reading import PeriodReader


@dataclass(frozen=True)
class Verification:
    """Whether the ledger says what a statement does, and else the first ``difference``."""

    number: int
    difference: str | None


class StatementVerifying:
    """Verifies statements for callers."""

    def __init__(self, store: Store) -> None:
        """Hold statements in ``store`` to the ledger there."""
        self._store = store

    def verify(self, caller: Principal, number: int) -> Verification:
        """Hold a statement to the ledger; raises ``StatementNotFoundError`` and ``ForbiddenError``."""
        with self._store.reading() as reader:
            kept = visible_statement(caller, reader, number, Operation.VERIFY_STATEMENT)
            octets = reader.statements.document(number)
            if digest_of(octets) != kept.digest:
                return Verification(number, "digest: the document is not the one that was kept")
            document = read_document(octets)
            try:
                check_statement(SignedStatement(statement=document, digest=kept.digest, signature=None))
            except InvalidStatementError as error:
                return Verification(number, str(error))
            return Verification(number, _compare(reader, document))


def _compare(reader: StoreReader, document: StatementDocument) -> str | None:
    posting = int(document.ledger.posting)
    seal = reader.ledger.seal(posting)
    if seal != document.ledger.seal:
        return f"ledger.seal: the statement says {document.ledger.seal}, and posting {posting} has {seal or 'none'}"
    contract = reader.contracts.find(document.contract.id)
    if contract is None:
        return f"contract: there is none with the id {document.contract.id}"
    periods = PeriodReader(reader, posting, parse_time(document.closed_at))
    accepted = any(each.name == KNOWN_SHARE for each in document.acceptances)
    measured = [] if document.measurement is None else [("measurement", document.measurement, accepted)]
    measured += [(f"adjustments[{place}]", each.measurement, True) for place, each in enumerate(document.adjustments, 1)]
    for place, part, accept_missing in measured:
        version = next((version for version in contract.versions if version.number == int(part.version)), None)
        if version is None:
            return f"{place}.version: the contract has no version {part.version}"
        again = periods.read(contract, version, _period_of(part), accept_missing=accept_missing).part
        found = find_difference(part, again)
        if found is not None:
            return f"{place}.{found[0]}: the statement says {found[1]}, and the ledger {found[2]}"
    return None


def _period_of(part: MeasurementPart) -> Period:
    return Period(part.period.name, Nanoseconds(parse_time(part.period.start)), Nanoseconds(parse_time(part.period.end)))
