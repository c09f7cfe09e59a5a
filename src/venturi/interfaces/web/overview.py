"""The first page: what passes, who uses it, what is known, and what needs a person."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.types import ControllerRouterHandler

from venturi.core.domain.alarm import AlarmState
from venturi.core.domain.control.listing import Listing, SortKey
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.direction import Direction
from venturi.interfaces.api.v1.forms.alarms import AlarmForm, alarm_form
from venturi.interfaces.api.v1.forms.reading import read_once
from venturi.interfaces.api.v1.wire import ApiRequest, query_of
from venturi.interfaces.web import charts, figures
from venturi.interfaces.web.asking import PERIOD_CHOICES, View, read_direction, read_view
from venturi.interfaces.web.boundaries import BY_DIRECTION, choose_totals, own_request
from venturi.interfaces.web.places import ROOT
from venturi.interfaces.web.rendering import render
from venturi.interfaces.web.services import PageServices
from venturi.services.control.policy import OPERATION, Operation
from venturi.services.reports.groups import RowKind
from venturi.services.reports.request import Grouping, Order, Top

PROJECTS_SHOWN = 8
"""How many projects have rows of their own."""

_PROJECTS_DRAWN = 6
_ALARMS_SHOWN = 6
_BY_PROJECT = (Grouping.PROJECT, Grouping.DIRECTION)


class Line(NamedTuple):
    """A row of the table of projects."""

    name: str
    kind: RowKind
    style: str
    amounts: figures.Amounts
    shared: bool
    change: figures.Change | None


@get(ROOT, include_in_schema=False, opt={OPERATION: Operation.READ_USAGE})
async def show_overview(request: ApiRequest, services: NamedDependency[PageServices]) -> Response[bytes]:
    """Show the whole at a glance."""
    caller = request.user
    query = query_of(request)
    view, direction = read_view(query, services.reports.now()), read_direction(read_once(query, "direction") or "")
    return await services.turns.reports.run(caller.user_id, partial(_build, request, services, view, direction))


def _build(request: ApiRequest, services: PageServices, view: View, direction: Direction) -> Response[bytes]:
    caller = request.user
    chosen = choose_totals(caller, services, view)
    shown = chosen.view
    if caller.is_admin:
        intervals = list(services.reports.point_totals(caller, shown.request(BY_DIRECTION, shown.resolution)))
    else:
        intervals = list(services.reports.usage(caller, own_request(caller, shown, by_interval=True)))
    axis = figures.axis_of(intervals, view.calendar)
    cells = figures.cells_of(intervals)
    if not caller.is_admin:
        partition = None
        chart = figures.draw_flows(axis, intervals)
        lines: Sequence[Line] = ()
    else:
        used = list(services.reports.usage(caller, shown.request(_BY_PROJECT, shown.resolution, Top(_PROJECTS_DRAWN, Order.BYTES))))
        partition = figures.part_by_project(used, intervals, direction)
        chart = charts.stack(axis, partition.series, figures.notes_of(axis, intervals))
        lines = _project_lines(caller, services, shown, partition)
    return render(
        request.scope,
        "overview.html",
        view=shown,
        periods=PERIOD_CHOICES,
        names=chosen.names,
        amounts=chosen.amounts,
        chosen=chosen,
        known=chosen.known,
        cells=cells,
        chart=chart,
        strip=charts.strip(axis, cells),
        direction=direction,
        partition=partition,
        lines=lines,
        alarms=_open_alarms(caller, services),
        figures=[(cell, figures.rates(interval)) for cell, interval in zip(cells, intervals, strict=True)],
        anything=any(interval.observation_points for interval in intervals),
    )


def _project_lines(caller: Principal, services: PageServices, view: View, partition: figures.Partition) -> list[Line]:
    (whole,) = services.reports.usage(caller, view.request(_BY_PROJECT, top=Top(PROJECTS_SHOWN, Order.BYTES), compared=True))
    changes = figures.changes_of(whole)
    drawn = {series.name: series.style for series in partition.series}
    return [
        Line(
            group.project_id or "",
            group.kind,
            drawn.get(group.project_id or "", "others"),
            amounts,
            bool(group.shared),
            changes.get((group.kind, group.identity, Direction.EGRESS)),
        )
        for group, amounts in figures.by_group(whole.rows).items()
    ]


def _open_alarms(caller: Principal, services: PageServices) -> list[AlarmForm]:
    latest = (SortKey("last_seen_at", ascending=False),)
    found = services.alarms.alarms(caller, Listing(filters={"state": (AlarmState.OPEN.value,)}, sort=latest, limit=_ALARMS_SHOWN), None)
    return [alarm_form(alarm, to_administrator=caller.is_admin) for alarm in found]


OVERVIEW_ROUTES: list[ControllerRouterHandler] = [show_overview]
