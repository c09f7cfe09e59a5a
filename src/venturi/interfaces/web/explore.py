"""The page of any question about usage, and what projects used."""

from collections.abc import Sequence
from typing import NamedTuple

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.response import Stream
from litestar.types import ControllerRouterHandler

from venturi.core.domain.control.principal import Principal
from venturi.core.domain.direction import Direction
from venturi.core.domain.errors import InvalidRequestError
from venturi.core.rules.checks import printable
from venturi.interfaces.api.v1.forms.reading import Query, read_once, read_whole_number
from venturi.interfaces.api.v1.usage.routes import ColumnLoader, stream_point_totals, stream_usage
from venturi.interfaces.api.v1.wire import ApiRequest, query_of
from venturi.interfaces.web import charts, figures
from venturi.interfaces.web.asking import PERIOD_CHOICES, View, read_direction, read_view
from venturi.interfaces.web.boundaries import BY_DIRECTION, Chosen, choose_totals
from venturi.interfaces.web.places import ROOT
from venturi.interfaces.web.rendering import render
from venturi.interfaces.web.services import PageServices
from venturi.interfaces.web.spelling import spell_rate
from venturi.services.control.policy import OPERATION, Operation
from venturi.services.reports.groups import Group, RowKind
from venturi.services.reports.request import Grouping, Order, Top
from venturi.services.reports.rows import ReportInterval

EXPLORE = f"{ROOT}/explore"
USAGE = f"{ROOT}/usage"
POINT_USAGE = f"{ROOT}/usage/points"

GROUPINGS = {"label": Grouping.LABEL, "project": Grouping.PROJECT, "point": Grouping.POINT}
"""What a chart can tell apart, by the words of the form."""

_UNASKED_TOP = 6
_MOST_TOP = 20


class Line(NamedTuple):
    """A row of the table: a group, what it counted, and the mean and the highest rate in the direction that is drawn."""

    name: str
    kind: RowKind
    style: str
    amounts: figures.Amounts
    mean: str
    highest: str


@get(EXPLORE, include_in_schema=False, opt={OPERATION: Operation.READ_USAGE})
async def explore(request: ApiRequest, services: NamedDependency[PageServices]) -> Response[bytes]:
    """Draw the largest groups of whatever is asked for."""
    caller = request.user
    query = query_of(request)
    view = read_view(query, services.reports.now())
    direction = read_direction(read_once(query, "direction") or "")
    grouping = _read_grouping(query)
    top = read_whole_number("top", read_once(query, "top") or str(_UNASKED_TOP), 1, _MOST_TOP)
    filters = {name: read_once(query, name) or "" for name in ("label", "project", "point")}

    def build() -> Response[bytes]:
        return _build(request, services, _Question(view, direction, grouping, top, filters))

    return await services.turns.reports.run(caller.user_id, build)


@get(USAGE, include_in_schema=False, opt={OPERATION: Operation.READ_USAGE})
async def give_usage(request: ApiRequest, load_columns: NamedDependency[ColumnLoader], services: NamedDependency[PageServices]) -> Stream:
    """Give a report of usage as a file, as the API does."""
    return await stream_usage(request, services.reports, services.turns, load_columns)


@get(POINT_USAGE, include_in_schema=False, opt={OPERATION: Operation.READ_POINT_TOTALS})
async def give_point_totals(
    request: ApiRequest, load_columns: NamedDependency[ColumnLoader], services: NamedDependency[PageServices]
) -> Stream:
    """Give a report of the totals of points as a file, as the API does."""
    return await stream_point_totals(request, services.reports, services.turns, load_columns)


class _Question(NamedTuple):
    view: View
    direction: Direction
    grouping: str
    top: int
    filters: dict[str, str]

    @property
    def chosen(self) -> dict[str, frozenset[str] | None]:
        """The filters, by the fields of a request."""
        fields = {"label": "label_names", "project": "projects", "point": "points"}
        return {fields[name]: frozenset({text}) for name, text in self.filters.items() if text}


def _read_grouping(query: Query) -> str:
    text = read_once(query, "by") or "project"
    if text not in GROUPINGS:
        message = f"by: '{printable(text)}' is none of {', '.join(GROUPINGS)}"
        raise InvalidRequestError(message)
    return text


def _build(request: ApiRequest, services: PageServices, question: _Question) -> Response[bytes]:
    caller = request.user
    chosen = choose_totals(caller, services, question.view)
    view = chosen.view
    told_apart = (GROUPINGS[question.grouping], Grouping.DIRECTION)
    ranked = Top(question.top, Order.BYTES)
    (whole,) = services.reports.usage(caller, view.request(told_apart, top=ranked, filters=question.chosen))
    intervals = list(services.reports.usage(caller, view.request(told_apart, view.resolution, ranked, question.chosen)))
    axis, cells = figures.axis_of(intervals, view.calendar), figures.cells_of(intervals)
    series, overlapping = _series(caller, services, question, chosen, intervals)
    chart = charts.lines(axis, series) if overlapping else charts.stack(axis, series)
    rates = {each.name: figures.mean_and_peak(each, axis.borders) for each in series}
    styles = {each.name: each.style for each in series}
    lines = []
    for group, amounts in figures.by_group(whole.rows).items():
        name = name_of(group)
        mean, highest = (spell_rate(rate) for rate in rates.get(name) or ()) if rates.get(name) else ("–", "–")
        lines.append(Line(name, group.kind, styles.get(name, ""), amounts, mean, highest))
    return render(
        request.scope,
        "explore.html",
        view=view,
        periods=PERIOD_CHOICES,
        names=chosen.names,
        groupings=list(GROUPINGS),
        question=question,
        chart=chart,
        strip=charts.strip(axis, cells),
        cells=cells,
        series=series,
        overlapping=overlapping,
        lines=lines,
        known=figures.known_time(intervals),
        figures=[(cell, figures.rates(interval)) for cell, interval in zip(cells, intervals, strict=True)],
    )


def _series(
    caller: Principal, services: PageServices, question: _Question, chosen: Chosen, intervals: Sequence[ReportInterval]
) -> tuple[Sequence[charts.Series], bool]:
    """Give what is drawn, and whether the same packets may be in several lines.

    Projects are drawn as parts of what points counted where that is asked for whole; everything else may overlap.
    """
    if question.grouping == "project" and caller.is_admin and not question.chosen:
        totals = list(services.reports.point_totals(caller, chosen.view.request(BY_DIRECTION, chosen.view.resolution)))
        partition = figures.part_by_project(intervals, totals, question.direction)
        if not partition.overlapping:
            return partition.series, False
    names: dict[str, RowKind] = {}
    for interval in intervals:
        for row in interval.rows:
            if row.group.kind is not RowKind.TOTAL and row.group.direction is question.direction:
                names.setdefault(name_of(row.group), row.group.kind)
    series = []
    for place, (name, kind) in enumerate(names.items()):
        values = [_rate(interval, name, question.direction) for interval in intervals]
        series.append(charts.Series(name, "others" if kind is RowKind.OTHERS else f"s{1 + place % 7}", values))
    return series, len(series) > 1


def _rate(interval: ReportInterval, name: str, direction: Direction) -> float | None:
    octets = sum(row.counts[1] for row in interval.rows if row.group.direction is direction and name_of(row.group) == name)
    return figures.rate_of(octets, interval)


def name_of(group: Group) -> str:
    """Give the name of a group as charts and tables show it."""
    if group.kind is RowKind.OTHERS:
        return "others"
    if group.kind is RowKind.TOTAL:
        return "all, each packet once"
    name = (group.label and group.label.name) or (group.point and group.point.name) or group.project_id or "all"
    return f"shared labels of {name}" if group.shared and group.label is None else name


EXPLORE_PAGES: list[ControllerRouterHandler] = [explore, give_usage, give_point_totals]
