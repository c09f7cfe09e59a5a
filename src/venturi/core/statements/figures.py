"""Figures of a statement: from what a period came to, to texts, and back to samples of which anybody computes the same.

Owns their spelling, and that nothing is told which does not follow from the samples, the terms and the steps of the price.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from venturi.core.contracts.currencies import CURRENCIES
from venturi.core.contracts.periods import Period, PeriodLength
from venturi.core.contracts.pricing import PriceLine, total
from venturi.core.contracts.samples import Octets, Sample, sum_octets
from venturi.core.contracts.settling import Measured, settle
from venturi.core.contracts.terms import Contract, Version
from venturi.core.contracts.units import spell_decimal, spell_exact
from venturi.core.domain.errors import InvalidStatementError
from venturi.core.domain.interval import Nanoseconds, format_time, parse_time
from venturi.core.ledger.bins import BIN
from venturi.core.statements.document import (
    ContractPart,
    DecidingPart,
    LackPart,
    LinePart,
    MeasurementPart,
    OctetsPart,
    PeriodPart,
    PostingsPart,
    RevisionPart,
    SamplesPart,
    digest_of,
)


@dataclass(frozen=True, kw_only=True)
class Lack:
    """A time at a point of which not everything is known, or that two agents metered."""

    point: str
    start: int
    end: int
    state: str
    reasons: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What a period was measured by: what lacks, the (revision, classifier) of the rules, and number and seal of each posting."""

    lacks: Sequence[Lack]
    revisions: Sequence[tuple[int, str]]
    seals: Sequence[tuple[int, str]]


def measurement_part(measured: Measured, evidence: Evidence) -> MeasurementPart:
    """Spell what a period came to, and what it was measured by."""
    terms, decision = measured.version.terms, measured.decision
    known = measured.known
    deciding = None
    if decision is not None:
        deciding = DecidingPart(
            start=format_time(decision.sample.start),
            octets=str(decision.octets),
            of=decision.of.value,
            position=str(decision.position),
            known=str(decision.known),
        )
    seals = "".join(f"{posting} {seal}\n" for posting, seal in evidence.seals)
    return MeasurementPart(
        period=period_part(measured.period),
        version=str(measured.version.number),
        terms=terms,
        samples=_samples_part(measured.samples),
        known=str(known),
        missing=str(len(measured.samples) - known),
        octets=_octets_part(sum_octets(measured.samples)),
        missing_octets=_octets_part(measured.missing_octets),
        deciding=deciding,
        figure=None if measured.figure is None else spell_decimal(measured.figure, terms.decimals),
        refusal=measured.refusal,
        lines=[_line_part(line, terms.currency) for line in measured.lines],
        total=spell_amount(amount_of(measured), terms.currency),
        coverage=[_lack_part(lack) for lack in evidence.lacks],
        revisions=[RevisionPart(revision=str(revision), classifier=classifier) for revision, classifier in evidence.revisions],
        postings=PostingsPart(count=str(len(evidence.seals)), digest=digest_of(seals.encode())),
    )


def amount_of(measured: Measured) -> Fraction | None:
    """Give what a period costs, None without a currency; without a figure it costs nothing yet."""
    return None if measured.version.terms.currency is None else total(measured.lines)


def spell_amount(amount: Fraction | None, currency: str | None) -> str | None:
    """Spell an amount to what its currency has below its unit."""
    return None if amount is None or currency is None else spell_decimal(amount, CURRENCIES[currency])


def period_part(period: Period) -> PeriodPart:
    """Spell a period."""
    return PeriodPart(name=period.name, start=format_time(period.start), end=format_time(period.end))


def contract_part(contract: Contract) -> ContractPart:
    """Spell a contract as it is."""
    return ContractPart(
        id=contract.id,
        name=contract.name,
        project_id=contract.project_id,
        direction=contract.direction,
        zone=contract.zone,
        period=contract.period.value,
        first_day=str(contract.first_day),
        begins_at=format_time(contract.begins_at),
        ends_at=None if contract.ends_at is None else format_time(contract.ends_at),
    )


def settle_again(part: MeasurementPart, contract: ContractPart, *, accept_missing: bool) -> Measured:
    """Work out anew what a measurement came to, of its own samples and terms; raises ``InvalidStatementError`` where that cannot be."""
    period = Period(part.period.name, parse_time(part.period.start), parse_time(part.period.end))
    version = Version(number=int(part.version), since=period.start, at=period.start, author="", foreign=False, terms=part.terms.check())
    ends_at = None if contract.ends_at is None else parse_time(contract.ends_at)
    settled = Contract(
        id=contract.id,
        name=contract.name,
        project_id=contract.project_id,
        direction=contract.direction,
        zone=contract.zone,
        period=PeriodLength(contract.period),
        first_day=int(contract.first_day),
        begins_at=parse_time(contract.begins_at),
        ends_at=ends_at,
        versions=(version,),
    )
    return settle(settled, version, period, read_samples(part.samples, period), period.end, accept_missing=accept_missing)


def read_samples(part: SamplesPart, period: Period) -> list[Sample]:
    """Give the samples of a document; raises ``InvalidStatementError`` unless there is one for each 5 minutes of the period."""
    starts = range(period.start, period.end, BIN)
    if not len(starts) == len(part.ingress) == len(part.egress) == len(part.unknown):
        message = f"samples: {period.name} has {len(starts)} samples of 5 minutes, and the statement others"
        raise InvalidStatementError(message)
    missing = {place for first, last in part.missing for place in range(int(first), int(last) + 1)}
    return [
        Sample(Nanoseconds(start), Octets(int(ingress), int(egress), int(unknown)), place not in missing)
        for place, (start, ingress, egress, unknown) in enumerate(zip(starts, part.ingress, part.egress, part.unknown, strict=True))
    ]


def _samples_part(samples: Sequence[Sample]) -> SamplesPart:
    octets = [sample.octets for sample in samples]
    missing = [place for place, sample in enumerate(samples) if not sample.known]
    return SamplesPart(
        ingress=[str(each.ingress) for each in octets],
        egress=[str(each.egress) for each in octets],
        unknown=[str(each.unknown) for each in octets],
        missing=[[str(first), str(last)] for first, last in _runs(missing)],
    )


def _runs(places: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Give the runs of places that follow each other, each by its first and last."""
    if not places:
        return
    first = places[0]
    for one, other in pairwise(places):
        if other != one + 1:
            yield first, one
            first = other
    yield first, places[-1]


def _octets_part(octets: Octets) -> OctetsPart:
    return OctetsPart(ingress=str(octets.ingress), egress=str(octets.egress), unknown=str(octets.unknown))


def _line_part(line: PriceLine, currency: str | None) -> LinePart:
    return LinePart(
        name=line.name,
        quantity=None if line.quantity is None else spell_exact(line.quantity),
        price=None if line.price is None else spell_exact(line.price),
        amount=spell_amount(line.amount, currency) or "0",
    )


def _lack_part(lack: Lack) -> LackPart:
    start, end = format_time(Nanoseconds(lack.start)), format_time(Nanoseconds(lack.end))
    return LackPart(point=lack.point, start=start, end=end, state=lack.state, reasons=list(lack.reasons))
