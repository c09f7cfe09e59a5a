"""Routes of what is held: its list, and the postings that accept or reject it."""

from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.types import ControllerRouterHandler

from venturi.adapters.server.configuration import Limits
from venturi.adapters.store.ledger.held import HeldSelection
from venturi.core.domain.control.principal import Principal
from venturi.core.domain.errors import InvalidRequestError
from venturi.core.rules.checks import printable
from venturi.interfaces.api.v1.forms.held import HELD_FILTERS, NewDecisionForm, decision_form, held_interval, read_selection
from venturi.interfaces.api.v1.forms.reading import cut_page, read_body, read_listing, read_whole_number
from venturi.interfaces.api.v1.wire import ApiRequest, answer, query_of
from venturi.services.control.policy import OPERATION, Operation
from venturi.services.ledger.deciding import HeldDecisions

_HIGHEST_POSTING = 10**18 - 1
_HIGHEST_ORDINAL = (1 << 31) - 1


@get("/v1/held", sync_to_thread=True, opt={OPERATION: Operation.LIST_HELD})
def list_held(
    request: ApiRequest, caller: NamedDependency[Principal], held: NamedDependency[HeldDecisions], limits: NamedDependency[Limits]
) -> Response[bytes]:
    """List what is held, or, by the filter ``decision``, what was."""
    listing = read_listing(query_of(request), limits.page_resources, tuple(HELD_FILTERS))
    given: dict[str, Any] = {HELD_FILTERS[name]: tuple(map(str, chosen)) for name, chosen in listing.filters.items()}
    selection = HeldSelection(**given)
    found = held.list(caller, selection, listing.limit or 0, _read_marker(listing.marker))
    page, following = cut_page(found, listing, lambda row: f"{row.posting}.{row.ordinal}")
    return answer({"held": [held_interval(row) for row in page], "next": following})


@post("/v1/acceptances", sync_to_thread=True, opt={OPERATION: Operation.ACCEPT_HELD})
def accept(body: bytes, caller: NamedDependency[Principal], held: NamedDependency[HeldDecisions]) -> Response[bytes]:
    """Accept what is held, so that it counts from this posting on."""
    form = read_body(body, NewDecisionForm)
    return answer(decision_form(held.accept(caller, form.reason, read_selection(form))), status=201)


@post("/v1/rejections", sync_to_thread=True, opt={OPERATION: Operation.REJECT_HELD})
def reject(body: bytes, caller: NamedDependency[Principal], held: NamedDependency[HeldDecisions]) -> Response[bytes]:
    """Reject what is held, so that it never counts."""
    form = read_body(body, NewDecisionForm)
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
