"""Wire forms of reports of usage, as their readers get them.

Owns their fields for the description; they are written by ``usage.writing``, piece by piece.
"""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from venturi.core.domain.coverage import Coverage
from venturi.core.domain.direction import Direction
from venturi.core.domain.generation import Segments
from venturi.interfaces.api.v1.forms.texts import Identifier, TimeText
from venturi.services.reports.comparing import Comparability
from venturi.services.reports.groups import RowKind
from venturi.services.reports.request import Grouping, Order, RateUnit, Resolution

_Count = Annotated[int, Meta(description="An exact integer; corrections may make it smaller.")]
_Points = Annotated[
    int,
    Meta(ge=0, description="How many observation points that the caller may see there were in it; with 0, there is nothing to report."),
]

_PointSeconds = Annotated[int, Meta(ge=0, description="Seconds at observation points, which add up over points and intervals.")]
_KnownUntil = Annotated[
    TimeText | None, Meta(description="The end of the newest record of any observation point of the report; null where there is none.")
]
_Zone = Annotated[str, Meta(description="The time zone of its hours, days, weeks and months, by its name in the IANA database.")]
_Boundary = Annotated[
    str, Meta(description="The boundary of the points that counted it. Rows of several may be of the same packets: never add them up.")
]
_Boundaries = Annotated[
    list[str] | None, Meta(description="The boundaries that the report is about, as asked or by the server's setting; null for all.")
]
_Shared = Annotated[bool, Meta(description="Whether the row is about shared labels.")]
_Alone = Annotated[int, Meta(description="The part that labels of no other project counted; shared labels aside.")]
_MayOverlap = Annotated[bool, Meta(description="Whether a packet may be in the row several times, since it was added up.")]
_Summed = Annotated[
    bool, Meta(description="Whether rows are of both directions; then traffic between points of one boundary is in them twice.")
]
_ReadAt = Annotated[TimeText, Meta(description="When the last interval was read, by the server's clock; what is not over then is so far.")]

_Previous = Annotated[int | None, Meta(description="What was counted before; null where nothing is known of that time.")]
_Difference = Annotated[int | None, Meta(description="How much more it is now; null where nothing is known of one of both.")]
_Percent = Annotated[
    float | None, Meta(description="The difference of octets in percent of those before, null where these are 0 or one is not known.")
]
_Comparison = Annotated[
    Comparability,
    Meta(
        description="Whether all of the time at the points is known in both, or only a part; nothing was counted before; or nothing is"
        " known of one of both."
    ),
]

_Rate = Annotated[float | None, Meta(description="In the unit of the report, to three decimals.")]
_Samples = Annotated[int, Meta(ge=0, description="A number of samples that are over.")]

_Forecast = Annotated[int | None, Meta(description="An estimate, from hours of the weeks before; null where there is none.")]

_RolledUntil = Annotated[
    TimeText | None,
    Meta(
        description="Null if the report has all that is posted; else what was posted from then on is not in it yet: the roller is behind."
    ),
]


class CoverageForm(Struct, kw_only=True):
    """How much of the truth counts are: the worst state of any part, why, and for how many seconds the counts are known.

    Of the point-seconds that are over since the points were created, or metered, and until they were deleted, some are known.
    """

    coverage: Coverage
    reasons: list[str]
    known_seconds: Annotated[int, Meta(ge=0)]
    segments: Segments
    known_point_seconds: _PointSeconds
    expected_point_seconds: _PointSeconds


class BoundsForm(Struct, kw_only=True):
    """From when to when."""

    start: TimeText
    end: TimeText


class ComparedForm(CoverageForm, kw_only=True):
    """With ``compare``: what was counted before, null where that is not known, and how much more it is now."""

    previous_packets: _Previous | UnsetType = UNSET
    previous_octets: _Previous | UnsetType = UNSET
    difference_packets: _Difference | UnsetType = UNSET
    difference_octets: _Difference | UnsetType = UNSET
    percent: _Percent | UnsetType = UNSET
    comparison: _Comparison | UnsetType = UNSET
    previous_coverage: Coverage | UnsetType = UNSET
    previous_known_point_seconds: _PointSeconds | UnsetType = UNSET
    previous_expected_point_seconds: _PointSeconds | UnsetType = UNSET


class RatesForm(ComparedForm, kw_only=True):
    """With ``unit``: rates of the samples of 5 minutes that are known, null where none is, and how many are known and missing."""

    mean_rate: _Rate | UnsetType = UNSET
    minimum_rate: _Rate | UnsetType = UNSET
    maximum_rate: _Rate | UnsetType = UNSET
    percentile_rate: _Rate | UnsetType = UNSET
    known_samples: _Samples | UnsetType = UNSET
    missing_samples: _Samples | UnsetType = UNSET


class ForecastForm(RatesForm, kw_only=True):
    """With ``forecast``: octets at the end of the period, null where there is no week of data, and from how many known hours that is."""

    forecast_octets: _Forecast | UnsetType = UNSET
    forecast_least_octets: _Forecast | UnsetType = UNSET
    forecast_most_octets: _Forecast | UnsetType = UNSET
    forecast_known_hours: _Forecast | UnsetType = UNSET


class PointGroupForm(ForecastForm, kw_only=True):
    """What rows are told apart by, as far as ``group_by`` asks for it. Of what is deleted, the usage stays.

    With ``top`` each row has a ``kind``; that of the others and that of the total name no label, project or point.
    """

    kind: RowKind | UnsetType = UNSET
    observation_point_id: Identifier | UnsetType = UNSET
    observation_point_name: str | UnsetType = UNSET
    observation_point_deleted: bool | UnsetType = UNSET
    point_project_id: str | UnsetType = UNSET
    direction: Direction | UnsetType = UNSET
    boundary: _Boundary
    packets: _Count
    octets: _Count


class UsageRowForm(PointGroupForm, kw_only=True):
    """What labels counted in an interval; where they are not told apart, what projects used, each packet once."""

    label_id: Identifier | UnsetType = UNSET
    label_name: str | UnsetType = UNSET
    label_deleted: bool | UnsetType = UNSET
    project_id: str | UnsetType = UNSET
    shared: _Shared | UnsetType = UNSET
    alone_packets: _Alone | UnsetType = UNSET
    alone_octets: _Alone | UnsetType = UNSET
    labels_may_overlap: _MayOverlap | UnsetType = UNSET


class PointTotalsForm(PointGroupForm, kw_only=True):
    """What points counted in an interval, and parts of it: what no label counts, and what could not be classed.

    So are what own labels of several projects count, and what shared labels alone count; these are 0 for usage from older agents.
    """

    unmatched_packets: _Count
    unmatched_octets: _Count
    unattributed_packets: _Count
    unattributed_octets: _Count
    several_packets: _Count
    several_octets: _Count
    shared_packets: _Count
    shared_octets: _Count


class UsageIntervalForm(CoverageForm, kw_only=True):
    """An interval, its coverage at all points that the report is about, and a row for each group that counted anything."""

    start: TimeText
    end: TimeText
    observation_points: _Points
    usage: list[UsageRowForm]


class PointIntervalForm(CoverageForm, kw_only=True):
    """An interval, its coverage at all points that the report is about, and a row for each group that counted anything there."""

    start: TimeText
    end: TimeText
    observation_points: _Points
    usage: list[PointTotalsForm]


class PeriodForm(Struct, kw_only=True):
    """A day, week or month of the zone, as it was named, and its bounds. One that is not over when it is read is reported so far."""

    name: str
    start: TimeText
    end: TimeText


class ReportForm(Struct, kw_only=True, rename={"from_": "from"}):
    """The bounds of a report, widened to whole intervals, and until when there are records at its points."""

    from_: TimeText
    to: TimeText
    zone: _Zone
    period: PeriodForm | None
    resolution: Resolution
    group_by: list[Grouping]
    boundaries: _Boundaries
    directions_summed: _Summed
    top: int | None
    order_by: Order | None
    compared_with: BoundsForm | None
    unit: RateUnit | None
    percentile: Annotated[str | None, Meta(description="Which percentile of samples its rates have.")]
    known_until: _KnownUntil
    read_at: _ReadAt
    rolled_until: _RolledUntil


class UsageReportForm(ReportForm, kw_only=True):
    """A report of the usage of labels."""

    intervals: list[UsageIntervalForm]


class PointReportForm(ReportForm, kw_only=True):
    """A report of the totals of points."""

    intervals: list[PointIntervalForm]
