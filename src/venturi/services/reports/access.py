"""Access to usage: which labels and points a caller's report may sum, and by which names it may ask for points.

Owns the one rule. A caller who is no administrator sees its own labels at points that are its own or shared, and shared labels at its
own points; nothing else, even of a shared label that it owns. What counts is whose and how shared they were when they were metered.
"""

from collections.abc import Iterable, Sequence

from venturi.adapters.store.usage.sums import Chosen, OwnersChosen
from venturi.adapters.store.usage.versions import LabelVersion, PointVersion
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.errors import PointNotFoundError
from venturi.core.rules.checks import printable
from venturi.services.control.policy import Operation, listed_project
from venturi.services.reports.request import UsageRequest


def choose_usage(
    caller: Principal, request: UsageRequest, labels: Sequence[LabelVersion], points: Sequence[PointVersion]
) -> tuple[Chosen, ...]:
    """Choose what a report of usage may sum; raises ``ForbiddenError`` if that is nothing for anybody of the caller's role.

    Raises ``PointNotFoundError`` if it is asked for a point by a name that no point has which the caller may see.
    """
    project = listed_project(caller, Operation.READ_USAGE)
    asked_labels = [label for label in labels if _asks_for_label(request, label)]
    open_points = _ask_for(request, [point for point in points if project is None or point.shared or point.project_id == project])
    if project is None:
        return (Chosen(_all_or(asked_labels, labels), _all_or(open_points, points)),)
    own_points = [point for point in open_points if point.project_id == project]
    own_labels = [label for label in asked_labels if label.project_id == project]
    shared_labels = [label for label in asked_labels if label.shared and label.project_id != project]
    return Chosen(_versions(own_labels), _versions(open_points)), Chosen(_versions(shared_labels), _versions(own_points))


def choose_owners(chosen: Iterable[Chosen], labels: Sequence[LabelVersion]) -> list[OwnersChosen] | None:
    """Choose the same by the owners of labels, None if some of an owner's labels are chosen and some are not."""
    found = []
    for each in chosen:
        owners = None if each.labels is None else frozenset(label.owner for label in labels if label.version in each.labels)
        if owners is not None and sum(label.owner in owners for label in labels) != len(each.labels or ()):
            return None
        found.append(OwnersChosen(owners, each.points))
    return found


def choose_totals(caller: Principal, request: UsageRequest, points: Sequence[PointVersion]) -> Chosen:
    """Choose the points whose totals a report may sum: those that the caller may see; raises as ``choose_usage`` does."""
    project = listed_project(caller, Operation.READ_POINT_TOTALS)
    asked = _ask_for(request, [point for point in points if project is None or point.project_id == project])
    return Chosen(None, _all_or(asked, points) if project is None else _versions(asked))


def _all_or(asked: Sequence[LabelVersion | PointVersion], known: Sequence[LabelVersion | PointVersion]) -> frozenset[int] | None:
    """Give the versions, None where those are all: without a condition the database is faster."""
    return None if len(asked) == len(known) else _versions(asked)


def _versions(chosen: Iterable[LabelVersion | PointVersion]) -> frozenset[int]:
    return frozenset(each.version for each in chosen)


def _asks_for_label(request: UsageRequest, label: LabelVersion) -> bool:
    return _passes(label.label_id, request.label_ids) and _passes(label.project_id, request.project_ids)


def _ask_for(request: UsageRequest, seen: Sequence[PointVersion]) -> list[PointVersion]:
    """Choose the versions that a request asks for of those that are seen, in their order; a point is asked for by its latest name."""
    names = {point.point_id: point.name for point in seen}
    unknown = sorted((request.point_names or frozenset()) - set(names.values()))
    if unknown:
        message = (
            f"observation_point_name: no observation point that was metered, and that you may see, is called '{printable(unknown[0])}'"
        )
        raise PointNotFoundError(message)
    return [
        point
        for point in seen
        if _passes(point.point_id, request.point_ids)
        and _passes(names[point.point_id], request.point_names)
        and _passes(point.project_id, request.point_project_ids)
        and _passes(point.boundary, request.boundaries)
    ]


def _passes(value: str, wanted: frozenset[str] | None) -> bool:
    return wanted is None or value in wanted
