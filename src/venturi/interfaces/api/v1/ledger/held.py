"""Routes of what is held: its list, and the postings that accept or reject it."""

from typing import Annotated, Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import RawBody
from litestar.types import ControllerRouterHandler
from msgspec import Meta

from venturi.adapters.server.configuration import Limits
from venturi.adapters.store.ledger.held import HeldSelection
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.errors import InvalidRequestError
from venturi.core.rules.checks import printable
from venturi.interfaces.api.openapi.declaring import declare
from venturi.interfaces.api.v1.forms.held import (
    HELD_FILTERS,
    DecisionForm,
    HeldList,
    NewDecisionForm,
    decision_form,
    held_interval,
    read_selection,
)
from venturi.interfaces.api.v1.forms.reading import cut_page, listing_parameters, read_listing, read_whole_number
from venturi.interfaces.api.v1.forms.texts import FitText
from venturi.interfaces.api.v1.wire import ApiRequest, JsonBody, answer, query_of
from venturi.services.control.policy import OPERATION, Operation
from venturi.services.ledger.deciding import HeldDecisions

_HIGHEST_POSTING = 10**18 - 1
_HIGHEST_ORDINAL = (1 << 31) - 1
_TAGS = ["ledger"]
_FILTERS = dict.fromkeys(HELD_FILTERS, FitText)
_MARKER = Annotated[str, Meta(pattern=r"^[0-9]{1,18}\.[0-9]{1,9}\Z")]
_ACCEPTANCE = JsonBody(form=NewDecisionForm, example={"reason": "a burst that we know of", "intervals": [{"posting": 17, "ordinal": 0}]})
_REJECTION = JsonBody(form=NewDecisionForm, example={"reason": "forged", "agent_id": "agent-2", "held_reason": "untold_point"})


@get(
    "/v1/held",
    sync_to_thread=True,
    opt={OPERATION: Operation.LIST_HELD},
    tags=_TAGS,
    operation_class=declare(HeldList, *listing_parameters(_FILTERS, marker=_MARKER)),
)
def list_held(
    request: ApiRequest, caller: NamedDependency[Principal], held: NamedDependency[HeldDecisions], limits: NamedDependency[Limits]
) -> Response[bytes]:
    """List what is held.

    Lists the intervals that failed a check, by posting and ordinal: by default those that nobody decided about, by the filter
    ``decision`` others.
    """
    listing = read_listing(query_of(request), limits.page_resources, _FILTERS)
    given: dict[str, Any] = {HELD_FILTERS[name]: tuple(map(str, chosen)) for name, chosen in listing.filters.items()}
    selection = HeldSelection(**given)
    found = held.list(caller, selection, listing.limit or 0, _read_marker(listing.marker))
    page, following = cut_page(found, listing, lambda row: f"{row.posting}.{row.ordinal}")
    return answer({"held": [held_interval(row) for row in page], "next": following})


@post(
    "/v1/acceptances",
    sync_to_thread=True,
    opt={OPERATION: Operation.ACCEPT_HELD},
    tags=_TAGS,
    operation_class=declare(DecisionForm, request=_ACCEPTANCE, refusals=(404, 409)),
)
def accept(body: RawBody, caller: NamedDependency[Principal], held: NamedDependency[HeldDecisions]) -> Response[bytes]:
    """Accept what is held.

    It counts from the posting of this on. What overlaps what counts at its place gets 409. Name the intervals, or give filters: then it
    decides about the first of what passes them all, and tells how many ``remaining`` there are for another request. What was decided
    about before gets 409.
    """
    form = _ACCEPTANCE.read(body)
    return answer(decision_form(held.accept(caller, form.reason, read_selection(form))), status=201)


@post(
    "/v1/rejections",
    sync_to_thread=True,
    opt={OPERATION: Operation.REJECT_HELD},
    tags=_TAGS,
    operation_class=declare(DecisionForm, request=_REJECTION, refusals=(404, 409)),
)
def reject(body: RawBody, caller: NamedDependency[Principal], held: NamedDependency[HeldDecisions]) -> Response[bytes]:
    """Reject what is held.

    It never counts. Name the intervals, or give filters: then it decides about the first of what passes them all, and tells how many
    ``remaining`` there are for another request. What was decided about before gets 409.
    """
    form = _REJECTION.read(body)
    return answer(decision_form(held.reject(caller, form.reason, read_selection(form))), status=201)


def _read_marker(marker: str | None) -> tuple[int, int]:
    if marker is None:
        return 0, -1
    posting, dot, ordinal = marker.partition(".")
    if not dot:
        message = f"marker: '{printable(marker)}' is not the next of a page"
        raise InvalidRequestError(message)
    return read_whole_number("marker", posting, 0, _HIGHEST_POSTING), read_whole_number("marker", ordinal, 0, _HIGHEST_ORDINAL)


HELD_ROUTES: list[ControllerRouterHandler] = [list_held, accept, reject]
