"""Pages of what meters: observation points, agents, alarms, and the revisions of what is to be metered."""

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, RawBody
from litestar.types import ControllerRouterHandler

from venturi.core.domain.alarm import AlarmState
from venturi.core.domain.control.listing import Listing, SortKey
from venturi.core.domain.errors import AlarmNotFoundError, PointNotFoundError
from venturi.core.domain.point import ObservationPoint
from venturi.core.ledger.roll_ups import PointCounts
from venturi.interfaces.api.v1.forms.alarms import agent_form, alarm_form
from venturi.interfaces.api.v1.forms.points import point_fields
from venturi.interfaces.api.v1.forms.reading import cut_page, read_once
from venturi.interfaces.api.v1.wire import ApiRequest, identifier, query_of
from venturi.interfaces.web import charts, figures
from venturi.interfaces.web.asking import PERIOD_CHOICES, View, read_view
from venturi.interfaces.web.boundaries import BY_DIRECTION, is_young, name_boundaries
from venturi.interfaces.web.forms import check_sender, read_form
from venturi.interfaces.web.places import ROOT
from venturi.interfaces.web.rendering import redirect, render
from venturi.interfaces.web.services import PageServices
from venturi.services.control.policy import OPERATION, Operation
from venturi.services.reports.request import Grouping

POINTS = f"{ROOT}/points"
AGENTS = f"{ROOT}/agents"
ALARMS = f"{ROOT}/alarms"
REVISIONS = f"{ROOT}/revisions"
SHOWN = 100
"""How many resources a page lists."""

_BY_NAME = (SortKey("name", ascending=True),)
_NEWEST = (SortKey("number", ascending=False),)
_LATEST = (SortKey("last_seen_at", ascending=False),)


@get(POINTS, include_in_schema=False, opt={OPERATION: Operation.LIST_POINTS})
async def show_points(request: ApiRequest, services: NamedDependency[PageServices]) -> Response[bytes]:
    """List observation points with what passed them, and how much of their time is known."""
    caller = request.user
    query = query_of(request)
    view = read_view(query, services.reports.now())
    listing = Listing(sort=_BY_NAME, limit=SHOWN + 1, marker=read_once(query, "after"))

    def build() -> Response[bytes]:
        page, following = cut_page(services.points.list_points(caller, listing), listing, lambda point: point.id)
        amounts: dict[str, figures.Amounts] = {}
        known: dict[str, figures.Known] = {}
        if page:
            asked = view.request((Grouping.POINT, Grouping.DIRECTION), filters={"point_ids": frozenset(point.id for point in page)})
            (whole,) = services.reports.point_totals(caller, asked)
            for row in whole.rows:
                if row.group.point is not None:
                    name = row.group.point.point_id
                    amounts.setdefault(name, figures.Amounts()).add(row.group.direction, row.counts[0], row.counts[1])
                    known[name] = figures.Known(*row.time)
        return render(
            request.scope,
            "points.html",
            view=view,
            periods=PERIOD_CHOICES,
            names=name_boundaries(caller, services, {point.boundary for point in page}),
            lines=[(point, amounts.get(point.id, figures.Amounts()), known.get(point.id)) for point in page],
            following=following,
        )

    return await services.turns.reports.run(caller.user_id, build)


@get(f"{POINTS}/{{point_id:str}}", include_in_schema=False, opt={OPERATION: Operation.SHOW_POINT})
async def show_point(request: ApiRequest, point_id: FromPath[str], services: NamedDependency[PageServices]) -> Response[bytes]:
    """Show what passed an observation point, how much of it no label counts, and where the point is."""
    caller = request.user
    view = read_view(query_of(request), services.reports.now())
    found = identifier(point_id, PointNotFoundError, "Observation point")

    def build() -> Response[bytes]:
        return _show_point(request, services, services.points.find(caller, found), view)

    return await services.turns.reports.run(caller.user_id, build)


@get(AGENTS, sync_to_thread=True, include_in_schema=False, opt={OPERATION: Operation.LIST_AGENTS})
def show_agents(request: ApiRequest, services: NamedDependency[PageServices]) -> Response[bytes]:
    """List agents, with what each told of itself last."""
    caller = request.user
    marker = read_once(query_of(request), "after") or ""
    found = services.alarms.agents(caller, SHOWN + 1, marker, None)
    following = found[SHOWN - 1].agent_id if len(found) > SHOWN else None
    lines = [(agent, agent_form(agent, services.alarms.now())) for agent in found[:SHOWN]]
    return render(request.scope, "agents.html", lines=lines, following=following)


@get(ALARMS, sync_to_thread=True, include_in_schema=False, opt={OPERATION: Operation.LIST_ALARMS})
def show_alarms(request: ApiRequest, services: NamedDependency[PageServices]) -> Response[bytes]:
    """List alarms, those first that were seen last."""
    caller = request.user
    query = query_of(request)
    every = read_once(query, "state") == "all"
    filters = {} if every else {"state": (AlarmState.OPEN.value,)}
    listing = Listing(filters=filters, sort=_LATEST, limit=SHOWN + 1, marker=read_once(query, "after"))
    page, following = cut_page(services.alarms.alarms(caller, listing, None), listing, lambda alarm: alarm.id)
    lines = [(alarm, alarm_form(alarm, to_administrator=caller.is_admin)) for alarm in page]
    return render(request.scope, "alarms.html", lines=lines, every=every, following=following)


@post(
    f"{ALARMS}/{{alarm_id:str}}/acknowledge",
    sync_to_thread=True,
    status_code=303,
    include_in_schema=False,
    opt={OPERATION: Operation.ACKNOWLEDGE_ALARM},
)
def acknowledge_alarm(
    request: ApiRequest, alarm_id: FromPath[str], body: RawBody, services: NamedDependency[PageServices]
) -> Response[bytes]:
    """Note that the caller has seen an alarm."""
    caller = request.user
    check_sender(request, read_form(body))
    services.alarms.acknowledge(caller, identifier(alarm_id, AlarmNotFoundError, "Alarm"))
    return redirect(ALARMS)


@get(REVISIONS, sync_to_thread=True, include_in_schema=False, opt={OPERATION: Operation.LIST_REVISIONS})
def show_revisions(request: ApiRequest, services: NamedDependency[PageServices]) -> Response[bytes]:
    """List who changed what is to be metered, and when."""
    caller = request.user
    listing = Listing(sort=_NEWEST, limit=SHOWN + 1, marker=read_once(query_of(request), "after"))
    page, following = cut_page(services.revisions.list_revisions(caller, listing), listing, lambda revision: str(revision.number))
    lines = [(revision, services.revisions.find(caller, revision.number)[1]) for revision in page]
    return render(request.scope, "revisions.html", lines=lines, following=following)


def _show_point(request: ApiRequest, services: PageServices, point: ObservationPoint, view: View) -> Response[bytes]:
    caller = request.user
    only = frozenset({point.id})
    (whole,) = services.reports.point_totals(caller, view.request(BY_DIRECTION, filters={"point_ids": only}))
    if is_young(view, whole):
        return _show_point(request, services, point, view.of_last_hour())
    intervals = list(services.reports.point_totals(caller, view.request(BY_DIRECTION, view.resolution, filters={"point_ids": only})))
    axis, cells = figures.axis_of(intervals, view.calendar), figures.cells_of(intervals)
    return render(
        request.scope,
        "point.html",
        point=point,
        place={name: value for name, value in point_fields(point).items() if value is not None},
        view=view,
        periods=PERIOD_CHOICES,
        names=name_boundaries(caller, services, {point.boundary}),
        rows=[(row.group.direction, PointCounts(*row.counts)) for row in whole.rows],
        amounts=next(iter(figures.by_boundary([whole]).values()), figures.Amounts()),
        known=figures.known_time([whole]),
        chart=figures.draw_flows(axis, intervals),
        strip=charts.strip(axis, cells),
        cells=cells,
        figures=[(cell, figures.rates(interval)) for cell, interval in zip(cells, intervals, strict=True)],
    )


METERING_PAGES: list[ControllerRouterHandler] = [
    show_points,
    show_point,
    show_agents,
    show_alarms,
    acknowledge_alarm,
    show_revisions,
]
