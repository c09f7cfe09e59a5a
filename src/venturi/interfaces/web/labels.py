"""Pages of labels: their list, and what one counted, by which rules."""

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import NamedTuple

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, RawBody
from litestar.types import ControllerRouterHandler

from venturi.core.domain.control.listing import Listing, SortKey
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.direction import Direction
from venturi.core.domain.errors import InvalidRequestError, LabelNotFoundError, RuleNotFoundError, VenturiError
from venturi.core.domain.label import MeteringLabel
from venturi.core.rules.checks import check_direction, check_prefix
from venturi.core.rules.rule_fields import RuleFields, check_prefixes
from venturi.interfaces.api.v1.forms.explaining import ExplanationForm, explanation_form
from venturi.interfaces.api.v1.forms.reading import Query, cut_page, read_once, read_text
from venturi.interfaces.api.v1.forms.texts import Name, ProjectId
from venturi.interfaces.api.v1.wire import ApiRequest, identifier, query_of
from venturi.interfaces.web import charts, figures
from venturi.interfaces.web.asking import PERIOD_CHOICES, View, read_view
from venturi.interfaces.web.boundaries import BY_DIRECTION, choose_boundary, is_young, name_boundaries
from venturi.interfaces.web.forms import check_sender, read_form
from venturi.interfaces.web.places import ROOT
from venturi.interfaces.web.rendering import redirect, render
from venturi.interfaces.web.services import PageServices
from venturi.services.control.explaining import Question
from venturi.services.control.labels import NewLabel
from venturi.services.control.policy import OPERATION, Operation, permits
from venturi.services.control.rules import NewRule
from venturi.services.reports.request import Grouping

LABELS = f"{ROOT}/labels"
LABELS_SHOWN = 50
"""How many labels a page lists."""

_LABEL = f"{LABELS}/{{label_id:str}}"
_NOUN = "Metering label"
_BY_LABEL = (Grouping.LABEL, *BY_DIRECTION)
_RULES_SHOWN = 200


class Line(NamedTuple):
    """A row of the list: a label, and what it counted at each boundary."""

    label: MeteringLabel
    amounts: dict[str, figures.Amounts]


class Answer(NamedTuple):
    """What is asked about a packet, and what is answered: which labels count it, or why that cannot be said."""

    source: str = ""
    destination: str = ""
    direction: str = ""
    found: ExplanationForm | None = None
    sentence: str = ""


class Refused(NamedTuple):
    """A form that was refused: its fields, what is wrong with it, and the status that says so."""

    fields: Mapping[str, str] = MappingProxyType({})
    sentence: str = ""
    status: int = 200


NOT_REFUSED = Refused()
"""No form was refused."""


@get(LABELS, include_in_schema=False, opt={OPERATION: Operation.LIST_LABELS})
async def show_labels(request: ApiRequest, services: NamedDependency[PageServices]) -> Response[bytes]:
    """List labels, by name, with what they counted."""
    caller = request.user
    query = query_of(request)
    view = read_view(query, services.reports.now())
    return await services.turns.reports.run(caller.user_id, partial(_list, request, services, view, query))


@post(LABELS, sync_to_thread=True, status_code=303, include_in_schema=False, opt={OPERATION: Operation.CREATE_LABEL})
def create_label(request: ApiRequest, body: RawBody, services: NamedDependency[PageServices]) -> Response[bytes]:
    """Make a label, and show it; what cannot be made is shown again, with what is wrong."""
    form = read_form(body)
    check_sender(request, form)
    try:
        name: str = read_text("name", form.get("name", "").strip(), Name)
        project = form.get("project_id", "").strip()
        project_id: str | None = read_text("project_id", project, ProjectId) if project else None
        (label,) = services.labels.create(request.user, [NewLabel(name=name, project_id=project_id, shared="shared" in form)])
    except VenturiError as error:
        return _list(request, services, read_view({}, services.reports.now()), {}, Refused(form, str(error), error.status))
    return redirect(f"{LABELS}/{label.id}")


@get(_LABEL, include_in_schema=False, opt={OPERATION: Operation.SHOW_LABEL})
async def show_label(request: ApiRequest, label_id: FromPath[str], services: NamedDependency[PageServices]) -> Response[bytes]:
    """Show what a label counted, its rules, and which labels count a packet."""
    caller = request.user
    query = query_of(request)
    view = read_view(query, services.reports.now())

    def build() -> Response[bytes]:
        label = services.labels.find(caller, identifier(label_id, LabelNotFoundError, _NOUN))
        return _show(request, services, label, view, _explain(caller, services, query))

    return await services.turns.reports.run(caller.user_id, build)


@post(f"{_LABEL}/rules", sync_to_thread=True, status_code=303, include_in_schema=False, opt={OPERATION: Operation.CREATE_RULE})
def create_rule(request: ApiRequest, label_id: FromPath[str], body: RawBody, services: NamedDependency[PageServices]) -> Response[bytes]:
    """Give a label one more rule; one that cannot be is shown again, with what is wrong."""
    form = read_form(body)
    check_sender(request, form)
    label = services.labels.find(request.user, identifier(label_id, LabelNotFoundError, _NOUN))
    try:
        fields = RuleFields(
            direction=check_direction("direction", form.get("direction", "")),
            excluded="excluded" in form,
            remote_ip_prefix=None,
            source_ip_prefix=check_prefix("source_ip_prefix", form.get("source_ip_prefix", "").strip() or None),
            destination_ip_prefix=check_prefix("destination_ip_prefix", form.get("destination_ip_prefix", "").strip() or None),
        )
        check_prefixes(fields)
        services.rules.create(request.user, [NewRule(label.id, fields)])
    except VenturiError as error:
        refused = Refused(form, str(error), error.status)
        return _show(request, services, label, read_view({}, services.reports.now()), Answer(), refused)
    return redirect(f"{LABELS}/{label.id}#rules")


@post(
    f"{_LABEL}/rules/{{rule_id:str}}/delete",
    sync_to_thread=True,
    status_code=303,
    include_in_schema=False,
    opt={OPERATION: Operation.DELETE_RULE},
)
def delete_rule(
    request: ApiRequest, label_id: FromPath[str], rule_id: FromPath[str], body: RawBody, services: NamedDependency[PageServices]
) -> Response[bytes]:
    """Take a rule from a label."""
    caller = request.user
    check_sender(request, read_form(body))
    label = identifier(label_id, LabelNotFoundError, _NOUN)
    services.rules.delete(caller, identifier(rule_id, RuleNotFoundError, "Metering label rule"))
    return redirect(f"{LABELS}/{label}#rules")


def _list(request: ApiRequest, services: PageServices, view: View, query: Query, refused: Refused = NOT_REFUSED) -> Response[bytes]:
    caller = request.user
    search = read_once(query, "search") or ""
    marker = read_once(query, "after")
    listing = Listing(sort=(SortKey("name", ascending=True),), limit=LABELS_SHOWN + 1, marker=marker)
    page, following = cut_page(services.labels.list(caller, listing, search), listing, lambda label: label.id)
    amounts: dict[str, dict[str, figures.Amounts]] = {}
    if page:
        asked = view.request(_BY_LABEL, filters={"label_ids": frozenset(label.id for label in page)})
        (whole,) = services.reports.usage(caller, services.reports.confine(asked))
        for row in whole.rows:
            of_label = amounts.setdefault(row.group.label.label_id if row.group.label else "", {})
            of_label.setdefault(row.group.boundary or "", figures.Amounts()).add(row.group.direction, row.counts[0], row.counts[1])
    boundaries = {boundary for counted in amounts.values() for boundary in counted}
    return render(
        request.scope,
        "labels.html",
        status=refused.status,
        refused=refused,
        names=name_boundaries(caller, services, boundaries),
        view=view,
        periods=PERIOD_CHOICES,
        search=search,
        lines=[Line(label, dict(sorted(amounts.get(label.id, {}).items()))) for label in page],
        following=following,
    )


def _show(
    request: ApiRequest, services: PageServices, label: MeteringLabel, view: View, answer: Answer, refused: Refused = NOT_REFUSED
) -> Response[bytes]:
    caller = request.user
    only = frozenset({label.id})
    asked = view.request(BY_DIRECTION, filters={"label_ids": only})
    (whole,) = services.reports.usage(caller, asked)
    if is_young(view, whole):
        return _show(request, services, label, view.of_last_hour(), answer, refused)
    rules = services.rules.list(caller, Listing(filters={"metering_label_id": (label.id,)}, limit=_RULES_SHOWN + 1))
    chosen = choose_boundary(caller, services, view, whole, view.request((), filters={"label_ids": only}))
    shown = chosen.view
    intervals = list(services.reports.usage(caller, shown.request(BY_DIRECTION, shown.resolution, filters={"label_ids": only})))
    axis, cells = figures.axis_of(intervals, view.calendar), figures.cells_of(intervals)
    return render(
        request.scope,
        "label.html",
        status=refused.status,
        refused=refused,
        label=label,
        view=shown,
        periods=PERIOD_CHOICES,
        names=chosen.names,
        amounts=chosen.amounts,
        known=chosen.known,
        chart=figures.draw_flows(axis, intervals),
        strip=charts.strip(axis, cells),
        cells=cells,
        figures=[(cell, figures.rates(interval)) for cell, interval in zip(cells, intervals, strict=True)],
        rules=rules[:_RULES_SHOWN],
        more_rules=len(rules) > _RULES_SHOWN,
        may_change=permits(caller, Operation.CREATE_RULE, label.project_id, shared=label.shared),
        answer=answer,
        Direction=Direction,
    )


def _explain(caller: Principal, services: PageServices, query: Query) -> Answer:
    """Answer which labels count a packet, if a page is asked about one."""
    source, destination, direction = (read_once(query, name) or "" for name in ("source", "destination", "direction"))
    if not source and not destination:
        return Answer()
    asked = Answer(source, destination, direction)
    try:
        way = next((each for each in Direction if each.value == direction), None)
        if way is None:
            message = "direction: give ingress, egress or unknown"
            raise InvalidRequestError(message)
        question = Question(source=source.strip(), destination=destination.strip(), direction=way)
        return asked._replace(found=explanation_form(services.explaining.explain(caller, question)))
    except VenturiError as error:
        return asked._replace(sentence=str(error))


LABEL_PAGES: list[ControllerRouterHandler] = [show_labels, create_label, show_label, create_rule, delete_rule]
