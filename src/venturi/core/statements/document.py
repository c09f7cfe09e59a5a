"""The document of a statement: its fields, and the octets that are kept, digested and signed.

Owns the form. All numbers but those of the contract's terms are texts, all times instants of UTC (RFC 3339). The octets are canonical: JSON
in UTF-8 without spaces, the names of each object in order, so that whoever has the values has the octets.
"""

from enum import StrEnum
from hashlib import sha256
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Struct

from venturi.core.contracts.terms import MemberKind, Side, Terms
from venturi.core.domain.errors import InvalidStatementError

FORM = "1"
"""The form that this version writes."""

Number = Annotated[str, Meta(pattern=r"^(0|-?[1-9][0-9]*)\Z", examples=["1"])]
Decimal = Annotated[str, Meta(pattern=r"^-?[0-9]+(\.[0-9]+)?\Z", examples=["12.50"])]
_Form = TypeVar("_Form", bound=Struct)
PlaceRun = Annotated[list[Number], Meta(min_length=2, max_length=2, examples=[["0", "1"]])]
Instant = Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z\Z", examples=["2026-10-01T00:00:00Z"])]


class StatementKind(StrEnum):
    """What a statement is: of a period, a void that cancels another, or the closing one of a contract that ended."""

    STATEMENT = "statement"
    VOID = "void"
    CLOSING = "closing"


class _Part(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a document."""


class PeriodPart(_Part, frozen=True):
    """The period that was closed, as far as the contract held in it."""

    name: str
    start: Instant
    end: Instant


class OctetsPart(_Part, frozen=True):
    """Octets that were counted, by direction."""

    ingress: Number
    egress: Number
    unknown: Number


class SamplesPart(_Part, frozen=True):
    """All samples of a period from its start on, 5 minutes each: octets by direction.

    ``missing`` are runs of samples that are not known, each by its first and last place, from 0.
    """

    ingress: list[Number]
    egress: list[Number]
    unknown: list[Number]
    missing: list[PlaceRun]


class DecidingPart(_Part, frozen=True):
    """The sample at the percentile, at ``position`` of those ``known``, counted from the lowest."""

    start: Instant
    octets: Number
    of: str
    position: Number
    known: Number


class LinePart(_Part, frozen=True):
    """A step of the price: quantity times price, both null where the amount is no product."""

    name: str
    quantity: Decimal | None
    price: Decimal | None
    amount: Decimal


class LackPart(_Part, frozen=True):
    """A time in which not everything is known of a point, or that two agents metered: its coverage, and why."""

    point: str
    start: Instant
    end: Instant
    state: str
    reasons: list[str]


class RevisionPart(_Part, frozen=True):
    """A revision of the rules by which members' traffic was counted, and the digest of its classifier."""

    revision: Number
    classifier: str


class PostingsPart(_Part, frozen=True):
    """The postings with entries at the members' points in the period.

    ``digest`` is the SHA-256 of their lines, each of number and seal; a seal covers each entry of its posting.
    """

    count: Number
    digest: str


class MeasurementPart(_Part, frozen=True):
    """What a period comes to under a version of the contract. ``total`` is null without a currency or a figure."""

    period: PeriodPart
    version: Number
    terms: Terms
    samples: SamplesPart
    known: Number
    missing: Number
    octets: OctetsPart
    missing_octets: OctetsPart
    deciding: DecidingPart | None
    figure: Decimal | None
    refusal: str | None
    lines: list[LinePart]
    total: Decimal | None
    coverage: list[LackPart]
    revisions: list[RevisionPart]
    postings: PostingsPart


class AdjustmentPart(_Part, frozen=True):
    """What an earlier period comes to by now, and the ``difference`` from what ``statement`` and later ones ``billed`` for it.

    ``postings`` are those since that statement that say something of the period at the members' points.
    """

    statement: Number
    billed: Decimal | None
    difference: Decimal | None
    postings: list[Number]
    measurement: MeasurementPart


class AcceptancePart(_Part, frozen=True):
    """What made the figure doubtful and was accepted all the same, by name, and why."""

    name: str
    finding: str
    reason: str


class MemberPart(_Part, frozen=True):
    """Whose traffic was counted, by its name as it was."""

    kind: MemberKind
    id: str
    name: str


class ContractPart(_Part, frozen=True):
    """The contract as it was."""

    id: str
    name: str
    project_id: str
    direction: Side
    zone: str
    period: str
    first_day: Number
    begins_at: Instant
    ends_at: Instant | None


class LedgerPart(_Part, frozen=True):
    """The latest posting that the statement is of, and its seal, which covers all before it."""

    posting: Number
    seal: str


class VoidPart(_Part, frozen=True):
    """The statement that is cancelled, and why."""

    statement: Number
    reason: str


class StatementDocument(_Part, frozen=True):
    """A statement. ``head`` and ``proof`` are places for a published head of the ledger and the proof that leads to it; both are null."""

    form: str
    kind: StatementKind
    number: Number
    contract: ContractPart
    members: list[MemberPart]
    period: PeriodPart
    measurement: MeasurementPart | None
    adjustments: list[AdjustmentPart]
    acceptances: list[AcceptancePart]
    voids: VoidPart | None
    currency: str | None
    total: Decimal | None
    closed_at: Instant
    closed_by: str
    ledger: LedgerPart
    head: None
    proof: None


class SignaturePart(_Part, frozen=True):
    """A signature of a document's octets (Ed25519, RFC 8032), in hexadecimal digits; ``key`` is the SHA-256 of the public key."""

    algorithm: str
    key: str
    value: str


class SignedStatement(_Part, frozen=True):
    """A statement as it is given away: the document, the SHA-256 of its octets, and the signature, null where the server had no key."""

    statement: StatementDocument
    digest: str
    signature: SignaturePart | None


def to_octets(part: Struct) -> bytes:
    """Give the canonical octets of a document, or of a part of one."""
    return msgspec.json.encode(part, order="sorted")


def digest_of(octets: bytes) -> str:
    """Give the SHA-256 of octets in hexadecimal digits."""
    return sha256(octets).hexdigest()


def read_document(octets: bytes) -> StatementDocument:
    """Read a document that was kept; raises ``InvalidStatementError``."""
    return _read(octets, StatementDocument)


def read_signed(octets: bytes) -> SignedStatement:
    """Read a statement that was given away; raises ``InvalidStatementError`` for anything but its canonical octets."""
    signed = _read(octets, SignedStatement)
    if to_octets(signed) != octets:
        message = "the file is not in the canonical form of a statement: it was changed since it was written"
        raise InvalidStatementError(message)
    return signed


def _read(octets: bytes, form: type[_Form]) -> _Form:
    try:
        return msgspec.json.decode(octets, type=form)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        message = f"the file is no statement: {error}"
        raise InvalidStatementError(message) from error
