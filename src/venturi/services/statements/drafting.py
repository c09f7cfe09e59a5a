"""Drafts of statements: what a period is billed for, and what earlier ones are adjusted by, all as of one posting.

Owns which earlier periods are computed again, and from what the difference is taken. Numbers, signatures and rows are for ``closing``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from venturi.adapters.store.store import StoreReader
from venturi.adapters.store.tables.statements import BilledPeriod
from venturi.adapters.store.usage.versions import LabelsAsked
from venturi.core.contracts.periods import Period
from venturi.core.contracts.terms import Contract, Member, MemberKind, Version
from venturi.core.statements.document import AdjustmentPart, MeasurementPart
from venturi.core.statements.figures import spell_amount
from venturi.services.statements.reading import PeriodReader, PeriodReading


@dataclass(frozen=True)
class Adjustment:
    """An adjustment of an earlier period, as a statement tells it and as it is billed; ``number`` is not known yet."""

    part: AdjustmentPart
    first: BilledPeriod
    version: Version


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A statement to be: its own period, None for a closing one, the adjustments, the names of members, and what was billed before."""

    contract: Contract
    version: Version
    period: Period
    own: PeriodReading | None
    adjustments: Sequence[Adjustment]
    names: Mapping[Member, str]
    billed: Sequence[BilledPeriod]


def find_adjustments(periods: PeriodReader, contract: Contract, billed: Sequence[BilledPeriod]) -> list[Adjustment]:
    """Compute again each period that was closed and of which a posting says something since; what comes out otherwise is an adjustment."""
    found = []
    for first in (each for each in billed if each.statement == each.number):
        told = [each for each in billed if each.statement == first.number]
        adjustment = _adjust(periods, contract, first, told)
        if adjustment is not None:
            found.append(adjustment)
    return found


def _adjust(periods: PeriodReader, contract: Contract, first: BilledPeriod, told: Sequence[BilledPeriod]) -> Adjustment | None:
    window = first.period_start, first.period_end
    if len(told) == 1 and not periods.any_touched(first.posting, window):
        return None
    version = next(version for version in contract.versions if version.number == first.contract_version)
    again = periods.read(contract, version, Period(first.period, first.period_start, first.period_end), accept_missing=True)
    part: MeasurementPart = again.part
    amount = sum((Fraction(each.amount or 0) for each in told), Fraction(0))
    difference = Fraction(part.total or 0) - amount
    if not difference and part.figure == told[-1].figure:
        return None
    currency = version.terms.currency
    since = periods.touched(first.posting, window, frozenset(point.point_id for point in again.points))
    adjusted = AdjustmentPart(
        statement=str(first.statement),
        billed=spell_amount(amount, currency),
        difference=spell_amount(difference, currency),
        postings=[str(posting) for posting in since],
        measurement=part,
    )
    return Adjustment(adjusted, first, version)


def name_members(reader: StoreReader, version: Version) -> dict[Member, str]:
    """Give the names of the members of a version as they are; what is gone has the name that the ledger knows, or else its id."""
    names = {member: member.id for member in version.terms.members}
    labels = frozenset(member.id for member in names if member.kind is MemberKind.LABEL)
    known = {("label", each.label_id): each.name for each in reader.usage.label_versions(LabelsAsked(label_ids=labels))} if labels else {}
    for member in names:
        if member.kind is MemberKind.PROJECT:
            continue
        kept = reader.labels.find(member.id) if member.kind is MemberKind.LABEL else reader.points.find(member.id)
        names[member] = known.get((member.kind.value, member.id), member.id) if kept is None else kept.name
    return names
