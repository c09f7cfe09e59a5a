"""The fields of rows of usage: their names, their order, and what they hold of a group and of coverage.

Owns what every form has in common. How fields are written is for ``writing`` and ``columns``.
"""

from collections.abc import Sequence

from venturi.core.domain.generation import Segments
from venturi.core.domain.interval import SECOND
from venturi.core.ledger.covering import Covering
from venturi.services.reports.comparing import COMPARISON
from venturi.services.reports.coverage import PointTime
from venturi.services.reports.foreseeing import FORECAST
from venturi.services.reports.groups import Group
from venturi.services.reports.rates import RATES
from venturi.services.reports.reporting import USED_COUNTS
from venturi.services.reports.request import Grouping, UsageRequest

FLAGS = frozenset({"labels_may_overlap"})
"""Which of the counts of a row are only 1 or 0, for true and false."""

COVERAGE_FIELDS = ("coverage", "reasons", "known_seconds", "segments", "known_point_seconds", "expected_point_seconds")

_FIELDS = {
    Grouping.LABEL: ("label_id", "label_name", "project_id", "label_deleted"),
    Grouping.PROJECT: ("project_id",),
    Grouping.POINT: ("observation_point_id", "observation_point_name", "point_project_id", "observation_point_deleted"),
    Grouping.POINT_PROJECT: ("point_project_id",),
    Grouping.DIRECTION: ("direction",),
    Grouping.BOUNDARY: ("boundary",),
}


Fields = dict[str, object]


def field_names(request: UsageRequest, counts: Sequence[str]) -> tuple[str, ...]:
    """Name the fields that tell groups apart, each once; the boundary, which tells what must not be added up, is always the last.

    Where only the largest groups are told apart, the kind of a row comes first. Where ``counts`` are those of what projects used, it stands
    before the boundary whether a row is about shared labels.
    """
    asked = (name for grouping in request.group_by if grouping is not Grouping.BOUNDARY for name in _FIELDS[grouping])
    kind, shared = () if request.top is None else ("kind",), ("shared",) if counts == USED_COUNTS else ()
    return tuple(dict.fromkeys((*kind, *asked, *shared, *_FIELDS[Grouping.BOUNDARY])))


def beside_names(request: UsageRequest) -> tuple[str, ...]:
    """Name what stands beside the counts of a row; in CSV it follows them."""
    asked = (request.compared is not None, COMPARISON), (request.rates is not None, RATES), (request.forecast, FORECAST)
    return tuple(name for wanted, names in asked if wanted for name in names)


def group_fields(group: Group) -> Fields:
    """Give all fields of a group, None where the report does not tell it apart."""
    label, point = group.label, group.point
    return {
        "kind": group.kind,
        "label_id": label and label.label_id,
        "label_name": label and label.name,
        "label_deleted": label and label.deleted,
        "project_id": group.project_id,
        "observation_point_id": point and point.point_id,
        "observation_point_name": point and point.name,
        "observation_point_deleted": point and point.deleted,
        "point_project_id": group.point_project_id,
        "direction": group.direction,
        "shared": group.shared,
        "boundary": group.boundary,
    }


def coverage_fields(covering: Covering, time: PointTime) -> Fields:
    """Give the fields of coverage."""
    segments = Segments.MERGED if covering.merged else Segments.WIRE
    known = covering.known // SECOND
    return dict(zip(COVERAGE_FIELDS, (covering.state, covering.reason_names, known, segments, *time), strict=True))
