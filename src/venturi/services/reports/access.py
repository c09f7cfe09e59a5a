"""Access to usage: which labels and points a caller's report may sum, and by which names it may ask for points.

Owns the one rule. A caller who is no administrator sees its own labels at points that are its own or shared, and shared labels at its
own points; nothing else, even of a shared label that it owns. What counts is whose and how shared they were when they were metered.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from venturi.adapters.store.usage.sums import Chosen, OwnersChosen
from venturi.adapters.store.usage.versions import LabelOwner, LabelsAsked, LabelVersion, PointVersion
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.errors import PointNotFoundError
from venturi.core.rules.checks import printable
from venturi.services.control.policy import Operation, listed_project
from venturi.services.reports.request import UsageRequest

Holder = TypeVar("Holder", LabelVersion, LabelOwner)


def ask_labels(caller: Principal, request: UsageRequest) -> LabelsAsked:
    """Give the labels that a report of usage is about and the caller may see; raises ``ForbiddenError`` as ``choose_usage`` does."""
    return LabelsAsked(request.label_ids, request.project_ids, listed_project(caller, Operation.READ_USAGE))


def choose_usage(
    caller: Principal, request: UsageRequest, labels: Sequence[LabelVersion], points: Sequence[PointVersion]
) -> tuple[Chosen, ...]:
    """Choose what a report of usage may sum of the ``labels`` that it asks for.

    Raises ``ForbiddenError`` if that is nothing for anybody of the caller's role, and ``PointNotFoundError`` if it is asked for a point by
    a name that no point has which the caller may see.
    """
    return tuple(
        Chosen(own if own is None else frozenset(label.version for label in own), seen)
        for own, seen in _choose(caller, request, labels, points)
    )


def choose_owners(
    caller: Principal, request: UsageRequest, owners: Sequence[LabelOwner], points: Sequence[PointVersion]
) -> tuple[OwnersChosen, ...]:
    """Choose the same by the owners of all labels; raises as ``choose_usage`` does."""
    return tuple(
        OwnersChosen(own if own is None else frozenset(owner.owner for owner in own), seen)
        for own, seen in _choose(caller, request, owners, points)
    )


def _choose(
    caller: Principal, request: UsageRequest, holders: Sequence[Holder], points: Sequence[PointVersion]
) -> Iterator[tuple[list[Holder] | None, frozenset[int] | None]]:
    """Choose of labels, or of their owners, at which points; None where it is all of them."""
    asked = ask_labels(caller, request)
    project = asked.visible_to
    open_points = _ask_for(request, [point for point in points if project is None or point.shared or point.project_id == project])
    if project is None:
        named = request.label_names is None and request.projects is None
        yield None if asked.all and named else list(holders), _all_or(open_points, points)
        return
    yield [holder for holder in holders if holder.project_id == project], _versions(open_points)
    foreign = [holder for holder in holders if holder.shared and holder.project_id != project]
    yield foreign, _versions([point for point in open_points if point.project_id == project])


def choose_totals(caller: Principal, request: UsageRequest, points: Sequence[PointVersion]) -> Chosen:
    """Choose the points whose totals a report may sum: those that the caller may see; raises as ``choose_usage`` does."""
    project = listed_project(caller, Operation.READ_POINT_TOTALS)
    asked = _ask_for(request, [point for point in points if project is None or point.project_id == project])
    return Chosen(None, _all_or(asked, points) if project is None else _versions(asked))


def _all_or(asked: Sequence[PointVersion], known: Sequence[PointVersion]) -> frozenset[int] | None:
    """Give the versions, None where those are all: without a condition the database is faster."""
    return None if len(asked) == len(known) else _versions(asked)


def _versions(chosen: Iterable[PointVersion]) -> frozenset[int]:
    return frozenset(each.version for each in chosen)


def _ask_for(request: UsageRequest, seen: Sequence[PointVersion]) -> list[PointVersion]:
    """Choose the versions that a request asks for of those that are seen, in their order; a point is asked for by its latest name."""
    names = {point.point_id: point.name for point in seen}
    unknown = sorted((request.point_names or frozenset()) - set(names.values()))
    if unknown:
        message = f"observation_point_name: no observation point that you may see is called '{printable(unknown[0])}'"
        raise PointNotFoundError(message)
    return [
        point
        for point in seen
        if _passes(point.point_id, request.point_ids)
        and _passes(names[point.point_id], request.point_names)
        and _passes(point.project_id, request.point_project_ids)
        and matches(point.boundary, request.boundaries)
        and matches(names[point.point_id], request.points)
    ]


def name_labels(request: UsageRequest, labels: Sequence[LabelVersion]) -> list[LabelVersion]:
    """Choose the labels whose latest names, and whose projects, a request asks for."""
    latest = {label.label_id: label.name for label in labels}
    return [
        label for label in labels if matches(latest[label.label_id], request.label_names) and matches(label.project_id, request.projects)
    ]


def matches(text: str, patterns: frozenset[str] | None) -> bool:
    """Tell whether a name is one of some patterns, in which an asterisk stands for any text; None is passed by all."""
    return patterns is None or any(_fits(text, pattern.split("*")) for pattern in patterns)


def _fits(text: str, parts: Sequence[str]) -> bool:
    """Tell whether a text consists of parts with anything between them, each sought once."""
    first, *between = parts
    if not between:
        return text == first
    if not text.startswith(first):
        return False
    position, last = len(first), between.pop()
    for part in between:
        found = text.find(part, position)
        if found < 0:
            return False
        position = found + len(part)
    return len(text) - position >= len(last) and text.endswith(last)


def _passes(value: str, wanted: frozenset[str] | None) -> bool:
    return wanted is None or value in wanted
