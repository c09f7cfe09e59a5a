"""The description of usage: reports of labels and of points."""

from collections.abc import Sequence
from typing import Annotated, Any

from msgspec import Meta

from venturi.interfaces.api.v1.description.operations import Answer, Operation, Parameter
from venturi.interfaces.api.v1.forms.texts import FIT_OR_EMPTY
from venturi.interfaces.api.v1.forms.usage import PointReportForm, UsageReportForm
from venturi.interfaces.api.v1.usage.queries import POINT_FILTERS, USAGE_FILTERS, UsageForm
from venturi.services.reports.request import Resolution

_GROUP = "usage"
_VALUE = Annotated[str, Meta(pattern=FIT_OR_EMPTY)]
_TIME = Annotated[str, Meta(description="A time in RFC 3339, or a date.", extra_json_schema={"format": "date-time"})]
_USAGE_GROUPS = Annotated[str, Meta(pattern=r"^(label|project|point|point_project|direction|boundary)\Z")]
_POINT_GROUPS = Annotated[str, Meta(pattern=r"^(point|point_project|direction|boundary)\Z")]
_MEANINGS = {
    "label_id": "Only usage of this label.",
    "project_id": "Only usage of labels of this project.",
    "observation_point_id": "Only what passed this observation point.",
    "observation_point_name": "Only what passed observation points of this name, among those that the report may be about.",
    "point_project_id": "Only what passed observation points of this project.",
    "boundary": "Only what passed observation points of this boundary; without it, rows of several stand side by side, unless the server"
    " has a `billing_boundary`.",
}


def usage_operations() -> list[Operation]:
    """Describe the reports."""
    return [
        Operation(
            method="GET",
            path="/v1/usage",
            group=_GROUP,
            summary="Report the usage of labels",
            description=(
                "Sums what labels counted, with the coverage of each interval; streamed, as JSON or as CSV. To others than administrators "
                "it shows labels of their project at its points and at shared ones, and shared labels at its points. A label without a "
                "row counted nothing as far as the coverage of the interval reaches. A packet counts once for each label that it "
                "belongs to, so sums over labels may be more than what passed."
            ),
            parameters=_parameters(list(USAGE_FILTERS), _USAGE_GROUPS, "label and direction"),
            answers={200: Answer(description="The report.", form=UsageReportForm, text_form="text/csv")},
            refusals=(404, 429),
        ),
        Operation(
            method="GET",
            path="/v1/usage/points",
            group=_GROUP,
            summary="Report the totals of observation points",
            description=(
                "Sums all that was counted at the points that the caller may see, each packet once, and how much of it no label counts "
                "or could not be classed; streamed, as JSON or as CSV."
            ),
            parameters=_parameters(list(POINT_FILTERS), _POINT_GROUPS, "point and direction"),
            answers={200: Answer(description="The report.", form=PointReportForm, text_form="text/csv")},
            refusals=(404, 429),
        ),
    ]


def _parameters(filters: Sequence[str], groups: Any, unasked: str) -> list[Parameter]:  # noqa: ANN401 - a type
    return [
        Parameter(name="from", description="When the report begins; by default a day before its end.", form=_TIME),
        Parameter(name="to", description="When it ends; by default now. Bounds are widened to whole intervals.", form=_TIME),
        Parameter(name="resolution", description="The length of its intervals; by default one for all.", form=Resolution),
        Parameter(
            name="group_by", description=f"What to tell apart, repeated or with commas; by default {unasked}.", form=groups, many=True
        ),
        *(Parameter(name=name, description=f"{_MEANINGS[name]} Repeated, any of them.", form=_VALUE, many=True) for name in filters),
        Parameter(name="format", description="The form of the answer; by default what Accept asks for, else JSON.", form=UsageForm),
        Parameter(
            name="raw",
            description="Whether cells of CSV stand as they are, for programs; by default a spreadsheet shows them and runs none.",
            form=bool,
        ),
    ]
