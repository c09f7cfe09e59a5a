"""Statements as they are kept: their numbers, documents and signatures, and who may see them.

Owns what is written, in the one transaction that numbers it. What is billed is for ``drafting``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Protocol

from venturi.adapters.store.store import Store, StoreReader, StoreWriter
from venturi.adapters.store.tables.statements import BilledPeriod, KeptStatement, Rendering
from venturi.core.contracts.periods import Period
from venturi.core.domain.control.listing import Listing
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.errors import ForbiddenError, StatementNotFoundError
from venturi.core.domain.interval import Nanoseconds, format_time
from venturi.core.statements.document import (
    FORM,
    AcceptancePart,
    AdjustmentPart,
    ContractPart,
    LedgerPart,
    MeasurementPart,
    MemberPart,
    SignaturePart,
    SignedStatement,
    StatementDocument,
    StatementKind,
    VoidPart,
    digest_of,
    read_document,
    to_octets,
)
from venturi.core.statements.figures import period_part, spell_amount
from venturi.services.control.policy import Operation, listed_project, permits, require

ALGORITHM = "ed25519"


class Signer(Protocol):
    """Signs the octets of documents."""

    def sign(self, octets: bytes) -> SignaturePart:
        """Sign octets."""


@dataclass(frozen=True, kw_only=True)
class MadeStatement:
    """A statement that lacks nothing but its number, its time and its author."""

    kind: StatementKind
    contract: ContractPart
    members: Sequence[MemberPart]
    period: Period
    ledger: LedgerPart
    currency: str | None
    total: Fraction | None
    measurement: MeasurementPart | None = None
    adjustments: Sequence[AdjustmentPart] = ()
    acceptances: Sequence[AcceptancePart] = ()
    voids: VoidPart | None = None


@dataclass(frozen=True, kw_only=True)
class ShownStatement:
    """A statement with its document; ``samples`` tells whether the caller may see these, ``renderings`` has digests by form."""

    kept: KeptStatement
    document: StatementDocument
    samples: bool
    renderings: dict[str, str]


def keep(
    writer: StoreWriter, caller: Principal, made: MadeStatement, billed: Sequence[BilledPeriod], now: Nanoseconds, signer: Signer | None
) -> KeptStatement:
    """Give a statement its number, sign it, and write it with what it bills."""
    number = writer.statements.next_number()
    document = StatementDocument(
        form=FORM,
        kind=made.kind,
        number=str(number),
        contract=made.contract,
        members=list(made.members),
        period=period_part(made.period),
        measurement=made.measurement,
        adjustments=list(made.adjustments),
        acceptances=list(made.acceptances),
        voids=made.voids,
        currency=made.currency,
        total=spell_amount(made.total, made.currency),
        closed_at=format_time(now),
        closed_by=caller.user_id,
        ledger=made.ledger,
        head=None,
        proof=None,
    )
    octets = to_octets(document)
    signature = None if signer is None else signer.sign(octets)
    kept = KeptStatement(
        number=number,
        contract_id=made.contract.id,
        contract=made.contract.name,
        project_id=made.contract.project_id,
        kind=made.kind,
        period=made.period.name,
        period_start=made.period.start,
        period_end=made.period.end,
        posting=int(made.ledger.posting),
        closed_at=now,
        closed_by=caller.user_id,
        voids=None if made.voids is None else int(made.voids.statement),
        total=document.total,
        currency=made.currency,
        digest=digest_of(octets),
        signing_key=None if signature is None else signature.key,
        signature=None if signature is None else signature.value,
    )
    numbered = [replace(each, number=number, statement=each.statement or number, posting=kept.posting) for each in billed]
    writer.statements.insert(kept, octets, numbered)
    return kept


class Statements:
    """What callers see of statements."""

    def __init__(self, store: Store, clock: Callable[[], Nanoseconds]) -> None:
        """Read from ``store``; by ``clock``, which gives nanoseconds since the UTC epoch, renderings are dated."""
        self._store = store
        self._clock = clock

    def list(self, caller: Principal, listing: Listing) -> Sequence[KeptStatement]:
        """List the statements that the caller may see; raises ``ForbiddenError`` to whoever may see none."""
        project_id = listed_project(caller, Operation.LIST_STATEMENTS)
        with self._store.reading() as reader:
            return reader.statements.list(listing, project_id)

    def show(self, caller: Principal, number: int) -> ShownStatement:
        """Give a statement that the caller may see; else ``StatementNotFoundError``."""
        with self._store.reading() as reader:
            kept = visible_statement(caller, reader, number, Operation.SHOW_STATEMENT)
            document = read_document(reader.statements.document(number))
            samples = sees_samples(caller, reader, kept)
            return ShownStatement(kept=kept, document=document, samples=samples, renderings=reader.statements.renderings(number))

    def export(self, caller: Principal, number: int) -> bytes:
        """Give a statement as it is given away, signed, for whoever may see its samples.

        Raises ``StatementNotFoundError``, and ``ForbiddenError`` where the samples are not for the caller.
        """
        shown = self._require_samples(caller, number)
        kept = shown.kept
        signature = None
        if kept.signing_key is not None and kept.signature is not None:
            signature = SignaturePart(algorithm=ALGORITHM, key=kept.signing_key, value=kept.signature)
        return to_octets(SignedStatement(statement=shown.document, digest=kept.digest, signature=signature))

    def render(self, caller: Principal, number: int, form: str, make: Callable[[ShownStatement], bytes]) -> bytes:
        """Give a statement in a form, as it was first shown; what ``make`` makes the first time is kept. Raises as ``export`` does."""
        shown = self._require_samples(caller, number)
        with self._store.reading() as reader:
            found = reader.statements.rendering(number, form)
        if found is not None:
            return found.octets
        octets = make(shown)
        with self._store.writing(caller) as writer:
            found = writer.statements.rendering(number, form)
            if found is not None:
                return found.octets
            writer.statements.keep_rendering(number, Rendering(form=form, made_at=self._clock(), digest=digest_of(octets), octets=octets))
        return octets

    def _require_samples(self, caller: Principal, number: int) -> ShownStatement:
        require(caller, Operation.EXPORT_STATEMENT)
        shown = self.show(caller, number)
        if not shown.samples:
            message = "the samples of this statement are for administrators: its contract has members of other projects"
            raise ForbiddenError(message)
        return shown


def visible_statement(caller: Principal, reader: StoreReader, number: int, operation: Operation) -> KeptStatement:
    """Give a statement of which the caller may do what ``operation`` says; whoever may do it of none hears so."""
    found = reader.statements.find(number, listed_project(caller, operation))
    if found is None:
        message = f"Statement {number} does not exist."
        raise StatementNotFoundError(message)
    return found


def sees_samples(caller: Principal, reader: StoreReader, kept: KeptStatement) -> bool:
    """Tell whether samples are for the caller: those of foreign members are for administrators, unless the contract says otherwise."""
    contract = reader.contracts.find(kept.contract_id)
    billed = {each.contract_version for each in reader.statements.billed_by(kept.voids or kept.number)}
    versions = [] if contract is None else [version for version in contract.versions if version.number in billed]
    hidden = any(version.foreign and not version.terms.samples_visible for version in versions)
    return permits(caller, Operation.EXPORT_STATEMENT, kept.project_id, shared=hidden)
