"""The page that finds labels, points and projects by what people know of them: part of a name, an id, or an address."""

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.types import ControllerRouterHandler

from venturi.core.domain.control.listing import Listing, SortKey
from venturi.core.domain.errors import InvalidPrefixError
from venturi.interfaces.api.v1.forms.reading import read_once
from venturi.interfaces.api.v1.wire import ApiRequest, query_of
from venturi.interfaces.web.places import ROOT
from venturi.interfaces.web.rendering import render
from venturi.interfaces.web.services import PageServices
from venturi.services.control.policy import OPERATION, Operation

SHOWN = 20
"""How many of each kind are shown."""

_FIRST = Listing(sort=(SortKey("name", ascending=True),), limit=SHOWN)


@get(f"{ROOT}/search", include_in_schema=False, opt={OPERATION: Operation.LIST_LABELS})
async def search(request: ApiRequest, services: NamedDependency[PageServices]) -> Response[bytes]:
    """Show what a text finds."""
    text = (read_once(query_of(request), "text") or "").strip()

    def build() -> Response[bytes]:
        caller = request.user
        by_address = None
        labels, points = [], []
        if text:
            try:
                by_address = services.explaining.find_by_address(caller, text)
            except InvalidPrefixError:
                labels = services.labels.list(caller, _FIRST, text)
                points = services.points.list_points(caller, _FIRST, text)
        return render(request.scope, "search.html", text=text, labels=labels, points=points, by_address=by_address, shown=SHOWN)

    return await services.turns.reports.run(request.user.user_id, build)


SEARCH_PAGES: list[ControllerRouterHandler] = [search]
