"""Wire forms of what a contract comes to in a period, and of its samples.

Owns their fields, and how exact figures are spelled. What they are is for ``core.contracts.settling``.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Annotated, Literal

from msgspec import Meta, Struct

from venturi.core.contracts.currencies import CURRENCIES
from venturi.core.contracts.pricing import PriceLine, total
from venturi.core.contracts.samples import Octets, Sample, rank, rate_of, share_known, sum_octets
from venturi.core.contracts.samples import measured as of_octets
from venturi.core.contracts.settling import Measured
from venturi.core.contracts.terms import Of, PercentileMeasure, Side, Terms
from venturi.core.contracts.units import Rounding, factor_of, read_quantity, round_to, spell_decimal, spell_exact
from venturi.core.domain.interval import format_time
from venturi.interfaces.api.v1.forms.texts import Identifier, TimeText
from venturi.services.contracts.measuring import Unmeasured

AROUND = 3
"""How many samples below and above the deciding one are shown."""

MeasureKind = Annotated[Literal["percentile", "volume"], Meta(description="Whether the figure is a rate or a volume.")]
_HUNDRED = 100


class PeriodForm(Struct, kw_only=True):
    """A period, or the part of it that lies within the contract."""

    name: str
    start: TimeText
    end: TimeText


class OctetsForm(Struct, kw_only=True):
    """Octets by direction."""

    ingress: int
    egress: int
    unknown: int


class CountedSamples(Struct, kw_only=True):
    """How many samples of 5 minutes are expected, until now if the period is running, and how many of them are known, also in percent."""

    expected: Annotated[int, Meta(ge=0)]
    known: Annotated[int, Meta(ge=0)]
    missing: Annotated[int, Meta(ge=0)]
    known_percent: str


class RankedSample(Struct, kw_only=True):
    """A known sample at its position, counted from the lowest; ``figure`` is its rate in the contract's unit, rounded as that says."""

    position: Annotated[int, Meta(ge=1)]
    start: TimeText
    octets: int
    figure: str


class PriceLineForm(Struct, kw_only=True):
    """A line of the price; quantity and price are null where the amount is no product."""

    name: str
    quantity: str | None
    price: str | None
    amount: str


class InvoicedForm(Struct, kw_only=True):
    """Somebody else's figure beside ours: how far it is above, and, of a percentile, how many known samples are at it or below."""

    figure: str
    difference: str
    percent: str | None
    samples_up_to: int | None


class MeasureForm(Struct, kw_only=True):
    """What a contract comes to in a period, as it is known at ``read_at``; a period that is running is told ``so_far``.

    ``of`` is what was measured of the directions, ``octets`` what was counted in all samples, ``missing_octets`` what of it in missing
    ones, which no percentile ranks. ``figure`` is null, with a ``refusal``, where too few samples are known. ``deciding`` is the sample at
    the percentile, ``around`` those next to it. ``overage`` is what the figure is above the commit, or above what is included.
    """

    contract_id: Identifier
    contract: str
    project_id: str
    direction: Side
    version: Annotated[int, Meta(ge=1)]
    zone: str
    period: PeriodForm
    so_far: bool
    read_at: TimeText
    samples: CountedSamples
    octets: OctetsForm
    missing_octets: OctetsForm
    kind: MeasureKind
    of: Of
    percentile: str | None
    deciding: RankedSample | None
    around: list[RankedSample]
    figure: str | None
    unit: str
    refusal: str | None
    commit: str | None
    included: str | None
    overage: str | None
    lines: list[PriceLineForm]
    total: str | None
    currency: str | None
    invoiced: InvoicedForm | None


class ContractMeasureForm(Struct, kw_only=True):
    """What one of many contracts comes to in a period, null with a ``refusal`` where that cannot be told."""

    contract_id: Identifier
    contract: str
    project_id: str
    direction: Side
    period: PeriodForm | None
    so_far: bool
    samples: CountedSamples | None
    kind: MeasureKind
    figure: str | None
    unit: str
    refusal: str | None
    total: str | None
    currency: str | None


class MeasuresForm(Struct, kw_only=True):
    """A page of contracts, with what each comes to in the period; ``next`` is the marker of the page after it, null on the last."""

    measures: list[ContractMeasureForm]
    next: str | None


class SampleForm(Struct, kw_only=True):
    """What was counted in the 5 minutes from ``start``; ``measured_octets`` are null of a percentile of both directions apart.

    ``position`` is that among the known samples, from the lowest, null for what is missing or not ranked.
    """

    start: TimeText
    ingress_octets: int
    egress_octets: int
    unknown_octets: int
    known: bool
    measured_octets: int | None
    position: int | None


class SamplesForm(Struct, kw_only=True):
    """All samples of a period: what its figure is computed of."""

    contract_id: Identifier
    contract: str
    period: PeriodForm
    so_far: bool
    read_at: TimeText
    of: Of
    samples: list[SampleForm]


SAMPLE_COLUMNS = tuple(SampleForm.__struct_fields__)
"""The columns of samples as CSV."""


def measure_form(measured: Measured, invoiced: str | None = None) -> MeasureForm:
    """Spell what a contract comes to in a period, beside what somebody ``invoiced``.

    Raises ``InvalidRequestError`` if that is no figure in a unit of the contract's sort.
    """
    terms, contract, decision = measured.version.terms, measured.contract, measured.decision
    measure = terms.measure
    percentile = measure if isinstance(measure, PercentileMeasure) else None
    included = None if isinstance(measure, PercentileMeasure) else measure.included
    ranked = [] if decision is None else rank(measured.samples, decision.of)
    decimals = CURRENCIES.get(terms.currency or "", 0)
    free = Fraction(percentile.commit if percentile else included or 0)
    return MeasureForm(
        contract_id=contract.id,
        contract=contract.name,
        project_id=contract.project_id,
        direction=contract.direction,
        version=measured.version.number,
        zone=contract.zone,
        period=_period_form(measured),
        so_far=measured.so_far,
        read_at=format_time(measured.read_at),
        samples=_counted(measured),
        octets=_octets_form(sum_octets(measured.samples)),
        missing_octets=_octets_form(measured.missing_octets),
        kind="percentile" if percentile else "volume",
        of=measure.of if decision is None else decision.of,
        percentile=percentile.percentile if percentile else None,
        deciding=None if decision is None else _ranked_sample(terms, ranked, decision.position),
        around=[] if decision is None else _around(terms, ranked, decision.position),
        figure=None if measured.figure is None else spell_decimal(measured.figure, terms.decimals),
        unit=terms.unit,
        refusal=measured.refusal,
        commit=percentile.commit if percentile else None,
        included=included,
        overage=None if measured.figure is None else spell_exact(max(Fraction(0), measured.figure - free)),
        lines=[_line_form(line, decimals) for line in measured.lines],
        total=spell_decimal(total(measured.lines), decimals) if measured.lines else None,
        currency=terms.currency,
        invoiced=None if invoiced is None else _invoiced_form(measured, read_quantity(invoiced, terms.unit), ranked),
    )


def contract_measure_form(measured: Measured | Unmeasured) -> ContractMeasureForm:
    """Spell what one of many contracts comes to."""
    contract = measured.contract
    version = measured.version if isinstance(measured, Measured) else contract.versions[-1]
    terms = version.terms
    told = ContractMeasureForm(
        contract_id=contract.id,
        contract=contract.name,
        project_id=contract.project_id,
        direction=contract.direction,
        period=None,
        so_far=False,
        samples=None,
        kind="percentile" if isinstance(terms.measure, PercentileMeasure) else "volume",
        figure=None,
        unit=terms.unit,
        refusal=None if isinstance(measured, Measured) else measured.reason,
        total=None,
        currency=terms.currency,
    )
    if isinstance(measured, Measured):
        told.period, told.so_far, told.samples = _period_form(measured), measured.so_far, _counted(measured)
        told.figure = None if measured.figure is None else spell_decimal(measured.figure, terms.decimals)
        told.refusal = measured.refusal
        told.total = spell_decimal(total(measured.lines), CURRENCIES.get(terms.currency or "", 0)) if measured.lines else None
    return told


def samples_form(measured: Measured) -> SamplesForm:
    """Spell all samples of a period."""
    return SamplesForm(
        contract_id=measured.contract.id,
        contract=measured.contract.name,
        period=_period_form(measured),
        so_far=measured.so_far,
        read_at=format_time(measured.read_at),
        of=measured.version.terms.measure.of,
        samples=list(_sample_forms(measured)),
    )


def _sample_forms(measured: Measured) -> Iterator[SampleForm]:
    of = measured.version.terms.measure.of
    ranked = [] if of is Of.MAX_OF_PERCENTILES else rank(measured.samples, of)
    is_percentile = isinstance(measured.version.terms.measure, PercentileMeasure)
    positions = {sample.start: place for place, (_, sample) in enumerate(ranked, 1)} if is_percentile else {}
    for sample in measured.samples:
        yield SampleForm(
            start=format_time(sample.start),
            ingress_octets=sample.octets.ingress,
            egress_octets=sample.octets.egress,
            unknown_octets=sample.octets.unknown,
            known=sample.known,
            measured_octets=None if of is Of.MAX_OF_PERCENTILES else of_octets(sample.octets, of),
            position=positions.get(sample.start),
        )


def _counted(measured: Measured) -> CountedSamples:
    expected, known = len(measured.samples), measured.known
    percent = spell_decimal(round_to(share_known(measured.samples) * _HUNDRED, 2, Rounding.DOWN), 2)
    return CountedSamples(expected=expected, known=known, missing=expected - known, known_percent=percent)


def _around(terms: Terms, ranked: Sequence[tuple[int, Sample]], position: int) -> list[RankedSample]:
    positions = range(max(1, position - AROUND), min(len(ranked), position + AROUND) + 1)
    return [_ranked_sample(terms, ranked, each) for each in positions]


def _ranked_sample(terms: Terms, ranked: Sequence[tuple[int, Sample]], position: int) -> RankedSample:
    octets, sample = ranked[position - 1]
    figure = round_to(rate_of(octets) / factor_of(terms.unit), terms.decimals, terms.rounding)
    return RankedSample(position=position, start=format_time(sample.start), octets=octets, figure=spell_decimal(figure, terms.decimals))


def _invoiced_form(measured: Measured, theirs: Fraction, ranked: Sequence[tuple[int, Sample]]) -> InvoicedForm:
    terms, ours = measured.version.terms, measured.figure
    difference = theirs - (ours or 0)
    bound = theirs * factor_of(terms.unit)
    return InvoicedForm(
        figure=spell_exact(theirs),
        difference=spell_exact(difference),
        percent=spell_decimal(difference / ours * _HUNDRED, 2) if ours else None,
        samples_up_to=sum(rate_of(octets) <= bound for octets, _ in ranked) if ranked else None,
    )


def _period_form(measured: Measured) -> PeriodForm:
    period = measured.period
    return PeriodForm(name=period.name, start=format_time(period.start), end=format_time(period.end))


def _octets_form(octets: Octets) -> OctetsForm:
    return OctetsForm(ingress=octets.ingress, egress=octets.egress, unknown=octets.unknown)


def _line_form(line: PriceLine, decimals: int) -> PriceLineForm:
    return PriceLineForm(
        name=line.name,
        quantity=None if line.quantity is None else spell_exact(line.quantity),
        price=None if line.price is None else spell_exact(line.price),
        amount=spell_decimal(line.amount, decimals),
    )
