"""Wire forms of statements: what is asked for, and what a statement says without its samples.

Owns their fields and their translation. The document itself, which is signed, is for ``core.statements.document``.
"""

from typing import Annotated, Any

from msgspec import Meta, Struct

from venturi.adapters.store.tables.statements import KeptStatement
from venturi.core.domain.interval import format_time
from venturi.core.statements.document import AcceptancePart, LackPart, LinePart, MeasurementPart, MemberPart, StatementKind
from venturi.interfaces.api.v1.forms.measures import PeriodForm
from venturi.interfaces.api.v1.forms.texts import PRINTABLE, Identifier, TimeText
from venturi.services.statements.closing import Acceptance, CheckedPeriod, ClosedPeriods
from venturi.services.statements.keeping import ShownStatement
from venturi.services.statements.lines import StatementLine
from venturi.services.statements.verifying import Verification

Reason = Annotated[str, Meta(min_length=1, max_length=255, pattern=PRINTABLE, description="Why, in words.")]
PeriodName = Annotated[
    str,
    Meta(max_length=16, description="The month in which the period begins, or `previous`, which it is by default.", examples=["2026-10"]),
]
StatementNumber = Annotated[int, Meta(ge=1, description="The number of a statement; there are no gaps.")]
Decimal = Annotated[str, Meta(description="A decimal number, as a text.")]


class AcceptedForm(Struct, kw_only=True, forbid_unknown_fields=True):
    """What is accepted by the name of its finding, and the reason."""

    name: Annotated[str, Meta(min_length=1, max_length=1024, description="The name that the check gives it.")]
    reason: Reason


class ClosingForm(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which period is to be closed, and what is accepted that makes it doubtful."""

    period: PeriodName | None = None
    accepted: Annotated[list[AcceptedForm], Meta(max_length=10_000)] = []


class VoidForm(Struct, kw_only=True, forbid_unknown_fields=True):
    """Why a statement is cancelled."""

    reason: Reason


class FindingForm(Struct, kw_only=True):
    """What makes a figure doubtful: its name, by which it can be accepted unless it is not ``acceptable``, and a sentence."""

    name: str
    sentence: str
    acceptable: bool


class FindingsForm(Struct, kw_only=True):
    """All that makes the figure of a period doubtful."""

    contract_id: Identifier
    contract: str
    period: PeriodForm
    findings: list[FindingForm]


class StatementSummary(Struct, kw_only=True):
    """A statement by its number; ``voids`` is the one that it cancels, ``voided_by`` the one that cancels it."""

    number: StatementNumber
    contract_id: Identifier
    contract: str
    project_id: str
    kind: StatementKind
    period: str
    total: Decimal | None
    currency: str | None
    posting: Annotated[int, Meta(ge=0, description="The latest posting that it is of.")]
    closed_at: TimeText
    closed_by: str
    voids: StatementNumber | None
    voided_by: StatementNumber | None
    digest: Annotated[str, Meta(description="The SHA-256 of the document.")]
    signing_key: Annotated[str | None, Meta(description="The SHA-256 of the public key that signed it, null where none did.")]


class StatementList(Struct, kw_only=True):
    """A page of statements; ``next`` is the marker of the page after it, null on the last."""

    statements: list[StatementSummary]
    next: str | None


class FiguresForm(Struct, kw_only=True):
    """What a period came to: samples known and missing, the figure with the sample that decides, and the price line by line."""

    period: PeriodForm
    version: int
    known: int
    missing: int
    figure: Decimal | None
    unit: str
    refusal: str | None
    deciding: TimeText | None
    lines: list[LinePart]
    total: Decimal | None
    currency: str | None


class AdjustmentForm(Struct, kw_only=True):
    """What an earlier period comes to by now, what was ``billed`` for it so far, and the difference, with the postings that made it."""

    statement: StatementNumber
    billed: Decimal | None
    difference: Decimal | None
    postings: list[int]
    figures: FiguresForm


class StatementForm(StatementSummary, kw_only=True):
    """A statement without its samples. ``coverage`` is what was not known; it is null where samples are not for the caller.

    ``renderings`` has the digests of the forms in which it was shown.
    """

    seal: str
    members: list[MemberPart]
    figures: FiguresForm | None
    adjustments: list[AdjustmentForm]
    acceptances: list[AcceptancePart] | None
    coverage: list[LackPart] | None
    void_reason: str | None
    renderings: dict[str, str]


class RefusedForm(Struct, kw_only=True):
    """A contract that stays open, and the sentence that says why."""

    contract_id: Identifier
    contract: str
    sentence: str


class ClosedForm(Struct, kw_only=True):
    """What became of the contracts whose period was to be closed."""

    closed: list[StatementSummary]
    refused: list[RefusedForm]


class VerificationForm(Struct, kw_only=True):
    """Whether the ledger says what a statement does; ``difference`` is the first thing in which it does not."""

    number: StatementNumber
    same: bool
    difference: str | None


class LineForm(Struct, kw_only=True):
    """A sample of a statement, and the postings with entries in its 5 minutes at the points of the members."""

    start: TimeText
    ingress_octets: int
    egress_octets: int
    unknown_octets: int
    known: bool
    postings: list[int]


class LinesForm(Struct, kw_only=True):
    """Samples of a statement, each with its postings."""

    number: StatementNumber
    lines: list[LineForm]


def read_acceptances(form: ClosingForm) -> list[Acceptance]:
    """Translate what is accepted."""
    return [Acceptance(each.name, each.reason) for each in form.accepted]


def findings_form(checked: CheckedPeriod) -> FindingsForm:
    """Spell what makes a figure doubtful."""
    period = PeriodForm(name=checked.period.name, start=format_time(checked.period.start), end=format_time(checked.period.end))
    findings = [FindingForm(name=each.name, sentence=each.sentence, acceptable=each.acceptable) for each in checked.findings]
    return FindingsForm(contract_id=checked.contract.id, contract=checked.contract.name, period=period, findings=findings)


def statement_summary(kept: KeptStatement) -> StatementSummary:
    """Spell a statement in short."""
    return StatementSummary(**_summary(kept))


def statement_form(shown: ShownStatement) -> StatementForm:
    """Spell a statement without its samples."""
    document = shown.document
    measured = document.measurement
    adjustments = [
        AdjustmentForm(
            statement=int(each.statement),
            billed=each.billed,
            difference=each.difference,
            postings=[int(posting) for posting in each.postings],
            figures=_figures(each.measurement),
        )
        for each in document.adjustments
    ]
    return StatementForm(
        **_summary(shown.kept),
        seal=document.ledger.seal,
        members=document.members,
        figures=None if measured is None else _figures(measured),
        adjustments=adjustments,
        acceptances=document.acceptances if shown.samples else None,
        coverage=(measured.coverage if measured else []) if shown.samples else None,
        void_reason=None if document.voids is None else document.voids.reason,
        renderings=shown.renderings,
    )


def closed_form(closed: ClosedPeriods) -> ClosedForm:
    """Spell what became of contracts."""
    refused = [RefusedForm(contract_id=each.contract.id, contract=each.contract.name, sentence=each.sentence) for each in closed.refused]
    return ClosedForm(closed=[statement_summary(kept) for kept in closed.closed], refused=refused)


def verification_form(verified: Verification) -> VerificationForm:
    """Spell whether the ledger says what a statement does."""
    return VerificationForm(number=verified.number, same=verified.difference is None, difference=verified.difference)


def lines_form(number: int, lines: list[StatementLine]) -> LinesForm:
    """Spell samples with their postings."""
    spelled = [
        LineForm(
            start=format_time(line.sample.start),
            ingress_octets=line.sample.octets.ingress,
            egress_octets=line.sample.octets.egress,
            unknown_octets=line.sample.octets.unknown,
            known=line.sample.known,
            postings=list(line.postings),
        )
        for line in lines
    ]
    return LinesForm(number=number, lines=spelled)


def _summary(kept: KeptStatement) -> dict[str, Any]:
    names = ("number", "contract_id", "contract", "project_id", "kind", "period", "total", "currency", "posting", "closed_by")
    others = ("voids", "voided_by", "digest", "signing_key")
    return {name: getattr(kept, name) for name in (*names, *others)} | {"closed_at": format_time(kept.closed_at)}


def _figures(part: MeasurementPart) -> FiguresForm:
    return FiguresForm(
        period=PeriodForm(name=part.period.name, start=part.period.start, end=part.period.end),
        version=int(part.version),
        known=int(part.known),
        missing=int(part.missing),
        figure=part.figure,
        unit=part.terms.unit,
        refusal=part.refusal,
        deciding=None if part.deciding is None else part.deciding.start,
        lines=part.lines,
        total=part.total,
        currency=part.terms.currency,
    )
