"""The boundary that a page is about: points of several may have counted the same packets, so none are added up."""

import uuid
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from venturi.core.domain.control.listing import Listing
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.direction import Direction
from venturi.core.domain.interval import SECOND
from venturi.core.domain.text import SHORT_IDENTIFIER
from venturi.core.ledger.bins import HOUR
from venturi.interfaces.web import figures
from venturi.interfaces.web.asking import View
from venturi.interfaces.web.services import PageServices
from venturi.services.reports.request import Grouping, UsageRequest
from venturi.services.reports.rows import ReportInterval

BY_DIRECTION = (Grouping.BOUNDARY, Grouping.DIRECTION)
"""What tells flows apart that are drawn."""

_YOUNG = 2 * HOUR // SECOND


class Chosen(NamedTuple):
    """What was counted at each boundary, by its name in reports, what people call it, and what is shown: the time at one of them."""

    amounts_at: Mapping[str, figures.Amounts]
    names: Mapping[str, str]
    view: View
    known: figures.Known
    changes: Mapping[tuple[str, Direction], figures.Change] = MappingProxyType({})

    def change(self, direction: str) -> figures.Change | None:
        """How the octets in a direction differ from those of the time before; None where that was not asked."""
        return self.changes.get((self.view.boundary, Direction(direction)))

    @property
    def amounts(self) -> figures.Amounts:
        """What was counted at the boundary that is shown."""
        return self.amounts_at.get(self.view.boundary, figures.Amounts())


def choose_boundary(caller: Principal, services: PageServices, view: View, whole: ReportInterval, asked: UsageRequest) -> Chosen:
    """Choose the boundary that is asked for, else that of the server's setting, else the first by name of those in a report of the time."""
    found = figures.by_boundary([whole])
    confined = services.reports.confine(asked).boundaries
    preferred = next(iter(confined or ()), "")
    boundary = view.boundary or (preferred if preferred in found else next(iter(found), ""))
    names = name_boundaries(caller, services, {*found, boundary} - {""})
    return Chosen(found, names, view.at_boundary(boundary), figures.known_time([whole]))


def choose_totals(caller: Principal, services: PageServices, view: View) -> Chosen:
    """Choose by what the caller may see whole: an administrator what the points counted, others what their project used.

    Where nobody asked for a time and metering began lately, the time is the last hour.
    """
    if caller.is_admin:
        (whole,) = services.reports.point_totals(caller, view.request(BY_DIRECTION, compared=True))
    else:
        (whole,) = services.reports.usage(caller, own_request(caller, view))
    if is_young(view, whole):
        return choose_totals(caller, services, view.of_last_hour())
    changes = figures.changes_of(whole)
    groups = [row.group for row in whole.rows]
    told = {
        (group.boundary or "", group.direction): changes[group.kind, group.identity, group.direction]
        for group in groups
        if group.direction is not None
    }
    return choose_boundary(caller, services, view, whole, view.request(()))._replace(changes=told)


def is_young(view: View, whole: ReportInterval) -> bool:
    """Tell whether metering began so lately that the last hour shows more, and nobody asked for another time."""
    return not view.query["period"] and 0 < whole.time.expected <= _YOUNG * whole.observation_points


def own_request(caller: Principal, view: View, *, by_interval: bool = False) -> UsageRequest:
    """Give the question of what the caller's project used, by direction."""
    only: dict[str, frozenset[str] | None] = {"project_ids": frozenset({caller.project_id})}
    if by_interval:
        return view.request(BY_DIRECTION, view.resolution, filters=only)
    return view.request(BY_DIRECTION, filters=only, compared=True)


def name_boundaries(caller: Principal, services: PageServices, boundaries: Iterable[str]) -> dict[str, str]:
    """Give what people call boundaries: one that nobody named is that of a single point, and goes by its name.

    To who may not see that point, it goes by the beginning of its id.
    """
    found = sorted(boundaries)
    points = [each for each in found if _is_identifier(each)]
    named = services.points.list_points(caller, Listing(filters={"id": tuple(points)})) if points else []
    of_points = {point.id: point.name for point in named}
    return {each: of_points.get(each) or (each[:SHORT_IDENTIFIER] if each in points else each) for each in found}


def _is_identifier(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
