"""What a contract says: whom it is about, what it measures and what that costs.

Owns what makes it valid. Numbers are decimal texts, as they were given, so that what is kept and shown is what was agreed.
"""

from enum import StrEnum
from fractions import Fraction
from itertools import pairwise
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from venturi.core.contracts.currencies import CURRENCIES
from venturi.core.contracts.periods import PeriodLength
from venturi.core.contracts.units import DECIMAL, RATE_UNITS, VOLUME_UNITS, Rounding, is_rate
from venturi.core.domain.errors import InvalidContractError
from venturi.core.domain.interval import Nanoseconds
from venturi.core.domain.point import LONGEST_BOUNDARY
from venturi.core.rules.checks import printable

MOST_MEMBERS = 500
MOST_OCTETS = 60_000
"""How long terms are at most, as JSON: they fit into a text of any database."""

MOST_TIERS = 100
MOST_CREDITS = 100
_HUNDRED = 100

Amount = Annotated[str, Meta(pattern=DECIMAL, description="A decimal number, as a text.", examples=["12.50"])]
Words = Annotated[str, Meta(min_length=1, max_length=255, description="What it is, in words.")]
Unit = Annotated[
    str, Meta(extra_json_schema={"enum": [*RATE_UNITS, *VOLUME_UNITS]}, description="The unit of all figures that are priced.")
]


class MemberKind(StrEnum):
    """What a member is: a label, all that a project used, or all that passed an observation point."""

    LABEL = "label"
    PROJECT = "project"
    POINT = "point"


class Member(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, order=True):
    """Whose traffic a contract counts: ``id`` is that of a label or of an observation point, or a project."""

    kind: MemberKind
    id: Annotated[str, Meta(min_length=1, max_length=255)]

    def __str__(self) -> str:
        """Spell it as commands take it."""
        return f"{self.kind}:{self.id}"


class Of(StrEnum):
    """What of the two directions is measured.

    ``ingress`` enters the network and ``egress`` leaves it. ``sum`` is all, the unknown direction included; ``max`` is the larger of both
    in each sample, of a volume the larger of both sums; ``max_of_percentiles`` is the larger of the two percentiles.
    """

    INGRESS = "ingress"
    EGRESS = "egress"
    SUM = "sum"
    MAX = "max"
    MAX_OF_PERCENTILES = "max_of_percentiles"


class InterpolatedSamples(StrEnum):
    """How samples count whose octets were metered over a longer time and shared out."""

    MISSING = "missing"
    KNOWN = "known"


class PercentileMeasure(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="percentile"):
    """A percentile of 5-minute samples of the rate, against a commit.

    ``commit`` is paid whether it is used or not, each unit at ``commit_price``; what the percentile is above it at ``burst_price``.
    ``least_known`` is the share of samples, in percent, that must be known.
    """

    percentile: Amount = "95"
    of: Of = Of.MAX
    commit: Amount = "0"
    commit_price: Amount = "0"
    burst_price: Amount = "0"
    least_known: Amount = "90"
    interpolated: InterpolatedSamples = InterpolatedSamples.MISSING

    @property
    def rank(self) -> Fraction:
        """The share of samples below or at the percentile, from 0 to 1."""
        return Fraction(self.percentile) / _HUNDRED

    def check(self) -> None:
        """Refuse shares that cannot be with ``InvalidContractError``."""
        if not 0 < Fraction(self.percentile) <= _HUNDRED:
            message = f"percentile: {self.percentile} is not above 0 and at most 100"
            raise InvalidContractError(message)
        if Fraction(self.least_known) > _HUNDRED:
            message = f"least_known: {self.least_known} is more than 100 percent"
            raise InvalidContractError(message)

    @property
    def is_priced(self) -> bool:
        """Whether the commit or what is above it costs anything."""
        return any(map(Fraction, (self.commit_price, self.burst_price)))


class Tier(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The price of a unit up to a volume, without ``up_to`` of any; volumes are those beyond what is included."""

    price: Amount
    up_to: Amount | None = None


class Tiers(StrEnum):
    """How tiers apply: each unit at the price of the tier that it is in, or all at that of the tier which the volume reaches."""

    GRADED = "graded"
    FLAT = "flat"


class VolumeMeasure(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="volume"):
    """The volume of a period: ``included`` costs nothing, what is beyond it is priced by tiers."""

    of: Of = Of.SUM
    included: Amount = "0"
    tiers: Annotated[tuple[Tier, ...], Meta(max_length=MOST_TIERS)] = ()
    tiering: Tiers = Tiers.GRADED

    def check(self) -> None:
        """Refuse tiers that cannot be with ``InvalidContractError``."""
        if self.of is Of.MAX_OF_PERCENTILES:
            message = "of: a volume has no percentiles"
            raise InvalidContractError(message)
        bounds = [tier.up_to for tier in self.tiers]
        if bounds and bounds[-1] is not None:
            message = "tiers: the last one goes on without an end, so it has no up_to"
            raise InvalidContractError(message)
        if any(bound is None for bound in bounds[:-1]):
            message = "tiers: each but the last one needs an up_to"
            raise InvalidContractError(message)
        ends = [Fraction(0), *(Fraction(bound) for bound in bounds if bound is not None)]
        if any(one >= other for one, other in pairwise(ends)):
            message = "tiers: each ends above the one before it"
            raise InvalidContractError(message)

    @property
    def is_priced(self) -> bool:
        """Whether any tier costs anything."""
        return any(Fraction(tier.price) for tier in self.tiers)


class Credit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What goes off the price of each period."""

    name: Words
    amount: Amount


BoundaryName = Annotated[
    str, Meta(min_length=1, max_length=LONGEST_BOUNDARY, description="The boundary at whose points members are counted.")
]
Members = Annotated[tuple[Member, ...], Meta(min_length=1, max_length=MOST_MEMBERS)]
Decimals = Annotated[int, Meta(ge=0, le=9, description="How many decimals the figure has.")]
Currency = Annotated[str, Meta(extra_json_schema={"enum": sorted(CURRENCIES)}, description="A currency (ISO 4217).")]
Credits = Annotated[tuple[Credit, ...], Meta(max_length=MOST_CREDITS)]


class Terms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a version of a contract says. It is checked by ``check``.

    The figure is rounded once, in ``unit`` to ``decimals``; each line of the price is rounded half up to what ``currency`` (ISO 4217) has
    below its unit. ``accepted_overlap`` is why members may count a packet twice. ``samples_visible`` lets readers of the project see the
    samples although members are foreign.
    """

    boundary: BoundaryName
    members: Members
    measure: PercentileMeasure | VolumeMeasure
    unit: Unit
    decimals: Decimals = 3
    rounding: Rounding = Rounding.HALF_UP
    currency: Currency | None = None
    minimum_charge: Amount = "0"
    credits: Credits = ()
    accepted_overlap: Words | None = None
    samples_visible: bool = False

    def check(self) -> "Terms":
        """Give the terms; raises ``InvalidContractError`` for what cannot be."""
        self.measure.check()
        self._check_unit()
        if len(msgspec.json.encode(self)) > MOST_OCTETS:
            message = f"members: with all of them, the terms are longer than {MOST_OCTETS} octets; name whole projects or points"
            raise InvalidContractError(message)
        if len(set(self.members)) < len(self.members):
            message = "members: one is named twice"
            raise InvalidContractError(message)
        self._check_currency()
        return self

    def _check_unit(self) -> None:
        if self.unit not in RATE_UNITS and self.unit not in VOLUME_UNITS:
            message = f"unit: '{printable(self.unit)}' is none of {', '.join([*RATE_UNITS, *VOLUME_UNITS])}"
            raise InvalidContractError(message)
        if is_rate(self.unit) is not isinstance(self.measure, PercentileMeasure):
            message = f"unit: {self.unit} is no unit of a {'rate' if isinstance(self.measure, PercentileMeasure) else 'volume'}"
            raise InvalidContractError(message)

    def _check_currency(self) -> None:
        if self.currency is not None and self.currency not in CURRENCIES:
            message = f"currency: '{printable(self.currency)}' is no currency of ISO 4217, such as EUR"
            raise InvalidContractError(message)
        amounts = [self.minimum_charge, *(credit.amount for credit in self.credits)]
        if self.currency is None and (self.measure.is_priced or any(map(Fraction, amounts))):
            message = "currency: what has a price needs a currency"
            raise InvalidContractError(message)


class Side(StrEnum):
    """Who owes: the project what it used (``receivable``), or the operator a provider (``payable``)."""

    RECEIVABLE = "receivable"
    PAYABLE = "payable"


class Version(Struct, frozen=True, kw_only=True):
    """What a contract says from ``since`` on; a period is settled by the version that holds at its start.

    Times are in nanoseconds since the UTC epoch. ``number`` counts from 1; a change makes the next one.
    ``foreign`` tells that an administrator let members of other projects in.
    """

    number: int
    since: Nanoseconds
    at: Nanoseconds
    author: str
    foreign: bool
    terms: Terms


class Contract(Struct, frozen=True, kw_only=True):
    """A contract; zone, period and first day never change, since periods are named by them.

    It begins and ends at times in nanoseconds since the UTC epoch, borders of 5 minutes; without ``ends_at`` it goes on.
    """

    id: str
    name: str
    project_id: str
    direction: Side
    zone: str
    period: PeriodLength
    first_day: int
    begins_at: Nanoseconds
    ends_at: Nanoseconds | None
    versions: tuple[Version, ...]

    def version_at(self, time: int) -> Version:
        """Give the version in force at a time, the latest of those that hold by then; the first one for any time before it."""
        return next((version for version in reversed(self.versions) if version.since <= time), self.versions[0])
