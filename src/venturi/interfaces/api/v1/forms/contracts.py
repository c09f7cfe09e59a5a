"""Wire forms of contracts: what is asked for and what is answered.

Owns their fields and their translation. What a contract may say is for ``core.contracts.terms``, whose forms stand in these.
"""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from venturi.core.contracts.periods import PeriodLength
from venturi.core.contracts.terms import (
    Amount,
    BoundaryName,
    Contract,
    Credits,
    Currency,
    Decimals,
    Members,
    PercentileMeasure,
    Side,
    Terms,
    Unit,
    Version,
    VolumeMeasure,
    Words,
)
from venturi.core.contracts.units import Rounding
from venturi.core.domain.interval import Nanoseconds, format_time, parse_time
from venturi.interfaces.api.v1.forms.texts import PRINTABLE, GivenTime, Identifier, ProjectId, TimeText
from venturi.services.contracts.keeping import NEXT_PERIOD, ContractChanges, NewContract

Zone = Annotated[
    str, Meta(min_length=1, max_length=64, description="A time zone (IANA), in which periods begin.", examples=["Europe/Zurich"])
]
FirstDay = Annotated[
    int, Meta(ge=1, le=31, description="The day of the month on which periods begin; 29 to 31 is the last day of months that are shorter.")
]
Direction = Annotated[Side, Meta(description="Whether the project owes it, or the operator a provider.")]
ContractName = Annotated[
    str, Meta(min_length=1, max_length=255, pattern=PRINTABLE, description="A name that no other contract of its project has.")
]
Begins = Annotated[GivenTime, Meta(description="A border of 5 minutes; samples before are not expected.")]
Effect = Annotated[
    str,
    Meta(
        max_length=16,
        description="From which period on the change holds: `next`, `current`, `previous`, or the name of one, such as 2026-10.",
        examples=[NEXT_PERIOD],
    ),
]


class NewContractForm(Terms, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A contract to be, with what it says; ``begins_at`` is by default the start of the period that is running."""

    name: ContractName
    project_id: ProjectId | UnsetType = UNSET
    direction: Direction = Side.RECEIVABLE
    zone: Zone = "UTC"
    period: PeriodLength = PeriodLength.MONTH
    first_day: FirstDay = 1
    begins_at: Begins | None = None
    ends_at: Begins | None = None


class ContractChangesForm(Struct, kw_only=True, forbid_unknown_fields=True):
    """What changes of a contract; what is left out stays. Zone, period and first day never change: end it and make another."""

    name: ContractName | UnsetType = UNSET
    ends_at: Begins | UnsetType | None = UNSET
    takes_effect: Effect = NEXT_PERIOD
    boundary: BoundaryName | UnsetType = UNSET
    members: Members | UnsetType = UNSET
    measure: PercentileMeasure | VolumeMeasure | UnsetType = UNSET
    unit: Unit | UnsetType = UNSET
    decimals: Decimals | UnsetType = UNSET
    rounding: Rounding | UnsetType = UNSET
    currency: Currency | UnsetType | None = UNSET
    minimum_charge: Amount | UnsetType = UNSET
    credits: Credits | UnsetType = UNSET
    accepted_overlap: Words | UnsetType | None = UNSET
    samples_visible: bool | UnsetType = UNSET


class ContractForm(Terms, frozen=True, kw_only=True):
    """A contract, and what it says in the period that is running: ``version`` holds ``since`` then."""

    id: Identifier
    name: str
    project_id: str
    direction: Side
    zone: str
    period: PeriodLength
    first_day: int
    begins_at: TimeText
    ends_at: TimeText | None
    version: Annotated[int, Meta(ge=1)]
    since: TimeText


class ContractList(Struct, kw_only=True):
    """A page of contracts; ``next`` is the marker of the page after it, null on the last."""

    contracts: list[ContractForm]
    next: str | None


class VersionForm(Struct, frozen=True, kw_only=True):
    """What a contract says from ``since`` on, unless a later number holds by then; ``at`` is when ``author`` said so."""

    number: Annotated[int, Meta(ge=1)]
    since: TimeText
    at: TimeText
    author: str
    terms: Terms


class ContractDetails(ContractForm, frozen=True, kw_only=True):
    """A contract with all that it ever said."""

    versions: list[VersionForm]


_TERMS = tuple(Terms.__struct_fields__)


def new_contract(form: NewContractForm) -> NewContract:
    """Translate the contract that a caller asks for."""
    return NewContract(
        name=form.name,
        terms=Terms(**{name: getattr(form, name) for name in _TERMS}),
        project_id=None if form.project_id is UNSET else form.project_id,
        direction=form.direction,
        zone=form.zone,
        period=form.period,
        first_day=form.first_day,
        begins_at=None if form.begins_at is None else parse_time(form.begins_at),
        ends_at=None if form.ends_at is None else parse_time(form.ends_at),
    )


def contract_changes(form: ContractChangesForm) -> ContractChanges:
    """Translate the changes of a contract."""
    given = {name: value for name, value in msgspec.structs.asdict(form).items() if value is not UNSET}
    own: dict[str, object] = {name: given[name] for name in ("name", "ends_at") if name in given}
    if own.get("ends_at") is not None:
        own["ends_at"] = parse_time(str(own["ends_at"]))
    return ContractChanges(own=own, terms={name: given[name] for name in _TERMS if name in given}, takes_effect=form.takes_effect)


def contract_form(contract: Contract, now: Nanoseconds) -> ContractForm:
    """Spell a contract with what it says at a time."""
    return ContractForm(**_contract_fields(contract, now))


def contract_details(contract: Contract, now: Nanoseconds) -> ContractDetails:
    """Spell a contract with all of its versions."""
    return ContractDetails(**_contract_fields(contract, now), versions=[_version_form(version) for version in contract.versions])


def _contract_fields(contract: Contract, now: Nanoseconds) -> dict[str, Any]:
    version = contract.version_at(now)
    return {
        **{name: getattr(version.terms, name) for name in _TERMS},
        **{name: getattr(contract, name) for name in ("id", "name", "project_id", "direction", "zone", "period", "first_day")},
        "begins_at": format_time(contract.begins_at),
        "ends_at": None if contract.ends_at is None else format_time(contract.ends_at),
        "version": version.number,
        "since": format_time(version.since),
    }


def _version_form(version: Version) -> VersionForm:
    since, at = format_time(version.since), format_time(version.at)
    return VersionForm(number=version.number, since=since, at=at, author=version.author, terms=version.terms)
